import { assert } from "../assert.ts";
import type { CountedDraw } from "../counted-object.ts";
import { type MicroUsd, minus, NOTHING, plus, smaller } from "../money.ts";
import type { NamedCorrection } from "./corrections.ts";
import { firstDueMs } from "./late-price.ts";
import {
  type Attempt,
  type AttemptState,
  type CallRecord,
  type LatePriceDue,
  leftMore,
  unresolvedAttempts,
} from "./record.ts";

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
  const change = new Change(before, attempt, nowMs);

  if (attempt.kind === "free") change.mark(attempt, result.kind === "denied" ? "denied" : "free");
  else if (attempt.kind === "joiner") foldJoiner(change, attempt, result, rerunsFailures);
  else if (attempt.state === "open") foldOpen(change, attempt, result, rerunsFailures);
  else if (attempt.state === "unresolved") foldMoved(change, attempt, result, rerunsFailures);
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
      (other.state === "open" || other.state === "unresolved"),
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

/** The attempt made no draw: it uses one that is held. A refusal of it releases nothing. */
function foldJoiner(change: Change, attempt: Attempt, result: AttemptResult, rerunsFailures: boolean): void {
  change.mark(attempt, result.kind === "denied" ? "denied" : "joined");
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

/** An attempt whose row was written before, with what is left now that `more` goes back for it. */
const withLeft = (attempt: Attempt, more: MicroUsd): Attempt =>
  attempt.outcome === null ? attempt : { ...attempt, outcome: leftMore(attempt.outcome, more) };

/** Gathers what one answer changes; keeps the invariant between states, payer and corrections in one place. */
class Change {
  readonly before: CallRecord;
  readonly #writer: string;
  readonly #nowMs: number;
  readonly #attempts: Record<string, Attempt>;
  readonly #corrections: NamedCorrection[] = [];
  #ended: boolean;
  #payingAttemptId: string | null;
  #objectId: string | null;
  #latePrice: LatePriceDue | null;
  #paidBy: Folded["paidBy"] = null;

  constructor(before: CallRecord, writer: Attempt, nowMs: number) {
    this.before = before;
    this.#writer = writer.attemptId;
    this.#nowMs = nowMs;
    this.#attempts = { ...before.attempts };
    this.#ended = before.status === "final";
    this.#payingAttemptId = before.payingAttemptId;
    this.#objectId = before.objectId;
    this.#latePrice = before.latePrice;
  }

  get payingAttemptId(): string | null {
    return this.#payingAttemptId;
  }

  /** The first attempt whose outcome is unknown: a joiner uses its draw. */
  get held(): Attempt | undefined {
    return this.unresolved()[0];
  }

  unresolved(): readonly Attempt[] {
    return unresolvedAttempts(Object.values(this.#attempts));
  }

  mark(attempt: Attempt, state: AttemptState): void {
    this.#attempts[attempt.attemptId] = { ...attempt, state };
  }

  release(attempt: Attempt, state: "released" | "paid_by_other"): void {
    this.mark(withLeft(attempt, attempt.amount), state);
    this.giveBack(attempt, attempt.amount);
  }

  settle(
    attempt: Attempt,
    { price, objectId, estimateOf }: AttemptResult & { readonly kind: "executed" },
  ): void {
    const settled = withLeft(attempt, minus(attempt.amount, price));
    this.mark({ ...settled, cost: price, overrun: price > attempt.amount }, "settled");
    this.#payingAttemptId = attempt.attemptId;
    this.#objectId = objectId;
    this.#latePrice =
      estimateOf === null || objectId === null
        ? null
        : { vendor: estimateOf, dueMs: firstDueMs(this.#nowMs) };
    this.#paidBy = { attempt, price, drawn: smaller(price, attempt.amount) };
    this.giveBack(attempt, minus(attempt.amount, price));
  }

  /** Counts what was executed without a reservation. */
  force(attempt: Attempt, price: MicroUsd): void {
    this.mark({ ...attempt, cost: price, overrun: true }, "joined");
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
      this.#payingAttemptId !== null
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
      payingAttemptId: this.#payingAttemptId,
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
