import { type Account, type Charge, nowS, type Origin } from "./account.ts";
import type { Card } from "./cards.ts";
import { type Decline, isDisputed } from "./cards.ts";
import { openDispute } from "./disputes.ts";
import { StripeError, type StripeErrorFields } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Metadata } from "./params.ts";
import { NO_BILLING_DETAILS } from "./references.ts";

/** What a charge is made of. `paymentIntent` is null for a charge made directly. */
export interface ChargeOrder {
  readonly amount: number;
  readonly currency: string;
  readonly capture: boolean;
  readonly decline: Decline | null;
  readonly paymentMethod: string;
  readonly card: Card;
  /** What the card was called when it was first named, which decides what becomes of its charges (cards.ts). */
  readonly token: string;
  /** The invoice it pays, or null. */
  readonly invoice: string | null;
  readonly paymentIntent: string | null;
  readonly customer: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly receiptEmail: string | null;
  readonly statementDescriptor: string | null;
  readonly statementDescriptorSuffix: string | null;
  readonly transferGroup: string | null;
  readonly origin: Origin;
}

/** Puts a charge on the account's books: paid, held for capture, or failed as `decline` says. */
export function chargeCard(account: Account, order: ChargeOrder): Charge {
  const { amount, decline, paymentIntent } = order;
  const captured = decline === null && order.capture;
  const id = newId.charge();
  const charge: Charge = {
    id,
    object: "charge",
    amount,
    amount_captured: captured ? amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: captured ? newId.balanceTransaction() : null,
    billing_details: NO_BILLING_DETAILS,
    calculated_statement_descriptor: "KEYBRAKE SIMULATOR",
    captured,
    created: nowS(account),
    currency: order.currency,
    customer: order.customer,
    description: order.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: order.metadata,
    on_behalf_of: null,
    outcome: decline === null ? AUTHORIZED : { ...DECLINED, reason: decline.decline_code },
    paid: decline === null,
    payment_intent: paymentIntent,
    payment_method: order.paymentMethod,
    payment_method_details: { card: order.card, type: "card" },
    receipt_email: order.receiptEmail,
    receipt_number: null,
    receipt_url: decline === null ? `https://pay.stripe.com/receipts/${id}` : null,
    refunded: false,
    review: null,
    shipping: null,
    source: paymentIntent === null ? sourceOf(order) : null,
    source_transfer: null,
    statement_descriptor: order.statementDescriptor,
    statement_descriptor_suffix: order.statementDescriptorSuffix,
    status: decline === null ? "succeeded" : "failed",
    transfer_data: null,
    transfer_group: order.transferGroup,
  };
  const { origin, invoice, token } = order;
  account.charges.set(id, { object: charge, origin, counted: "amount", invoice, token });
  if (!captured || !isDisputed(token)) return charge;
  return openDispute(account, charge, origin).charge;
}

/** The 402 of a declined card. Money did not move. */
export function declined(decline: Decline, details: Partial<StripeErrorFields>): StripeError {
  return new StripeError(402, { type: "card_error", ...decline, ...details });
}

function sourceOf({ paymentMethod, card, customer }: ChargeOrder): object {
  const { brand, country, exp_month, exp_year, fingerprint, funding, last4 } = card;
  return {
    id: paymentMethod,
    object: "card",
    brand: brand.charAt(0).toUpperCase() + brand.slice(1),
    country,
    customer,
    cvc_check: null,
    exp_month,
    exp_year,
    fingerprint,
    funding,
    last4,
    metadata: {},
    name: null,
  };
}

const AUTHORIZED = {
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: "approved_by_network",
  reason: null,
  risk_level: "normal",
  risk_score: 12,
  seller_message: "Payment complete.",
  type: "authorized",
};

const DECLINED = {
  ...AUTHORIZED,
  network_status: "declined_by_network",
  seller_message: "The bank did not return any further details with this decline.",
  type: "issuer_declined",
};
