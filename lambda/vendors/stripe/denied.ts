/**
 * The endpoints of Stripe that no vault key may call, and why. A reason completes the sentence "POST /v1/x is not
 * callable with a vault key: …".
 *
 * `{id}` is a segment that names an object; a trailing `/**` is everything below, now and in future; `ANY` is every
 * method. An endpoint that is in no list is refused too, because Keybrake does not know it.
 *
 * Source: the resources and the type declarations of stripe-node 12.18, 17.7, 22.6 and 23.1, read 2026-11-23. What is
 * in none of them is retired or kept out of the SDK; test/vendors/stripe-paths.test.ts names each of those.
 */
export const DENIED: readonly { readonly reason: string; readonly endpoints: readonly string[] }[] = [
  {
    reason:
      "it makes Stripe bill repeatedly or later, for amounts that the request does not name, so no cap can bound it; charge each amount with POST /v1/payment_intents, and keep subscriptions in your own backend",
    endpoints: [
      "POST /v1/subscriptions",
      "POST /v1/subscriptions/{id}",
      "POST /v1/subscriptions/{id}/migrate",
      "POST /v1/subscriptions/{id}/pause",
      "POST /v1/subscriptions/{id}/resume",
      "DELETE /v1/subscriptions/{id}/discount",
      "POST /v1/subscription_items",
      "POST /v1/subscription_items/{id}",
      "DELETE /v1/subscription_items/{id}",
      "POST /v1/subscription_schedules",
      "POST /v1/subscription_schedules/**",
      "POST /v1/quotes",
      "POST /v1/quotes/{id}",
      "POST /v1/quotes/{id}/accept",
      "POST /v1/quotes/{id}/finalize",
      "ANY /v1/customers/{id}/subscriptions",
      "ANY /v1/customers/{id}/subscriptions/**",
      "DELETE /v1/customers/{id}/discount",
    ],
  },
  {
    reason: "usage is billed later, at prices that the request does not name; meter it from your own backend",
    endpoints: [
      "POST /v1/billing/alerts",
      "POST /v1/billing/alerts/**",
      "POST /v1/billing/meter_event_adjustments",
      "POST /v1/billing/meter_events",
      "POST /v1/billing/meters",
      "POST /v1/billing/meters/**",
      "POST /v1/subscription_items/{id}/usage_records",
      "ANY /v2/billing/**",
    ],
  },
  {
    reason:
      "its page takes payments whose number or amount the request does not bound; create a PaymentIntent with POST /v1/payment_intents for each payment instead",
    endpoints: [
      "POST /v1/checkout/sessions",
      "POST /v1/checkout/sessions/{id}",
      "POST /v1/payment_links",
      "POST /v1/payment_links/{id}",
    ],
  },
  {
    reason:
      "it completes a payment whose amount the request does not name; use POST /v1/payment_intents/{id}/confirm, or let the payer finish it on Stripe's page",
    endpoints: [
      "POST /v1/payment_intents/{id}/apply_customer_balance",
      "POST /v1/payment_intents/{id}/verify_microdeposits",
    ],
  },
  {
    reason:
      "it can remove a credit from an invoice that Stripe then collects automatically, without a call that Keybrake can count; change a draft of this key with POST /v1/invoices/{id}/remove_lines, or do it in the Stripe dashboard",
    endpoints: ["POST /v1/credit_notes/{id}/void", "DELETE /v1/invoiceitems/{id}"],
  },
  {
    reason:
      "the items of a deleted draft can wait for the next invoice, which Stripe collects without a call that Keybrake can count; remove lines with POST /v1/invoices/{id}/remove_lines, or keep the draft",
    endpoints: ["DELETE /v1/invoices/{id}"],
  },
  {
    reason:
      "it lists every account that is connected to yours; issue a key with allowed_accounts, and read one account by its id",
    endpoints: ["GET /v1/accounts"],
  },
  {
    reason:
      "events show whole objects from all of your account, including logins and secrets; read the objects that your run created instead",
    endpoints: ["GET /v1/events", "GET /v1/events/{id}", "GET /v2/core/events", "GET /v2/core/events/{id}"],
  },
  {
    reason:
      "it settles an invoice with an earlier payment, whose amount the request does not name; pay it with POST /v1/invoices/{id}/pay",
    endpoints: ["POST /v1/invoices/{id}/attach_payment"],
  },
  {
    reason:
      "it gives customers credit, discounts or free time, which lowers later bills by an amount that cannot be counted against a cap; do it in the Stripe dashboard, or refund one charge with POST /v1/refunds",
    endpoints: [
      "POST /v1/billing/credit_grants",
      "POST /v1/billing/credit_grants/**",
      "POST /v1/coupons",
      "POST /v1/coupons/{id}",
      "POST /v1/customers/{id}/balance_transactions",
      "POST /v1/promotion_codes",
      "POST /v1/promotion_codes/{id}",
      "POST /v1/product_catalog/trial_offers",
      "POST /v1/product_catalog/trial_offers/{id}",
      "ANY /v1/gift_cards",
      "ANY /v1/gift_cards/**",
    ],
  },
  {
    reason:
      "it opens a bank account for a customer, or applies its balance to invoices of any amount; do it in the Stripe dashboard",
    endpoints: ["POST /v1/customers/{id}/cash_balance", "POST /v1/customers/{id}/funding_instructions"],
  },
  {
    reason:
      "it uses bank accounts, cards and balances that Stripe holds for you, which can pay out without a charge, and shows their numbers; use it from your own backend",
    endpoints: [
      "ANY /v1/capital/**",
      "ANY /v1/issuing/**",
      "ANY /v1/treasury/**",
      "ANY /v2/core/vault/**",
      "ANY /v2/money_management/**",
    ],
  },
  {
    reason:
      "a card reader takes payments in person, outside every cap, and its settings hold passwords; use it from your own backend",
    endpoints: ["ANY /v1/terminal/**"],
  },
  {
    reason: "it returns a credential that bypasses Keybrake; call it from your own backend",
    endpoints: [
      "ANY /oauth/**",
      "ANY /express/**",
      "POST /v1/account_links",
      "POST /v1/account_sessions",
      "POST /v1/accounts/{id}/login_links",
      "ANY /v1/apps/**",
      "POST /v1/billing_portal/sessions",
      "POST /v1/customer_sessions",
      "POST /v1/ephemeral_keys",
      "DELETE /v1/ephemeral_keys/{id}",
      "POST /v2/core/account_links",
    ],
  },
  {
    reason:
      "it sends events of your whole account to a URL, and its answer can hold the signing secret; set it up in the Stripe dashboard",
    endpoints: [
      "ANY /v1/webhook_endpoints",
      "ANY /v1/webhook_endpoints/**",
      "ANY /v2/core/event_destinations",
      "ANY /v2/core/event_destinations/**",
    ],
  },
  {
    reason: "it sends card data or files to any address that the caller names; do it from your own backend",
    endpoints: [
      "POST /v1/file_links",
      "POST /v1/file_links/{id}",
      "ANY /v1/forwarding/**",
      "ANY /v2/commerce/**",
    ],
  },
  {
    reason:
      "it creates or changes another Stripe account, or changes where its payouts go; manage connected accounts from your own backend",
    endpoints: [
      "POST /v1/account",
      "POST /v1/accounts",
      "POST /v1/accounts/{id}",
      "DELETE /v1/accounts/{id}",
      "POST /v1/accounts/{id}/capabilities/{id}",
      "POST /v1/accounts/{id}/external_accounts",
      "POST /v1/accounts/{id}/external_accounts/{id}",
      "DELETE /v1/accounts/{id}/external_accounts/{id}",
      "POST /v1/accounts/{id}/persons",
      "POST /v1/accounts/{id}/persons/{id}",
      "DELETE /v1/accounts/{id}/persons/{id}",
      "POST /v1/accounts/{id}/reject",
      "POST /v1/accounts/{id}/unreject",
      "ANY /v1/recipients",
      "ANY /v1/recipients/**",
      "ANY /v2/core/account_tokens",
      "ANY /v2/core/account_tokens/**",
      "ANY /v2/core/accounts",
      "ANY /v2/core/accounts/**",
    ],
  },
  {
    reason:
      "it changes a setting of your whole Stripe account, such as where payouts go or how customers may pay; change it in the Stripe dashboard",
    endpoints: [
      "POST /v1/apple_pay/domains",
      "DELETE /v1/apple_pay/domains/{id}",
      "POST /v1/balance_settings",
      "POST /v1/billing/feedback_options",
      "POST /v1/billing/feedback_options/**",
      "POST /v1/billing_portal/configurations",
      "POST /v1/billing_portal/configurations/{id}",
      "POST /v1/invoice_rendering_templates/{id}/archive",
      "POST /v1/invoice_rendering_templates/{id}/unarchive",
      "POST /v1/payment_method_configurations",
      "POST /v1/payment_method_configurations/{id}",
      "POST /v1/payment_method_domains",
      "POST /v1/payment_method_domains/**",
      "POST /v1/tax/locations",
      "POST /v1/tax/registrations",
      "POST /v1/tax/registrations/{id}",
      "POST /v1/tax/settings",
    ],
  },
  {
    reason:
      "it changes which payments your fraud rules let through; change the rules in the Stripe dashboard",
    endpoints: [
      "POST /v1/radar/value_list_items",
      "DELETE /v1/radar/value_list_items/{id}",
      "POST /v1/radar/value_lists",
      "POST /v1/radar/value_lists/{id}",
      "DELETE /v1/radar/value_lists/{id}",
      "POST /v1/reviews/{id}/approve",
    ],
  },
  {
    reason:
      "it records payments made outside Stripe as if Stripe had received them; record them from your own backend",
    endpoints: ["POST /v1/payment_records/**"],
  },
  {
    reason:
      "Stripe charges a fee for each call, and no price for it is configured; call it from your own backend",
    endpoints: [
      "POST /v1/radar/payment_evaluations",
      "POST /v1/tax/calculations",
      "POST /v1/tax/transactions/create_from_calculation",
      "POST /v1/tax/transactions/create_reversal",
      "ANY /v1/three_d_secure/**",
    ],
  },
  {
    reason:
      "Stripe charges a fee for each check, and its answers hold bank accounts and identity documents; call it from your own backend",
    endpoints: [
      "ANY /v1/financial_connections/**",
      "ANY /v1/identity/**",
      "ANY /v1/link_account_sessions",
      "ANY /v1/linked_accounts/**",
    ],
  },
  {
    reason:
      "it buys carbon removal or crypto at a price that only Stripe knows; buy it in the Stripe dashboard",
    endpoints: ["POST /v1/climate/**", "ANY /v1/crypto/**"],
  },
  {
    reason:
      "it exports the data of your whole account; run the report in the Stripe dashboard, and read its state with a vault key",
    endpoints: ["POST /v1/reporting/report_runs"],
  },
  {
    reason:
      "it works in test mode only, where it creates money that nobody paid; call it with your own test key",
    endpoints: ["ANY /v1/test_helpers/**", "ANY /v2/test_helpers/**"],
  },
  {
    reason: "the PDF is on another host of Stripe, files.stripe.com; open the quote in the Stripe dashboard",
    endpoints: ["GET /v1/quotes/{id}/pdf"],
  },
  {
    reason:
      "Stripe has retired Sources, and money paid into one can be returned to another account; save a payment method with POST /v1/payment_methods",
    endpoints: ["POST /v1/sources", "POST /v1/sources/{id}", "POST /v1/sources/{id}/verify"],
  },
  {
    reason:
      "Stripe has retired it, and its documentation no longer says what it costs; use POST /v1/payment_intents and POST /v1/refunds",
    endpoints: [
      "ANY /v1/bitcoin/**",
      "ANY /v1/charges/{id}/dispute",
      "ANY /v1/charges/{id}/dispute/**",
      "POST /v1/charges/{id}/refund",
      "ANY /v1/charges/{id}/refunds",
      "ANY /v1/charges/{id}/refunds/**",
      "ANY /v1/order_returns",
      "ANY /v1/order_returns/**",
      "ANY /v1/orders",
      "ANY /v1/orders/**",
      "ANY /v1/skus",
      "ANY /v1/skus/**",
      "POST /v1/transfers/{id}/cancel",
    ],
  },
];
