import type { Account } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { listEndpoint } from "./lists.ts";
import type { AccountTransaction } from "./objects.ts";
import { NO_PARAMS, refuseUnknown } from "./params.ts";
import { objectsOn } from "./shelves.ts";

/**
 * What moved the account's balance, oldest first, from the objects as they are now: what was captured of charges,
 * refunds, payouts, transfers and what came back of them, application fees. So its sum is what `GET /v1/balance` shows.
 *
 * There are no fees, and all of it is available at once. Not in it: top-ups, which stay pending, disputes, whose money
 * does not move here, and v2's outbound payments. An object of an older moment that was captured later stands at the
 * moment it was made.
 */
function transactionsOn(account: Account): readonly AccountTransaction[] {
  return [
    ...[...account.charges.values()].flatMap(({ object }) =>
      movement(object.balance_transaction, "charge", {
        ...object,
        amount: object.amount_captured,
      }),
    ),
    ...[...account.refunds.values()].flatMap(({ object }) =>
      object.status === "failed"
        ? []
        : movement(object.balance_transaction, "refund", { ...object, amount: -object.amount }),
    ),
    ...objectsOn(account.payouts).flatMap((payout) => [
      ...movement(payout.balance_transaction, "payout", { ...payout, amount: -payout.amount }),
      ...movement(payout.failure_balance_transaction, "payout_cancel", payout),
    ]),
    ...objectsOn(account.transfers).flatMap((transfer) =>
      movement(transfer.balance_transaction, "transfer", { ...transfer, amount: -transfer.amount }),
    ),
    ...objectsOn(account.transferReversals).flatMap((reversal) =>
      movement(reversal.balance_transaction, "transfer_refund", reversal),
    ),
    ...objectsOn(account.applicationFees).flatMap((fee) =>
      movement(fee.balance_transaction, "application_fee", fee),
    ),
    ...objectsOn(account.feeRefunds).flatMap((refund) =>
      movement(refund.balance_transaction, "application_fee_refund", { ...refund, amount: -refund.amount }),
    ),
  ].toSorted((a, b) => a.created - b.created);
}

interface Mover {
  readonly id: string;
  readonly amount: number;
  readonly created: number;
  readonly currency: string;
}

/** The transaction with that id; none where the object moved nothing. */
function movement(
  id: string | null,
  type: string,
  { id: source, amount, created, currency }: Mover,
): readonly AccountTransaction[] {
  if (id === null) return [];
  return [
    {
      id,
      object: "balance_transaction",
      amount,
      available_on: created,
      balance_type: "payments",
      created,
      currency,
      description: null,
      exchange_rate: null,
      fee: 0,
      fee_details: [],
      net: amount,
      reporting_category: type,
      source,
      status: "available",
      type,
    },
  ];
}

/** The transaction of that id, or undefined. */
export const transactionOf = (account: Account, id: string): AccountTransaction | undefined =>
  transactionsOn(account).find((transaction) => transaction.id === id);

export const listTransactions: Endpoint = listEndpoint("/v1/balance_transactions", transactionsOn, [
  "currency",
  "source",
  "type",
]);

export const retrieveTransaction: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const found = transactionOf(account, id);
    if (found === undefined) throw noSuch("balance transaction", id, { param: "id", status: 404 });
    return found;
  };
};

/** What the account has, by currency; USD also where nothing has moved. Below zero where more was paid out than came in. */
export const retrieveBalance: Endpoint = (account, { params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const sums = new Map([["usd", 0]]);
    for (const { amount, currency } of transactionsOn(account))
      sums.set(currency, (sums.get(currency) ?? 0) + amount);
    const rows = (amountOf: (sum: number) => number) =>
      [...sums].map(([currency, sum]) => ({
        amount: amountOf(sum),
        currency,
        source_types: { card: amountOf(sum) },
      }));
    return { object: "balance", available: rows((sum) => sum), livemode: false, pending: rows(() => 0) };
  };
};
