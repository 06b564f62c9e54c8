import { assert } from "../assert.ts";
import type { CountedDraw } from "../counted-object.ts";
import type { MicroUsd } from "../money.ts";
import { Change, type Folded } from "./change.ts";
import { type Attempt, type CallRecord, isSaidNotCharged } from "./record.ts";

/** What the answer to an attempt was. */
export type AttemptResult =
  /** Refused here; `drawn` keys acknowledged their draw, `ambiguous` ones may have applied it. */
  | { readonly kind: "denied"; readonly drawn: readonly string[]; readonly ambiguous: readonly string[] }
  /** The vendor did not execute: 409, 429, 401, an unstored 4xx, or the connection never opened. */
  | { readonly kind: "refused" }
  | {
      readonly kind: "executed";
      readonly price: MicroUsd;
      readonly replayed: boolean;
      readonly objectId: string | null;
      /** The vendor that tells the final price later; null where `price` is final. */
      readonly estimateOf: string | null;
      /** Earlier draws that this answer ends: what was counted for an object that is now cancelled. */
      readonly uncounts: readonly CountedDraw[];
    }
  /** The vendor executed, moved nothing and stored that: 402. */
  | { readonly kind: "declined"; readonly replayed: boolean }
  /** 5xx, timeout, a connection broken after bytes were sent. */
  | { readonly kind: "unknown" };

/**
 * Decides what an answer means (W5): the new states, what pays, and what is to be given back.
 *
 * Pure and total: it is run again on a newer record whenever the compare-and-set fails. `rerunsFailures`: the vendor
 * runs failed work again under the same idempotency key, so a decline ends nothing but its own attempt.
 */
export function fold(
  before: CallRecord,
  attemptId: string,
  result: AttemptResult,
  nowMs: number,
  rerunsFailures: boolean,
): Folded {
  const attempt = before.attempts[attemptId];
  assert(attempt !== undefined, "an outcome needs its attempt");
  const change = new Change(before, attemptId, nowMs);

  if (attempt.kind === "free") change.mark(attempt, result.kind === "denied" ? "denied" : "free");
  else if (attempt.kind === "joiner") foldJoiner(change, attempt, result, rerunsFailures);
  else if (attempt.state === "open") foldOpen(change, attempt, result, rerunsFailures);
  else if (attempt.state === "unresolved") foldMoved(change, attempt, result, rerunsFailures);
  else if (isSaidNotCharged(attempt)) foldClosed(change, attempt, result);
  if (result.kind === "executed") change.uncount(result.uncounts);
  return change.folded();
}

/** The attempt made a draw and nobody has touched it since. */
function foldOpen(change: Change, attempt: Attempt, result: AttemptResult, rerunsFailures: boolean): void {
  const paidByAnother = change.payingAttemptId !== null;
  if (result.kind === "denied") {
    change.mark({ ...attempt, ambiguous: result.ambiguous }, "denied");
    change.giveBack(attempt, attempt.amount, result.drawn);
  } else if (result.kind === "refused") {
    change.release(attempt, "released");
  } else if (result.kind === "declined") {
    if (!rerunsFailures) change.end();
    if (rerunsFailures && result.replayed) change.mark(attempt, "unresolved");
    else change.release(attempt, "released");
  } else if (paidByAnother) {
    change.release(attempt, "paid_by_other");
  } else if (result.kind === "unknown" && change.before.status === "final") {
    // The vendor has declined this call and stored that: nothing of it moves money any more.
    change.release(attempt, "released");
  } else if (result.kind === "unknown") {
    change.mark(attempt, "unresolved");
  } else if (result.replayed && !othersMayHaveForwarded(change.before, attempt)) {
    // No attempt of ours can have caused what is replayed: it was executed, and counted, under another key.
    change.release(attempt, "released");
  } else {
    change.settle(attempt, result);
  }
}

const othersMayHaveForwarded = (record: CallRecord, attempt: Attempt) =>
  Object.values(record.attempts).some(
    (other) =>
      other.attemptId !== attempt.attemptId &&
      other.kind === "own" &&
      // One that was called not charged was forwarded too: the vendor knows better.
      (other.state === "open" || other.state === "unresolved" || isSaidNotCharged(other)),
  );

/** The resolver has called it unresolved meanwhile: others may have joined it. */
function foldMoved(change: Change, attempt: Attempt, result: AttemptResult, rerunsFailures: boolean): void {
  if (result.kind === "denied" || result.kind === "refused") {
    if (change.before.joiners === 0) change.release(attempt, "released");
  } else if (result.kind === "executed" && change.payingAttemptId === null) {
    change.settle(attempt, result);
  } else if (result.kind === "declined") {
    decline(change, rerunsFailures);
  }
}

/** Somebody has said meanwhile that it was not charged, and its draw went back: the vendor knows better. */
function foldClosed(change: Change, attempt: Attempt, result: AttemptResult): void {
  if (result.kind === "executed" && change.payingAttemptId === null) change.force(attempt, result.price);
}

/** The attempt made no draw: it uses one that is held. A refusal of it releases nothing. */
function foldJoiner(change: Change, attempt: Attempt, result: AttemptResult, rerunsFailures: boolean): void {
  // One that the resolver has ended meanwhile is ended once.
  change.mark(attempt, result.kind === "denied" && attempt.state === "open" ? "denied" : "joined");
  if (result.kind === "executed") {
    const { payingAttemptId, held } = change;
    const isAnew = attempt.settledAtJoin && !result.replayed && madeAnother(change.before, result.objectId);
    if (payingAttemptId === null && held !== undefined) change.settle(held, result);
    else if (payingAttemptId === null || isAnew) change.force(attempt, result.price);
  } else if (result.kind === "declined") {
    decline(change, rerunsFailures);
  }
}

/**
 * Whether an answer to a settled call shows that it was executed anew. One that names nothing shows nothing, and what it
 * costs is counted: a vendor replays for longer than a call is joined.
 */
const madeAnother = (before: CallRecord, objectId: string | null): boolean =>
  before.objectId !== null && objectId !== null && objectId !== before.objectId;

/** The vendor declined what is unresolved, and stored that: nothing of the call moves money any more. */
function decline(change: Change, rerunsFailures: boolean): void {
  if (rerunsFailures || change.payingAttemptId !== null) return;
  change.end();
  for (const held of change.unresolved()) change.release(held, "released");
}
