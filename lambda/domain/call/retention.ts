import { type CallRecord, isSaidNotCharged } from "./record.ts";

/**
 * Drops finished attempts that decide nothing any more, all but `keep`: their rows are written from the stream, and a
 * record must stay small however often a call is repeated.
 */
export function pruned(record: CallRecord, keep: string): CallRecord {
  const needed = Object.entries(record.attempts).filter(
    ([attemptId, attempt]) =>
      attemptId === keep ||
      attempt.state === "open" ||
      attempt.state === "unresolved" ||
      attemptId === record.payingAttemptId ||
      attempt.ambiguous.length > 0 ||
      // A replay may still show that it was charged after all.
      isSaidNotCharged(attempt),
  );
  return { ...record, attempts: Object.fromEntries(needed) };
}

/** Longer than any vendor replays. */
const KEPT_MS = 2 * 24 * 3_600_000;
/** As long as the audit log tells of it, unless that is configured otherwise: what is left to find out needs both. */
const KEPT_UNCONFIRMED_MS = 400 * 24 * 3_600_000;

/**
 * Until when the record is kept, in milliseconds; null while anything of it is undecided or its price is late. It counts from the
 * last attempt on it, so that nobody takes that one's draw for one without a record; and from when it was closed from outside, so
 * that whoever did may repeat it. Longer where a correction may not have landed. A free call without outcome holds nothing, so there
 * is nothing to decide.
 */
export function keptUntilMs(record: CallRecord): number | null {
  const attempts = Object.values(record.attempts);
  const isUndecided = attempts.some(
    ({ kind, state, ambiguous }) =>
      ambiguous.length > 0 || state === "unresolved" || (state === "open" && kind !== "free"),
  );
  if (isUndecided || record.latePrice !== null) return null;
  const isWhole =
    Object.keys(record.corrections).length === 0 && attempts.every(({ state }) => state !== "open");
  const sinceMs = Math.max(
    record.firstAtMs,
    ...attempts.flatMap(({ issuedAtMs, closedAtMs }) => [issuedAtMs, closedAtMs ?? 0]),
  );
  return sinceMs + (isWhole ? KEPT_MS : KEPT_UNCONFIRMED_MS);
}
