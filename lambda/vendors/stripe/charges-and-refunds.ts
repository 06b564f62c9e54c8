import { Problem } from "../../domain/problem.ts";
import type { Endpoint, Known, VendorRequest } from "../../domain/vendor.ts";
import { type Form, namesUnder, wholeNumber } from "../form.ts";
import { readCreated, readRaised } from "./answers.ts";
import { CHARGE_CAPTURE, CHARGE_CREATE, DISPUTE_CLOSE, REFUND_CREATE } from "./fields.ts";
import {
  type Cost,
  costBeyond,
  costOf,
  costOfNew,
  costOfRest,
  foundAmount,
  idIn,
  idNamed,
  inItsCurrency,
  priced,
} from "./pricing.ts";

/** Charges, refunds and disputes. A refund is money out: it counts, and never gives budget back. */

function costOfCapture(form: Form, known: Known): Cost | Problem {
  const named = wholeNumber(form, "amount");
  if (named instanceof Problem) return named;
  const about = foundAmount(known.found, "amount");
  return costBeyond([...about, ...inItsCurrency(named ?? 0n, about)], known);
}

/** What is refunded: one charge, or the payments of one PaymentIntent. */
const refundedId = (form: Form): string | null =>
  namesUnder(form, "charge").length > 0 && namesUnder(form, "payment_intent").length > 0
    ? null
    : (idNamed(form, "charge") ?? idNamed(form, "payment_intent"));

function refundedPath(_: VendorRequest, form: Form): string | null {
  const id = refundedId(form);
  return id === null ? null : `/v1/${form.has("charge") ? "charges" : "payment_intents"}/${id}`;
}

/** The request names no currency, and often no amount. Without an amount it refunds all that is left. */
function costOfRefund(form: Form, known: Known): Cost | Problem {
  if (refundedId(form) === null)
    return new Problem(
      "amount_unknown",
      "charge: expected the id of one charge, or payment_intent with the id of one PaymentIntent",
    );
  const named = wholeNumber(form, "amount");
  if (named instanceof Problem) return named;
  const about = foundAmount(known.found, "amount");
  if (named !== null) return costOf(inItsCurrency(named, about), known.rateCard);
  // More than the amount may have been captured.
  const taken = ["amount", "amount_captured", "amount_received"].flatMap((field) =>
    foundAmount(known.found, field),
  );
  return costOfRest(taken, known);
}

export const CHARGES_AND_REFUNDS: readonly Endpoint[] = [
  priced("/v1/charges", {
    fields: CHARGE_CREATE,
    amountField: "amount",
    cost: costOfNew,
    read: readCreated("amount", true),
  }),
  priced("/v1/charges/{id}/capture", {
    fields: CHARGE_CAPTURE,
    amountField: "amount",
    objectOf: idIn,
    lookup: { path: (request) => `/v1/charges/${idIn(request)}` },
    cost: costOfCapture,
    read: readRaised("amount_captured"),
  }),
  priced("/v1/refunds", {
    fields: REFUND_CREATE,
    amountField: "amount",
    lookup: { path: refundedPath },
    cost: costOfRefund,
    read: readCreated("amount", false),
  }),
  priced("/v1/disputes/{id}/close", {
    fields: DISPUTE_CLOSE,
    lookup: { path: (request) => `/v1/disputes/${idIn(request)}` },
    cost: (_, { found, rateCard }) => costOf(foundAmount(found, "amount"), rateCard),
    read: readCreated("amount", false),
  }),
];
