import { type MicroUsd, NOTHING, smaller, sum } from "../../domain/money.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type {
  Json,
  PricedRule,
  Quote,
  VendorAnswer,
  VendorOutcome,
  VendorRequest,
} from "../../domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ, printable } from "../json-answer.ts";

/**
 * Reads Resend's answers. They name no price, so an accepted e-mail costs what was quoted for it.
 *
 * A repeat under the same idempotency key gets the first answer, without a mark. Its ids are the same, so the object id
 * shows the repeat. resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-22.
 */

/** The request failed a check, met a limit or met another attempt. No e-mail was created. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

const reading = (kind: VendorOutcome["kind"], price: MicroUsd, objectId: string | null): VendorOutcome => ({
  ...NOTHING_READ,
  kind,
  price,
  objectId,
});

const readAnswer =
  (executed: (body: Json, quote: Quote, request: VendorRequest) => VendorOutcome): PricedRule["read"] =>
  ({ status, body }: VendorAnswer, quote, _, request) => {
    if (status >= 200 && status < 300) return executed(jsonObjectOf(body) ?? {}, quote, request);
    return reading(NOT_EXECUTED.has(status) ? "refused" : "unknown", NOTHING, null);
  };

export const readEmail = readAnswer((body, quote) =>
  reading("executed", quote.amount, printable(body["id"])),
);

/**
 * The id of the first e-mail stands for the batch: a repeat has the same. Strict batches are accepted whole or refused
 * whole, and strict is the default: resend.com/docs/api-reference/emails/send-batch-emails, read 2026-11-22.
 */
export const readBatch = readAnswer((body, quote, { headers }) => {
  const { amount, parts = [] } = quote;
  const modes = headers["x-batch-validation"] ?? [];
  const isPermissive = modes.length === 1 && modes[0] === "permissive";
  const ids = idsOf(body["data"]);
  const failed = isPermissive ? failuresOf(body["errors"], parts.length) : 0;
  // An answer that does not account for each e-mail proves nothing.
  if (ids === null || failed === null || ids.length + failed !== parts.length)
    return reading("executed", amount, null);
  return reading("executed", smaller(dearest(parts, ids.length), amount), ids[0] ?? null);
});

/** The ids of accepted e-mails; null where an id is missing or repeated. */
function idsOf(data: unknown): readonly string[] | null {
  if (!Array.isArray(data)) return null;
  const ids = data.map((email: unknown) => (isJsonObject(email) ? printable(email["id"]) : null));
  const named = ids.filter((id) => id !== null);
  return new Set(named).size === data.length ? named : null;
}

/** How many e-mails were refused; null where the errors do not name that many different e-mails. */
function failuresOf(errors: unknown, emails: number): number | null {
  if (errors === undefined) return 0;
  if (!Array.isArray(errors)) return null;
  const places = errors.map((error: unknown) => (isJsonObject(error) ? error["index"] : null));
  const known = places.filter(
    (place) => Number.isInteger(place) && Number(place) >= 0 && Number(place) <= emails,
  );
  return new Set(known).size === errors.length ? errors.length : null;
}

/**
 * Assumes that the e-mails with the most recipients were accepted: no source says whether an `index` counts from 0 or
 * from 1.
 */
const dearest = (parts: readonly MicroUsd[], count: number): MicroUsd =>
  sum([...parts].sort((a, b) => (a < b ? 1 : -1)).slice(0, count));
