import { nowS } from "./account.ts";
import { decimalsOf } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Payout } from "./objects.ts";
import { metadata, money, NO_PARAMS, names, oneOf, type Params, refuseUnknown, text } from "./params.ts";
import {
  describeEndpoint,
  existing,
  type Kind,
  keep,
  listKind,
  retrieveEndpoint,
  rewrite,
} from "./shelves.ts";

const CREATE = names(
  "amount currency description destination metadata method payout_method source_type statement_descriptor",
);
const REVERSE = names("metadata");
const DAY_S = 86_400;

const KIND: Kind<Payout> = { noun: "payout", shelf: ({ payouts }) => payouts };

/**
 * Sends money of the account to its bank. It stays pending, whatever time passes, so it can be cancelled, and reversed
 * too, for which Stripe waits until it is paid. There is always enough on the account.
 */
export const createPayout: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const order = money(params);
  // Forint and Taiwan dollar are paid out in whole units, though their amounts have two decimals.
  if (["huf", "twd"].includes(order.currency) && order.amount % 10 ** decimalsOf(order.currency) !== 0) {
    throw invalidRequest(`Invalid amount: a payout in ${order.currency} must be a multiple of 100.`, {
      param: "amount",
    });
  }
  const described = descriptionIn(params);

  return () => {
    const payout: Payout = {
      ...NEW_PAYOUT,
      ...order,
      ...described,
      id: newId.of("po"),
      arrival_date: nowS(account) + DAY_S,
      balance_transaction: newId.balanceTransaction(),
      created: nowS(account),
      failure_balance_transaction: null,
    };
    return keep(account.payouts, account, request, payout);
  };
};

export const cancelPayout: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = existing(account.payouts, KIND.noun, id);
    if (stored.object.status !== "pending" || stored.object.reversed_by !== null)
      throw invalidRequest("Payouts can only be canceled while they are pending.");
    return rewrite(account.payouts, stored, {
      ...stored.object,
      failure_balance_transaction: newId.balanceTransaction(),
      status: "canceled",
    });
  };
};

/** Takes a payout back from the bank. Answers with another payout, of the same amount below zero. */
export const reversePayout: Endpoint = (account, request) => {
  refuseUnknown(request.params, REVERSE);
  const sentMetadata = metadata(request.params, {});

  return () => {
    const stored = existing(account.payouts, KIND.noun, request.id);
    const { object } = stored;
    if (object.status === "canceled" || object.reversed_by !== null || object.original_payout !== null)
      throw invalidRequest("This payout cannot be reversed.");
    const reversal: Payout = {
      ...object,
      id: newId.of("po"),
      amount: -object.amount,
      balance_transaction: newId.balanceTransaction(),
      created: nowS(account),
      metadata: sentMetadata,
      original_payout: object.id,
    };
    rewrite(account.payouts, stored, { ...object, reversed_by: reversal.id });
    return keep(account.payouts, account, request, reversal);
  };
};

export const retrievePayout: Endpoint = retrieveEndpoint(KIND);
export const updatePayout: Endpoint = describeEndpoint(KIND);
export const listPayouts: Endpoint = listKind("/v1/payouts", KIND, ["status", "destination"]);

function descriptionIn(params: Params) {
  return {
    description: text(params, "description") ?? null,
    destination: text(params, "destination") ?? "ba_1SimulatedBankAccount0000",
    metadata: metadata(params, {}),
    method: oneOf(params, "method", ["standard", "instant"]) ?? "standard",
    source_type: oneOf(params, "source_type", ["bank_account", "card", "fpx"]) ?? "card",
    statement_descriptor: text(params, "statement_descriptor") ?? null,
  };
}

const NEW_PAYOUT = {
  object: "payout",
  application_fee: null,
  application_fee_amount: null,
  automatic: false,
  failure_code: null,
  failure_message: null,
  livemode: false,
  original_payout: null,
  payout_method: null,
  reconciliation_status: "not_applicable",
  reversed_by: null,
  status: "pending",
  trace_id: null,
  type: "bank_account",
} as const;
