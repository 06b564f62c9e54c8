import { CLOCKS_APART_MS } from "../time.ts";
import { Change, type Folded } from "./change.ts";
import { type Attempt, type CallRecord, type KeyWindow, RESOLVER, unresolvedAttempts } from "./record.ts";

/** Longer than a process can live that answers a call, in milliseconds. */
export const PROCESS_MS_MAX = 30_000;

/**
 * How long the writes of balances are known, in milliseconds, with time to spare. A correction that is on a record for longer
 * has landed: one that had not would have been found and decided again long ago.
 */
const EVIDENCE_MS_MAX = 6 * 24 * 3_600_000;

/**
 * What is certain of the writes of one key: the ids of all that landed; `unknown` while the stream has not told them all;
 * `gone` where the key ended so long ago that it has no balance any more.
 */
export type Landed = ReadonlySet<string> | "unknown" | "gone";

/** `issuedAtMs`: of the draw or correction that is looked for; what is certain is so for some times only. */
export type LandedOf = (keyId: string, issuedAtMs: number) => Landed;

export interface Resolution extends Folded {
  /** Whether anything was decided: else there is nothing to write. */
  readonly isChanged: boolean;
  /** What is left to decide waits for: its evidence, which is not there yet, or for nothing but its age; null: nothing is left. */
  readonly waitsFor: "evidence" | "age" | null;
}

/**
 * Finishes what a call has left unfinished, on evidence (W8): attempts without an outcome, draws that may not have landed,
 * and corrections of which nobody knows whether they landed.
 *
 * An attempt that lacks a draw of its chain was never sent: what was drawn goes back. One that has all of them may have been
 * sent: it is unresolved, and stays held. `untilMs`: what was issued later is left alone, since it may still be under way;
 * every key has a fence at it. `denied`: attempts that ended on a record of their own. `writer`: a name of its own for whoever
 * decides. Times in milliseconds.
 */
export function resolved(
  before: CallRecord,
  landed: LandedOf,
  {
    writer,
    nowMs,
    untilMs,
    denied,
  }: {
    readonly writer: string;
    readonly nowMs: number;
    readonly untilMs: number;
    readonly denied: ReadonlySet<string>;
  },
): Resolution {
  const change = new Change(before, writer, nowMs);
  const finished = new Set<string>();
  const settledCorrections = new Set<string>();
  let waitsFor: Resolution["waitsFor"] = null;

  const over = new Set<string>();
  for (const attempt of Object.values(before.attempts)) {
    if (!isUnfinished(before, attempt)) continue;
    if (attempt.issuedAtMs <= untilMs && isOver(before, attempt, landed)) {
      over.add(attempt.attemptId);
      finished.add(attempt.attemptId);
      continue;
    }
    const isFinished =
      denied.has(attempt.attemptId) && attempt.state === "open"
        ? finishDenied(change, attempt)
        : attempt.issuedAtMs <= untilMs && finishAttempt(change, attempt, { landed, nowMs });
    if (isFinished) finished.add(attempt.attemptId);
    else if (attempt.kind === "own" && (attempt.issuedAtMs <= untilMs || isOfTheFuture(attempt, nowMs)))
      waitsFor = "evidence";
    else waitsFor ??= "age";
  }
  for (const [opId, { keyId, window, amount, issuedAtMs }] of Object.entries(before.corrections)) {
    if (issuedAtMs < nowMs - EVIDENCE_MS_MAX) continue;
    if (issuedAtMs > untilMs) {
      waitsFor ??= "age";
      continue;
    }
    const known = landed(keyId, issuedAtMs);
    if (known === "unknown") {
      waitsFor = "evidence";
      continue;
    }
    settledCorrections.add(opId);
    if (known !== "gone" && !known.has(opId)) change.giveBack({ windows: [{ keyId, window }] }, amount);
  }

  const folded = change.folded();
  const { lease } = before;
  const corrections = Object.entries(folded.record.corrections).filter(
    ([opId]) => !settledCorrections.has(opId),
  );
  const record: CallRecord = {
    ...folded.record,
    lease: lease !== null && finished.has(lease.attemptId) ? null : lease,
    attempts: Object.fromEntries(
      Object.entries(folded.record.attempts).filter(([attemptId]) => !over.has(attemptId)),
    ),
    corrections: Object.fromEntries(corrections),
  };
  return { ...folded, record, waitsFor, isChanged: finished.size + settledCorrections.size > 0 };
}

