import type { FinalPrice } from "../../domain/call.ts";
import { type MicroUsd, microUsd, NOTHING } from "../../domain/money.ts";
import { atRate, type Rate, type Terms } from "../../domain/terms.ts";
import type { Json, LatePrices, Quote, Reading, VendorAnswer } from "../../domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ } from "../json-answer.ts";
import { priceAt } from "./numbers.ts";

/** How Twilio's answers tell what a call cost: late, as a text, negative. */

/** Given before anything was sent. twilio.com/docs/usage/twilios-response, /docs/errors/20429, read 2026-11-22. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

const SID = /^[A-Z]{2}[0-9a-f]{32}$/;

/** The account as clients may write it: the credential's own takes its place. */
export const PLACEHOLDER = `AC${"0".repeat(32)}`;

/** Whether an answer to a GET is about the object that the path names last. */
export function isAbout(path: string, { sid }: Json): boolean {
  const named = path.slice(path.lastIndexOf("/") + 1).replace(/\.json$/, "");
  return !SID.test(named) || sid === named;
}

/**
 * Sorts an answer by what Twilio did. One that was executed costs what was quoted. `kinds`: how the id of what it makes
 * begins; another object's is not kept.
 */
export function outcomeOf(
  answer: VendorAnswer,
  quote: Quote,
  kinds: readonly string[],
): { readonly made: Json; readonly reading: Reading } {
  const executed = answer.status >= 200 && answer.status < 300;
  const made = executed ? (jsonObjectOf(answer.body) ?? {}) : {};
  const sid = made["sid"];
  const isKnown = typeof sid === "string" && SID.test(sid) && kinds.includes(sid.slice(0, 2));
  const reading: Reading = {
    ...NOTHING_READ,
    kind: executed ? "executed" : NOT_EXECUTED.has(answer.status) ? "refused" : "unknown",
    price: executed ? quote.amount : NOTHING,
    objectId: isKnown ? sid : null,
    amountText: quote.amountText,
    currency: quote.currency,
    fxRate: quote.fxRate,
  };
  return { made, reading };
}

/** An answer that will tell its price: until then it is estimated. */
export function estimated(reading: Reading, estimate: MicroUsd): Reading {
  if (reading.kind !== "executed") return reading;
  return { ...reading, price: estimate, isEstimate: reading.objectId !== null };
}

/** For a row: `2 segments`. */
export const segmentsText = (segments: number): string => `${segments} segment${segments === 1 ? "" : "s"}`;

/**
 * What a message costs by the segments that Twilio counts, where it has counted any, and until it tells the price. A
 * Messaging Service has not yet when it answers, and a message with media is not priced by them.
 */
export function readMessage(answer: VendorAnswer, quote: Quote, terms: Terms): Reading {
  const { made, reading } = outcomeOf(answer, quote, ["SM", "MM"]);
  const quoted = quote.count ?? null;
  const { num_segments: counted, num_media: media, to: answered } = made;
  const segments = typeof counted === "string" && /^[1-9][0-9]{0,2}$/.test(counted) ? Number(counted) : null;
  const to = quote.recipients?.[0] ?? "";
  const each = priceAt(terms, "sms", to);
  const isPlain = quoted !== null && media === "0" && reading.objectId?.startsWith("SM") === true;
  const isAsked = answered === undefined || answered === to;
  if (!isPlain || !isAsked || segments === null || typeof each !== "bigint" || segments > quoted)
    return estimated(reading, quote.amount);
  const price = microUsd(BigInt(segments) * each);
  return { ...estimated(reading, price), amountText: segmentsText(segments) };
}

const US_DOLLAR: Rate = { picoUsd: 10n ** 12n, usd: 1 };

/**
 * The price that a message or call tells, or null: a decimal that is negative for a charge. What is positive is a credit.
 * Carrier fees are in it: support.twilio.com, "Understanding SMS Message Fees", read 2026-11-23.
 */
function toldPrice({ price, price_unit: unit }: Json, { rates }: Terms): FinalPrice | null {
  const [, sign, whole = "", places = ""] = /^(-?)([0-9]{1,9})(?:\.([0-9]{1,18}))?$/.exec(`${price}`) ?? [];
  const currency = `${unit}`.toLowerCase();
  const rate = currency === "usd" ? US_DOLLAR : rates[currency];
  if (sign === undefined || rate === undefined || !/^[a-z]{3}$/.test(currency)) return null;
  const units = BigInt(whole + places);
  return {
    price: sign === "-" ? atRate(units, places.length, rate) : NOTHING,
    amountText: places === "" ? whole : `${whole}.${places}`,
    currency,
    fxRate: currency === "usd" ? null : rate.usd,
  };
}

/** States of a message or a call in which a price of nothing is its price. */
const ENDED = [
  "delivered",
  "undelivered",
  "sent",
  "failed",
  "canceled",
  "read",
  "completed",
  "busy",
  "no-answer",
];

/** Prices come within a day. Without one nothing is final, also not of a message that failed: that can cost a fee. */
export const latePrices: LatePrices = {
  lookup: (objectId) =>
    `/2010-04-01/Accounts/${PLACEHOLDER}/${objectId.startsWith("CA") ? "Calls" : "Messages"}/${objectId}.json`,
  read: (found, terms) => {
    const told = toldPrice(found, terms);
    const isOver = ENDED.includes(`${found["status"]}`);
    return told?.price === 0n && !isOver ? null : told;
  },
};
