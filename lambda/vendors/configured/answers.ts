import { type MicroUsd, NOTHING } from "../../domain/money.ts";
import { readStrictJson } from "../../domain/strict-json.ts";
import type { Quote, VendorAnswer, VendorOutcome } from "../../domain/vendor.ts";
import { NOTHING_READ, printable } from "../json-answer.ts";
import { toldAmount } from "./decimal.ts";
import type { EndpointDefinition } from "./definition.ts";
import { sourceAt } from "./json-source.ts";
import { valueAt } from "./request.ts";

/**
 * What the answers of an API that is known by its definition alone say of the money
 * (docs/decisions/0036-configured-vendors.md).
 */

/**
 * By these a server says that it did not begin: the request is malformed, too large, not authenticated, not paid for, not
 * allowed, of a method or type that it does not have, or one of too many (RFC 9110, 15.5, and RFC 6585, read 2026-11-28).
 * Not among them is what may be the result of work that is billed: 404 of a search, 408 and 409 of what is under way, and 406,
 * which Rails, Spring and ASP.NET answer when the work is done and its result cannot be written as `Accept` asks.
 */
const NOT_BEGUN: ReadonlySet<number> = new Set([
  400, 401, 402, 403, 405, 411, 413, 414, 415, 417, 422, 426, 428, 429, 431,
]);

export function readAnswer(endpoint: EndpointDefinition, answer: VendorAnswer, quote: Quote): VendorOutcome {
  const { charged_on = [], not_charged_on = [], price, object_id } = endpoint;
  const { status } = answer;
  const executed = (status >= 200 && status < 300) || charged_on.includes(status);
  if (!executed) {
    const refused = not_charged_on.includes(status) || NOT_BEGUN.has(status);
    return { ...NOTHING_READ, kind: refused ? "refused" : "unknown" };
  }
  const found = readFound(answer.body);
  return {
    ...NOTHING_READ,
    kind: "executed",
    ...priced(price, quote, found),
    objectId: object_id === undefined || found === null ? null : idAt(found, object_id.split(".")),
  };
}

interface Found {
  readonly text: string;
  readonly value: unknown;
}

function readFound(body: Uint8Array): Found | null {
  const read = readStrictJson(body);
  return "refused" in read ? null : { value: read.value, text: new TextDecoder().decode(body) };
}

/** An answer whose amount cannot be read costs its bound: that it cost less is not known. */
function priced(
  price: EndpointDefinition["price"],
  quote: Quote,
  found: Found | null,
): Pick<VendorOutcome, "price" | "amountText" | "currency"> {
  if (typeof price !== "object" || !("answer" in price))
    return { price: price === "free" ? NOTHING : quote.amount, amountText: null, currency: null };
  const told = found === null ? null : amountAt(found, price.answer);
  return told === null
    ? { price: quote.amount, amountText: null, currency: null }
    : { price: told.amount, amountText: told.text, currency: "usd" };
}

type Told = Extract<EndpointDefinition["price"], { readonly answer: unknown }>["answer"];

function amountAt({ text, value }: Found, { field, unit }: Told): { amount: MicroUsd; text: string } | null {
  const path = field.split(".");
  const at = valueAt(value, path);
  const written = typeof at === "number" ? sourceAt(text, path) : typeof at === "string" ? at : null;
  const amount = written === null ? null : toldAmount(written, unit);
  return written === null || amount === null ? null : { amount, text: written };
}

/** An id is a text or a whole number. */
function idAt({ text, value }: Found, path: readonly string[]): string | null {
  const id = valueAt(value, path);
  return printable(typeof id === "number" && Number.isInteger(id) ? sourceAt(text, path) : id);
}
