import { type MicroUsd, NOTHING, smaller, sum } from "../../domain/money.ts";
import type { Json, PricedRule, Quote, Reading, VendorAnswer } from "../../domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ, printable } from "../json-answer.ts";
import { isJsonObject } from "../json-body.ts";

/**
 * What Resend's answers say of the money: none names a price, so what was accepted costs what was quoted for it.
 *
 * A repeat under one idempotency key is answered like the first time and is not marked. Its ids are the same, so the
 * object id tells it. resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-22.
 */

/** The request was checked, or met a limit or another attempt, and no e-mail was made of it. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

const reading = (kind: Reading["kind"], price: MicroUsd, objectId: string | null): Reading => ({
  ...NOTHING_READ,
  kind,
  price,
  objectId,
});

const readAnswer =
  (executed: (body: Json, quote: Quote) => Reading): PricedRule["read"] =>
  ({ status, body }: VendorAnswer, quote) => {
    if (status >= 200 && status < 300) return executed(jsonObjectOf(body) ?? {}, quote);
    return reading(NOT_EXECUTED.has(status) ? "refused" : "unknown", NOTHING, null);
  };

export const readEmail = readAnswer((body, quote) =>
  reading("executed", quote.amount, printable(body["id"])),
);

/** The id of the first e-mail stands for the batch: a repeat has the same. */
export const readBatch = readAnswer((body, quote) => {
  const { data } = body;
  const first: unknown = Array.isArray(data) ? data[0] : null;
  return reading("executed", accepted(body, quote), isJsonObject(first) ? printable(first["id"]) : null);
});

/**
 * What the accepted e-mails of a batch cost. With `x-batch-validation: permissive` some may not be: then those with the
 * most recipients are taken to be accepted, whatever the answer says of which ones failed, since no source tells whether
 * its `index` counts from 0 or from 1.
 */
function accepted({ data }: Json, { amount, parts = [] }: Quote): MicroUsd {
  if (!Array.isArray(data) || data.length > parts.length) return amount;
  const dearest = [...parts].sort((a, b) => (a < b ? 1 : -1)).slice(0, data.length);
  return smaller(sum(dearest), amount);
}
