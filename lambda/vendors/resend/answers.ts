import { type MicroUsd, NOTHING, smaller, sum } from "../../domain/money.ts";
import type { PricedRule, Quote, Reading, VendorAnswer } from "../../domain/vendor.ts";

/**
 * What Resend's answers say of the money: none names a price, so what was accepted costs what was quoted for it.
 *
 * A repeat under one idempotency key is answered like the first time and is not marked. Its ids are the same, so the
 * object id tells it. resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-22.
 */

/** An id, short and printable, whatever an answer may hold. */
export const text = (value: unknown): string | null =>
  typeof value === "string" && /^[\x21-\x7e]{1,255}$/.test(value) ? value : null;

type Answered = { readonly [field: string]: unknown };
const isObject = (value: unknown): value is Answered => typeof value === "object" && value !== null;

function parsed(body: Uint8Array): Answered {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** The request was checked, or met a limit or another attempt, and no e-mail was made of it. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

const reading = (kind: Reading["kind"], price: MicroUsd, objectId: string | null): Reading => ({
  kind,
  price,
  isEstimate: false,
  replayed: false,
  objectId,
  customerId: null,
  amountText: null,
  currency: null,
  fxRate: null,
  counts: null,
  uncountsObject: false,
});

const readAnswer =
  (executed: (body: Answered, quote: Quote) => Reading): PricedRule["read"] =>
  ({ status, body }: VendorAnswer, quote) => {
    if (status >= 200 && status < 300) return executed(parsed(body), quote);
    return reading(NOT_EXECUTED.has(status) ? "refused" : "unknown", NOTHING, null);
  };

export const readEmail = readAnswer((body, quote) => reading("executed", quote.amount, text(body["id"])));

/** The id of the first e-mail stands for the batch: a repeat has the same. */
export const readBatch = readAnswer((body, quote) => {
  const { data } = body;
  const first: unknown = Array.isArray(data) ? data[0] : null;
  return reading("executed", accepted(body, quote), isObject(first) ? text(first["id"]) : null);
});

/**
 * What the accepted e-mails of a batch cost. With `x-batch-validation: permissive` some may not be: then those with the
 * most recipients are taken to be accepted, whatever the answer says of which ones failed, since no source tells whether
 * its `index` counts from 0 or from 1.
 */
function accepted({ data }: Answered, { amount, parts = [] }: Quote): MicroUsd {
  if (!Array.isArray(data) || data.length > parts.length) return amount;
  const dearest = [...parts].sort((a, b) => (a < b ? 1 : -1)).slice(0, data.length);
  return smaller(sum(dearest), amount);
}
