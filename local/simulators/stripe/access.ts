import { nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId, randomText } from "./ids.ts";
import { LINE_PRICE, readLinePrice } from "./line-prices.ts";
import { ofType } from "./others.ts";
import { flag, hashes, metadata, names, oneOf, refuseUnknown, required, text, texts } from "./params.ts";
import { referToCustomer } from "./references.ts";
import { keep } from "./shelves.ts";

/** What gives others access or lets them pay: payment links, accounts, and the makers of secrets. */

const LINK = names(
  "line_items after_completion allow_promotion_codes application_fee_amount application_fee_percent automatic_tax " +
    "billing_address_collection consent_collection currency custom_fields custom_text customer_creation " +
    "inactive_message invoice_creation managed_payments metadata name_collection on_behalf_of optional_items " +
    "payment_intent_data payment_method_collection payment_method_options payment_method_types " +
    "phone_number_collection restrictions shipping_address_collection shipping_options submit_type " +
    "subscription_data tax_id_collection transfer_data",
);
const LINK_ITEM = names(`adjustable_quantity ${LINE_PRICE}`);
const ACCOUNT = names(
  "account_token business_profile business_type capabilities company controller country default_currency documents " +
    "email external_account groups individual metadata settings tos_acceptance type",
);
const KEY = names("customer issuing_card nonce verification_session");
const WEBHOOK = names("enabled_events url api_version connect description metadata");
const KEY_LIFE_S = 3600;

export const paymentLinks = ofType("payment_link", "/v1/payment_links");
export const accounts = ofType("account", "/v1/accounts");
export const ephemeralKeys = ofType("ephemeral_key", "/v1/ephemeral_keys");
export const webhookEndpoints = ofType("webhook_endpoint", "/v1/webhook_endpoints");

export const createPaymentLink: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, LINK);
  const items = hashes(params, "line_items").map((item) => {
    refuseUnknown(item, LINK_ITEM);
    return required(readLinePrice(item) ?? undefined, "line_items[price]");
  });
  if (items.length === 0) required(undefined, "line_items");
  const sentMetadata = metadata(params, {});

  return () => {
    const [first] = items.map((price) => price(account, "usd"));
    return keep(account.others, account, request, {
      ...NEW_LINK,
      id: newId.of("plink"),
      created: nowS(account),
      currency: first?.currency ?? "usd",
      metadata: sentMetadata,
      url: `https://buy.stripe.com/test_${randomText(20)}`,
    });
  };
};

export const createAccount: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, ACCOUNT);
  const described = {
    business_type: text(params, "business_type") ?? null,
    country: text(params, "country") ?? "US",
    default_currency: text(params, "default_currency") ?? "usd",
    email: text(params, "email") ?? null,
    metadata: metadata(params, {}),
    type: oneOf(params, "type", ["custom", "express", "standard"]) ?? "none",
  };
  return () => {
    const id = `acct_1${randomText(15)}`;
    return keep(account.others, account, request, {
      object: "account",
      ...described,
      id,
      capabilities: {},
      charges_enabled: false,
      created: nowS(account),
      details_submitted: false,
      external_accounts: {
        object: "list",
        data: [],
        has_more: false,
        url: `/v1/accounts/${id}/external_accounts`,
      },
      payouts_enabled: false,
    });
  };
};

/** Answers with a `secret` that opens the customer's data. Asks for a Stripe-Version, which is not checked here. */
export const createEphemeralKey: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, KEY);
  const customer = text(params, "customer");
  if (customer === undefined && !params.has("issuing_card") && !params.has("verification_session")) {
    throw invalidRequest("You must provide one of customer, issuing_card or verification_session.", {
      param: "customer",
    });
  }
  return () => {
    if (customer !== undefined) referToCustomer(account, customer);
    const key = {
      id: newId.of("ephkey"),
      object: "ephemeral_key",
      associated_objects: customer === undefined ? [] : [{ id: customer, type: "customer" }],
      created: nowS(account),
      expires: nowS(account) + KEY_LIFE_S,
      livemode: false,
    };
    keep(account.others, account, request, key);
    return { ...key, secret: newId.secret("ek_test") };
  };
};

/** Answers with the `secret` that signs its events, this once. */
export const createWebhookEndpoint: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, WEBHOOK);
  const events = texts(params, "enabled_events");
  if (events.length === 0) required(undefined, "enabled_events");
  const url = required(text(params, "url"), "url");
  const described = {
    api_version: text(params, "api_version") ?? null,
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
  };
  flag(params, "connect");

  return () => {
    const endpoint = {
      ...described,
      id: newId.of("we"),
      object: "webhook_endpoint",
      application: null,
      created: nowS(account),
      enabled_events: events,
      livemode: false,
      status: "enabled",
      url,
    };
    keep(account.others, account, request, endpoint);
    return { ...endpoint, secret: newId.secret("whsec") };
  };
};

const NEW_LINK = {
  object: "payment_link",
  active: true,
  after_completion: { hosted_confirmation: { custom_message: null }, type: "hosted_confirmation" },
  allow_promotion_codes: false,
  application: null,
  application_fee_amount: null,
  application_fee_percent: null,
  automatic_tax: { enabled: false, liability: null },
  billing_address_collection: "auto",
  consent_collection: null,
  custom_fields: [],
  custom_text: {
    after_submit: null,
    shipping_address: null,
    submit: null,
    terms_of_service_acceptance: null,
  },
  customer_creation: "if_required",
  inactive_message: null,
  invoice_creation: null,
  livemode: false,
  managed_payments: null,
  on_behalf_of: null,
  payment_intent_data: null,
  payment_method_collection: "always",
  payment_method_options: null,
  payment_method_types: null,
  phone_number_collection: { enabled: false },
  restrictions: null,
  shipping_address_collection: null,
  shipping_options: [],
  submit_type: "auto",
  subscription_data: null,
  tax_id_collection: { enabled: false, required: "never" },
  transfer_data: null,
} as const;
