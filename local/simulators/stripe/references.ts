import { type Account, nowS, type StoredCustomer, type StoredPaymentMethod } from "./account.ts";
import { cardOf, declineOf } from "./cards.ts";
import { noSuch } from "./errors.ts";
import { newId } from "./ids.ts";

/**
 * The customer a parameter names. One that this account has never seen is taken in under the id it was called by,
 * so that examples with customers of their own (`cus_A`) run; real Stripe answers 400. A deleted one is a 400 here too.
 */
export function referToCustomer(account: Account, id: string): StoredCustomer {
  const found = account.customers.get(id);
  if (found?.deleted || !id.startsWith("cus_"))
    throw noSuch("customer", id, { param: "customer", status: 400 });
  if (found !== undefined) return found;

  const adopted = newCustomer(account, id);
  account.customers.set(id, adopted);
  return adopted;
}

/**
 * The payment method an id names. A test token (`pm_card_visa`, `tok_visa`) makes a new one, as at Stripe; an id
 * that this account has never seen is taken in, as customers are.
 */
export function referToPaymentMethod(
  account: Account,
  id: string,
  where: { param: string; status: 400 | 404 } = { param: "payment_method", status: 400 },
): StoredPaymentMethod {
  const found = account.paymentMethods.get(id);
  if (found !== undefined) return found;
  if (!/^(pm|tok|card|src)_/.test(id)) throw noSuch("PaymentMethod", id, where);

  const isToken = id.startsWith("pm_card_") || id.startsWith("tok_");
  return storePaymentMethod(account, isToken ? newId.paymentMethod() : id, id);
}

/** Makes the card that `token` stands for, under `id`. */
export function storePaymentMethod(account: Account, id: string, token: string): StoredPaymentMethod {
  const stored: StoredPaymentMethod = {
    object: {
      id,
      object: "payment_method",
      allow_redisplay: "unspecified",
      billing_details: NO_BILLING_DETAILS,
      card: cardOf(token),
      created: nowS(account),
      customer: null,
      customer_account: null,
      livemode: false,
      metadata: {},
      type: "card",
    },
    decline: declineOf(token),
    token,
  };
  account.paymentMethods.set(id, stored);
  return stored;
}

export function newCustomer(account: Account, id: string): StoredCustomer {
  return {
    object: {
      id,
      object: "customer",
      address: null,
      balance: 0,
      created: nowS(account),
      currency: null,
      default_source: null,
      delinquent: false,
      description: null,
      discount: null,
      email: null,
      invoice_prefix: id.slice(-8).toUpperCase(),
      invoice_settings: {
        custom_fields: null,
        default_payment_method: null,
        footer: null,
        rendering_options: null,
      },
      livemode: false,
      metadata: {},
      name: null,
      next_invoice_sequence: 1,
      phone: null,
      preferred_locales: [],
      shipping: null,
      tax_exempt: "none",
      test_clock: null,
    },
    deleted: false,
    decline: null,
    sourceToken: null,
  };
}

export const NO_BILLING_DETAILS = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};
