/**
 * The parameters that each endpoint of payment intents knows: those of stripe-node 23.1.0, and those of older versions
 * that still work. Some have no effect here; any other is refused, as at Stripe.
 */
const SHARED = [
  "allowed_payment_method_types",
  "amount_details",
  "capture_method",
  "excluded_payment_method_types",
  "hooks",
  "payment_details",
  "payment_method",
  "payment_method_data",
  "payment_method_options",
  "payment_method_types",
  "receipt_email",
  "setup_future_usage",
  "shipping",
] as const;
const DESCRIBING = [
  "application_fee_amount",
  "customer",
  "customer_account",
  "description",
  "metadata",
  "payment_method_configuration",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_data",
  "transfer_group",
] as const;
const CONFIRMING = [
  "confirmation_token",
  "error_on_requires_action",
  "mandate",
  "mandate_data",
  "off_session",
  "radar_options",
  "return_url",
  "use_stripe_sdk",
] as const;
export const CREATE_PARAMS: ReadonlySet<string> = new Set([
  ...SHARED,
  ...DESCRIBING,
  ...CONFIRMING,
  "amount",
  "automatic_payment_methods",
  "confirm",
  "confirmation_method",
  "currency",
  "on_behalf_of",
]);
export const UPDATE_PARAMS: ReadonlySet<string> = new Set([...SHARED, ...DESCRIBING, "amount", "currency"]);
export const CONFIRM_PARAMS: ReadonlySet<string> = new Set([...SHARED, ...CONFIRMING, "amount_to_confirm"]);
export const CAPTURE_PARAMS: ReadonlySet<string> = new Set([
  "amount_details",
  "amount_to_capture",
  "application_fee_amount",
  "final_capture",
  "hooks",
  "metadata",
  "payment_details",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_data",
]);
export const CANCEL_PARAMS: ReadonlySet<string> = new Set(["cancellation_reason"]);
export const INCREMENT_PARAMS: ReadonlySet<string> = new Set([
  "amount",
  "amount_details",
  "application_fee_amount",
  "description",
  "hooks",
  "metadata",
  "payment_details",
  "statement_descriptor",
  "transfer_data",
]);
export const RETRIEVE_PARAMS: ReadonlySet<string> = new Set(["client_secret"]);
