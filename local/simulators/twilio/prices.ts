import type { Call, FixedCharge, Message, Price } from "./account.ts";
import { isNorthAmerican } from "./phone-numbers.ts";

/**
 * What the simulator charges, in millionths of a dollar: list prices of 2026 for the USA, and one price for everywhere
 * else. The carrier's fee is not in what the Pricing API tells.
 */
export const SMS_SEGMENT_US = 8_300;
export const SMS_SEGMENT_ELSEWHERE = 80_000;
const CARRIER_FEE_US = 3_000;
const MMS = 22_000;
const FAILED_MESSAGE = 1_000;
const CALL_MINUTE = 14_000;
const FIXED: Readonly<Record<FixedCharge["kind"], number>> = {
  verification: 50_000,
  lookup: 8_000,
};

/** How long a call is, where nobody says otherwise. */
export const DEFAULT_CALL_S = 60;

/** What is or will be charged, and for how many units: segments, minutes. */
export interface Cost {
  readonly count: number;
  /** Null where the price came in another currency. */
  readonly microUsd: number | null;
  /** Whether it can still change. */
  readonly final: boolean;
}

/** An MMS counts once. A failed message costs a fee, a cancelled one nothing, one that was not delivered in full. */
export function costOfMessage(message: Message): Cost {
  const count = message.mediaCount > 0 ? 1 : message.segments;
  if (message.price !== null) return { count, microUsd: microUsdOf(message.price), final: true };
  if (message.status === "canceled") return { count: 0, microUsd: 0, final: true };
  if (message.status === "failed") return { count, microUsd: FAILED_MESSAGE, final: false };
  if (message.mediaCount > 0) return { count, microUsd: MMS, final: false };
  const segment = isNorthAmerican(message.to) ? SMS_SEGMENT_US + CARRIER_FEE_US : SMS_SEGMENT_ELSEWHERE;
  return { count, microUsd: count * segment, final: false };
}

/** A started minute counts in full; a call that nobody took costs nothing. */
export function costOfCall(call: Call): Cost {
  if (call.price !== null) return { count: minutesOf(call), microUsd: microUsdOf(call.price), final: true };
  if (isUnanswered(call.status)) return { count: 0, microUsd: 0, final: true };
  const count = minutesOf(call);
  return { count, microUsd: count * CALL_MINUTE, final: false };
}

export const isUnanswered = (status: string): boolean =>
  ["busy", "no-answer", "failed", "canceled"].includes(status);

/** What `count` of a thing with a fixed price cost. */
export const fixedCost = (kind: FixedCharge["kind"], count: number): number => count * FIXED[kind];

/** The price on the wire of what costs so many millionths of a dollar: five decimals, or six where they are needed. */
export function priceText(microUsd: number): string {
  const [whole, millionths] = [Math.trunc(microUsd / 1_000_000), microUsd % 1_000_000];
  const decimals = String(millionths).padStart(6, "0").replace(/0$/, "");
  return `${microUsd === 0 ? "" : "-"}${whole}.${decimals}`;
}

/** Whether a text is a price that the books can hold: a decimal number with six places at most. */
export const isPriceText = (text: string): boolean => /^-?\d{1,9}(\.\d{1,6})?$/.test(text);

/** The cost in a price, which is negative where the price is a credit; null where it is not in dollars. */
function microUsdOf({ text, unit }: Price): number | null {
  if (unit.toUpperCase() !== "USD") return null;
  const [whole = "", decimals = ""] = text.replace("-", "").split(".");
  const microUsd = Number(whole) * 1_000_000 + Number(decimals.padEnd(6, "0"));
  return text.startsWith("-") || microUsd === 0 ? microUsd : -microUsd;
}

function minutesOf({ durationS, timeLimitS }: Call): number {
  const seconds = durationS ?? Math.min(DEFAULT_CALL_S, timeLimitS);
  return Math.max(1, Math.ceil(seconds / 60));
}