/** The keys that it takes evidence of to finish a call, and since when, in milliseconds; those issued later are left out. */
export function keysToAsk(
  { attempts, corrections }: CallRecord,
  untilMs: number,
): ReadonlyMap<string, { readonly sinceMs: number; readonly lastMs: number }> {
  const asked = new Map<string, { sinceMs: number; lastMs: number }>();
  const ask = (keyId: string, atMs: number) => {
    const { sinceMs, lastMs } = asked.get(keyId) ?? { sinceMs: atMs, lastMs: atMs };
    asked.set(keyId, { sinceMs: Math.min(sinceMs, atMs), lastMs: Math.max(lastMs, atMs) });
  };
  for (const { kind, state, windows, ambiguous, issuedAtMs } of Object.values(attempts)) {
    if (issuedAtMs > untilMs) continue;
    const keys = kind === "own" && state === "open" ? windows.map(({ keyId }) => keyId) : ambiguous;
    for (const keyId of keys) ask(keyId, issuedAtMs);
  }
  for (const { keyId, issuedAtMs } of Object.values(corrections))
    if (issuedAtMs <= untilMs && issuedAtMs >= untilMs - EVIDENCE_MS_MAX) ask(keyId, issuedAtMs);
  return asked;
}

/** Whether something of an attempt is for the resolver to decide. An outcome that is unknown is not: the vendor's books may tell. */
function isUnfinished({ payingAttemptId }: CallRecord, { kind, state, ambiguous }: Attempt): boolean {
  if (state === "open" || ambiguous.length > 0) return true;
  return kind === "own" && state === "unresolved" && payingAttemptId !== null;
}

/**
 * Whether an attempt without outcome had one: its claim was sent twice, and landed again when it was over and off the record.
 * What its outcome gave back has its name, on the record or among what landed, and must not go back once more.
 */
function isOver({ corrections }: CallRecord, attempt: Attempt, landed: LandedOf): boolean {
  const { attemptId, kind, state, windows, issuedAtMs } = attempt;
  if (kind !== "own" || state !== "open") return false;
  const isIts = (opId: string) => opId.startsWith(`${attemptId}.`);
  if (Object.keys(corrections).some(isIts)) return true;
  return windows.some(({ keyId }) => {
    const known = landed(keyId, issuedAtMs);
    return known !== "unknown" && known !== "gone" && [...known].some(isIts);
  });
}

/** Its claim landed and was not acknowledged: it ended before any draw, and its row says so already. */
function finishDenied(change: Change, attempt: Attempt): boolean {
  change.mark(attempt, "denied");
  return true;
}

/** Returns whether it is finished now. */
function finishAttempt(
  change: Change,
  attempt: Attempt,
  { landed, nowMs }: { readonly landed: LandedOf; readonly nowMs: number },
): boolean {
  if (attempt.kind !== "own") {
    // It holds nothing, so its process is waited for.
    if (attempt.issuedAtMs > nowMs - PROCESS_MS_MAX) return false;
    change.mark(attempt, attempt.kind === "free" ? "free" : "joined");
    return true;
  }
  const closed = { ...attempt, closedBy: RESOLVER };
  if (attempt.state === "unresolved") {
    change.release(closed, "paid_by_other");
    return true;
  }
  const asked = attempt.state === "open" ? keysOf(attempt.windows) : attempt.ambiguous;
  const drawn = drawnOn(asked, attempt, landed);
  if (drawn === null) return false;
  if (attempt.state !== "open") {
    change.mark({ ...attempt, ambiguous: [] }, attempt.state);
    change.giveBack(attempt, attempt.amount, drawn);
  } else if (drawn.length < asked.length) {
    // Every draw is acknowledged before anything is sent, and no draw can land any more: it was never sent.
    change.mark(closed, "released");
    change.giveBack(attempt, attempt.amount, drawn);
  } else if (change.payingAttemptId !== null || change.before.status === "final") {
    change.release(closed, change.payingAttemptId === null ? "released" : "paid_by_other");
  } else {
    change.mark(attempt, "unresolved");
  }
  return true;
}

/** Issued by a clock that is wrong, or was put back: it would be too young for ever, and nobody would hear of it. */
const isOfTheFuture = ({ issuedAtMs }: Attempt, nowMs: number): boolean =>
  issuedAtMs > nowMs + CLOCKS_APART_MS;

const keysOf = (windows: readonly KeyWindow[]): readonly string[] => windows.map(({ keyId }) => keyId);

/** Those of the keys that an attempt drew from; null while that is not known of one. A key that is gone counts as drawn from. */
function drawnOn(
  keyIds: readonly string[],
  { attemptId, issuedAtMs }: Attempt,
  landed: LandedOf,
): readonly string[] | null {
  const drawn: string[] = [];
  for (const keyId of keyIds) {
    const known = landed(keyId, issuedAtMs);
    if (known === "unknown") return null;
    if (known === "gone" || known.has(attemptId)) drawn.push(keyId);
  }
  return drawn;
}

/** Whether a call waits for its vendor's books, or for a person. */
export const isHeld = ({ attempts }: CallRecord): boolean =>
  unresolvedAttempts(Object.values(attempts)).length > 0;
