import type { FinalPrice } from "../../domain/call/late-price.ts";
import { type MicroUsd, microUsd, NOTHING, usdText } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { atRate, type Rate, type RateCard } from "../../domain/rate-card.ts";
import type { Json, LatePrices, Quote, VendorAnswer, VendorOutcome } from "../../domain/vendor.ts";
import { jsonObjectOf, NOTHING_READ } from "../json-answer.ts";
import { priceAt } from "./numbers.ts";

/** Reads prices in Twilio's answers: they come late, as text, and a charge is negative. */

/** Given before anything was sent. twilio.com/docs/usage/twilios-response, /docs/errors/20429, read 2026-11-22. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

const SID = /^[A-Z]{2}[0-9a-f]{32}$/;

/** The account SID that clients may write. Keybrake substitutes the real one. */
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
): { readonly made: Json; readonly reading: VendorOutcome } {
  const executed = answer.status >= 200 && answer.status < 300;
  const made = executed ? (jsonObjectOf(answer.body) ?? {}) : {};
  const sid = made["sid"];
  const isKnown = typeof sid === "string" && SID.test(sid) && kinds.includes(sid.slice(0, 2));
  const reading: VendorOutcome = {
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

/** Whether the created object goes to the recipient of the request. Otherwise no price below the quote is believed. */
const goesWhereAsked = ({ to }: Json, { recipients }: Quote): boolean =>
  typeof to === "string" && recipients?.length === 1 && recipients[0] === to;

/** Marks the price as an estimate, until Twilio gives the final one. */
export function estimated(reading: VendorOutcome, estimate: MicroUsd): VendorOutcome {
  if (reading.kind !== "executed") return reading;
  return { ...reading, price: estimate, isEstimate: reading.objectId !== null };
}

/**
 * The price of an object that had already ended in the answer, at most the quote; null where the price comes later. A
 * price beside another state is not complete.
 */
export function pricedAtOnce(
  made: Json,
  reading: VendorOutcome,
  quote: Quote,
  rateCard: RateCard,
): VendorOutcome | null {
  const told = reading.objectId === null || !goesWhereAsked(made, quote) ? null : toldPrice(made, rateCard);
  const isFinal = told !== null && told.price > 0n && told.price <= quote.amount;
  return isFinal && ENDED.includes(`${made["status"]}`) ? { ...reading, ...told } : null;
}

/** For a row: `2 segments`. */
export const segmentsText = (segments: number): string => `${segments} segment${segments === 1 ? "" : "s"}`;

/**
 * The cost of a message by the segments that Twilio counted, until its price is known. A Messaging Service has not
 * counted them when it answers. A message with media is not priced by segments.
 */
export function readMessage(answer: VendorAnswer, quote: Quote, rateCard: RateCard): VendorOutcome {
  const { made, reading } = outcomeOf(answer, quote, ["SM", "MM"]);
  const quoted = quote.count ?? null;
  const { num_segments: counted, num_media: media } = made;
  const segments = typeof counted === "string" && /^[1-9][0-9]{0,2}$/.test(counted) ? Number(counted) : null;
  const to = quote.recipients?.[0] ?? "";
  const each = priceAt(rateCard, "sms", to);
  const isPlain =
    quoted !== null &&
    media === "0" &&
    reading.objectId?.startsWith("SM") === true &&
    goesWhereAsked(made, quote);
  const atOnce = pricedAtOnce(made, reading, quote, rateCard);
  if (atOnce !== null) return atOnce;
  if (!isPlain || segments === null || typeof each !== "bigint" || segments > quoted)
    return estimated(reading, quote.amount);
  const price = microUsd(BigInt(segments) * each);
  return { ...estimated(reading, price), amountText: segmentsText(segments) };
}

const US_DOLLAR: Rate = { picoUsd: 10n ** 12n, usd: 1 };

/**
 * The price in a message or call, or null. It is a decimal: negative for a charge, positive for a credit. Carrier fees
 * are in it: support.twilio.com, "Understanding SMS Message Fees", read 2026-11-23.
 */
function toldPrice({ price, price_unit: unit }: Json, { rates }: RateCard): FinalPrice | null {
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

/** Final states of a message or a call, in which a price of zero is its price. */
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
/**
 * States that are followed by another one. twilio.com/docs/messaging/api/message-resource, /voice/api/call-resource,
 * read 2026-11-27.
 */
const UNDER_WAY = ["accepted", "scheduled", "queued", "sending", "initiated", "ringing", "in-progress"];

/**
 * How long after its end a price may still come, in milliseconds. Twilio gives it up to 24 hours later ("Understanding
 * SMS Message Fees", support.twilio.com, read 2026-11-27); this is twice as long.
 */
const UNPRICED_MS = 48 * 3_600_000;

/**
 * What Twilio charges for what ended without a price, or null where a price has to come.
 *
 * A message that failed costs a fee since 2024-09-30 (support.twilio.com, "Failed Message Processing Fees"); one that was
 * cancelled costs nothing, since only what is sent is charged (twilio.com/docs/messaging/features/message-scheduling); nor
 * does a call that nobody took (twilio.com/help, "What do the call statuses mean?"). A message that was not delivered is
 * charged in full, so its estimate stays. Read 2026-11-27.
 */
function unpricedCost({ sid, status, to }: Json, rateCard: RateCard): MicroUsd | null {
  if (status === "canceled") return NOTHING;
  if (`${sid}`.startsWith("CA"))
    return ["busy", "no-answer", "failed"].includes(`${status}`) ? NOTHING : null;
  const fee = status === "failed" ? priceAt(rateCard, "failed_message", `${to}`) : null;
  return fee instanceof Problem ? null : fee;
}

/** When it ended (RFC 2822), or null where Twilio gives no date. */
function endOf({ end_time: ended, date_updated: updated }: Json): number | null {
  const date = typeof ended === "string" ? ended : updated;
  const at = typeof date === "string" ? Date.parse(date) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

export const latePrices: LatePrices = {
  lookup: (objectId) =>
    `/2010-04-01/Accounts/${PLACEHOLDER}/${objectId.startsWith("CA") ? "Calls" : "Messages"}/${objectId}.json`,
  read: (found, rateCard, nowMs) => {
    const status = `${found["status"]}`;
    const isOver = ENDED.includes(status);
    const told = toldPrice(found, rateCard);
    if (told !== null && (told.price > 0n || isOver)) return { kind: "final", final: told };
    if (UNDER_WAY.includes(status)) return { kind: "under_way" };

    const endedAtMs = endOf(found);
    // A price that cannot be read is still a price.
    const isUntold =
      found["price"] === null && isOver && endedAtMs !== null && nowMs - endedAtMs > UNPRICED_MS;
    const price = isUntold ? unpricedCost(found, rateCard) : null;
    if (price === null) return { kind: "ended", endedAtMs };
    return {
      kind: "final",
      final: {
        price,
        amountText: usdText(price),
        currency: "usd",
        fxRate: null,
        reason: "ended_without_price",
      },
    };
  },
};
