import { type Account, nowS, type Origin, originOf, type StoredInvoice } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { lineOfItem, withLines } from "./invoice-lines.ts";
import { listEndpoint } from "./lists.ts";
import { COLLECTION_METHODS, type Invoice, type InvoiceStatus } from "./objects.ts";
import {
  currency,
  emptyableText,
  flag,
  integer,
  metadata,
  NO_PARAMS,
  names,
  oneOf,
  type Params,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import {
  collect,
  collectIfDue,
  finalized,
  methodOf,
  noMethod,
  replaceInvoice,
  settled,
} from "./paying-invoices.ts";
import { referToCustomer, referToPaymentMethod } from "./references.ts";
import { rewrite } from "./shelves.ts";

const FIELDS =
  "account_tax_ids application_fee_amount auto_advance automatic_tax automatically_finalizes_at collection_method " +
  "custom_fields days_until_due default_payment_method default_source default_tax_rates description discounts " +
  "due_date effective_at footer issuer metadata number on_behalf_of payment_settings rendering shipping_cost " +
  "shipping_details statement_descriptor transfer_data";
const CREATE = names(
  `${FIELDS} currency customer customer_account from_invoice pending_invoice_items_behavior subscription`,
);
const UPDATE = names(FIELDS);
const PAY = names("forgive mandate off_session paid_out_of_band payment_method source");
const FINALIZE = names("auto_advance");
/** What may still be changed once an invoice is finalized. */
const AMENDABLE = names(
  "auto_advance default_payment_method default_source expand metadata payment_settings statement_descriptor",
);

/**
 * Makes a draft. Without `pending_invoice_items_behavior=include` it is empty, as at Stripe. A draft with
 * `auto_advance=true` stays one, whatever time passes; Stripe finalizes it after an hour.
 */
export const createInvoice: Endpoint = (account, { params, idempotencyKey }) => {
  refuseUnknown(params, CREATE);
  const customer = required(text(params, "customer"), "customer");
  const unit = currency(params, "currency");
  const pending = oneOf(params, "pending_invoice_items_behavior", ["exclude", "include"]) ?? "exclude";
  const change = changeIn(params);

  return () => {
    referToCustomer(account, customer);
    const items = pending === "include" ? pendingItems(account, customer, unit) : [];
    const made = newInvoice(account, { customer, currency: unit ?? items[0]?.currency ?? "usd" });
    const stored = { object: change(account, made), origin: originOf(account, idempotencyKey), collected: 0 };
    const lines = items.map((item) => lineOfItem(account, item, made.id));
    for (const item of items) {
      const before = account.invoiceItems.get(item.id);
      if (before !== undefined) rewrite(account.invoiceItems, before, { ...item, invoice: made.id });
    }
    return replaceInvoice(account, stored, withLines(stored.object, lines)).object;
  };
};

export const retrieveInvoice: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => existingInvoice(account, id).object;
};

/** Changes a draft; of a finalized invoice only what moves no money, and whether it collects itself from now on. */
export const updateInvoice: Endpoint = (account, { id, params, idempotencyKey }) => {
  refuseUnknown(params, UPDATE);
  const change = changeIn(params);

  return () => {
    const stored = existingInvoice(account, id);
    const fixed = [...params.keys()].find((name) => !AMENDABLE.has(name));
    if (stored.object.status !== "draft" && fixed !== undefined) {
      throw invalidRequest(`Finalized invoices can't be updated in this way: ${fixed}.`, {
        code: "invoice_not_editable",
        param: fixed,
      });
    }
    const changed = replaceInvoice(account, stored, change(account, stored.object));
    return collectIfDue(account, changed, originOf(account, idempotencyKey)).object;
  };
};

