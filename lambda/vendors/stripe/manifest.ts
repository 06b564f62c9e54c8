import type { DenialFacts, VendorManifest } from "../../domain/vendor-manifest.ts";

/** Behind a letter it may be the end of a word, `task_test_1`, unless it is long. */
const keyIn = (prefix: string): string =>
  `(?<![A-Za-z])${prefix}_(?:live|test|prod)_[A-Za-z0-9]+|${prefix}_(?:live|test|prod)_[A-Za-z0-9]{16,}`;

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "invalid_request_error",
  409: "idempotency_error",
  413: "invalid_request_error",
  415: "invalid_request_error",
  429: "rate_limit_error",
};

/** Stripe's own word where it has one. */
const CODE: Readonly<Record<string, string>> = { key_expired: "api_key_expired" };

function denial({ status, code, repeats, message, requestId, charged, details }: DenialFacts) {
  const error = {
    type: TYPE_BY_STATUS[status] ?? "api_error",
    code: CODE[code] ?? code,
    message,
    request_id: requestId,
    charged,
    ...details,
  };
  return {
    headers: { "Request-Id": requestId, ...shouldRetry(status, repeats) },
    body: JSON.stringify({ error }),
  };
}

/** Its SDKs repeat no 429 by themselves, even where it is over in a moment. */
function shouldRetry(status: number, repeats: boolean): Readonly<Record<string, string>> {
  if (!repeats) return { "Stripe-Should-Retry": "false" };
  return status === 429 ? { "Stripe-Should-Retry": "true" } : {};
}

/**
 * Sources: docs.stripe.com/keys (sk_, rk_, of organizations sk_org_), docs.stripe.com/webhooks (whsec_) and the client
 * secrets of its objects (`pi_…_secret_…`), read 2026-11-27. `pk_…` is meant for browsers, so it is left as it is.
 */
export const manifest: VendorManifest = {
  name: "stripe",
  title: "Stripe",
  defaultCredential: "default",
  credentialAccepted: "a secret or restricted key of Stripe, such as sk_live_… or rk_live_…",
  local: {
    credential: [
      {
        name: "STRIPE_SECRET_KEY",
        pattern: /^[sr]k_(org_)?(live|test)_\w+$/,
        begins: /^[sr]k_(org_)?(live|test)_/,
        accepted: "a secret or restricted key of Stripe, such as sk_test_… or rk_live_…",
      },
    ],
    origin: "KEYBRAKE_STRIPE_ORIGIN",
    // stripe-mock refuses what is not `sk_test_` with letters and digits (run with v0.203.0, 2026-11-28).
    placeholder: "sk_test_keybrakeplaceholder",
  },
  // No SDK of Stripe reads a variable; these are the usual names in programs, and STRIPE_API_KEY is the Stripe CLI's.
  client: {
    key: ["STRIPE_SECRET_KEY", "STRIPE_API_KEY"],
    baseUrl: ["STRIPE_API_BASE"],
    fixed: {},
    removed: [],
    freeRead: "/v1/balance",
  },
  tellsPricesLate: false,
  prices: {},
  secretShapes: [
    {
      name: "a key of an organization at Stripe",
      token: /^[sr]k_org_/i,
      inText: new RegExp(keyIn("[sr]k_org"), "gi"),
    },
    {
      name: "an ephemeral key of Stripe",
      token: /^ek_(live|test)_/i,
      inText: new RegExp(keyIn("ek"), "gi"),
    },
    { name: "a publishable key of Stripe", token: /^pk_(org_)?(live|test)_/i },
    {
      name: "a secret key of Stripe",
      token: /^[a-z]k_(live|test)_/i,
      // Other letters stand before words too: `uk_live_orders`.
      inText: new RegExp(`${keyIn("[sr]k")}|[a-oq-z]k_(?:live|test|prod)_[A-Za-z0-9]{16,}`, "gi"),
    },
    {
      name: "the signing secret of a webhook",
      token: /^whsec_/i,
      inText: /whsec_[A-Za-z0-9+/=_-]{3,}/gi,
    },
    {
      name: "a client secret of Stripe",
      token: /^[a-z]+_[A-Za-z0-9]+_secret_/i,
      // `rotate_stripe_secret_quarterly` is none: an id has a digit, or is long.
      inText:
        /[a-z]{2,30}_(?:(?=[A-Za-z]*\d|[A-Za-z0-9]{14})[A-Za-z0-9]{4,64}_secret_[A-Za-z0-9]{8,}|client_secret_[A-Za-z0-9]{16,})/gi,
    },
  ],
  denial,
};
