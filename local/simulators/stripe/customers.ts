import { type Account, type Customer, type Origin, originOf, type StoredCustomer } from "./account.ts";
import { declineOf } from "./cards.ts";
import { changeBalance } from "./customer-balance.ts";
import type { Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import { emptyableText, hash, integer, metadata, type Params, refuseUnknown, text } from "./params.ts";
import { newCustomer, referToPaymentMethod } from "./references.ts";

/** Those with no field here (address, shipping, …) are accepted and forgotten. */
const FIELDS = [
  "address",
  "balance",
  "business_name",
  "cash_balance",
  "description",
  "email",
  "individual_name",
  "invoice_prefix",
  "invoice_settings",
  "metadata",
  "name",
  "next_invoice_sequence",
  "phone",
  "preferred_locales",
  "shipping",
  "source",
  "tax",
  "tax_exempt",
  "validate",
] as const;
const CREATE = new Set([...FIELDS, "payment_method", "tax_id_data", "test_clock"]);
const UPDATE = new Set([...FIELDS, "default_source"]);
const NOTHING = new Set<string>();

export const createCustomer: Endpoint = (account, { params, idempotencyKey }) => {
  refuseUnknown(params, CREATE);
  const change = changeIn(params);
  const balance = integer(params, "balance");
  const paymentMethod = text(params, "payment_method");

  return () => {
    const stored = change(account, newCustomer(account, newId.customer()));
    if (paymentMethod !== undefined) {
      const method = referToPaymentMethod(account, paymentMethod);
      const object = { ...method.object, customer: stored.object.id };
      account.paymentMethods.set(object.id, { ...method, object });
    }
    account.customers.set(stored.object.id, stored);
    return withBalance(account, stored, balance, originOf(account, idempotencyKey));
  };
};

export const retrieveCustomer: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => {
    const found = account.customers.get(id);
    if (found === undefined) throw noSuch("customer", id, { param: "id", status: 404 });
    return found.deleted ? tombstone(id) : found.object;
  };
};

export const updateCustomer: Endpoint = (account, { id, params, idempotencyKey }) => {
  refuseUnknown(params, UPDATE);
  const change = changeIn(params);
  const balance = integer(params, "balance");

  return () => {
    const stored = change(account, existing(account, id));
    account.customers.set(id, stored);
    return withBalance(account, stored, balance, originOf(account, idempotencyKey));
  };
};

export const deleteCustomer: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => {
    account.customers.set(id, { ...existing(account, id), deleted: true });
    return tombstone(id);
  };
};

export const listCustomers: Endpoint = listEndpoint(
  "/v1/customers",
  ({ customers }: Account) =>
    [...customers.values()].filter(({ deleted }) => !deleted).map(({ object }) => object),
  ["email"],
);

/** Brings a customer's balance to what was sent, by a transaction of the difference as Stripe does. */
function withBalance(
  account: Account,
  { object }: StoredCustomer,
  balance: number | undefined,
  origin: Origin,
): Customer {
  if (balance === undefined || balance === object.balance) return object;
  const change = { amount: balance - object.balance, currency: object.currency ?? "usd" };
  changeBalance(account, object.id, { ...change, description: null, metadata: {} }, origin);
  return existing(account, object.id).object;
}

function changeIn(params: Params): (account: Account, stored: StoredCustomer) => StoredCustomer {
  const source = text(params, "source");
  const settings = hash(params, "invoice_settings");
  const defaultMethod = settings === undefined ? undefined : text(settings, "default_payment_method");
  const read = (name: string, before: string | null): string | null => {
    const sent = emptyableText(params, name);
    return sent === undefined ? before : sent || null;
  };
  const change = (account: Account, before: Customer): Customer => ({
    ...before,
    default_source: source === undefined ? before.default_source : newId.card(),
    description: read("description", before.description),
    email: read("email", before.email),
    invoice_settings:
      defaultMethod === undefined
        ? before.invoice_settings
        : {
            ...before.invoice_settings,
            default_payment_method: referToPaymentMethod(account, defaultMethod).object.id,
          },
    metadata: metadata(params, before.metadata),
    name: read("name", before.name),
    phone: read("phone", before.phone),
  });
  return (account, stored) => ({
    object: change(account, stored.object),
    deleted: false,
    decline: source === undefined ? stored.decline : declineOf(source),
    sourceToken: source ?? stored.sourceToken,
  });
}

function existing({ customers }: Account, id: string): StoredCustomer {
  const found = customers.get(id);
  if (found === undefined || found.deleted) throw noSuch("customer", id, { param: "id", status: 404 });
  return found;
}

const tombstone = (id: string) => ({ id, object: "customer", deleted: true });
