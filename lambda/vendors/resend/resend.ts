import { Problem } from "../../domain/problem.ts";
import type { Headers, Vendor } from "../../domain/vendor.ts";
import { printable } from "../json-answer.ts";
import { RECIPIENTS } from "./addresses.ts";
import { catalog } from "./catalog.ts";
import { manifest } from "./manifest.ts";
import { soughtOf } from "./sought.ts";

/**
 * Resend: what its endpoints cost, and how its answers are read.
 *
 * Spend is the number of recipients times the operator's price of one: Resend names no price, and bills by plan.
 * Sources, read 2026-11-22: resend-node 6.38.0, resend-python 2.39.0; resend.com/docs/api-reference/errors.
 */

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
  ...manifest,
  origins: { main: "https://api.resend.com" },
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
    /** Resend's ids are UUIDs. Without a digit it could be a word of another path, such as `batch`. */
    id: /^(?=[A-Za-z-]*\d)[A-Za-z0-9-]{1,64}$/,
    /** An id, or an address. */
    contact: /^(?=[^@\d]*[@\d])[A-Za-z0-9._+@-]{1,254}$/,
    /** An id or an alias. */
    template: /^[A-Za-z0-9_-]{1,100}$/,
  },
  catalog,
  prefixes: [],
  limits: ["allowed_recipients", "max_recipients"],
  accounts: null,
  recipients: RECIPIENTS,
  // Nothing is looked up there.
  isAbout: () => false,
  requestId: (headers) => printable(headers["cf-ray"]?.[0]),
  withheldHeaders: [],
  rewriteLinks: null,
  latePrices: null,
  soughtOf,
};
