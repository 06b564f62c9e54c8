import type { Metadata } from "./params.ts";

/**
 * The objects of money's other ways out, as they stand on Stripe's wire: the fields that rules here read are named, the
 * rest are whatever they are. Amounts are in the minor unit of `currency`, times in seconds since 1970.
 */
export interface WireObject {
  readonly id: string;
  readonly object: string;
  readonly [field: string]: unknown;
}

/** What every object has that can be listed. */
export interface CreatedObject extends WireObject {
  readonly created: number;
}

interface Money {
  readonly amount: number;
  readonly currency: string;
}

export interface List<T> {
  readonly object: "list";
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly url: string;
}

export interface Payout extends CreatedObject, Money {
  readonly object: "payout";
  readonly balance_transaction: string;
  readonly failure_balance_transaction: string | null;
  readonly status: "pending" | "paid" | "canceled" | "failed";
  readonly original_payout: string | null;
  readonly reversed_by: string | null;
}

export interface Transfer extends CreatedObject, Money {
  readonly object: "transfer";
  readonly balance_transaction: string;
  readonly amount_reversed: number;
  readonly destination: string;
  readonly reversals: List<TransferReversal>;
  readonly reversed: boolean;
  readonly metadata: Metadata;
}

export interface TransferReversal extends CreatedObject, Money {
  readonly object: "transfer_reversal";
  readonly balance_transaction: string;
  readonly transfer: string;
}

export interface Topup extends CreatedObject, Money {
  readonly object: "topup";
  readonly status: "pending" | "succeeded" | "canceled" | "failed";
}

export interface ApplicationFee extends CreatedObject, Money {
  readonly object: "application_fee";
  readonly balance_transaction: string;
  readonly amount_refunded: number;
  readonly refunded: boolean;
  readonly refunds: List<FeeRefund>;
}

export interface FeeRefund extends CreatedObject, Money {
  readonly object: "fee_refund";
  readonly balance_transaction: string;
  readonly fee: string;
}

export const INVOICE_STATUSES = ["draft", "open", "paid", "void", "uncollectible"] as const;

export type InvoiceStatus = (typeof INVOICE_STATUSES)[number];

export const COLLECTION_METHODS = ["charge_automatically", "send_invoice"] as const;

export interface Invoice extends CreatedObject {
  readonly object: "invoice";
  readonly amount_due: number;
  readonly amount_paid: number;
  readonly amount_remaining: number;
  readonly attempt_count: number;
  readonly auto_advance: boolean;
  readonly collection_method: (typeof COLLECTION_METHODS)[number];
  readonly currency: string;
  readonly customer: string;
  readonly default_payment_method: string | null;
  readonly description: string | null;
  readonly lines: List<InvoiceLine>;
  readonly metadata: Metadata;
  readonly payments: List<WireObject>;
  readonly post_payment_credit_notes_amount: number;
  readonly pre_payment_credit_notes_amount: number;
  readonly status: InvoiceStatus;
  readonly status_transitions: StatusTransitions;
  readonly total: number;
}

export interface StatusTransitions {
  readonly finalized_at: number | null;
  readonly marked_uncollectible_at: number | null;
  readonly paid_at: number | null;
  readonly voided_at: number | null;
}

export interface InvoiceLine extends WireObject, Money {
  readonly object: "line_item";
  readonly description: string | null;
  readonly invoice: string | null;
  readonly metadata: Metadata;
  readonly parent: LineParent | null;
}

/** The invoice item that a line was made from. */
export interface LineParent {
  readonly invoice_item_details: { readonly invoice_item: string } & WireFields;
  readonly subscription_item_details: null;
  readonly type: "invoice_item_details";
}

export interface InvoiceItem extends WireObject, Money {
  readonly object: "invoiceitem";
  readonly customer: string;
  readonly date: number;
  readonly description: string | null;
  /** Null while it waits for its customer's next invoice. */
  readonly invoice: string | null;
  readonly metadata: Metadata;
}

export interface CreditNote extends CreatedObject, Money {
  readonly object: "credit_note";
  readonly customer: string;
  readonly invoice: string;
  readonly metadata: Metadata;
  readonly post_payment_amount: number;
  readonly pre_payment_amount: number;
  readonly status: "issued" | "void";
}

export interface Dispute extends CreatedObject, Money {
  readonly object: "dispute";
  readonly charge: string;
  readonly evidence: WireFields;
  readonly metadata: Metadata;
  readonly status: "needs_response" | "under_review" | "won" | "lost";
}

export type WireFields = Readonly<Record<string, unknown>>;

export interface Price extends CreatedObject {
  readonly object: "price";
  readonly currency: string;
  readonly product: string;
  readonly recurring: WireFields | null;
  /** In minor units, as precise as it was sent. */
  readonly unit_amount_decimal: string;
}

/** A movement on the balance of the account itself. */
export interface AccountTransaction extends CreatedObject, Money {
  readonly object: "balance_transaction";
  /** What moved it. */
  readonly source: string;
  readonly type: string;
}

export interface BalanceTransaction extends CreatedObject, Money {
  readonly object: "customer_balance_transaction";
  readonly customer: string;
  readonly ending_balance: number;
}

/** An event of the API, as `GET /v1/events` lists it. */
export interface StripeEvent {
  readonly id: string;
  readonly object: "event";
  readonly api_version: string;
  readonly created: number;
  readonly data: { readonly object: unknown };
  readonly livemode: false;
  readonly pending_webhooks: 0;
  readonly request: { readonly id: string; readonly idempotency_key: string | null };
  readonly type: string;
}