/** Finalizes a draft, and collects it at once if it advances and charges by itself. */
export const finalizeInvoice: Endpoint = (account, { id, params, idempotencyKey }) => {
  refuseUnknown(params, FINALIZE);
  const autoAdvance = flag(params, "auto_advance");

  return () => {
    const stored = existingInvoice(account, id);
    if (stored.object.status !== "draft") {
      throw invalidRequest("This invoice is already finalized, you can't re-finalize a non-draft invoice.", {
        code: "invoice_not_editable",
      });
    }
    const open = finalized(account, stored, autoAdvance ?? stored.object.auto_advance);
    return collectIfDue(account, open, originOf(account, idempotencyKey)).object;
  };
};

/** Collects what remains of an invoice now; a draft is finalized first. `paid_out_of_band=true` moves nothing. */
export const payInvoice: Endpoint = (account, { id, params, idempotencyKey }) => {
  refuseUnknown(params, PAY);
  const outOfBand = flag(params, "paid_out_of_band") ?? false;
  const method = text(params, "payment_method") ?? text(params, "source");
  flag(params, "forgive");
  flag(params, "off_session");

  return () => {
    const stored = existingInvoice(account, id);
    if (stored.object.status === "paid")
      throw invalidRequest("Invoice is already paid", { code: "invoice_already_paid" });
    if (stored.object.status === "void")
      throw invalidRequest("This invoice can no longer be paid.", { code: "invoice_not_editable" });
    const open =
      stored.object.status === "draft" ? finalized(account, stored, stored.object.auto_advance) : stored;
    if (open.object.status === "paid") return open.object;
    if (outOfBand) return settled(account, open, null).object;
    return collectOrThrow(account, open, method, originOf(account, idempotencyKey));
  };
};

/** Sends an invoice to its customer, who is asked to pay it. A draft is finalized first. */
export const sendInvoice: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = existingInvoice(account, id);
    const { collection_method, status } = stored.object;
    if (collection_method !== "send_invoice") {
      throw invalidRequest(
        "You can only manually send an invoice if its collection method is 'send_invoice'.",
      );
    }
    if (status !== "draft" && status !== "open")
      throw invalidRequest(`You cannot send an invoice with a status of ${status}.`);
    return status === "draft" ? finalized(account, stored, stored.object.auto_advance).object : stored.object;
  };
};

export const voidInvoice: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => ended(account, id, ["open", "uncollectible"], "void", "voided_at");
};

export const markUncollectible: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => ended(account, id, ["open"], "uncollectible", "marked_uncollectible_at");
};

export const listInvoices: Endpoint = listEndpoint(
  "/v1/invoices",
  ({ invoices }: Account) => [...invoices.values()].map(({ object }) => object),
  ["customer", "status", "collection_method"],
);

/** An invoice that has no lines yet, made now. */
export function newInvoice(account: Account, order: { customer: string; currency: string }): Invoice {
  const id = newId.of("in");
  const customer = account.customers.get(order.customer)?.object;
  return {
    ...NEW_INVOICE,
    ...order,
    id,
    created: nowS(account),
    customer_email: customer?.email ?? null,
    customer_name: customer?.name ?? null,
    lines: { object: "list", data: [], has_more: false, url: `/v1/invoices/${id}/lines` },
    payments: { object: "list", data: [], has_more: false, url: `/v1/invoice_payments?invoice=${id}` },
    period_end: nowS(account),
    period_start: nowS(account),
  };
}

/** What of a customer's items waits for an invoice, in one currency: the named, or that of the oldest. */
export function pendingItems({ invoiceItems }: Account, customer: string, unit: string | undefined) {
  const waiting = [...invoiceItems.values()]
    .map(({ object }) => object)
    .filter((item) => item.customer === customer && item.invoice === null);
  return waiting.filter((item) => item.currency === (unit ?? waiting[0]?.currency));
}

export function existingInvoice({ invoices }: Account, id: string): StoredInvoice {
  const found = invoices.get(id);
  if (found === undefined) throw noSuch("invoice", id, { param: "invoice", status: 404 });
  return found;
}

