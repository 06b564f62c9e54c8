import { Problem } from "../../domain/problem.ts";

/** How long the steps of one call may take. Times in milliseconds, by the wall clock: a machine may sleep between two steps. */
export interface Deadlines {
  readonly startedAtMs: number;
  /** When the process may be ended. */
  readonly deadlineMs: number;
}

/** All vendor traffic of one call ends this long after it began, and before the process may be ended. */
const VENDOR_MS_MAX = 25_000;
/** Kept free for writing the outcome. */
const OUTCOME_MS = 2_500;
/** With less time than this nothing is sent any more. */
const FORWARD_MS_MIN = 500;
/** A question that costs nothing may take this long; then the call is refused, since its price is not known. */
const LOOKUP_MS_MAX = 5_000;
/** Kept free behind a question, for the call itself and for writing its outcome. */
const CALL_MS = 5_000;

/** How long the vendor may take for the call. */
export const vendorTimeMs = ({ startedAtMs, deadlineMs }: Deadlines, nowMs: number): number =>
  Math.min(startedAtMs + VENDOR_MS_MAX, deadlineMs - OUTCOME_MS) - nowMs;

/** How long the vendor may take for a question before the call. */
export const lookupTimeMs = ({ startedAtMs, deadlineMs }: Deadlines, nowMs: number): number => {
  const untilMs = Math.min(nowMs + LOOKUP_MS_MAX, deadlineMs - CALL_MS, startedAtMs + 2 * LOOKUP_MS_MAX);
  return Math.max(1, untilMs - nowMs);
};

/** Why nothing may be sent any more, or null. */
export const outOfTime = (deadlines: Deadlines, nowMs: number): Problem | null =>
  vendorTimeMs(deadlines, nowMs) >= FORWARD_MS_MIN
    ? null
    : new Problem("out_of_time", "there was no time left to call the vendor; repeat the call");
