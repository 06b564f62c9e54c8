import { type MicroUsd, minus } from "../money.ts";
import type { NamedCorrection } from "./corrections.ts";
import { type Attempt, type CallRecord, leftMore } from "./record.ts";

/** How long after a call its final price is asked for first, and how long after its end it is asked for at all. */
const LATE_PRICE_MS_MIN = 60_000;
const LATE_PRICE_MS_MAX = 7 * 24 * 3_600_000;
/** How long what has not ended yet is asked for: a message may be scheduled 35 days ahead. */
const UNDER_WAY_MS_MAX = 42 * 24 * 3_600_000;
/** A price that is late is asked for again after as long as it has been waited for, within this. */
const LATE_PRICE_WAIT_MS_MAX = 6 * 3_600_000;

/** What a call cost, known after it. */
export interface FinalPrice {
  readonly price: MicroUsd;
  readonly amountText: string;
  readonly currency: string;
  readonly fxRate: number | null;
  /** Why the price is known where the vendor told none. */
  readonly reason?: "ended_without_price";
}

/** Why there is no final price yet. `endedAtMs`: when what was made ended; null where that is not known. */
export type NoPriceYet =
  | { readonly kind: "under_way" }
  | { readonly kind: "ended"; readonly endedAtMs: number | null };

/** What a vendor says of a late price when it is asked. */
export type LatePrice = { readonly kind: "final"; readonly final: FinalPrice } | NoPriceYet;

export interface Repriced {
  readonly record: CallRecord;
  readonly corrections: readonly NamedCorrection[];
}

/** When the final price of a call that is settled now at an estimate is asked for first. */
export const firstDueMs = (nowMs: number): number => nowMs + LATE_PRICE_MS_MIN;

/**
 * Settles a call from its estimate to the final price: the difference goes back, or is counted beyond the caps. Null where
 * the record waits for none any more. `writer`: a name of its own for whoever settles, so that it knows its own corrections.
 */
export function repriced(
  before: CallRecord,
  { price, ...said }: FinalPrice,
  writer: string,
  nowMs: number,
): Repriced | null {
  const attempt = before.attempts[before.payingAttemptId ?? ""];
  if (before.latePrice === null || attempt === undefined) return null;
  const difference = minus(attempt.cost, price);
  const corrections =
    difference === 0n
      ? []
      : attempt.windows.map(({ keyId, window }, index) => ({
          opId: `${writer}.${index}`,
          keyId,
          window,
          amount: difference,
          issuedAtMs: nowMs,
        }));
  const settled: Attempt = {
    ...attempt,
    cost: price,
    overrun: price > attempt.amount,
    outcome: attempt.outcome === null ? null : { ...leftMore(attempt.outcome, difference), ...said },
    lateAtMs: nowMs,
  };
  const record: CallRecord = {
    ...before,
    version: before.version + 1,
    latePrice: null,
    attempts: { ...before.attempts, [attempt.attemptId]: settled },
    corrections: {
      ...before.corrections,
      ...Object.fromEntries(corrections.map(({ opId, ...correction }) => [opId, correction] as const)),
    },
  };
  return { record, corrections };
}

/**
 * The record with the time of the next question. A week after the end of what was made the estimate stays, and the row says
 * so. `why`: null where nobody answered.
 */
export function postponed(before: CallRecord, why: NoPriceYet | null, nowMs: number): CallRecord {
  if (before.latePrice === null) return before;
  const waitedMs = nowMs - before.firstAtMs;
  const waitMs = Math.min(Math.max(waitedMs, LATE_PRICE_MS_MIN), LATE_PRICE_WAIT_MS_MAX);
  const endedAtMs = why?.kind === "ended" ? Math.min(why.endedAtMs ?? before.firstAtMs, nowMs) : null;
  const isOver = waitedMs > UNDER_WAY_MS_MAX || (endedAtMs !== null && nowMs - endedAtMs > LATE_PRICE_MS_MAX);
  const next = { ...before, version: before.version + 1 };
  if (!isOver) return { ...next, latePrice: { ...before.latePrice, dueMs: nowMs + waitMs } };

  const attempt = before.attempts[before.payingAttemptId ?? ""];
  if (attempt === undefined || attempt.outcome === null) return { ...next, latePrice: null };
  const outcome = { ...attempt.outcome, reason: "price_never_told" };
  const attempts = { ...before.attempts, [attempt.attemptId]: { ...attempt, outcome, lateAtMs: nowMs } };
  return { ...next, latePrice: null, attempts };
}
