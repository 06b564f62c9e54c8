import type { Card, Decline } from "./cards.ts";
import type {
  ApplicationFee,
  BalanceTransaction,
  CreatedObject,
  CreditNote,
  Dispute,
  FeeRefund,
  Invoice,
  InvoiceItem,
  Payout,
  Price,
  StripeEvent,
  Topup,
  Transfer,
  TransferReversal,
} from "./objects.ts";
import type { Metadata } from "./params.ts";

/**
 * Everything one Stripe account holds. Objects are as they stand on the wire and are replaced, never changed in
 * place; what Stripe knows but does not send stands beside them.
 */
export interface Account {
  /** `acct_…` */
  readonly id: string;
  readonly nowMs: () => number;
  readonly paymentIntents: Map<string, StoredPaymentIntent>;
  readonly charges: Map<string, StoredCharge>;
  readonly refunds: Map<string, StoredRefund>;
  readonly customers: Map<string, StoredCustomer>;
  readonly paymentMethods: Map<string, StoredPaymentMethod>;
  readonly payouts: Shelf<Payout>;
  readonly transfers: Shelf<Transfer>;
  readonly transferReversals: Shelf<TransferReversal>;
  readonly topups: Shelf<Topup>;
  readonly applicationFees: Shelf<ApplicationFee>;
  readonly feeRefunds: Shelf<FeeRefund>;
  readonly invoices: Map<string, StoredInvoice>;
  readonly invoiceItems: Shelf<InvoiceItem>;
  readonly creditNotes: Map<string, StoredCreditNote>;
  readonly disputes: Map<string, StoredDispute>;
  readonly prices: Shelf<Price>;
  readonly balanceTransactions: Shelf<BalanceTransaction>;
  /** Of every kind that moves no money by itself: products, files, setup intents */
  readonly others: Shelf<CreatedObject>;
  /** What requests caused, oldest first. */
  readonly events: StripeEvent[];
  /** How many of those, and of prices, were made through the API, by kind; deleted ones too. */
  readonly made: Map<string, number>;
}

export function openAccount(id: string, nowMs: () => number): Account {
  return {
    id,
    nowMs,
    paymentIntents: new Map(),
    charges: new Map(),
    refunds: new Map(),
    customers: new Map(),
    paymentMethods: new Map(),
    payouts: new Map(),
    transfers: new Map(),
    transferReversals: new Map(),
    topups: new Map(),
    applicationFees: new Map(),
    feeRefunds: new Map(),
    invoices: new Map(),
    invoiceItems: new Map(),
    creditNotes: new Map(),
    disputes: new Map(),
    prices: new Map(),
    balanceTransactions: new Map(),
    others: new Map(),
    events: [],
    made: new Map(),
  };
}

/** Which request made an object, and when. One made elsewhere was not made through this API, so not by its caller. */
export interface Origin {
  readonly idempotencyKey: string | null;
  readonly createdMs: number;
  readonly elsewhere: boolean;
}

export interface Stored<T> {
  readonly object: T;
  readonly origin: Origin;
}

export type Shelf<T> = Map<string, Stored<T>>;

/**
 * How much of a payment the books count as committed. All of its amount, if it was made here. Of one made elsewhere
 * nothing, until it is confirmed, or given another amount, here: then all of its amount; if it is only captured here,
 * what was captured.
 */
export type Counted = "amount" | "captured" | "nothing";

export interface StoredPaymentIntent {
  readonly object: PaymentIntent;
  readonly origin: Origin;
  /** Its create was declined, and no confirmation has succeeded since. */
  readonly declinedAtCreate: boolean;
  readonly counted: Counted;
}

export interface StoredCharge {
  readonly object: Charge;
  readonly origin: Origin;
  readonly counted: Counted;
  /** The invoice it pays, which is counted in its place. */
  readonly invoice: string | null;
  /** What its card was called when it was first named: `pm_card_refundFail` (cards.ts). */
  readonly token: string;
}

export interface StoredRefund {
  readonly object: Refund;
  readonly origin: Origin;
  /** Part of a credit note, which is counted in its place. */
  readonly ofCreditNote: boolean;
}

export interface StoredInvoice {
  readonly object: Invoice;
  readonly origin: Origin;
  /** What charges made through this API took for it. */
  readonly collected: number;
}

export interface StoredCreditNote {
  readonly object: CreditNote;
  readonly origin: Origin;
  /** What was given back through the card. */
  readonly refundAmount: number;
}

export interface StoredDispute {
  readonly object: Dispute;
  readonly origin: Origin;
  /** Closed through this API, which concedes its amount. */
  readonly conceded: boolean;
}

export interface StoredCustomer {
  readonly object: Customer;
  readonly deleted: boolean;
  /** What a charge of the default source meets. */
  readonly decline: Decline | null;
  /** What the default source was called when it was named. */
  readonly sourceToken: string | null;
}

