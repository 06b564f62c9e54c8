import type { Account, Customer, StoredCustomer } from "./account.ts";
import { declineOf } from "./cards.ts";
import type { Endpoint } from "./endpoint.ts";
import { noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import { emptyableText, metadata, type Params, refuseUnknown, text } from "./params.ts";
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

export const createCustomer: Endpoint = (account, { params }) => {
  refuseUnknown(params, CREATE);
  const change = changeIn(params);
  const paymentMethod = text(params, "payment_method");

  return () => {
    const stored = change(newCustomer(account, newId.customer()));
    if (paymentMethod !== undefined) {
      const method = referToPaymentMethod(account, paymentMethod);
      const object = { ...method.object, customer: stored.object.id };
      account.paymentMethods.set(object.id, { ...method, object });
    }
    account.customers.set(stored.object.id, stored);
    return stored.object;
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

export const updateCustomer: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  const change = changeIn(params);

  return () => {
    const stored = change(existing(account, id));
    account.customers.set(id, stored);
    return stored.object;
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

function changeIn(params: Params): (stored: StoredCustomer) => StoredCustomer {
  const source = text(params, "source");
  const read = (name: string, before: string | null): string | null => {
    const sent = emptyableText(params, name);
    return sent === undefined ? before : sent || null;
  };
  const change = (before: Customer): Customer => ({
    ...before,
    default_source: source === undefined ? before.default_source : newId.card(),
    description: read("description", before.description),
    email: read("email", before.email),
    metadata: metadata(params, before.metadata),
    name: read("name", before.name),
    phone: read("phone", before.phone),
  });
  return (stored) => ({
    object: change(stored.object),
    deleted: false,
    decline: source === undefined ? stored.decline : declineOf(source),
  });
}

function existing({ customers }: Account, id: string): StoredCustomer {
  const found = customers.get(id);
  if (found === undefined || found.deleted) throw noSuch("customer", id, { param: "id", status: 404 });
  return found;
}

const tombstone = (id: string) => ({ id, object: "customer", deleted: true });
