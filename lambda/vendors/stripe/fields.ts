/**
 * The parameters that reach Stripe, by endpoint. What is not listed is refused: a parameter that is not known here could
 * move more money than was reserved, or act on another account.
 *
 * Source: the parameter types of stripe-node 12.18, 17.7, 22.6 and 23.1, read 2026-11-22, without what moves other
 * money than `amount` (a customer's balance, coupons, application fees) or reaches other accounts (Connect).
 * test/vendors/stripe-fields.test.ts holds the list to the installed versions.
 */

/** What a payment is described by, wherever it is named. */
const PAYMENT = [
  "allowed_payment_method_types",
  "amount_details",
  "capture_method",
  "confirmation_token",
  "customer",
  "customer_account",
  "description",
  "error_on_requires_action",
  "excluded_payment_method_types",
  "expand",
  "hooks",
  "mandate",
  "mandate_data",
  "metadata",
  "off_session",
  "payment_details",
  "payment_method",
  "payment_method_configuration",
  "payment_method_data",
  "payment_method_options",
  "payment_method_types",
  "radar_options",
  "receipt_email",
  "return_url",
  "setup_future_usage",
  "shipping",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_group",
  "use_stripe_sdk",
];

export const INTENT_CREATE = [
  ...PAYMENT,
  "amount",
  "currency",
  "automatic_payment_methods",
  "confirm",
  "confirmation_method",
];
export const INTENT_UPDATE = [...PAYMENT, "amount", "currency"];
export const INTENT_CONFIRM = [...PAYMENT, "amount_to_confirm"];
export const INTENT_CAPTURE = [...PAYMENT, "amount_to_capture", "final_capture"];
export const INTENT_INCREMENT = [...PAYMENT, "amount"];
export const INTENT_CANCEL = ["cancellation_reason", "expand"];

export const CHARGE_CREATE = [
  "amount",
  "capture",
  "currency",
  "customer",
  "description",
  "expand",
  "metadata",
  "radar_options",
  "receipt_email",
  "shipping",
  "source",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_group",
];

export const REFUND_CREATE = [
  "amount",
  "charge",
  "currency",
  "expand",
  "metadata",
  "payment_intent",
  "reason",
];

export const CHARGE_CAPTURE = [
  "amount",
  "expand",
  "receipt_email",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_group",
];
export const DISPUTE_CLOSE = ["expand"];

/** Without `destination`: a payout goes where the account's own settings say. */
export const PAYOUT_CREATE = [
  "amount",
  "currency",
  "description",
  "expand",
  "metadata",
  "method",
  "source_type",
  "statement_descriptor",
];
export const TOPUP_CREATE = [
  "amount",
  "currency",
  "description",
  "expand",
  "metadata",
  "source",
  "statement_descriptor",
  "transfer_group",
];
/** Its `destination` has to be an account that the key allows. */
export const TRANSFER_CREATE = [
  "amount",
  "currency",
  "description",
  "destination",
  "expand",
  "metadata",
  "source_transaction",
  "source_type",
  "transfer_group",
];
export const FEE_REFUND = ["amount", "expand", "metadata"];
export const REVERSAL = ["amount", "description", "expand", "metadata"];

const INVOICE = [
  "account_tax_ids",
  "auto_advance",
  "automatic_tax",
  "collection_method",
  "custom_fields",
  "days_until_due",
  "default_payment_method",
  "default_source",
  "default_tax_rates",
  "description",
  "due_date",
  "effective_at",
  "expand",
  "footer",
  "metadata",
  "number",
  "payment_settings",
  "rendering",
  "rendering_options",
  "shipping_cost",
  "shipping_details",
  "statement_descriptor",
];
export const INVOICE_CREATE = [
  ...INVOICE,
  "currency",
  "customer",
  "customer_account",
  "pending_invoice_items_behavior",
];
export const INVOICE_UPDATE = INVOICE;
export const INVOICE_LINES = ["expand", "invoice_metadata", "lines"];
export const INVOICE_ITEM = [
  "amount",
  "currency",
  "customer",
  "customer_account",
  "description",
  "discountable",
  "expand",
  "invoice",
  "metadata",
  "period",
  "price",
  "price_data",
  "pricing",
  "quantity",
  "quantity_decimal",
  "tax_behavior",
  "tax_code",
  "tax_rates",
  "unit_amount",
  "unit_amount_decimal",
];
export const INVOICE_FINALIZE = ["auto_advance", "expand"];
export const INVOICE_SEND = ["expand"];
export const INVOICE_VOID = ["expand"];
export const INVOICE_PAY = [
  "expand",
  "forgive",
  "mandate",
  "off_session",
  "paid_out_of_band",
  "payment_method",
  "source",
];
export const CREDIT_NOTE_CREATE = [
  "amount",
  "credit_amount",
  "effective_at",
  "email_type",
  "expand",
  "invoice",
  "memo",
  "metadata",
  "out_of_band_amount",
  "reason",
  "refund_amount",
];

/** Act on another account, or move money to one. */
export const CONNECT = [
  "application_fee",
  "application_fee_amount",
  "destination",
  "on_behalf_of",
  "refund_application_fee",
  "reverse_transfer",
  "transfer_data",
];
