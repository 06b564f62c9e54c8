import { uncounted } from "../../domain/counted-object.ts";
import { larger, type MicroUsd, NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type {
  Json,
  Known,
  PricedRule,
  Quote,
  VendorAnswer,
  VendorOutcome,
  VendorRequest,
} from "../../domain/vendor.ts";
import { parseForm, wholeNumber } from "../form.ts";
import { jsonObjectOf, NOTHING_READ, printable } from "../json-answer.ts";
import { fxRateOf, usdOf } from "./currencies.ts";

/**
 * Finds the money in Stripe's answers. Where the amount cannot be read, the call costs what was quoted. The same holds
 * where the amount is lower and the answer is about another object (docs/decisions/0025-reading-answers.md).
 */

/** The id of an object, which stands there as its id or as the expanded object. */
export const idOf = (value: unknown): string | null => printable(isJsonObject(value) ? value["id"] : value);

export const unitsOf = (value: unknown): bigint | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;

/** What answers call an object, by its collection, or by the nested collection that it is created in. */
const OBJECTS: Readonly<Record<string, string>> = {
  payment_intents: "payment_intent",
  charges: "charge",
  refunds: "refund",
  disputes: "dispute",
  payouts: "payout",
  topups: "topup",
  transfers: "transfer",
  "transfers/reversals": "transfer_reversal",
  application_fees: "application_fee",
  "application_fees/refunds": "fee_refund",
  invoices: "invoice",
  "invoices/lines": "list",
  invoiceitems: "invoiceitem",
  credit_notes: "credit_note",
};

interface Place {
  /** What answers call the object; null for a collection that is not listed. */
  readonly kind: string | null;
  /** The id of the object; null where the path names none, or creates a new one below it. */
  readonly id: string | null;
}

function placeOf(path: string): Place {
  const [, , collection = "", id = null, below = ""] = path.split("/");
  const inner = OBJECTS[`${collection}/${below}`];
  return inner === undefined ? { kind: OBJECTS[collection] ?? null, id } : { kind: inner, id: null };
}

/** Whether an object is the one that a path names, or of the kind that is created there. */
export function isAbout(path: string, { id, object }: Json): boolean {
  const place = placeOf(path);
  const isOfKind = place.kind === null || object === undefined || object === place.kind;
  return isOfKind && (place.id === null || id === place.id);
}

/** Fields that name the same object in a request and in its answer. */
const RELATED = ["charge", "payment_intent", "invoice", "source_transaction", "customer", "destination"];

/** Whether an object is what a request asked for: the one that it names, or a new one for it. */
function isAsked(made: Json, request: VendorRequest): boolean {
  const form = parseForm(request);
  const isOne = printable(made["id"]) !== null && isAbout(request.path, made);
  if (form instanceof Problem || !isOne) return false;
  return RELATED.every((field) => {
    const [asked, answered] = [form.get(field), idOf(made[field])];
    return asked === undefined || answered === null || asked === answered;
  });
}

/** Answers from before the idempotency layer, or to a request that was never run: docs.stripe.com/error-low-level. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

/**
 * Sorts an answer by what Stripe did, and lets `read` find the money where the request was executed. An answer about
 * another object proves nothing: the quote counts, and nothing in the answer is believed, not even that it is a replay.
 */
export function readMoney(
  answer: VendorAnswer,
  quote: Quote,
  known: Known,
  request: VendorRequest,
  read: PricedRule["read"],
): VendorOutcome {
  const replayed = answer.headers["idempotent-replayed"]?.[0] === "true";
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const made = jsonObjectOf(answer.body);
    return made !== null && isAsked(made, request)
      ? { ...read(answer, quote, known, request), replayed }
      : { ...nothing(quote), price: quote.amount };
  }

  // A replayed failure was stored, so it was executed. A first 4xx is only about its own request.
  if (status === 402 || (replayed && NOT_EXECUTED.has(status)))
    return { ...declinedObject(answer, quote, known, request), kind: "declined", replayed };
  return { ...nothing(quote), kind: NOT_EXECUTED.has(status) ? "refused" : "unknown", replayed };
}

const nothing = (quote: Quote): VendorOutcome => ({
  ...NOTHING_READ,
  kind: "executed",
  amountText: quote.amountText,
  currency: quote.currency,
  fxRate: quote.fxRate,
});

/**
 * A decline at creation leaves a PaymentIntent that can be confirmed later. It is remembered, with nothing counted.
 */
function declinedObject(
  answer: VendorAnswer,
  quote: Quote,
  { rateCard }: Known,
  { path }: VendorRequest,
): VendorOutcome {
  const { error } = jsonObjectOf(answer.body) ?? {};
  const told = isJsonObject(error) && isJsonObject(error["payment_intent"]) ? error["payment_intent"] : {};
  const intent = path.startsWith("/v1/payment_intents") && !isAbout(path, told) ? {} : told;
  return {
    ...nothing(quote),
    objectId: printable(intent["id"]),
    counts: countsOf(intent, ["amount"], rateCard),
  };
}

/** The highest of the amounts that can be read; null where none can. */
const highestOf = (object: Json, fields: readonly string[]): bigint | null =>
  fields
    .map((field) => unitsOf(object[field]))
    .reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);

