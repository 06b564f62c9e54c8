import type { DenialFacts, VendorManifest } from "../../domain/vendor-manifest.ts";

const NAME_BY_STATUS: Readonly<Record<number, string>> = {
  400: "validation_error",
  401: "invalid_api_key",
  404: "not_found",
  409: "concurrent_idempotent_requests",
  413: "validation_error",
  415: "validation_error",
  429: "rate_limit_exceeded",
};

/** Resend's own word where it has one. */
const NAME_BY_CODE: Readonly<Record<string, string>> = { spend_cap_exceeded: "daily_quota_exceeded" };

/**
 * By status and name resend-python chooses its exception. `missing_api_key` would replace our message by a text of its
 * own, and `invalid_api_key` at 403 would blame the key; a 403 is named by our code, which is no name of Resend's.
 */
const nameOf = (status: number, code: string): string =>
  NAME_BY_CODE[code] ?? NAME_BY_STATUS[status] ?? (status >= 500 ? "application_error" : code);

function denial({ status, code, message, requestId, charged, details }: DenialFacts) {
  const name = nameOf(status, code);
  return {
    headers: { "Request-Id": requestId },
    body: JSON.stringify({
      ...details,
      statusCode: status,
      name,
      message,
      code,
      keybrake_code: code,
      request_id: requestId,
      charged,
    }),
  };
}

/**
 * Sources: resend.com/docs/api-reference/introduction (`re_`, 8 and 24 letters and digits), read 2026-11-27; list prices as
 * of November 2026, rounded up, read 2026-11-22.
 */
export const manifest: VendorManifest = {
  name: "resend",
  title: "Resend",
  defaultCredential: "default",
  credentialAccepted: "an API key such as re_…, without spaces or line breaks",
  local: {
    credential: [
      {
        name: "RESEND_API_KEY",
        pattern: /^re_\w+$/,
        begins: /^re_/,
        accepted: "an API key of Resend, re_…",
      },
    ],
    origin: "KEYBRAKE_RESEND_ORIGIN",
    placeholder: "re_keybrake_placeholderplaceholder00",
  },
  // resend-node reads the first address, resend-python the second.
  client: {
    key: ["RESEND_API_KEY"],
    baseUrl: ["RESEND_BASE_URL", "RESEND_API_URL"],
    fixed: {},
    removed: [],
    freeRead: "/domains",
  },
  tellsPricesLate: false,
  prices: {
    /** An e-mail to one recipient. */
    recipient: { default: "0.0009" },
  },
  secretShapes: [
    {
      name: "an API key of Resend",
      token: /^re_/i,
      // This prefix also ends words, so no letter may precede; ids of refunds have no second part.
      inText: /(?<![A-Za-z])re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{12,}/gi,
    },
  ],
  denial,
};
