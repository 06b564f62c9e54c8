import type { VendorPage } from "../../domain/vendor-page.ts";

/**
 * Addresses of dashboard.stripe.com. Its errors name the one of a request (`request_log_url`, docs.stripe.com/error-codes, read
 * 2026-11-28); its search finds every id. An id does not say whether it is of live or test mode.
 */
export const page: VendorPage = {
  objects: [
    {
      begins: "pi_",
      live: "https://dashboard.stripe.com/payments/{id}",
      test: "https://dashboard.stripe.com/test/payments/{id}",
    },
    {
      begins: "",
      live: "https://dashboard.stripe.com/search?query={id}",
      test: "https://dashboard.stripe.com/test/search?query={id}",
    },
  ],
  request: {
    begins: "req_",
    live: "https://dashboard.stripe.com/logs/{id}",
    test: "https://dashboard.stripe.com/test/logs/{id}",
  },
  endpoint: "POST /v1/payment_intents",
  snippets: {
    python: `import stripe

stripe.api_key = "{key}"
stripe.api_base = "{url}"
stripe.PaymentIntent.create(amount=2999, currency="usd", idempotency_key="order-1")`,
    node: `import Stripe from "stripe";

// Any version of stripe-node, and any address with a path.
const throughKeybrake = (address, options) => {
  const { pathname, search } = new URL(address);
  return fetch(\`{url}\${pathname}\${search}\`, options);
};
const stripe = new Stripe("{key}", { httpClient: Stripe.createFetchHttpClient(throughKeybrake) });
await stripe.paymentIntents.create({ amount: 2999, currency: "usd" }, { idempotencyKey: "order-1" });`,
    curl: `curl -s {url}/v1/payment_intents -u "{key}:" -H "Idempotency-Key: order-1" -d amount=2999 -d currency=usd`,
  },
};
