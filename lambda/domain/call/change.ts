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

/** What a change of a call decides. */
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

/** What a draw pays for. */
export interface Charge {
  readonly price: MicroUsd;
  readonly objectId: string | null;
  /** The vendor that tells the final price later; null where `price` is final. */
  readonly estimateOf: string | null;
}

/** An attempt whose row was written before, with what is left now that `more` goes back for it. */
const withLeft = (attempt: Attempt, more: MicroUsd): Attempt =>
  attempt.outcome === null ? attempt : { ...attempt, outcome: leftMore(attempt.outcome, more) };

/** Gathers what one answer or decision changes; keeps the invariant between states, payer and corrections in one place. */
export class Change {
  readonly before: CallRecord;
  readonly #writer: string;
  readonly #nowMs: number;
  readonly #closedBy: string | null;
  readonly #attempts: Record<string, Attempt>;
  readonly #corrections: NamedCorrection[] = [];
  #ended: boolean;
  #payingAttemptId: string | null;
  #objectId: string | null;
  #latePrice: LatePriceDue | null;
  #paidBy: Folded["paidBy"] = null;

  /**
   * `writer`: the attempt whose answer it is, or a name of its own for whoever else decides: corrections are named by it.
   * `closedBy`: whoever else decides what became of attempts, for their rows.
   */
  constructor(before: CallRecord, writer: string, nowMs: number, closedBy: string | null = null) {
    this.before = before;
    this.#writer = writer;
    this.#nowMs = nowMs;
    this.#closedBy = closedBy;
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
    const closedBy = this.#closedBy ?? attempt.closedBy;
    const { sought, ...known } = attempt;
    // Whom a call reached is kept for as long as nobody knows what became of it.
    const isSought = state === "unresolved" && sought !== undefined;
    this.#attempts[attempt.attemptId] = {
      ...known,
      state,
      closedBy,
      ...(this.#closedBy !== null && { closedAtMs: this.#nowMs }),
      ...(isSought && { sought }),
    };
  }

  release(attempt: Attempt, state: "released" | "paid_by_other"): void {
    this.mark(withLeft(attempt, attempt.amount), state);
    this.giveBack(attempt, attempt.amount);
  }

  settle(attempt: Attempt, { price, objectId, estimateOf }: Charge): void {
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
