import { uncounted } from "../../domain/counted-object.ts";
import { type MicroUsd, NOTHING } from "../../domain/money.ts";
import type { Json, Known, PricedRule, Quote, Reading, VendorAnswer } from "../../domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ, printable } from "../json-answer.ts";
import { isJsonObject } from "../json-body.ts";
import { fxRateOf, usdOf } from "./currencies.ts";

/** How the money is found in Stripe's answers. An amount that cannot be read costs what was quoted. */

/** An object that is named by its id or, expanded, holds it. */
export const idOf = (value: unknown): string | null => printable(isJsonObject(value) ? value["id"] : value);

export const unitsOf = (value: unknown): bigint | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;

/** Given before the idempotency layer, or for a request that was never run: docs.stripe.com/error-low-level. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

/** Sorts an answer by what Stripe did, and lets `read` find the money of one that was executed. */
export function readMoney(
  answer: VendorAnswer,
  quote: Quote,
  known: Known,
  read: PricedRule["read"],
): Reading {
  const replayed = answer.headers["idempotent-replayed"]?.[0] === "true";
  const { status } = answer;
  if (status >= 200 && status < 300) return { ...read(answer, quote, known), replayed };

  // A failure that is replayed was stored, so it was executed; a first 4xx speaks of its own request alone.
  if (status === 402 || (replayed && NOT_EXECUTED.has(status)))
    return { ...declinedObject(answer, quote, known), kind: "declined", replayed };
  return { ...nothing(quote), kind: NOT_EXECUTED.has(status) ? "refused" : "unknown", replayed };
}

const nothing = (quote: Quote): Reading => ({
  ...NOTHING_READ,
  kind: "executed",
  amountText: quote.amountText,
  currency: quote.currency,
  fxRate: quote.fxRate,
});

/** A decline at creation leaves a PaymentIntent that can be confirmed later: it is remembered, with nothing counted. */
function declinedObject(answer: VendorAnswer, quote: Quote, { terms }: Known): Reading {
  const { error } = jsonObjectOf(answer.body) ?? {};
  const intent = isJsonObject(error) && isJsonObject(error["payment_intent"]) ? error["payment_intent"] : {};
  return {
    ...nothing(quote),
    objectId: printable(intent["id"]),
    counts: countsOf(intent, ["amount"], terms),
  };
}

/** The highest of some amounts; null where none can be read. */
const highestOf = (object: Json, fields: readonly string[]): bigint | null =>
  fields
    .map((field) => unitsOf(object[field]))
    .reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);

/** What an object is to be remembered with; null where its amount cannot be read. */
function countsOf(object: Json, fields: readonly string[], terms: Known["terms"]): Reading["counts"] {
  const objectId = printable(object["id"]);
  const units = highestOf(object, fields);
  const currency = printable(object["currency"])?.toLowerCase() ?? null;
  const total = units === null || currency === null ? null : usdOf(units, currency, terms);
  return objectId === null || units === null || currency === null || total === null
    ? null
    : { objectId, units, currency, total };
}

interface Described {
  readonly object: Json;
  readonly reading: Reading;
  readonly counts: Reading["counts"];
}

/** What every object tells of itself; `fields`: those with its amount, of which the highest counts. */
function described(
  answer: VendorAnswer,
  quote: Quote,
  { terms }: Known,
  ...fields: readonly string[]
): Described {
  const object = jsonObjectOf(answer.body) ?? {};
  const currency = printable(object["currency"])?.toLowerCase() ?? quote.currency;
  const units = highestOf(object, fields);
  const reading: Reading = {
    ...nothing(quote),
    objectId: printable(object["id"]),
    customerId: idOf(object["customer"]),
    amountText: units === null ? quote.amountText : `${units}`,
    currency,
    fxRate: fxRateOf(currency, terms),
  };
  return { object, reading, counts: countsOf(object, fields, terms) };
}

/** Something new that moved `field`, or nothing if it failed at once. `remembers`: what is done with it later counts. */
export const readCreated =
  (field: string, remembers: boolean): PricedRule["read"] =>
  (answer, quote, known) => {
    const { object, reading, counts } = described(answer, quote, known, field);
    const failed = object["status"] === "failed" || object["status"] === "canceled";
    const price: MicroUsd = failed ? NOTHING : (counts?.total ?? quote.amount);
    return { ...reading, price, counts: remembers && price > 0n ? counts : null };
  };

/** What an object is about now, beyond what is counted for it already. */
export const readRaised =
  (...fields: readonly string[]): PricedRule["read"] =>
  (answer, quote, known) => {
    const { reading, counts } = described(answer, quote, known, ...fields);
    if (counts === null) return { ...reading, price: quote.amount };
    return { ...reading, price: uncounted(known.object, counts.total), counts };
  };

/** What was captured, beyond what is counted for it already. What is left may be captured later: it is remembered too. */
export const readCaptured: PricedRule["read"] = (answer, quote, known) => {
  const reading = readRaised("amount_received")(answer, quote, known);
  const whole = countsOf(jsonObjectOf(answer.body) ?? {}, ["amount"], known.terms);
  const isLess = reading.counts !== null && whole !== null && reading.counts.total < whole.total;
  return isLess ? { ...reading, counts: whole } : reading;
};

/** Nothing moved, whatever the object is about. */
export const readNothing: PricedRule["read"] = (answer, quote, known) =>
  described(answer, quote, known, "amount").reading;

/** Ours from its making on, with nothing counted yet. */
export const readDraft: PricedRule["read"] = (answer, quote, known) => {
  const { reading, counts } = described(answer, quote, known, "amount_due");
  return { ...reading, counts: counts === null ? null : { ...counts, units: 0n, total: NOTHING } };
};

/** Ended without ever having received money: Stripe will take none any more. */
export const readEnd =
  (status: string, received: string): PricedRule["read"] =>
  (answer, quote, known) => {
    const { object, reading } = described(answer, quote, known, "amount");
    return { ...reading, uncountsObject: object["status"] === status && object[received] === 0 };
  };

/** A credit note without what was settled outside of Stripe. */
export const readCreditNote: PricedRule["read"] = (answer, quote, known) => {
  const { object, reading, counts } = described(answer, quote, known, "amount");
  const outside = unitsOf(object["out_of_band_amount"]) ?? 0n;
  const price =
    counts === null
      ? null
      : usdOf(counts.units > outside ? counts.units - outside : 0n, counts.currency, known.terms);
  return { ...reading, price: price ?? quote.amount };
};
