import { type Account, nowS, type Origin } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import type { BalanceTransaction } from "./objects.ts";
import { type Metadata, NO_PARAMS, refuseUnknown } from "./params.ts";
import { referToCustomer } from "./references.ts";
import { existing, objectsOn } from "./shelves.ts";

export const retrieveBalanceTransaction: Endpoint = (account, { ids: [customer = "", id = ""], params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const { object } = existing(account.balanceTransactions, "customer_balance_transaction", id);
    if (object.customer === customer) return object;
    throw noSuch("customer_balance_transaction", id, { param: "id", status: 404 });
  };
};

export const listBalanceTransactions: Endpoint = listEndpoint(
  (id) => `/v1/customers/${id}/balance_transactions`,
  (account, id) => objectsOn(account.balanceTransactions).filter(({ customer }) => customer === id),
  [],
);

/** Adds to a customer's balance, and takes down that it was. */
export function changeBalance(
  account: Account,
  id: string,
  order: { amount: number; currency: string; description: string | null; metadata: Metadata },
  origin: Origin,
): BalanceTransaction {
  const customer = referToCustomer(account, id);
  const { object } = customer;
  const ending = object.balance + order.amount;
  const transaction: BalanceTransaction = {
    object: "customer_balance_transaction",
    ...order,
    id: newId.of("cbtxn"),
    checkout_session: null,
    created: nowS(account),
    credit_note: null,
    customer: id,
    customer_account: null,
    ending_balance: ending,
    invoice: null,
    livemode: false,
    type: "adjustment",
  };
  const balance = { ...object, balance: ending, currency: order.currency };
  account.customers.set(id, { ...customer, object: balance });
  account.balanceTransactions.set(transaction.id, { object: transaction, origin });
  return transaction;
}
