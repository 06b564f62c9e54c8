import { type Balance, leftInWindow, UNCAPPED, windowEndMs } from "./balance.ts";
import { type MicroUsd, minus } from "./money.ts";

/** A cap of which a write took so much that a threshold was reached. Pure: told by the balance before and after the write. */
export interface CapCrossing {
  readonly keyId: string;
  readonly cap: "daily" | "total";
  /** The window of a daily cap; null for the total cap, which has one. */
  readonly window: number | null;
  /** Per cent of the cap. */
  readonly threshold: Threshold;
  readonly capAmount: MicroUsd;
  /** What is spent, reserved or unresolved after the write. Above the cap after an overrun. */
  readonly taken: MicroUsd;
  /** When the window ends, in milliseconds; null for the total cap. */
  readonly resetsAtMs: number | null;
  /** When the write was made, in milliseconds. */
  readonly atMs: number;
}

export type Threshold = (typeof THRESHOLDS)[number];

/** Per cent of a cap. */
export const THRESHOLDS = [80, 100] as const;

/**
 * The thresholds that one write reached: below it before, at it or above it after. A change of a cap counts too, since a
 * lower cap can be reached by what was taken long before. `window`: the one that the write is about.
 */
export function crossingsOf(
  before: Balance,
  after: Balance,
  window: number,
  atMs: number,
): readonly CapCrossing[] {
  const { keyId, issuedAtMs, caps } = after;
  const daily = {
    cap: "daily",
    window,
    capAmount: caps.daily,
    was: reachedOf(before.caps.daily, leftInWindow(before, window)),
    is: reachedOf(caps.daily, leftInWindow(after, window)),
    taken: minus(caps.daily, leftInWindow(after, window)),
    resetsAtMs: windowEndMs(issuedAtMs, window),
  } as const;
  const total = {
    cap: "total",
    window: null,
    capAmount: caps.total,
    was: reachedOf(before.caps.total, before.leftInTotal),
    is: reachedOf(caps.total, after.leftInTotal),
    taken: minus(caps.total, after.leftInTotal),
    resetsAtMs: null,
  } as const;
  return [daily, total].flatMap(({ was, is, ...crossed }) =>
    THRESHOLDS.filter((threshold) => threshold > was && threshold <= is).map((threshold) => ({
      keyId,
      threshold,
      atMs,
      ...crossed,
    })),
  );
}

/** The highest threshold that is reached; 0 for none. */
function reachedOf(cap: MicroUsd, left: MicroUsd): Threshold | 0 {
  if (cap >= UNCAPPED) return 0;
  const taken = minus(cap, left);
  return THRESHOLDS.findLast((threshold) => taken * 100n >= cap * BigInt(threshold)) ?? 0;
}
