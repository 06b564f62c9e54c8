import type { OutcomeFacts } from "../../domain/audit-fields.ts";
import { afterCorrection, type Balance, type BalanceRefusal } from "../../domain/balance.ts";
import { correctionsBy, type NamedCorrection } from "../../domain/call/corrections.ts";
import { type AttemptResult, type Folded, fold } from "../../domain/call/fold.ts";
import { nextGenerationId } from "../../domain/call/names.ts";
import { type Attempt, type CallRecord, isFinished, withAttempt } from "../../domain/call/record.ts";
import { pruned } from "../../domain/call/retention.ts";
import { NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { AttemptNote } from "../../ports/balances.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import type { Vault } from "../../ports/vault.ts";

/**
 * The writes of one attempt, in the order of docs/protocol.md: claim or join (W1), draw (W2), outcome (W5), give back
 * (W6, W7). What each answer means is decided by the pure `fold`; here is only what is written, and what is true when
 * a write fails.
 */

/** How long one attempt keeps others away from its call: longer than a process can live. */
const LEASE_MS = 30_000;
/** Recall ends this long before the vendor may forget the key: twice any clock skew and an attempt's lifetime. */
const RECALL_MARGIN_MS = 3_600_000;
/** Up to this many corrections stay on a record though they were applied: the call then ends one write sooner. */
export const CORRECTIONS_KEPT = 4;
/** A compare-and-set that keeps failing is contention that a client should wait out. */
const TRIES_MAX = 20;

export type Claimed =
  | { readonly kind: "own"; readonly record: CallRecord }
  /** It uses a draw that is held; the balances of its chain were read beside the join. */
  | { readonly kind: "joiner"; readonly record: CallRecord; readonly balances: readonly (Balance | null)[] }
  | { readonly kind: "busy" }
  | { readonly kind: "full"; readonly record: CallRecord };

/**
 * W1 and W1b. `replayMs`: how long the vendor replays under this idempotency key. `named` is told the record's name
 * before it is claimed, since a claim that throws may have landed.
 */
export async function claimOrJoin(
  callId: string,
  attempt: Attempt,
  replayMs: number,
  vault: Vault,
  clock: Clock,
  named: (callId: string) => void,
): Promise<Claimed> {
  let generation = callId;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    named(generation);
    const nowMs = clock.now();
    const leaseUntilMs = nowMs + LEASE_MS;
    const replayableSinceMs = nowMs - replayMs + RECALL_MARGIN_MS;
    const claim = await vault.calls.claim({
      callId: generation,
      attempt,
      nowMs,
      leaseUntilMs,
      replayableSinceMs,
    });
    if (claim.kind === "claimed") return { kind: "own", record: claim.record };
    if (claim.kind === "busy" || claim.kind === "full") return claim;
    if (claim.kind === "too_old") {
      generation = nextGenerationId(callId, claim.firstAtMs);
      continue;
    }
    const joiner: Attempt = { ...attempt, kind: "joiner", settledAtJoin: claim.record.status === "settled" };
    const joined = withAttempt(pruned(claim.record, joiner.attemptId), joiner, leaseUntilMs);
    const [saved, balances] = await Promise.all([
      vault.calls.save(joined, claim.record.version, null),
      vault.balances.read(attempt.windows.map(({ keyId }) => keyId)),
    ]);
    if (saved.kind === "saved") return { kind: "joiner", record: joined, balances };
    // An earlier send of the same join landed though its reply was lost.
    if (saved.kind === "stale" && saved.record?.attempts[joiner.attemptId]?.state === "open") {
      return { kind: "joiner", record: saved.record, balances };
    }
  }
  return { kind: "busy" };
}

export interface Reservation {
  readonly drawn: readonly string[];
  readonly ambiguous: readonly string[];
  /** The leaf's balance after the draw, or as it refused. */
  readonly leaf: Balance | null;
  /** The refusal that is told. */
  readonly refusal: Refusal | null;
  /** Those of every member of the chain. */
  readonly refusals: readonly Refusal[];
  /** When the first member that was drawn from ends, in milliseconds. */
  readonly drawnUntilMs: number;
}

export interface Refusal {
  readonly keyId: string;
  readonly reason: BalanceRefusal;
  readonly balance: Balance | null;
}