/** What to remember of an object; null where its amount cannot be read. */
function countsOf(
  object: Json,
  fields: readonly string[],
  rateCard: Known["rateCard"],
): VendorOutcome["counts"] {
  const objectId = printable(object["id"]);
  const units = highestOf(object, fields);
  const currency = printable(object["currency"])?.toLowerCase() ?? null;
  const total = units === null || currency === null ? null : usdOf(units, currency, rateCard);
  return objectId === null || units === null || currency === null || total === null
    ? null
    : { objectId, units, currency, total };
}

interface Described {
  readonly object: Json;
  readonly reading: VendorOutcome;
  readonly counts: VendorOutcome["counts"];
}

/** What every object says about itself. `fields`: those with its amount; the highest counts. */
function described(
  answer: VendorAnswer,
  quote: Quote,
  { rateCard }: Known,
  ...fields: readonly string[]
): Described {
  const object = jsonObjectOf(answer.body) ?? {};
  const currency = printable(object["currency"])?.toLowerCase() ?? quote.currency;
  const units = highestOf(object, fields);
  const reading: VendorOutcome = {
    ...nothing(quote),
    objectId: printable(object["id"]),
    customerId: idOf(object["customer"]),
    amountText: units === null ? quote.amountText : `${units}`,
    currency,
    fxRate: fxRateOf(currency, rateCard),
  };
  return { object, reading, counts: countsOf(object, fields, rateCard) };
}

/**
 * The status of an object that failed at once or was cancelled, so that it moves nothing. A declined charge is a 402.
 */
const FAILED: Readonly<Record<string, readonly string[]>> = {
  charge: ["failed"],
  payment_intent: ["canceled"],
  payout: ["failed", "canceled"],
  refund: ["failed", "canceled"],
  topup: ["failed", "canceled"],
};

const hasFailed = (path: string, { object, status, amount_received: received }: Json): boolean => {
  const kind = placeOf(path).kind ?? "";
  return (
    object === kind &&
    (FAILED[kind] ?? []).some((failed) => failed === status) &&
    (kind !== "payment_intent" || received === 0)
  );
};

/**
 * `price`, where the answer is certainly about what was asked for: it has the right kind, an amount above zero and the
 * quoted currency. Otherwise the higher of `price` and the quote.
 */
function believed(price: MicroUsd, { object, counts }: Described, quote: Quote, path: string): MicroUsd {
  const isSure =
    object["object"] === placeOf(path).kind &&
    counts !== null &&
    counts.units > 0n &&
    (quote.currency === null || counts.currency === quote.currency);
  return isSure ? price : larger(price, quote.amount);
}

/** A new object that moved `field`, or nothing if it failed at once. `remembers`: later calls on it count too. */
export const readCreated =
  (field: string, remembers: boolean): PricedRule["read"] =>
  (answer, quote, known, { path }) => {
    const about = described(answer, quote, known, field);
    const { object, reading, counts } = about;
    const price = hasFailed(path, object) ? NOTHING : believed(counts?.total ?? NOTHING, about, quote, path);
    return { ...reading, price, counts: remembers && price > 0n ? counts : null };
  };

/** The object's amount now, beyond what is already counted for it. */
export const readRaised =
  (...fields: readonly string[]): PricedRule["read"] =>
  (answer, quote, known, { path }) => {
    const about = described(answer, quote, known, ...fields);
    const { reading, counts } = about;
    const beyond = counts === null ? NOTHING : uncounted(known.object, counts.total);
    return { ...reading, price: believed(beyond, about, quote, path), counts };
  };

/**
 * What was captured, beyond what is already counted for it. The rest may be captured later, so it is remembered too.
 */
export const readCaptured: PricedRule["read"] = (answer, quote, known, request) => {
  const reading = readRaised("amount_received")(answer, quote, known, request);
  const whole = countsOf(jsonObjectOf(answer.body) ?? {}, ["amount"], known.rateCard);
  const isLess = reading.counts !== null && whole !== null && reading.counts.total < whole.total;
  return isLess ? { ...reading, counts: whole } : reading;
};

/** Nothing moved; the amount of the object does not matter. */
export const readNothing: PricedRule["read"] = (answer, quote, known) =>
  described(answer, quote, known, "amount").reading;

/** A draft that this key created, with nothing counted yet. */
export const readDraft: PricedRule["read"] = (answer, quote, known) => {
  const { reading, counts } = described(answer, quote, known, "amount_due");
  return { ...reading, counts: counts === null ? null : { ...counts, units: 0n, total: NOTHING } };
};

/** The object ended without receiving money, and Stripe will take none for it. */
export const readEnd =
  (status: string, received: string): PricedRule["read"] =>
  (answer, quote, known) => {
    const { object, reading } = described(answer, quote, known, "amount");
    return { ...reading, uncountsObject: object["status"] === status && object[received] === 0 };
  };

/** The amount of a credit note, without what was settled outside Stripe as far as the request says so. */
export const readCreditNote: PricedRule["read"] = (answer, quote, known, request) => {
  const about = described(answer, quote, known, "amount");
  const { object, reading, counts } = about;
  const form = parseForm(request);
  const named = form instanceof Problem ? null : wholeNumber(form, "out_of_band_amount");
  const told = unitsOf(object["out_of_band_amount"]) ?? 0n;
  const outside = named === null || named instanceof Problem ? 0n : named < told ? named : told;
  if (counts === null || outside > counts.units) return { ...reading, price: quote.amount };
  const price = usdOf(counts.units - outside, counts.currency, known.rateCard) ?? quote.amount;
  return { ...reading, price: believed(price, about, quote, request.path) };
};
