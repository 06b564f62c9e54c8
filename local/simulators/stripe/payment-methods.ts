import type { Account, StoredPaymentMethod } from "./account.ts";
import { declined } from "./charging.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import { hash, metadata, oneOf, refuseUnknown, required, text } from "./params.ts";
import { referToCustomer, referToPaymentMethod, storePaymentMethod } from "./references.ts";

const CREATE = new Set(["type", "card", "billing_details", "metadata", "allow_redisplay", "radar_options"]);
const ATTACH = new Set(["customer"]);
const NOTHING = new Set<string>();

/** Cards only. `card[token]` decides whether it declines; of `card[number]`, 4000000000000002 does. */
export const createPaymentMethod: Endpoint = (account, { params }) => {
  refuseUnknown(params, CREATE);
  required(oneOf(params, "type", ["card"]), "type");
  const card = required(hash(params, "card"), "card");
  const declines = text(card, "number")?.replaceAll(" ", "") === "4000000000000002";
  const token = text(card, "token") ?? (declines ? "tok_chargeDeclined" : "tok_visa");
  metadata(params, {});

  return () => {
    const stored = storePaymentMethod(account, newId.paymentMethod(), token);
    return replace(account, stored, { metadata: metadata(params, {}) });
  };
};

export const retrievePaymentMethod: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => existing(account, id).object;
};

/** A test token attaches as a new method; a card that declines is declined here already, as at Stripe. */
export const attachPaymentMethod: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, ATTACH);
  const customer = required(text(params, "customer"), "customer");

  return () => {
    referToCustomer(account, customer);
    const stored = referToPaymentMethod(account, id, { param: "payment_method", status: 404 });
    if (stored.decline !== null) throw declined(stored.decline, {});
    return replace(account, stored, { customer });
  };
};

export const detachPaymentMethod: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => {
    const stored = existing(account, id);
    if (stored.object.customer !== null) return replace(account, stored, { customer: null });
    throw invalidRequest(
      "The payment method you provided is not attached to a customer so detachment is impossible.",
      { param: "payment_method" },
    );
  };
};

export const listPaymentMethods: Endpoint = listEndpoint(
  "/v1/payment_methods",
  ({ paymentMethods }: Account) => [...paymentMethods.values()].map(({ object }) => object),
  ["customer", "type"],
);

function existing({ paymentMethods }: Account, id: string): StoredPaymentMethod {
  const found = paymentMethods.get(id);
  if (found === undefined) throw noSuch("PaymentMethod", id, { param: "payment_method", status: 404 });
  return found;
}

function replace(
  account: Account,
  stored: StoredPaymentMethod,
  change: Partial<StoredPaymentMethod["object"]>,
) {
  const object = { ...stored.object, ...change };
  account.paymentMethods.set(object.id, { ...stored, object });
  return object;
}
