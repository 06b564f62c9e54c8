import { type Account, nowS, type Origin, type StoredInvoice, type StoredPaymentMethod } from "./account.ts";
import { type Decline, declineOf } from "./cards.ts";
import { chargeCard, declined } from "./charging.ts";
import { invalidRequest, type StripeError } from "./errors.ts";
import { newId } from "./ids.ts";
import { innerList } from "./lists.ts";
import type { Invoice, WireObject } from "./objects.ts";
import { referToPaymentMethod } from "./references.ts";

/** Opens a draft: its lines stand from now on. One that asks for nothing is paid at once, as at Stripe. */
export function finalized(account: Account, stored: StoredInvoice, autoAdvance: boolean): StoredInvoice {
  const { object } = stored;
  const number = `${object.customer.slice(-8).toUpperCase()}-${String(account.invoices.size).padStart(4, "0")}`;
  const now = nowS(account);
  const opened: Invoice = {
    ...object,
    auto_advance: autoAdvance,
    effective_at: now,
    hosted_invoice_url: `https://invoice.stripe.com/i/${object.id}`,
    invoice_pdf: `https://pay.stripe.com/invoice/${object.id}/pdf`,
    number,
    status: "open",
    status_transitions: { ...object.status_transitions, finalized_at: now },
  };
  const open = replaceInvoice(account, stored, opened);
  return open.object.amount_remaining > 0 ? open : settled(account, open, null);
}

/** Whether Stripe collects an invoice by itself. Stripe does it within the hour; here it is done at once. */
const collectsItself = ({ auto_advance, collection_method, status }: Invoice): boolean =>
  auto_advance && collection_method === "charge_automatically" && status === "open";

/** Collects an invoice as Stripe does by itself: one that cannot be collected stays open, and nobody is told. */
export function collectIfDue(account: Account, stored: StoredInvoice, origin: Origin): StoredInvoice {
  if (!collectsItself(stored.object)) return stored;
  const method = methodOf(account, stored.object);
  if (method === null) return stored;
  const attempt = collect(account, stored, method, origin);
  return attempt.stored;
}

/**
 * Charges what remains of an open invoice. A decline leaves it open with one attempt more; `error` is its 402 then. The
 * charge belongs to the invoice, which stands for it in the books.
 */
export function collect(
  account: Account,
  stored: StoredInvoice,
  method: PayingMethod,
  origin: Origin,
): { stored: StoredInvoice; error: StripeError | null } {
  const { object } = stored;
  const { decline, paymentMethod, card, token } = method;
  const charge = chargeCard(account, {
    amount: object.amount_remaining,
    currency: object.currency,
    capture: true,
    decline,
    paymentMethod,
    card,
    token,
    invoice: object.id,
    paymentIntent: null,
    customer: object.customer,
    description: object.description,
    metadata: {},
    receiptEmail: null,
    statementDescriptor: null,
    statementDescriptorSuffix: null,
    transferGroup: null,
    origin,
  });
  const attempted = { ...object, attempt_count: object.attempt_count + 1, attempted: true };
  if (decline !== null) {
    const error = declined(decline, { charge: charge.id });
    return { stored: replaceInvoice(account, stored, attempted), error };
  }
  const counted = { ...stored, object: attempted, collected: stored.collected + charge.amount };
  return { stored: settled(account, counted, { type: "charge", charge: charge.id }), error: null };
}

/** Marks an invoice as paid in full; `payment` is what paid it, null if nothing had to. */
export function settled(
  account: Account,
  stored: StoredInvoice,
  payment: Readonly<Record<string, string>> | null,
): StoredInvoice {
  const { object } = stored;
  const now = nowS(account);
  const paid: Invoice = {
    ...object,
    amount_paid: object.amount_paid + object.amount_remaining,
    amount_remaining: 0,
    attempted: true,
    payments: payment === null ? object.payments : withPayment(object, payment, now),
    status: "paid",
    status_transitions: { ...object.status_transitions, paid_at: now },
  };
  return replaceInvoice(account, stored, paid);
}

/** What an invoice is paid with, and what becomes of it. */
export interface PayingMethod {
  readonly decline: Decline | null;
  readonly paymentMethod: string;
  readonly card: StoredPaymentMethod["object"]["card"];
  readonly token: string;
}

/** The method named, else the invoice's, the customer's default, or the customer's source. Null if there is none. */
export function methodOf(account: Account, invoice: Invoice, named?: string): PayingMethod | null {
  const customer = account.customers.get(invoice.customer);
  const id =
    named ??
    invoice.default_payment_method ??
    customer?.object.invoice_settings.default_payment_method ??
    customer?.sourceToken;
  if (id == null) return null;
  const { object, decline, token } = referToPaymentMethod(account, id);
  return { decline: decline ?? declineOf(id), paymentMethod: object.id, card: object.card, token };
}

export const noMethod = (): StripeError =>
  invalidRequest(
    "This customer has no attached payment source or default payment method. Please consider adding a default " +
      "payment method. For more information, visit " +
      "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
    { code: "resource_missing" },
  );

export function replaceInvoice(account: Account, stored: StoredInvoice, object: Invoice): StoredInvoice {
  const replaced = { ...stored, object };
  account.invoices.set(object.id, replaced);
  return replaced;
}

function withPayment({ amount_remaining, currency, id, payments }: Invoice, payment: object, now: number) {
  const paid: WireObject = {
    id: newId.of("inpay"),
    object: "invoice_payment",
    amount_paid: amount_remaining,
    amount_requested: amount_remaining,
    created: now,
    currency,
    invoice: id,
    is_default: true,
    livemode: false,
    payment,
    status: "paid",
    status_transitions: { canceled_at: null, paid_at: now },
  };
  return innerList([...payments.data, paid], payments.url);
}
