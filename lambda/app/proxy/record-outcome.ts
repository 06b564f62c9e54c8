import type { OutcomeFacts } from "../../domain/audit-fields.ts";
import type { Folded } from "../../domain/call/change.ts";
import { correctionsBy } from "../../domain/call/corrections.ts";
import { type AttemptResult, fold } from "../../domain/call/fold.ts";
import { type CallRecord, isFinished } from "../../domain/call/record.ts";
import { pruned } from "../../domain/call/retention.ts";
import { NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import { type Outcome, sendCorrections } from "./send-corrections.ts";

/** A compare-and-set that keeps failing is contention that a client should wait out. */
const TRIES_MAX = 20;

/** The end of an attempt that is to be recorded. */
export interface AttemptEnd {
  /** The record as it was last seen. */
  readonly record: CallRecord;
  readonly attemptId: string;
  readonly result: AttemptResult;
  /** What the row says beside the states. */
  readonly facts: (folded: Folded) => OutcomeFacts;
  /** What becomes of the vendor's object. */
  readonly effect: (folded: Folded) => ObjectEffect | null;
  readonly rerunsFailures: boolean;
}

type OutcomePorts = Pick<ProxyPorts, "vault" | "clock">;

/**
 * W5, then W6 and W7. The fold is run again on whatever record was there first; what was decided is sent once, by us
 * alone, and what becomes of it is left to the resolver: a repeat could give the same money back twice.
 * Throws when the record cannot be written: then the budget stays held and the attempt stays open.
 */
export async function recordOutcome(end: AttemptEnd, ports: OutcomePorts): Promise<Outcome> {
  const outcome = await writeOutcome(end, ports);
  await sendCorrections(outcome, ports.vault);
  return outcome;
}

async function writeOutcome(end: AttemptEnd, { vault, clock }: OutcomePorts): Promise<Outcome> {
  const { attemptId, rerunsFailures } = end;
  let { record, result } = end;
  let objectEnded = false;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    // An earlier send of ours landed though its reply was lost: what it decided is still ours to send.
    if (record.attempts[attemptId] === undefined || isFinished(record, attemptId)) {
      return { record, corrections: correctionsBy(record, attemptId) };
    }
    // Pruned before, not after: whatever this outcome changes has to be seen in the stream once.
    const folded = fold(pruned(record, attemptId), attemptId, result, clock.now(), rerunsFailures);
    const next = withFacts(folded.record, attemptId, end.facts(folded));
    const effect = objectEnded ? null : end.effect(folded);
    const saved = await vault.calls.save(next, record.version, effect);
    if (saved.kind === "saved") return { record: next, corrections: folded.corrections };
    if (saved.kind === "stale" && saved.record !== null) record = withRequestOf(end, saved.record);
    if (saved.kind === "object_ended") {
      // What has ended moves no money any more, and what was counted for it went back with its end.
      objectEnded = true;
      if (result.kind === "executed") result = { ...result, price: NOTHING, uncounts: [] };
    }
  }
  throw new Problem("ledger_unavailable", "the outcome of this call could not be recorded", {
    charged: "unknown",
  });
}

/** Of a call without a record the resolver knows what its draw told. Where it was first, what else is known of the request is put back. */
function withRequestOf({ record: own, attemptId }: AttemptEnd, record: CallRecord): CallRecord {
  const [known, attempt] = [own.attempts[attemptId], record.attempts[attemptId]];
  if (known === undefined || attempt === undefined) return record;
  const { request, sought } = known;
  const whole = { ...attempt, request, ...(sought !== undefined && { sought }) };
  return { ...record, attempts: { ...record.attempts, [attemptId]: whole } };
}

function withFacts(record: CallRecord, attemptId: string, outcome: OutcomeFacts): CallRecord {
  const attempt = record.attempts[attemptId];
  if (attempt === undefined) return record;
  return { ...record, attempts: { ...record.attempts, [attemptId]: { ...attempt, outcome } } };
}
