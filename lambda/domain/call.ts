import assert from "node:assert";
import { type MicroUsd, minus, NOTHING, plus, smaller } from "./money.ts";

/**
 * One proxied call and its attempts: what an answer means for the budget that is held.
 *
 * A call is what repeats under one idempotency key; an attempt is one request that reached us. Only the attempt that
 * made a draw may give it back, and only while nobody rides on it. An answer that says nothing of the call (409, 429)
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
  readonly riders: number;
  /** Start of the first attempt; the vendor's replay window counts from here. */
  readonly firstAtMs: number;
  /** The attempt whose draw pays for the call. */
  readonly cover: string | null;
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
  | "covered" // another attempt pays, its draw went back
  | "denied" // refused here, never forwarded
  | "unresolved" // forwarded, outcome unknown: its draw is held
  | "rode" // joined: it made no draw
  | "free"; // took nothing

export interface Attempt {
  readonly attemptId: string;
  readonly state: AttemptState;
  readonly kind: "own" | "rider" | "free";
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

/** What is known of a request before it is forwarded. Text of callers is redacted. */
export interface RequestFacts {
  readonly keyId: string;
  readonly method: string;
  readonly path: string;
  readonly callLabel: string | null;
  readonly idempotencyKey: string | null;
  /** Amount and currency as the request said them. */
  readonly amountText: string | null;
  readonly currency: string | null;
  /** US dollars for one unit of the currency, where it is another one. */
  readonly fxRate: number | null;
  readonly sourceIp: string | null;
  readonly userAgent: string | null;
}

/** What is known afterwards. */
export interface OutcomeFacts {
  /** A denial's code, or why an allowed attempt cost nothing; null where there is nothing to explain. */
  readonly reason: string | null;
  readonly remaining: MicroUsd | null;
  /** Amount and currency as the vendor said them; null where it said none. */
  readonly amountText: string | null;
  readonly currency: string | null;
  readonly fxRate: number | null;
  readonly vendorStatus: number | null;
  readonly vendorRequestId: string | null;
  readonly vendorObjectId: string | null;
  readonly vendorCustomerId: string | null;
  readonly replayed: boolean;
  readonly vendorMs: number | null;
  readonly overheadMs: number;
}

/** What the answer to an attempt was. */
export type Answer =
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

/** A draw that stands for an object of the vendor: what was counted for it, in which windows. */
export interface CountedDraw {
  readonly amount: MicroUsd;
  readonly windows: readonly KeyWindow[];
}

/** A give-back (above zero) or a forced count (below zero), with the name under which it is sent. */
export interface NamedCorrection extends DecidedCorrection {
  readonly opId: string;
}

export interface Folded {
  readonly record: CallRecord;
  readonly corrections: readonly NamedCorrection[];
  /** The attempt that the price of this answer is counted by: `drawn` of it by its draw, the rest beyond the caps. */
  readonly paidBy: {
    readonly attempt: Attempt;
    readonly price: MicroUsd;
    readonly drawn: MicroUsd;
  } | null;
}

/**
 * The record of an attempt that was refused because another one was in flight: an item of its own, since the call's
 * record is the other's. Its row still belongs to the call.
 */
export const twinOf = (callId: string, attemptId: string): string => `${callId}!${attemptId}`;

/** The call that a record's rows belong to. */
export const rowCallId = (recordId: string): string => recordId.split("!", 1)[0] ?? recordId;

/** A new call with no attempt yet. */
export const newCall = (callId: string, firstAtMs: number): CallRecord => ({
  callId,
  version: 0,
  status: "idle",
  lease: null,
  riders: 0,
  firstAtMs,
  cover: null,
  objectId: null,
  latePrice: null,
  attempts: {},
  corrections: {},
});

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
 * The condition of the claim (W1). `replayableSinceMs`: a record whose first attempt began at this time or earlier is one that the
 * vendor may have forgotten, so the next generation begins. Only what is held may be ridden on: `unresolved` or `settled`.
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

/** The record with a new attempt that holds the lease until `untilMs`. Riders are counted and never uncounted. */
export function withAttempt(record: CallRecord, attempt: Attempt, untilMs: number | null): CallRecord {
  return {
    ...record,
    version: record.version + 1,
    lease: untilMs === null ? record.lease : { attemptId: attempt.attemptId, untilMs },
    riders: record.riders + (attempt.kind === "rider" ? 1 : 0),
    attempts: { ...record.attempts, [attempt.attemptId]: attempt },
  };
}

/** Whether another attempt of the call holds budget, or may: then a lack of budget is a 409 to retry, not a 429. */
export const othersHold = (record: CallRecord, attemptId: string): boolean =>
  Object.values(record.attempts).some(
    (other) =>
      other.attemptId !== attemptId &&
      other.kind === "own" &&
      ["open", "unresolved", "settled"].includes(other.state),
  );

/** What a rider rides on: the first attempt whose outcome is unknown. Null where the call is settled, which only replays. */
export const riddenOn = (record: CallRecord): Attempt | null =>
  record.cover === null ? (unresolvedOf(Object.values(record.attempts))[0] ?? null) : null;

const unresolvedOf = (attempts: readonly Attempt[]): readonly Attempt[] =>
  attempts
    .filter(({ kind, state }) => kind === "own" && state === "unresolved")
    .sort((a, b) => a.issuedAtMs - b.issuedAtMs);

/** The attempt has its outcome already: an earlier send of the same write landed, or the resolver was first. */
export const isFinished = (record: CallRecord, attemptId: string): boolean =>
  (record.attempts[attemptId]?.outcome ?? null) !== null;

/** The corrections of a record that this attempt decided. */
export const correctionsBy = (record: CallRecord, attemptId: string): readonly NamedCorrection[] =>
  Object.entries(record.corrections)
    .filter(([opId]) => opId.startsWith(`${attemptId}.`))
    .map(([opId, correction]) => ({ opId, ...correction }));

/**
 * Decides what an answer means (W5): the new states, what pays, and what is to be given back.
 *
 * Pure and total: it is run again on a newer record whenever the compare-and-set fails. `rerunsFailures`: the vendor
 * runs failed work again under the same idempotency key, so a decline ends nothing but its own attempt.
 */
export function fold(
  before: CallRecord,
  attemptId: string,
  answer: Answer,
  nowMs: number,
  rerunsFailures: boolean,
): Folded {
  const attempt = before.attempts[attemptId];
  assert(attempt !== undefined, "an outcome needs its attempt");
  const change = new Change(before, attempt, nowMs);

  if (attempt.kind === "free") change.mark(attempt, answer.kind === "denied" ? "denied" : "free");
  else if (attempt.kind === "rider") foldRider(change, attempt, answer, rerunsFailures);
  else if (attempt.state === "open") foldOpen(change, attempt, answer, rerunsFailures);
  else if (attempt.state === "unresolved") foldMoved(change, attempt, answer, rerunsFailures);
  if (answer.kind === "executed") change.uncount(answer.uncounts);
  return change.folded();
}

/** The attempt made a draw and nobody has touched it since. */
function foldOpen(change: Change, attempt: Attempt, answer: Answer, rerunsFailures: boolean): void {
  const paidByAnother = change.cover !== null;
  if (answer.kind === "denied") {
    change.mark({ ...attempt, ambiguous: answer.ambiguous }, "denied");
    change.giveBack(attempt, attempt.amount, answer.drawn);
  } else if (answer.kind === "refused") {
    change.release(attempt, "released");
  } else if (answer.kind === "declined") {
    if (!rerunsFailures) change.end();
    if (rerunsFailures && answer.replayed) change.mark(attempt, "unresolved");
    else change.release(attempt, "released");
  } else if (paidByAnother) {
    change.release(attempt, "covered");
  } else if (answer.kind === "unknown") {
    change.mark(attempt, "unresolved");
  } else if (answer.replayed && !othersMayHaveForwarded(change.before, attempt)) {
    // No attempt of ours can have caused what is replayed: it was executed, and counted, under another key.
    change.release(attempt, "released");
  } else {
    change.settle(attempt, answer);
  }
}

const othersMayHaveForwarded = (record: CallRecord, attempt: Attempt) =>
  Object.values(record.attempts).some(
    (other) =>
      other.attemptId !== attempt.attemptId &&
      other.kind === "own" &&
      (other.state === "open" || other.state === "unresolved"),
  );

/** The resolver has called it unresolved meanwhile: others may ride on its draw. */
function foldMoved(change: Change, attempt: Attempt, answer: Answer, rerunsFailures: boolean): void {
  if (answer.kind === "denied" || answer.kind === "refused") {
    if (change.before.riders === 0) change.release(attempt, "released");
  } else if (answer.kind === "executed" && change.cover === null) {
    change.settle(attempt, answer);
  } else if (answer.kind === "declined") {
    decline(change, rerunsFailures);
  }
}

/** The attempt made no draw: it rides on one that is held. A refusal of it releases nothing. */
function foldRider(change: Change, attempt: Attempt, answer: Answer, rerunsFailures: boolean): void {
  change.mark(attempt, answer.kind === "denied" ? "denied" : "rode");
  if (answer.kind === "executed") {
    const { cover, held } = change;
    const isAnew = attempt.settledAtJoin && !answer.replayed && madeAnother(change.before, answer.objectId);
    if (cover === null && held !== undefined) change.settle(held, answer);
    else if (cover === null || isAnew) change.force(attempt, answer.price);
  } else if (answer.kind === "declined") {
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
  if (rerunsFailures || change.cover !== null) return;
  change.end();
  for (const held of change.unresolved()) change.release(held, "released");
}

/** An attempt whose row was written before, with what is left now that `more` goes back for it. */
const withLeft = (attempt: Attempt, more: MicroUsd): Attempt =>
  attempt.outcome === null ? attempt : { ...attempt, outcome: leftMore(attempt.outcome, more) };

/** Gathers what one answer changes; keeps the invariant between states, cover and corrections in one place. */
class Change {
  readonly before: CallRecord;
  readonly #writer: string;
  readonly #nowMs: number;
  readonly #attempts: Record<string, Attempt>;
  readonly #corrections: NamedCorrection[] = [];
  #ended: boolean;
  #cover: string | null;
  #objectId: string | null;
  #latePrice: LatePriceDue | null;
  #paidBy: Folded["paidBy"] = null;

  constructor(before: CallRecord, writer: Attempt, nowMs: number) {
    this.before = before;
    this.#writer = writer.attemptId;
    this.#nowMs = nowMs;
    this.#attempts = { ...before.attempts };
    this.#ended = before.status === "final";
    this.#cover = before.cover;
    this.#objectId = before.objectId;
    this.#latePrice = before.latePrice;
  }

  get cover(): string | null {
    return this.#cover;
  }

  /** The first attempt whose outcome is unknown: what a rider rides on. */
  get held(): Attempt | undefined {
    return this.unresolved()[0];
  }

  unresolved(): readonly Attempt[] {
    return unresolvedOf(Object.values(this.#attempts));
  }

  mark(attempt: Attempt, state: AttemptState): void {
    this.#attempts[attempt.attemptId] = { ...attempt, state };
  }

  release(attempt: Attempt, state: "released" | "covered"): void {
    this.mark(withLeft(attempt, attempt.amount), state);
    this.giveBack(attempt, attempt.amount);
  }

  settle(attempt: Attempt, { price, objectId, estimateOf }: Answer & { readonly kind: "executed" }): void {
    const settled = withLeft(attempt, minus(attempt.amount, price));
    this.mark({ ...settled, cost: price, overrun: price > attempt.amount }, "settled");
    this.#cover = attempt.attemptId;
    this.#objectId = objectId;
    this.#latePrice =
      estimateOf === null || objectId === null
        ? null
        : { vendor: estimateOf, dueMs: this.#nowMs + LATE_PRICE_MS_MIN };
    this.#paidBy = { attempt, price, drawn: smaller(price, attempt.amount) };
    this.giveBack(attempt, minus(attempt.amount, price));
  }

  /** Counts what was executed without a reservation. */
  force(attempt: Attempt, price: MicroUsd): void {
    this.mark({ ...attempt, cost: price, overrun: true }, "rode");
    this.#paidBy = { attempt, price, drawn: NOTHING };
    this.giveBack(attempt, minus(NOTHING, price));
  }

  /** Gives back what was counted for an object that can move no money any more. */
  uncount(draws: readonly CountedDraw[]): void {
    for (const draw of byWindows(draws)) {
      this.giveBack(draw, draw.amount);
      const writer = this.#attempts[this.#writer];
      assert(writer !== undefined, "the writer is in its record");
      this.#attempts[this.#writer] = { ...writer, cost: minus(writer.cost, draw.amount) };
    }
  }

  end(): void {
    this.#ended = true;
  }

  giveBack({ windows }: Pick<Attempt, "windows">, amount: MicroUsd, keys?: readonly string[]): void {
    if (amount === 0n) return;
    for (const { keyId, window } of windows) {
      if (keys !== undefined && !keys.includes(keyId)) continue;
      const opId = `${this.#writer}.${this.#corrections.length}`;
      this.#corrections.push({ opId, keyId, window, amount, issuedAtMs: this.#nowMs });
    }
  }

  folded(): Folded {
    const lease = this.before.lease?.attemptId === this.#writer ? null : this.before.lease;
    const status =
      this.#cover !== null
        ? "settled"
        : this.unresolved().length > 0
          ? "unresolved"
          : this.#ended
            ? "final"
            : "idle";
    const decided = this.#corrections.map(({ opId, ...correction }) => [opId, correction] as const);
    const record: CallRecord = {
      ...this.before,
      version: this.before.version + 1,
      status,
      lease,
      cover: this.#cover,
      objectId: this.#objectId,
      latePrice: this.#latePrice,
      attempts: this.#attempts,
      corrections: { ...this.before.corrections, ...Object.fromEntries(decided) },
    };
    return { record, corrections: this.#corrections, paidBy: this.#paidBy };
  }
}

/** Draws from the same windows as one, so that an object that was raised often goes back in few writes. */
function byWindows(draws: readonly CountedDraw[]): readonly CountedDraw[] {
  const merged = new Map<string, CountedDraw>();
  for (const draw of draws) {
    const place = JSON.stringify(draw.windows.map(({ keyId, window }) => [keyId, window]));
    const { amount } = merged.get(place) ?? { amount: NOTHING };
    merged.set(place, { windows: draw.windows, amount: plus(amount, draw.amount) });
  }
  return [...merged.values()];
}

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

/**
 * Settles a call from its estimate to the final price: the difference goes back, or is counted beyond the caps. Null where
 * the record waits for none any more. `writer`: a name of its own for whoever settles, so that it knows its own corrections.
 */
export function repriced(
  before: CallRecord,
  { price, ...said }: FinalPrice,
  writer: string,
  nowMs: number,
): Folded | null {
  const attempt = before.attempts[before.cover ?? ""];
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
  return { record, corrections, paidBy: null };
}

/** What a row says was left, once `more` was given back after it was written. */
const leftMore = (outcome: OutcomeFacts, more: MicroUsd): OutcomeFacts => ({
  ...outcome,
  remaining: outcome.remaining === null ? null : plus(outcome.remaining, more),
});

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

  const attempt = before.attempts[before.cover ?? ""];
  if (attempt === undefined || attempt.outcome === null) return { ...next, latePrice: null };
  const outcome = { ...attempt.outcome, reason: "price_never_told" };
  const attempts = { ...before.attempts, [attempt.attemptId]: { ...attempt, outcome, lateAtMs: nowMs } };
  return { ...next, latePrice: null, attempts };
}

/**
 * Drops finished attempts that decide nothing any more, all but `keep`: their rows are written from the stream, and a
 * record must stay small however often a call is repeated.
 */
export function pruned(record: CallRecord, keep: string): CallRecord {
  const needed = Object.entries(record.attempts).filter(
    ([attemptId, { state, ambiguous }]) =>
      attemptId === keep ||
      state === "open" ||
      state === "unresolved" ||
      attemptId === record.cover ||
      ambiguous.length > 0,
  );
  return { ...record, attempts: Object.fromEntries(needed) };
}

/** The record without corrections that were acknowledged: nobody has to find out any more whether they landed. */
export function confirmed(record: CallRecord, opIds: readonly string[]): CallRecord {
  const left = Object.entries(record.corrections).filter(([opId]) => !opIds.includes(opId));
  return { ...record, version: record.version + 1, corrections: Object.fromEntries(left) };
}

/** Longer than any vendor replays. */
const KEPT_MS = 2 * 24 * 3_600_000;
/** As long as the audit log tells of it, unless that is configured otherwise: what is left to find out needs both. */
const KEPT_UNCONFIRMED_MS = 400 * 24 * 3_600_000;

/**
 * Until when the record is kept, in milliseconds; null while anything of it is undecided or its price is late. Longer where
 * a correction may not have landed. A free call without outcome holds nothing, so there is nothing to decide.
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
  return record.firstAtMs + (isWhole ? KEPT_MS : KEPT_UNCONFIRMED_MS);
}