export interface StoredPaymentMethod {
  readonly object: PaymentMethod;
  /** What every charge of this method meets. */
  readonly decline: Decline | null;
  /** What it was called when it was first named. */
  readonly token: string;
}

export type IntentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "processing"
  | "requires_capture"
  | "succeeded"
  | "canceled";

export const CAPTURE_METHODS = ["automatic", "automatic_async", "manual"] as const;

export type CaptureMethod = (typeof CAPTURE_METHODS)[number];

/** Amounts are in the minor unit of `currency`, times in seconds since 1970, as everywhere on Stripe's wire. */
export interface PaymentIntent {
  readonly id: string;
  readonly object: "payment_intent";
  readonly amount: number;
  readonly amount_capturable: number;
  readonly amount_details: { readonly tip: object };
  readonly amount_received: number;
  readonly application: null;
  readonly application_fee_amount: number | null;
  readonly automatic_payment_methods: {
    readonly allow_redirects: "always" | "never";
    readonly enabled: boolean;
  } | null;
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly capture_method: CaptureMethod;
  readonly client_secret: string;
  readonly confirmation_method: "automatic" | "manual";
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly description: string | null;
  readonly excluded_payment_method_types: null;
  readonly last_payment_error: unknown;
  readonly latest_charge: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly next_action: null;
  readonly on_behalf_of: null;
  readonly payment_method: string | null;
  readonly payment_method_configuration_details: null;
  readonly payment_method_options: object;
  readonly payment_method_types: readonly string[];
  readonly processing: null;
  readonly receipt_email: string | null;
  readonly review: null;
  readonly setup_future_usage: string | null;
  readonly shipping: null;
  readonly source: null;
  readonly statement_descriptor: string | null;
  readonly statement_descriptor_suffix: string | null;
  readonly status: IntentStatus;
  readonly transfer_data: null;
  readonly transfer_group: string | null;
}

export interface Charge {
  readonly id: string;
  readonly object: "charge";
  readonly amount: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly application: null;
  readonly application_fee: null;
  readonly application_fee_amount: number | null;
  readonly balance_transaction: string | null;
  readonly billing_details: object;
  readonly calculated_statement_descriptor: string;
  readonly captured: boolean;
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly disputed: boolean;
  readonly failure_balance_transaction: null;
  readonly failure_code: string | null;
  readonly failure_message: string | null;
  readonly fraud_details: object;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly on_behalf_of: null;
  readonly outcome: object;
  readonly paid: boolean;
  readonly payment_intent: string | null;
  readonly payment_method: string;
  readonly payment_method_details: object;
  readonly receipt_email: string | null;
  readonly receipt_number: null;
  readonly receipt_url: string | null;
  readonly refunded: boolean;
  readonly review: null;
  readonly shipping: null;
  readonly source: object | null;
  readonly source_transfer: null;
  readonly statement_descriptor: string | null;
  readonly statement_descriptor_suffix: string | null;
  readonly status: "succeeded" | "failed";
  readonly transfer_data: null;
  readonly transfer_group: string | null;
}

export interface Refund {
  readonly id: string;
  readonly object: "refund";
  readonly amount: number;
  readonly balance_transaction: string | null;
  readonly charge: string;
  readonly created: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly destination_details: object;
  readonly failure_reason?: string;
  readonly metadata: Metadata;
  readonly payment_intent: string | null;
  readonly reason: string | null;
  readonly receipt_number: null;
  readonly source_transfer_reversal: null;
  readonly status: "succeeded" | "pending" | "failed";
  readonly transfer_reversal: null;
}

export interface Customer {
  readonly id: string;
  readonly object: "customer";
  readonly address: null;
  readonly balance: number;
  readonly created: number;
  readonly currency: string | null;
  readonly default_source: string | null;
  readonly delinquent: false;
  readonly description: string | null;
  readonly discount: null;
  readonly email: string | null;
  readonly invoice_prefix: string;
  readonly invoice_settings: InvoiceSettings;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly name: string | null;
  readonly next_invoice_sequence: number;
  readonly phone: string | null;
  readonly preferred_locales: readonly string[];
  readonly shipping: null;
  readonly tax_exempt: "none";
  readonly test_clock: null;
}

export interface InvoiceSettings {
  readonly custom_fields: null;
  readonly default_payment_method: string | null;
  readonly footer: null;
  readonly rendering_options: null;
}

export interface PaymentMethod {
  readonly id: string;
  readonly object: "payment_method";
  readonly allow_redisplay: "unspecified";
  readonly billing_details: object;
  readonly card: Card;
  readonly created: number;
  readonly customer: string | null;
  readonly customer_account: null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly type: "card";
}

/** Seconds since 1970, the `created` of an object made now. */
export function nowS({ nowMs }: Account): number {
  return Math.floor(nowMs() / 1000);
}

/** The origin of what a request to the API makes. */
export function originOf({ nowMs }: Account, idempotencyKey: string | null): Origin {
  return { idempotencyKey, createdMs: nowMs(), elsewhere: false };
}