/** W2: one draw for each key of the chain, in parallel, each sent once. */
export async function reserve(
  attempt: Attempt,
  note: Omit<AttemptNote, "isLeaf">,
  vault: Vault,
  clock: Clock,
): Promise<Reservation> {
  const { attemptId, amount, issuedAtMs } = attempt;
  const leafId = attempt.windows.at(-1)?.keyId;
  const nowMs = clock.now();
  const results = await Promise.all(
    attempt.windows.map(async ({ keyId, window }) => ({
      keyId,
      result: await vault.balances.draw({
        ...note,
        isLeaf: keyId === leafId,
        attemptId,
        keyId,
        amount,
        window,
        issuedAtMs,
        nowMs,
      }),
    })),
  );
  const leaf = results.at(-1)?.result;
  const refused = results.flatMap(({ keyId, result }) =>
    result.kind === "refused" ? [{ keyId, reason: result.reason, balance: result.balance }] : [],
  );
  return {
    drawn: results.filter(({ result }) => result.kind === "drawn").map(({ keyId }) => keyId),
    ambiguous: results.filter(({ result }) => result.kind === "ambiguous").map(({ keyId }) => keyId),
    leaf: leaf?.kind === "drawn" || leaf?.kind === "refused" ? leaf.balance : null,
    refusal: refused.find(({ reason }) => reason === "revoked" || reason === "expired") ?? refused[0] ?? null,
    refusals: refused,
    drawnUntilMs: Math.min(
      ...results.map(({ result }) =>
        result.kind === "drawn" ? result.balance.expiresAtMs : Number.MAX_VALUE,
      ),
    ),
  };
}

/** What an outcome says beside the states: facts for the row, and what becomes of the vendor's object. */
export interface OutcomeNotes {
  readonly facts: (folded: Folded) => OutcomeFacts;
  readonly effect: (folded: Folded) => ObjectEffect | null;
  readonly rerunsFailures: boolean;
}

export interface Outcome {
  readonly record: CallRecord;
  readonly corrections: readonly NamedCorrection[];
}

/**
 * W5, then W6 and W7. The fold is run again on whatever record was there first; what was decided is sent once, by us
 * alone, and what becomes of it is left to the resolver: a repeat could give the same money back twice.
 * Throws when the record cannot be written: then the budget stays held and the attempt stays open.
 */
export async function finish(
  before: CallRecord,
  attemptId: string,
  answer: AttemptResult,
  notes: OutcomeNotes,
  vault: Vault,
  clock: Clock,
): Promise<Outcome> {
  const outcome = await writeOutcome(before, attemptId, answer, notes, vault, clock);
  await sendCorrections(outcome, vault);
  return outcome;
}

/**
 * W6 and W7: each correction once. One that was acknowledged needs no evidence any more, so it is taken off a record that
 * has gathered several; one that was not stays, for whoever finds out what became of it.
 */
export async function sendCorrections(
  { record, corrections }: Outcome,
  vault: Pick<Vault, "balances" | "calls">,
): Promise<void> {
  const results = await Promise.allSettled(
    corrections.map((correction) => vault.balances.correct(correction)),
  );
  const applied = corrections.filter((_, index) => {
    const result = results[index];
    return result?.status === "fulfilled" && result.value === "applied";
  });
  if (applied.length === 0 || Object.keys(record.corrections).length <= CORRECTIONS_KEPT) return;
  const opIds = applied.map(({ opId }) => opId);
  // Where this fails they stay on the record, as those that were not acknowledged.
  await vault.calls.confirm(record.callId, opIds).catch(() => undefined);
}

async function writeOutcome(
  before: CallRecord,
  attemptId: string,
  given: AttemptResult,
  notes: OutcomeNotes,
  vault: Vault,
  clock: Clock,
): Promise<Outcome> {
  let record = before;
  let answer = given;
  let objectEnded = false;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // An earlier send of ours landed though its reply was lost: what it decided is still ours to send.
    if (record.attempts[attemptId] === undefined || isFinished(record, attemptId)) {
      return { record, corrections: correctionsBy(record, attemptId) };
    }
    // Pruned before, not after: whatever this outcome changes has to be seen in the stream once.
    const folded = fold(pruned(record, attemptId), attemptId, answer, clock.now(), notes.rerunsFailures);
    const next = withFacts(folded.record, attemptId, notes.facts(folded));
    const effect = objectEnded ? null : notes.effect(folded);
    const saved = await vault.calls.save(next, record.version, effect);
    if (saved.kind === "saved") return { record: next, corrections: folded.corrections };
    if (saved.kind === "stale" && saved.record !== null) record = saved.record;
    if (saved.kind === "object_ended") {
      // What has ended moves no money any more, and what was counted for it went back with its end.
      objectEnded = true;
      if (answer.kind === "executed") answer = { ...answer, price: NOTHING, uncounts: [] };
    }
  }
  throw new Problem("ledger_unavailable", "the outcome of this call could not be recorded", {
    charged: "unknown",
  });
}

function withFacts(record: CallRecord, attemptId: string, outcome: OutcomeFacts): CallRecord {
  const attempt = record.attempts[attemptId];
  if (attempt === undefined) return record;
  return { ...record, attempts: { ...record.attempts, [attemptId]: { ...attempt, outcome } } };
}

/** The leaf's balance as it is after the corrections: what an answer shows. */
export function corrected(balance: Balance | null, corrections: readonly NamedCorrection[]): Balance | null {
  let after = balance;
  for (const correction of corrections) {
    if (after !== null && correction.keyId === after.keyId)
      after = afterCorrection(after, correction) ?? after;
  }
  return after;
}
