import { Problem } from "../../domain/problem.ts";
import type { Endpoint, Known } from "../../domain/vendor.ts";
import { type Form, wholeNumber } from "../form.ts";
import { readCaptured, readCreated, readEnd, readNothing, readRaised, unitsOf } from "./answers.ts";
import { currencyIn } from "./currencies.ts";
import {
  INTENT_CANCEL,
  INTENT_CAPTURE,
  INTENT_CONFIRM,
  INTENT_CREATE,
  INTENT_INCREMENT,
  INTENT_UPDATE,
} from "./fields.ts";
import {
  type Cost,
  costBeyond,
  costOfNew,
  FREE_OF_COST,
  foundAmount,
  idIn,
  inItsCurrency,
  over,
  type Pricing,
  priced,
  required,
} from "./pricing.ts";

/**
 * PaymentIntents are counted when they are created, because the answer holds a client secret, which can confirm them
 * without Keybrake. Later calls cost what goes beyond that. A PaymentIntent from elsewhere is looked up first.
 */

function costOfUpdate(form: Form, known: Known): Cost | Problem {
  const units = wholeNumber(form, "amount");
  const currency = currencyIn(form, known.rateCard);
  if (units instanceof Problem) return units;
  if (currency instanceof Problem) return currency;
  if (units === null && currency === null) return FREE_OF_COST;

  const about = foundAmount(known.found, "amount");
  // The same number in another currency is another amount, and the object may have changed before the call arrives.
  const own = about.find((amount) => amount.currency !== currency)?.currency;
  if (currency !== null && own !== undefined) {
    return new Problem(
      "currency_unknown",
      `currency: got ${JSON.stringify(currency)}; expected ${own}, the currency of this PaymentIntent; create another one in ${currency} instead`,
    );
  }
  return costBeyond(units === null ? about : inItsCurrency(units, about), known);
}

const readUpdate: Pricing["read"] = (answer, quote, known, request) =>
  (quote.amountText === null && quote.currency === null ? readNothing : readRaised("amount"))(
    answer,
    quote,
    known,
    request,
  );

function costOfConfirmation(form: Form, known: Known): Cost | Problem {
  const named = wholeNumber(form, "amount_to_confirm");
  if (named instanceof Problem) return named;
  const about = foundAmount(known.found, "amount");
  return costBeyond([...about, ...(named === null ? [] : inItsCurrency(named, about))], known);
}

/**
 * States in which nothing more can be captured. docs.stripe.com/payments/paymentintents/lifecycle, read 2026-11-28.
 */
const TAKEN = ["succeeded", "canceled"];

/** A capture adds to earlier captures, as long as anything can be captured. */
function costOfCapture(form: Form, known: Known): Cost | Problem {
  const named = wholeNumber(form, "amount_to_capture");
  if (named instanceof Problem) return named;
  const about = foundAmount(known.found, "amount");
  const before = unitsOf(known.found?.["amount_received"]) ?? 0n;
  const isOver = TAKEN.some((status) => status === known.found?.["status"]);
  const captured = before + (isOver ? 0n : (named ?? 0n));
  return over(costBeyond([...about, ...inItsCurrency(captured, about)], known), isOver);
}

function costOfIncrement(form: Form, known: Known): Cost | Problem {
  const units = required(form, "amount");
  return units instanceof Problem
    ? units
    : costBeyond(inItsCurrency(units, foundAmount(known.found, "amount")), known);
}

const ofIntent = {
  objectOf: idIn,
  lookup: { path: (request) => `/v1/payment_intents/${idIn(request)}` },
} satisfies Partial<Pricing>;

const namesMoney = (form: Form): boolean => form.has("amount") || form.has("currency");
const moneyOfIntent = { ...ofIntent, lookup: { ...ofIntent.lookup, needed: namesMoney } };
/** Looked up only for the recipient. */
const freeOfIntent = { ...ofIntent, lookup: { ...ofIntent.lookup, needed: () => false } };

export const PAYMENT_INTENTS: readonly Endpoint[] = [
  priced("/v1/payment_intents", {
    fields: INTENT_CREATE,
    amountField: "amount",
    cost: costOfNew,
    read: readCreated("amount", true),
  }),
  priced("/v1/payment_intents/{id}", {
    ...moneyOfIntent,
    fields: INTENT_UPDATE,
    amountField: "amount",
    cost: costOfUpdate,
    read: readUpdate,
  }),
  priced("/v1/payment_intents/{id}/confirm", {
    ...ofIntent,
    fields: INTENT_CONFIRM,
    amountField: "amount_to_confirm",
    cost: costOfConfirmation,
    read: readRaised("amount"),
  }),
  priced("/v1/payment_intents/{id}/capture", {
    ...ofIntent,
    fields: INTENT_CAPTURE,
    amountField: "amount_to_capture",
    cost: costOfCapture,
    read: readCaptured,
  }),
  priced("/v1/payment_intents/{id}/increment_authorization", {
    ...ofIntent,
    fields: INTENT_INCREMENT,
    amountField: "amount",
    cost: costOfIncrement,
    read: readRaised("amount"),
  }),
  priced("/v1/payment_intents/{id}/cancel", {
    ...freeOfIntent,
    fields: INTENT_CANCEL,
    cost: () => FREE_OF_COST,
    read: readEnd("canceled", "amount_received"),
  }),
];
