/**
 * The writes of Stripe that cost and commit nothing, with the parameters that are sent: null where none of them can
 * cost anything.
 *
 * Left out are the parameters that charge at once, give credit or a discount, redirect money or act on another account.
 * A DELETE takes none.
 *
 * Source: the parameter types of stripe-node 12.18, 17.7, 22.6 and 23.1, read 2026-11-23.
 * test/vendors/stripe-free-writes.test.ts holds the lists to the installed versions, with the reason for what is left
 * out.
 */

const CUSTOMER =
  "address business_name description email expand individual_name invoice_prefix invoice_settings metadata name next_invoice_sequence phone preferred_locales shipping source tax tax_exempt validate";

/**
 * Without `source` and `default_source`: another default retries the open invoice of a subscription that is past due
 * (docs.stripe.com/api/customers/update, read 2026-11-23).
 */
const CUSTOMER_UPDATE = CUSTOMER.replace(" source", "");

const SETUP =
  "allowed_payment_method_types customer customer_account description excluded_payment_method_types expand metadata payment_method payment_method_configuration payment_method_data payment_method_options payment_method_types";

const PRODUCT =
  "active attributes caption deactivate_on description expand images marketing_features metadata name package_dimensions shippable statement_descriptor tax_code tax_details unit_label url";

/** Without what changes the amount, because Stripe may collect the invoice automatically. */
const INVOICE_LINE = "description expand metadata period";

const TAX_RATE = "active country description display_name expand jurisdiction metadata state tax_type";

/** Endpoints with their parameters, by why they are free. */
const WRITES: Readonly<Record<string, string | null>> = {
  // Describes a customer, or how one can be charged; charging is what counts.
  "POST /v1/customers": `${CUSTOMER} payment_method tax_id_data test_clock`,
  "POST /v1/customers/{id}": CUSTOMER_UPDATE,
  "DELETE /v1/customers/{id}": "",
  "POST /v1/customers/{id}/sources": "expand metadata source validate",
  "POST /v1/customers/{id}/sources/{id}":
    "account_holder_name account_holder_type address_city address_country address_line1 address_line2 address_state address_zip exp_month exp_year expand metadata name owner",
  "POST /v1/customers/{id}/sources/{id}/verify": "amounts expand",
  "DELETE /v1/customers/{id}/sources/{id}": "",
  "POST /v1/customers/{id}/tax_ids": "expand type value",
  "DELETE /v1/customers/{id}/tax_ids/{id}": "",
  "POST /v1/payment_methods": null,
  "POST /v1/payment_methods/{id}": null,
  "POST /v1/payment_methods/{id}/attach": null,
  "POST /v1/payment_methods/{id}/detach": null,
  "POST /v1/setup_intents": `${SETUP} automatic_payment_methods confirm confirmation_token mandate_data return_url usage use_stripe_sdk`,
  "POST /v1/setup_intents/{id}": SETUP,
  "POST /v1/setup_intents/{id}/cancel": "cancellation_reason expand",
  "POST /v1/setup_intents/{id}/confirm":
    "allowed_payment_method_types confirmation_token expand mandate_data payment_method payment_method_data payment_method_options return_url use_stripe_sdk",
  "POST /v1/setup_intents/{id}/verify_microdeposits": "amounts descriptor_code expand",
  "POST /v1/tokens": "bank_account card cvc_update expand",
  // Describes what is sold; selling it is what counts.
  "POST /v1/products": `${PRODUCT} default_price_data id type`,
  "POST /v1/products/{id}": `${PRODUCT} default_price`,
  "DELETE /v1/products/{id}": "",
  "POST /v1/products/{id}/features": "entitlement_feature expand",
  "DELETE /v1/products/{id}/features/{id}": "",
  "POST /v1/entitlements/features": "expand lookup_key metadata name",
  "POST /v1/entitlements/features/{id}": "active expand metadata name",
  "POST /v1/prices":
    "active billing_scheme currency currency_options custom_unit_amount expand lookup_key metadata nickname product product_data recurring tax_behavior tiers tiers_mode transform_quantity unit_amount unit_amount_decimal",
  "POST /v1/prices/{id}": "active expand lookup_key metadata nickname recurring tax_behavior",
  "POST /v1/plans":
    "active aggregate_usage amount amount_decimal billing_scheme currency expand id interval interval_count metadata meter nickname product tiers tiers_mode transform_usage trial_period_days usage_type",
  "POST /v1/plans/{id}": "active expand metadata nickname product trial_period_days",
  "DELETE /v1/plans/{id}": "",
  "POST /v1/shipping_rates":
    "delivery_estimate display_name expand fixed_amount metadata tax_behavior tax_code type",
  "POST /v1/shipping_rates/{id}": "active expand metadata tax_behavior",
  "POST /v1/tax_rates": `${TAX_RATE} inclusive percentage`,
  "POST /v1/tax_rates/{id}": TAX_RATE,
  "POST /v1/tax_ids": "expand type value",
  "DELETE /v1/tax_ids/{id}": "",
  // Describes what is on an invoice, and changes no amount; finalizing, sending or paying it is what counts.
  "POST /v1/invoiceitems/{id}": INVOICE_LINE,
  "POST /v1/invoices/{id}/lines/{id}": INVOICE_LINE,
  "POST /v1/invoices/create_preview":
    "automatic_tax coupon currency customer customer_account customer_details discounts expand invoice_items preview_mode schedule schedule_details subscription subscription_details",
  // Ends what could have been paid or billed later, and gives nothing back.
  "POST /v1/invoices/{id}/mark_uncollectible": "expand",
  "POST /v1/checkout/sessions/{id}/expire": "expand",
  "POST /v1/quotes/{id}/cancel": "expand",
  "DELETE /v1/subscriptions/{id}": "",
  "DELETE /v1/coupons/{id}": "",
  // Describes money that has moved already, and moves none.
  "POST /v1/application_fees/{id}/refunds/{id}": "expand metadata",
  "POST /v1/charges/{id}":
    "customer description expand fraud_details metadata receipt_email shipping transfer_group",
  "POST /v1/credit_notes/{id}": "expand memo metadata",
  "POST /v1/customers/{id}/balance_transactions/{id}": "description expand metadata",
  "POST /v1/disputes/{id}": "evidence expand metadata submit",
  "POST /v1/payouts/{id}": "expand metadata",
  "POST /v1/refunds/{id}": "expand metadata",
  "POST /v1/topups/{id}": "description expand metadata",
  "POST /v1/transfers/{id}": "description expand metadata",
  "POST /v1/transfers/{id}/reversals/{id}": "expand metadata",
};

export const FREE_WRITES: readonly {
  readonly endpoint: string;
  readonly fields: readonly string[] | null;
}[] = Object.entries(WRITES).map(([endpoint, fields]) => ({
  endpoint,
  fields: fields === null ? null : (fields.match(/\S+/g) ?? []),
}));
