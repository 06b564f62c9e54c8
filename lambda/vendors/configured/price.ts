import { type MicroUsd, microUsd, NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { isJsonObject } from "../../domain/strict-json.ts";
import type { Quote } from "../../domain/vendor.ts";
import { PLAIN_ACCEPTED, plainAmount, priceInUsd } from "./decimal.ts";
import type { EndpointDefinition } from "./definition.ts";
import { sourceAt } from "./json-source.ts";
import { type StrictRequest, valueAt } from "./request.ts";

/** What a request costs at most, from the price of its endpoint. */

type Price = EndpointDefinition["price"];
type Times = Extract<Price, { readonly times: unknown }>["times"];
type Amount = Extract<Price, { readonly amount: unknown }>["amount"];

const quoted = (amount: MicroUsd, amountText: string | null = null): Quote => ({
  amount,
  amountText,
  currency: amountText === null ? null : "usd",
  fxRate: null,
  recipients: null,
  explanation: null,
});

/** An upper bound, or why there is none. A free endpoint is quoted at nothing. */
export function quoteOf(price: Price, request: StrictRequest): Quote | Problem {
  if (price === "free") return quoted(NOTHING);
  if (typeof price !== "object") return quoted(usdOf(price));
  if ("answer" in price) return quoted(usdOf(price.answer.max_usd));
  if ("amount" in price) return quoteAmount(price.amount, request);
  const count = countOf(price.times, request);
  return count instanceof Problem ? count : quoted(microUsd(count * usdOf(price.usd)));
}

/** A price of a checked definition. Throws on any other. */
function usdOf(value: string | number): MicroUsd {
  const amount = priceInUsd(value);
  if (amount === null) throw new RangeError("a price of a definition cannot be read");
  return amount;
}

const unknownAmount = (field: string, got: string, accepted: string): Problem =>
  new Problem("amount_unknown", `${field}: got ${got.slice(0, 60)}; expected ${accepted}`);

type Place = Pick<Times, "json" | "form" | "query">;

const fieldIn = ({ json, form, query }: Place): string => json ?? form ?? query ?? "";

/** How often the price is paid: at least once, since what a server makes of 0 is not known. */
function countOf(times: Times, request: StrictRequest): bigint | Problem {
  const field = fieldIn(times);
  if (times.is === "list") return lengthOf(times, field, request);
  const accepted = `a whole number from 1 to ${times.max}, written in digits alone`;
  const text = numberText(times, request);
  if (text instanceof Problem) return text;
  if (text === null)
    return times.default === undefined ? unknownAmount(field, "nothing", accepted) : BigInt(times.default);
  const count = /^[1-9]\d{0,6}$/.test(text) ? BigInt(text) : 0n;
  return count >= 1n && count <= BigInt(times.max) ? count : unknownAmount(field, text, accepted);
}

function lengthOf(
  { max, default: usual, json, entries: kind = "single" }: Times,
  field: string,
  { body }: StrictRequest,
): bigint | Problem {
  const accepted = `a list of 1 to ${max} entries, none of them a list or null`;
  const path = json?.split(".") ?? [];
  const torn = body.kind === "json" ? notAnObject(body.value, path) : null;
  if (torn !== null) return torn;
  const entries = body.kind === "json" ? valueAt(body.value, path) : listIn(body, field);
  if (entries === undefined)
    return usual === undefined ? unknownAmount(field, "nothing", accepted) : BigInt(usual);
  if (!Array.isArray(entries)) return unknownAmount(field, kindOf(entries), accepted);
  if (entries.some((entry) => Array.isArray(entry) || entry === null))
    return unknownAmount(field, "a list inside of the list, or null", accepted);
  if (kind === "single" && entries.some(isSeveral))
    return unknownAmount(
      field,
      "an entry with a comma, a semicolon, a bar, a line break or a list in it",
      "entries that no server could split",
    );
  return entries.length >= 1 && entries.length <= max
    ? BigInt(entries.length)
    : unknownAmount(field, `${entries.length} entries`, accepted);
}

/** Whether a server could take one entry for several: `a@example.com,b@example.com` is two recipients for some. */
const isSeveral = (entry: unknown): boolean => {
  if (typeof entry === "string") return /[,;|\r\n\t]/.test(entry);
  return Array.isArray(entry) || (isJsonObject(entry) && Object.values(entry).some(isSeveral));
};

/** The entries of a form's list, each of which stands there under the same name. */
function listIn(body: StrictRequest["body"], field: string): readonly string[] | undefined {
  if (body.kind !== "form") return undefined;
  const entries = [...body.form].filter(([key]) => key.startsWith(`${field}#`)).map(([, value]) => value);
  return entries.length === 0 ? undefined : entries;
}

function quoteAmount(amount: Amount, request: StrictRequest): Quote | Problem {
  const { unit, as, max_usd } = amount;
  const max = max_usd === undefined ? null : usdOf(max_usd);
  const accepted = `${PLAIN_ACCEPTED[unit]}${max_usd === undefined ? "" : `, at most ${max_usd} USD`}${as === "text" && amount.json !== undefined ? ", as a string" : ""}`;
  const text =
    as === "text" && amount.json !== undefined ? textIn(amount, request) : numberText(amount, request);
  if (text instanceof Problem) return text;
  if (text === null) return unknownAmount(fieldIn(amount), "nothing", accepted);
  const micros = plainAmount(text, unit);
  return micros === null || micros === 0n || (max !== null && micros > max)
    ? unknownAmount(fieldIn(amount), text, accepted)
    : quoted(micros, text);
}

/** A number as it is written: in JSON without quotes, elsewhere all of the value. Null where the field is absent. */
function numberText(place: Place, { body, query }: StrictRequest): string | null | Problem {
  if (place.query !== undefined) return query[place.query]?.[0] ?? null;
  if (body.kind === "form") return body.form.get(place.form ?? "") ?? null;
  if (body.kind !== "json") return null;
  const path = place.json?.split(".") ?? [];
  const torn = notAnObject(body.value, path);
  if (torn !== null) return torn;
  const value = valueAt(body.value, path);
  if (value === undefined) return null;
  return typeof value === "number"
    ? sourceAt(body.text, path)
    : unknownAmount(place.json ?? "", kindOf(value), "a number, without quotes");
}

function textIn({ json = "" }: Place, { body }: StrictRequest): string | null | Problem {
  if (body.kind !== "json") return null;
  const path = json.split(".");
  const torn = notAnObject(body.value, path);
  if (torn !== null) return torn;
  const value = valueAt(body.value, path);
  if (value === undefined) return null;
  return typeof value === "string" ? value : unknownAmount(json, kindOf(value), "a string with the amount");
}

/** What is on the way to a field has to be an object: in a list a server may look into each entry. */
function notAnObject(value: unknown, path: readonly string[]): Problem | null {
  for (const at of path.keys()) {
    const above = valueAt(value, path.slice(0, at));
    if (above === undefined) return null;
    if (!isJsonObject(above))
      return unknownAmount(path.slice(0, at).join(".") || "body", kindOf(above), "an object");
  }
  return null;
}

const kindOf = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? "a string" : typeof value === "object" ? "an object" : `${value}`;
};
