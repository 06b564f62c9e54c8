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
 * How the money is found in Stripe's answers. An amount that cannot be read costs what was quoted, and so does one below it
 * of an answer that is not about what was asked (docs/decisions/0025-reading-answers.md).
 */

/** An object that is named by its id or, expanded, holds it. */
export const idOf = (value: unknown): string | null => printable(isJsonObject(value) ? value["id"] : value);

export const unitsOf = (value: unknown): bigint | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null;

/** What answers call an object, by the collection that it is in, or that it is made in below another one. */
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
  /** What answers call what is there; null for a collection that is not listed. */
  readonly kind: string | null;
  /** Of the object; null where the path names none, or a new one is made below it. */
  readonly id: string | null;
}

function placeOf(path: string): Place {
  const [, , collection = "", id = null, below = ""] = path.split("/");
  const inner = OBJECTS[`${collection}/${below}`];
  return inner === undefined ? { kind: OBJECTS[collection] ?? null, id } : { kind: inner, id: null };
}

/** Whether an object is the one that a path names, or of the kind that is made there. */
export function isAbout(path: string, { id, object }: Json): boolean {
  const place = placeOf(path);
  const isOfKind = place.kind === null || object === undefined || object === place.kind;
  return isOfKind && (place.id === null || id === place.id);
}

/** Fields that a request names an object in, and its answer the same one. */
const RELATED = ["charge", "payment_intent", "invoice", "source_transaction", "customer", "destination"];

/** Whether an object is what a request asked for: the one that it names, or a new one of what it names. */
function isAsked(made: Json, request: VendorRequest): boolean {
  const form = parseForm(request);
  const isOne = printable(made["id"]) !== null && isAbout(request.path, made);
  if (form instanceof Problem || !isOne) return false;
  return RELATED.every((field) => {
    const [asked, answered] = [form.get(field), idOf(made[field])];
    return asked === undefined || answered === null || asked === answered;
  });
}

/** Given before the idempotency layer, or for a request that was never run: docs.stripe.com/error-low-level. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

/**
 * Sorts an answer by what Stripe did, and lets `read` find the money of one that was executed. What is not about what was
 * asked proves nothing: the quote counts, and no word of it is believed, so neither that it is only replayed.
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

  // A failure that is replayed was stored, so it was executed; a first 4xx speaks of its own request alone.
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

/** A decline at creation leaves a PaymentIntent that can be confirmed later: it is remembered, with nothing counted. */
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

/** The highest of some amounts; null where none can be read. */
const highestOf = (object: Json, fields: readonly string[]): bigint | null =>
  fields
    .map((field) => unitsOf(object[field]))
    .reduce((a, b) => (a === null || (b !== null && b > a) ? b : a), null);

/** What an object is to be remembered with; null where its amount cannot be read. */
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

/** What every object tells of itself; `fields`: those with its amount, of which the highest counts. */
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

/** How an object says that it failed at once, or was called off: then it moves nothing. Of a charge a decline is a 402. */
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
 * `price`, where the answer leaves no doubt that it is about what was asked for: of its kind by name, of more than nothing,
 * in the currency that was quoted. Else what was quoted, where that is more.
 */
function believed(price: MicroUsd, { object, counts }: Described, quote: Quote, path: string): MicroUsd {
  const isSure =
    object["object"] === placeOf(path).kind &&
    counts !== null &&
    counts.units > 0n &&
    (quote.currency === null || counts.currency === quote.currency);
  return isSure ? price : larger(price, quote.amount);
}

/** Something new that moved `field`, or nothing if it failed at once. `remembers`: what is done with it later counts. */
export const readCreated =
  (field: string, remembers: boolean): PricedRule["read"] =>
  (answer, quote, known, { path }) => {
    const about = described(answer, quote, known, field);
    const { object, reading, counts } = about;
    const price = hasFailed(path, object) ? NOTHING : believed(counts?.total ?? NOTHING, about, quote, path);
    return { ...reading, price, counts: remembers && price > 0n ? counts : null };
  };

/** What an object is about now, beyond what is counted for it already. */
export const readRaised =
  (...fields: readonly string[]): PricedRule["read"] =>
  (answer, quote, known, { path }) => {
    const about = described(answer, quote, known, ...fields);
    const { reading, counts } = about;
    const beyond = counts === null ? NOTHING : uncounted(known.object, counts.total);
    return { ...reading, price: believed(beyond, about, quote, path), counts };
  };

/** What was captured, beyond what is counted for it already. What is left may be captured later: it is remembered too. */
export const readCaptured: PricedRule["read"] = (answer, quote, known, request) => {
  const reading = readRaised("amount_received")(answer, quote, known, request);
  const whole = countsOf(jsonObjectOf(answer.body) ?? {}, ["amount"], known.rateCard);
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

/** A credit note without what was settled outside of Stripe, as far as the request says that something was. */
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