function collectOrThrow(
  account: Account,
  stored: StoredInvoice,
  method: string | undefined,
  origin: Origin,
): Invoice {
  const paying = methodOf(account, stored.object, method);
  if (paying === null) throw noMethod();
  const { stored: paid, error } = collect(account, stored, paying, origin);
  if (error !== null) throw error;
  return paid.object;
}

function ended(
  account: Account,
  id: string,
  from: readonly InvoiceStatus[],
  status: InvoiceStatus,
  at: "voided_at" | "marked_uncollectible_at",
): Invoice {
  const stored = existingInvoice(account, id);
  const { object } = stored;
  if (!from.includes(object.status)) {
    throw invalidRequest(
      `You can only pass in invoices with a status of ${from.join(" or ")}. This one is ${object.status}.`,
      { code: "invoice_not_editable" },
    );
  }
  const transitions = { ...object.status_transitions, [at]: nowS(account) };
  return replaceInvoice(account, stored, { ...object, status, status_transitions: transitions }).object;
}

function changeIn(params: Params): (account: Account, invoice: Invoice) => Invoice {
  const autoAdvance = flag(params, "auto_advance");
  const collectionMethod = oneOf(params, "collection_method", COLLECTION_METHODS);
  const method = emptyableText(params, "default_payment_method");
  const description = emptyableText(params, "description");
  const dueDate = integer(params, "due_date");
  const daysUntilDue = integer(params, "days_until_due");
  metadata(params, {});

  return (account, invoice) => {
    const paymentMethod = method ? referToPaymentMethod(account, method).object.id : method;
    const due = dueDate ?? (daysUntilDue === undefined ? undefined : nowS(account) + daysUntilDue * 86_400);
    return {
      ...invoice,
      auto_advance: autoAdvance ?? invoice.auto_advance,
      collection_method: collectionMethod ?? invoice.collection_method,
      default_payment_method:
        paymentMethod === undefined ? invoice.default_payment_method : paymentMethod || null,
      description: description === undefined ? invoice.description : description || null,
      due_date: due ?? invoice["due_date"],
      metadata: metadata(params, invoice.metadata),
    };
  };
}

const NEW_INVOICE = {
  object: "invoice",
  account_country: "US",
  account_name: "Keybrake simulator",
  account_tax_ids: null,
  amount_due: 0,
  amount_overpaid: 0,
  amount_paid: 0,
  amount_remaining: 0,
  amount_shipping: 0,
  application: null,
  attempt_count: 0,
  attempted: false,
  auto_advance: false,
  automatic_tax: {
    disabled_reason: null,
    enabled: false,
    liability: null,
    provider: null,
    status: null,
  },
  automatically_finalizes_at: null,
  billing_reason: "manual",
  collection_method: "charge_automatically",
  custom_fields: null,
  customer_account: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: "none",
  customer_tax_ids: [],
  default_payment_method: null,
  default_source: null,
  default_tax_rates: [],
  description: null,
  discounts: [],
  due_date: null,
  effective_at: null,
  ending_balance: null,
  footer: null,
  from_invoice: null,
  hosted_invoice_url: null,
  invoice_pdf: null,
  issuer: { type: "self" },
  last_finalization_error: null,
  latest_revision: null,
  livemode: false,
  metadata: {},
  next_payment_attempt: null,
  number: null,
  on_behalf_of: null,
  parent: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  post_payment_credit_notes_amount: 0,
  pre_payment_credit_notes_amount: 0,
  receipt_number: null,
  rendering: null,
  shipping_cost: null,
  shipping_details: null,
  starting_balance: 0,
  statement_descriptor: null,
  status: "draft",
  status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
  subtotal: 0,
  subtotal_excluding_tax: 0,
  test_clock: null,
  total: 0,
  total_discount_amounts: [],
  total_excluding_tax: 0,
  total_pretax_credit_amounts: [],
  total_taxes: [],
  webhooks_delivered_at: null,
} as const;
