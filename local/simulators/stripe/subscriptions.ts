import { nowS, originOf } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import { newLine, withLines } from "./invoice-lines.ts";
import { newInvoice } from "./invoices.ts";
import { LINE_PRICE, readLinePrice } from "./line-prices.ts";
import { innerList } from "./lists.ts";
import { COLLECTION_METHODS, type Subscription } from "./objects.ts";
import { flag, hashes, integer, metadata, names, oneOf, refuseUnknown, required, text } from "./params.ts";
import { collect, finalized, methodOf, noMethod, replaceInvoice } from "./paying-invoices.ts";
import { referToCustomer, referToPaymentMethod } from "./references.ts";
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
  "add_invoice_items application_fee_percent automatic_tax backdate_start_date billing_cycle_anchor " +
    "billing_cycle_anchor_config billing_mode billing_schedules billing_thresholds cancel_at cancel_at_period_end " +
    "collection_method currency customer customer_account days_until_due default_payment_method default_source " +
    "default_tax_rates description discounts invoice_settings items metadata off_session on_behalf_of " +
    "payment_behavior payment_settings pending_invoice_item_interval proration_behavior transfer_data trial_end " +
    "trial_from_plan trial_period_days trial_settings",
);
const ITEM = names(`billing_thresholds current_trial discounts metadata plan tax_rates ${LINE_PRICE}`);
const CANCEL = names("cancellation_details invoice_now prorate");
const BEHAVIORS = [
  "allow_incomplete",
  "default_incomplete",
  "error_if_incomplete",
  "pending_if_incomplete",
] as const;
const MONTH_S = 30 * 86_400;

const KIND: Kind<Subscription> = { noun: "subscription", shelf: ({ subscriptions }) => subscriptions };

/**
 * Subscribes a customer: makes the first invoice and pays it, as `payment_behavior` says. There is no second one,
 * whatever time passes. A trial has an invoice of nothing.
 */
export const createSubscription: Endpoint = (account, request) => {
  const { params, idempotencyKey } = request;
  refuseUnknown(params, CREATE);
  const customer = required(text(params, "customer"), "customer");
  const items = [...hashes(params, "items")].map((item) => {
    refuseUnknown(item, ITEM);
    return required(readLinePrice(item) ?? undefined, "items[price]");
  });
  if (items.length === 0) required(undefined, "items");
  const extra = hashes(params, "add_invoice_items").map((item) =>
    required(readLinePrice(item) ?? undefined, "add_invoice_items[price]"),
  );
  const behavior = oneOf(params, "payment_behavior", BEHAVIORS) ?? "allow_incomplete";
  const collection = oneOf(params, "collection_method", COLLECTION_METHODS) ?? "charge_automatically";
  const method = text(params, "default_payment_method");
  const isTrial = (integer(params, "trial_period_days") ?? 0) > 0 || params.has("trial_end");
  const described = {
    cancel_at_period_end: flag(params, "cancel_at_period_end") ?? false,
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
  };

  return () => {
    referToCustomer(account, customer);
    const now = nowS(account);
    const id = `sub_${newId.of("x").slice(2)}`;
    const priced = items.map((price) => price(account, "usd"));
    const currency = priced[0]?.currency ?? "usd";
    const lines = isTrial ? [] : [...priced, ...extra.map((price) => price(account, currency))];
    const origin = originOf(account, idempotencyKey);
    const paymentMethod = method === undefined ? null : referToPaymentMethod(account, method).object.id;

    const made = newInvoice(account, { customer, currency });
    const draft = withLines(
      {
        ...made,
        auto_advance: true,
        billing_reason: "subscription_create",
        collection_method: collection,
        default_payment_method: paymentMethod,
        parent: {
          quote_details: null,
          subscription_details: { metadata: {}, subscription: id },
          type: "subscription_details",
        },
      },
      lines.map((line) => newLine(account, line, made.id, { description: null, metadata: {}, item: null })),
    );
    const stored = { object: draft, origin, collected: 0 };
    const open =
      collection === "charge_automatically"
        ? finalized(account, stored, true)
        : replaceInvoice(account, stored, draft);
    const collects = open.object.status === "open" && behavior !== "default_incomplete";
    const paying = collects ? methodOf(account, open.object) : null;
    if (collects && paying === null) {
      account.invoices.delete(made.id);
      throw noMethod();
    }
    const { stored: invoice, error } =
      paying === null ? { stored: open, error: null } : collect(account, open, paying, origin);
    if (error !== null && behavior === "error_if_incomplete") throw error;

    const subscription: Subscription = {
      ...NEW_SUBSCRIPTION,
      ...described,
      id,
      billing_cycle_anchor: now,
      collection_method: collection,
      created: now,
      currency,
      customer,
      default_payment_method: paymentMethod,
      items: innerList(
        priced.map((line) => ({
          id: `si_${newId.of("x").slice(2)}`,
          object: "subscription_item",
          billing_thresholds: null,
          created: now,
          current_period_end: now + MONTH_S,
          current_period_start: now,
          discounts: [],
          metadata: {},
          price: {
            id: line.price,
            object: "price",
            active: true,
            currency: line.currency,
            product: line.product,
            recurring: line.recurring ?? { interval: "month", interval_count: 1, usage_type: "licensed" },
            type: "recurring",
            unit_amount_decimal: line.unitAmountDecimal,
          },
          quantity: line.quantity,
          subscription: id,
          tax_rates: [],
        })),
        `/v1/subscription_items?subscription=${id}`,
      ),
      latest_invoice: invoice.object.id,
      start_date: now,
      status: isTrial ? "trialing" : invoice.object.status === "open" ? "incomplete" : "active",
    };
    return keep(account.subscriptions, account, request, subscription);
  };
};

export const cancelSubscription: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CANCEL);
  return () => {
    const stored = existing(account.subscriptions, KIND.noun, id);
    if (stored.object.status === "canceled") throw invalidRequest(`No such subscription: '${id}'`);
    const now = nowS(account);
    return rewrite(account.subscriptions, stored, {
      ...stored.object,
      canceled_at: now,
      ended_at: now,
      status: "canceled",
    });
  };
};

export const retrieveSubscription: Endpoint = retrieveEndpoint(KIND);
export const updateSubscription: Endpoint = describeEndpoint(KIND);
export const listSubscriptions: Endpoint = listKind("/v1/subscriptions", KIND, ["customer", "status"]);

const NEW_SUBSCRIPTION = {
  object: "subscription",
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_cycle_anchor_config: null,
  billing_mode: { flexible: null, type: "classic" },
  billing_thresholds: null,
  cancel_at: null,
  canceled_at: null,
  cancellation_details: { comment: null, feedback: null, reason: null },
  customer_account: null,
  days_until_due: null,
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  ended_at: null,
  invoice_settings: { account_tax_ids: null, issuer: { type: "self" } },
  livemode: false,
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pause_collection: null,
  payment_settings: {
    payment_method_options: null,
    payment_method_types: null,
    save_default_payment_method: "off",
  },
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  pending_update: null,
  schedule: null,
  test_clock: null,
  transfer_data: null,
  trial_end: null,
  trial_settings: { end_behavior: { missing_payment_method: "create_invoice" } },
  trial_start: null,
} as const;
