import { Problem } from "../../domain/problem.ts";
import type { DenialFacts, Headers, Vendor } from "../../domain/vendor.ts";
import { printable } from "../json-answer.ts";
import { RECIPIENTS } from "./addresses.ts";
import { catalog } from "./catalog.ts";

/**
 * Resend: what its endpoints cost, and how its answers are read.
 *
 * Spend is the number of recipients times the operator's price of one: Resend names no price, and bills by plan.
 * Sources, read 2026-11-22: resend-node 6.38.0, resend-python 2.39.0; resend.com/docs/api-reference/errors.
 */

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

const IDEMPOTENCY_KEY_LENGTH_MAX = 256;

function refuseHeaders(headers: Headers): Problem | null {
  const keys = headers["idempotency-key"] ?? [];
  if (keys.length > 1 || keys.some((key) => key.trim() === "" || key.length > IDEMPOTENCY_KEY_LENGTH_MAX)) {
    return new Problem(
      "ambiguous_request",
      `Idempotency-Key: expected one header of 1 to ${IDEMPOTENCY_KEY_LENGTH_MAX} characters`,
    );
  }
  const modes = headers["x-batch-validation"] ?? [];
  if (modes.length > 1 || modes.some((mode) => mode !== "strict" && mode !== "permissive")) {
    return new Problem("ambiguous_request", "x-batch-validation: expected one header, strict or permissive");
  }
  return null;
}

export const resend: Vendor = {
  name: "resend",
  origins: { main: "https://api.resend.com" },
  credentialAccepted: "an API key such as re_…, without spaces or line breaks",
  authorize: (secret) =>
    /^re_[\x21-\x7e]{1,250}$/.test(secret) ? { authorization: `Bearer ${secret}` } : null,
  authorizeQuery: null,
  keyIn: null,
  secretsOf: (secret) => [secret],
  catalogPath: (path) => path,
  address: ({ path }) => ({ host: "main", path, standInPath: path }),
  forwardedHeaders: ["accept", "content-type", "idempotency-key", "user-agent", "x-batch-validation"],
  accountHeaders: [],
  idempotencyHeader: "idempotency-key",
  refuseHeaders,
  placeholders: {
    /** Resend's ids are UUIDs. Without a digit it could be a word that is a path of its own, such as `batch`. */
    id: /^(?=[A-Za-z-]*\d)[A-Za-z0-9-]{1,64}$/,
    /** An id, or an address. */
    contact: /^(?=[^@\d]*[@\d])[A-Za-z0-9._+@-]{1,254}$/,
    /** An id or an alias. */
    template: /^[A-Za-z0-9_-]{1,100}$/,
  },
  catalog,
  prefixes: [],
  limits: ["allowed_recipients", "max_recipients"],
  recipients: RECIPIENTS,
  denial,
  // Nothing is looked up there.
  isAbout: () => false,
  requestId: (headers) => printable(headers["cf-ray"]?.[0]),
  rewriteLinks: null,
  latePrices: null,
};
