import type { OutcomeFacts, RequestFacts } from "../audit-fields.ts";
import { windowAt } from "../balance.ts";
import type { Sought } from "../books.ts";
import { type MicroUsd, NOTHING, plus } from "../money.ts";
import type { Policy } from "../vault-key.ts";

/**
 * One proxied call and its attempts: what an answer means for the budget that is held.
 *
 * A call is what repeats under one idempotency key; an attempt is one request that reached us. Only the attempt that
 * made a draw may give it back, and only while nobody has joined it. An answer that says nothing of the call (409, 429)
 * speaks of its own attempt alone. The rules and what breaks without each are in docs/protocol.md.
 */
export interface CallRecord {
  readonly callId: string;
  /** Compared and set by every write. */
  readonly version: number;
  readonly status: CallStatus;
  /** The one attempt that may be at the vendor now. */
  readonly lease: { readonly attemptId: string; readonly untilMs: number } | null;
  /** Attempts that ever joined. */
  readonly joiners: number;
  /** Start of the first attempt; the vendor's replay window counts from here. */
  readonly firstAtMs: number;
  /** The attempt whose draw pays for the call. */
  readonly payingAttemptId: string | null;
  readonly objectId: string | null;
  /** Where it is settled at an estimate: when the vendor is to be asked for the final price next. */
  readonly latePrice: LatePriceDue | null;
  readonly attempts: Readonly<Record<string, Attempt>>;
  /** Corrections that were decided and are sent once by whoever decided them. */
  readonly corrections: Readonly<Record<string, DecidedCorrection>>;
}

/** Time in milliseconds. */
export interface LatePriceDue {
  readonly vendor: string;
  readonly dueMs: number;
}

/** `idle`: nothing is held for it. `final`: the vendor executed and declined it. */
export type CallStatus = "idle" | "unresolved" | "settled" | "final";

export type AttemptState =
  | "open" // no outcome is written yet
  | "settled" // its draw pays for the call
  | "released" // its draw went back
  | "paid_by_other" // another attempt pays, its draw went back
  | "denied" // refused here, never forwarded
  | "unresolved" // forwarded, outcome unknown: its draw is held
  | "joined" // joined: it made no draw
  | "free"; // took nothing

export interface Attempt {
  readonly attemptId: string;
  readonly state: AttemptState;
  readonly kind: "own" | "joiner" | "free";
  /** What its draw took, or would have; micro-dollars. */
  readonly amount: MicroUsd;
  /** The chain and the window of each key in it, leaf last. */
  readonly windows: readonly KeyWindow[];
  readonly issuedAtMs: number;
  /** Keys whose draw may or may not have landed: only the resolver may decide. */
  readonly ambiguous: readonly string[];
  readonly settledAtJoin: boolean;
  /** What this attempt added to what is spent; below zero where a cancelled object gave its amount back. */
  readonly cost: MicroUsd;
  /** The price passed what was reserved: counted all the same, and an alarm. */
  readonly overrun: boolean;
  /** When its final price was told, milliseconds; null where it was final at once, or is not known yet. */
  readonly lateAtMs: number | null;
  /** Who decided its outcome where no answer did: `resolver`, `vendor_books`, or the id of an API key; null otherwise. */
  readonly closedBy: string | null;
  /** When somebody or the vendor's books closed it, milliseconds; absent where nobody did. */
  readonly closedAtMs?: number;
  /** What finds it in the vendor's books, while its outcome is not known; absent where nothing does. */
  readonly sought?: Sought;
  /** What the row of this attempt says of the request. */
  readonly request: RequestFacts;
  /** What the row says of the outcome; null until it is written. */
  readonly outcome: OutcomeFacts | null;
}

export interface KeyWindow {
  readonly keyId: string;
  readonly window: number;
}

export interface DecidedCorrection extends KeyWindow {
  readonly amount: MicroUsd;
  readonly issuedAtMs: number;
}

/** A new call with no attempt yet. */
export const newCall = (callId: string, firstAtMs: number): CallRecord => ({
  callId,
  version: 0,
  status: "idle",
  lease: null,
  joiners: 0,
  firstAtMs,
  payingAttemptId: null,
  objectId: null,
  latePrice: null,
  attempts: {},
  corrections: {},
});

/** An attempt that nothing has become of yet. Its windows are those of the chain at the time it began. */
export function newAttempt({
  attemptId,
  kind,
  amount,
  policy,
  issuedAtMs,
  request,
}: Pick<Attempt, "attemptId" | "kind" | "amount" | "issuedAtMs" | "request"> & {
  readonly policy: Pick<Policy, "chain">;
}): Attempt {
  const windows = policy.chain
    .filter(({ onlyRead }) => onlyRead !== true)
    .map((member) => ({ keyId: member.keyId, window: windowAt(member.issuedAtMs, issuedAtMs) }));
  return {
    attemptId,
    state: "open",
    kind,
    amount,
    windows,
    issuedAtMs,
    ambiguous: [],
    settledAtJoin: false,
    cost: NOTHING,
    overrun: false,
    lateAtMs: null,
    closedBy: null,
    request,
    outcome: null,
  };
}

/** A call without idempotency key: its record is written with the outcome only. */
export const unclaimed = (callId: string, attempt: Attempt): CallRecord => ({
  ...withAttempt(newCall(callId, attempt.issuedAtMs), attempt, null),
  version: 0,
});

/** The record with a new attempt that holds the lease until `untilMs`. Joiners are counted and never uncounted. */
export function withAttempt(record: CallRecord, attempt: Attempt, untilMs: number | null): CallRecord {
  return {
    ...record,
    version: record.version + 1,
    lease: untilMs === null ? record.lease : { attemptId: attempt.attemptId, untilMs },
    joiners: record.joiners + (attempt.kind === "joiner" ? 1 : 0),
    attempts: { ...record.attempts, [attempt.attemptId]: attempt },
  };
}

/** Who tells an outcome that no answer told: on evidence of draws, or by what stands in the vendor's books. */
export const RESOLVER = "resolver";
export const VENDOR_BOOKS = "vendor_books";

/** Whether somebody has said that it was not charged, though it was sent: the vendor may still show that it was. */
export const isSaidNotCharged = ({ state, closedBy }: Attempt): boolean =>
  state === "released" && closedBy !== null && closedBy !== RESOLVER;

export const unresolvedAttempts = (attempts: readonly Attempt[]): readonly Attempt[] =>
  attempts
    .filter(({ kind, state }) => kind === "own" && state === "unresolved")
    .sort((a, b) => a.issuedAtMs - b.issuedAtMs);

/** What a row says was left, once `more` was given back after it was written. */
export const leftMore = (outcome: OutcomeFacts, more: MicroUsd): OutcomeFacts => ({
  ...outcome,
  remaining: outcome.remaining === null ? null : plus(outcome.remaining, more),
});

/** The attempt has its outcome already: an earlier send of the same write landed, or the resolver was first. */
export const isFinished = (record: CallRecord, attemptId: string): boolean =>
  (record.attempts[attemptId]?.outcome ?? null) !== null;
