import { type Attempt, type CallRecord, unresolvedAttempts } from "./record.ts";

/**
 * How many attempts and corrections one record holds at most. Beyond it a new attempt is refused before it draws anything,
 * since nothing that is undecided is dropped. An attempt with the longest texts of a caller takes some 6 KB, and an item
 * holds 400 KB (DynamoDB, Service quotas, read 2026-11-27).
 */
export const ENTRIES_MAX = 50;

export const entriesOf = ({ attempts, corrections }: Pick<CallRecord, "attempts" | "corrections">): number =>
  Object.keys(attempts).length + Object.keys(corrections).length;

/** What a new attempt may do with the record of its call. */
export type ClaimDecision = "claim" | "busy" | "too_old" | "full" | "join";

/**
 * The condition of the claim (W1). `replayableSinceMs`: a record whose first attempt began before is one that the vendor may
 * have forgotten, so the next generation begins. Only what is held may be joined: `unresolved` or `settled`.
 */
export function claimDecision(
  record: CallRecord | null,
  { nowMs, replayableSinceMs }: { readonly nowMs: number; readonly replayableSinceMs: number },
): ClaimDecision {
  if (record === null) return "claim";
  if (record.lease !== null && record.lease.untilMs >= nowMs) return "busy";
  if (record.firstAtMs <= replayableSinceMs) return "too_old";
  if (entriesOf(record) >= ENTRIES_MAX) return "full";
  return record.status === "unresolved" || record.status === "settled" ? "join" : "claim";
}

/** Whether another attempt of the call holds budget, or may: then a lack of budget is a 409 to retry, not a 429. */
export const othersHold = (record: CallRecord, attemptId: string): boolean =>
  Object.values(record.attempts).some(
    (other) =>
      other.attemptId !== attemptId &&
      other.kind === "own" &&
      ["open", "unresolved", "settled"].includes(other.state),
  );

/** The attempt whose draw a joiner uses: the first one whose outcome is unknown. Null where the call is settled, which only replays. */
export const joinedDraw = (record: CallRecord): Attempt | null =>
  record.payingAttemptId === null ? (unresolvedAttempts(Object.values(record.attempts))[0] ?? null) : null;
