import { nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import { LINE_PRICE, readLinePrice } from "./line-prices.ts";
import type { CheckoutSession } from "./objects.ts";
import { currency, hashes, metadata, NO_PARAMS, oneOf, refuseUnknown, required, text } from "./params.ts";
import { referToCustomer } from "./references.ts";
import { existing, type Kind, keep, listKind, retrieveEndpoint, rewrite } from "./shelves.ts";

const ITEM = new Set([
  "adjustable_quantity",
  "dynamic_tax_rates",
  "metadata",
  "tax_rates",
  ...LINE_PRICE.split(" "),
]);
const DAY_S = 86_400;

const KIND: Kind<CheckoutSession> = {
  noun: "checkout.session",
  shelf: ({ checkoutSessions }) => checkoutSessions,
};

/**
 * Opens a page where a customer pays the sum of `line_items`. Nobody pays there: a session is open until it is
 * expired. Of its many parameters those that price it are read; what else is sent is accepted and forgotten.
 */
export const createSession: Endpoint = (account, request) => {
  const { params } = request;
  const mode = oneOf(params, "mode", ["payment", "setup", "subscription"]) ?? "payment";
  const items = hashes(params, "line_items").map((item) => {
    refuseUnknown(item, ITEM);
    return required(readLinePrice(item) ?? undefined, "line_items[price]");
  });
  const unit = currency(params, "currency");
  const customer = text(params, "customer") ?? null;
  const described = {
    cancel_url: text(params, "cancel_url") ?? null,
    client_reference_id: text(params, "client_reference_id") ?? null,
    customer_email: text(params, "customer_email") ?? null,
    metadata: metadata(params, {}),
    success_url: text(params, "success_url") ?? null,
  };
  if (mode !== "setup" && items.length === 0) required(undefined, "line_items");

  return () => {
    if (customer !== null) referToCustomer(account, customer);
    const lines = items.map((price) => price(account, unit ?? "usd"));
    if (new Set(lines.map((line) => line.currency)).size > 1)
      throw invalidRequest("All line items must have the same currency.", { param: "line_items" });
    const total = lines.length === 0 ? null : lines.reduce((sum, { amount }) => sum + amount, 0);
    const id = `cs_test_${newId.of("a").slice(2)}`;
    const session: CheckoutSession = {
      ...NEW_SESSION,
      ...described,
      id,
      amount_subtotal: total,
      amount_total: total,
      created: nowS(account),
      currency: lines[0]?.currency ?? unit ?? null,
      customer,
      expires_at: nowS(account) + DAY_S,
      mode,
      payment_status: mode === "setup" ? "no_payment_required" : "unpaid",
      url: `https://checkout.stripe.com/c/pay/${id}`,
    };
    return keep(account.checkoutSessions, account, request, session);
  };
};

/** Closes the page of a session: it can no longer be paid. */
export const expireSession: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = existing(account.checkoutSessions, KIND.noun, id);
    if (stored.object.status !== "open")
      throw invalidRequest("Only Checkout Sessions with a status in [open] can be expired.");
    return rewrite(account.checkoutSessions, stored, { ...stored.object, status: "expired", url: null });
  };
};

export const retrieveSession: Endpoint = retrieveEndpoint(KIND);
export const listSessions: Endpoint = listKind("/v1/checkout/sessions", KIND, ["customer", "status"]);

const NEW_SESSION = {
  object: "checkout.session",
  adaptive_pricing: null,
  after_expiration: null,
  allow_promotion_codes: null,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  currency_conversion: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_account: null,
  customer_creation: "if_required",
  customer_details: null,
  discounts: [],
  invoice: null,
  invoice_creation: null,
  livemode: false,
  locale: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: "always",
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ["card"],
  permissions: null,
  phone_number_collection: { enabled: false },
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: "open",
  submit_type: null,
  subscription: null,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: "hosted_page",
  wallet_options: null,
} as const;
