import { Problem } from "../../domain/problem.ts";
import type { Endpoint, Known } from "../../domain/vendor.ts";
import { type Form, wholeNumber } from "../form.ts";
import { idOf, readCreated, readNothing } from "./answers.ts";
import { currencyIn } from "./currencies.ts";
import { FEE_REFUND, PAYOUT_CREATE, REVERSAL, TOPUP_CREATE, TRANSFER_CREATE } from "./fields.ts";
import {
  accountProblem,
  type Cost,
  costOf,
  costOfNew,
  costOfRest,
  FREE_OF_COST,
  foundAmount,
  idIn,
  idNamed,
  inItsCurrency,
  priced,
} from "./pricing.ts";

/** Money between the balance, the bank and other accounts. */

/** Without an amount it transfers the whole source charge. */
function costOfTransfer(form: Form, known: Known): Cost | Problem {
  const refused = accountProblem(form.get("destination") ?? null, known.limits);
  if (refused !== null) return refused;
  if (form.has("amount") && form.has("currency")) return costOfNew(form, known);
  const named = wholeNumber(form, "amount");
  if (named instanceof Problem) return named;
  const currency = currencyIn(form, known.rateCard);
  if (currency instanceof Problem) return currency;
  const found = foundAmount(known.found, "amount");
  if (named === null && currency !== null && found.some((charge) => charge.currency !== currency))
    return new Problem(
      "amount_unknown",
      "amount: missing; the source charge is in another currency and cannot bound this transfer, so name an amount",
    );
  return costOf(
    found.map((charge) => ({ units: named ?? charge.units, currency: currency ?? charge.currency })),
    known.rateCard,
  );
}

function costOfFeeRefund(form: Form, known: Known): Cost | Problem {
  const refused = accountProblem(idOf(known.found?.["account"]), known.limits);
  if (refused !== null) return refused;
  const named = wholeNumber(form, "amount");
  if (named instanceof Problem) return named;
  const about = foundAmount(known.found, "amount");
  return named === null ? costOfRest(about, known) : costOf(inItsCurrency(named, about), known.rateCard);
}

/** A reversal pulls money back from the account that it went to. */
const costOfReversal = (_: Form, { found, limits }: Known): Cost | Problem =>
  accountProblem(idOf(found?.["destination"]), limits) ?? FREE_OF_COST;

export const PAYOUTS_AND_TRANSFERS: readonly Endpoint[] = [
  priced("/v1/payouts", {
    fields: PAYOUT_CREATE,
    amountField: "amount",
    cost: costOfNew,
    read: readCreated("amount", false),
  }),
  priced("/v1/topups", {
    fields: TOPUP_CREATE,
    amountField: "amount",
    cost: costOfNew,
    read: readCreated("amount", false),
  }),
  priced("/v1/transfers", {
    fields: TRANSFER_CREATE,
    amountField: "amount",
    lookup: {
      path: (_, form) => {
        const source = idNamed(form, "source_transaction");
        return source === null || (form.has("amount") && form.has("currency"))
          ? null
          : `/v1/charges/${source}`;
      },
    },
    cost: costOfTransfer,
    recipient: (form) => form.get("destination") ?? null,
    read: readCreated("amount", false),
  }),
  priced("/v1/transfers/{id}/reversals", {
    fields: REVERSAL,
    lookup: { path: (request) => `/v1/transfers/${idIn(request)}` },
    cost: costOfReversal,
    read: readNothing,
  }),
  priced("/v1/application_fees/{id}/refunds", {
    fields: FEE_REFUND,
    amountField: "amount",
    lookup: { path: (request) => `/v1/application_fees/${idIn(request)}` },
    cost: costOfFeeRefund,
    read: readCreated("amount", false),
  }),
];
