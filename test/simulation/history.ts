import type { Attempt, CallRecord, DecidedCorrection, KeyWindow } from "../../lambda/domain/call/record.ts";
import { type MicroUsd, microUsd, minus, NOTHING, plus, usdText } from "../../lambda/domain/money.ts";
import type { BalanceWrite, VaultState } from "../support/memory-vault.ts";

/** An attempt as the table last told of it, with the record that it is on: TTL may remove one, and another be made. */
export interface KnownAttempt {
  readonly recordId: string;
  readonly attempt: Attempt;
}

/** Amounts by key and window. */
export class Amounts {
  readonly #amounts = new Map<string, MicroUsd>();

  add({ keyId, window }: KeyWindow, amount: MicroUsd): void {
    const name = `${keyId}/${window}`;
    this.#amounts.set(name, plus(this.#amounts.get(name) ?? NOTHING, amount));
  }

  /** Those that are not nothing. */
  lines(): readonly string[] {
    return [...this.#amounts]
      .filter(([, amount]) => amount !== 0n)
      .map(([name, amount]) => `${name}: ${usdText(amount)} USD`)
      .sort();
  }

  in({ keyId, window }: KeyWindow): MicroUsd {
    return this.#amounts.get(`${keyId}/${window}`) ?? NOTHING;
  }

  inTotal(keyId: string): MicroUsd {
    let total = NOTHING;
    for (const [name, amount] of this.#amounts) if (name.startsWith(`${keyId}/`)) total = plus(total, amount);
    return total;
  }
}

/** What has to be counted, and why the books may say more. */
export interface Expected {
  /** Held for what is open or unresolved, paid for what is settled. */
  readonly due: Amounts;
  /** Decided on a record and not on the balance (yet, or never); above zero for what would go back. */
  readonly undelivered: Amounts;
  /** Draws that landed after their attempt had been denied for not knowing. */
  readonly leaked: Amounts;
}

/** All that was ever written, attempt by attempt: what the table itself forgets is kept here for the checks. */
export class History {
  /** By attempt; an attempt may be on its call's record and on one of its own. */
  readonly attempts = new Map<string, readonly KnownAttempt[]>();
  /** The last version of every record, those that TTL has removed included, with all corrections that it ever had. */
  readonly records = new Map<string, CallRecord>();
  /** Attempts whose claim landed once more when they were over: the resolver ends them a second time, without money. */
  readonly claimedLate = new Set<string>();
  /** Corrections that another one took the place of, since they did not land and cannot any more. */
  readonly superseded = new Set<string>();
  readonly #state: VaultState;
  readonly #attemptsOf = new Map<string, Set<string>>();
  /** How often a record of this name was made. */
  readonly #lives = new Map<string, number>();
  #read = 0;

  constructor(state: VaultState) {
    this.#state = state;
  }

  /** Reads what was written since the last time, and tells of each change of a record. */
  follow(changed: (before: CallRecord | null, after: CallRecord) => void): void {
    const { changes } = this.#state;
    for (; this.#read < changes.length; this.#read++) {
      const change = changes[this.#read]?.change;
      if (change?.kind !== "call") continue;
      changed(change.before, change.after);
      this.#supersede(change.before, change.after);
      const { callId } = change.after;
      if (change.before === null) this.#lives.set(callId, (this.#lives.get(callId) ?? 0) + 1);
      this.#remember(`${callId} (${this.#lives.get(callId) ?? 0})`, change.after);
    }
  }

  /** The attempt as it is on the record of its call. */
  attempt(attemptId: string): KnownAttempt | undefined {
    return this.attempts.get(attemptId)?.[0];
  }

  attemptsOn(recordId: string): readonly Attempt[] {
    return [...(this.#attemptsOf.get(recordId) ?? [])].flatMap((attemptId) => {
      const known = this.attempts.get(attemptId)?.find((candidate) => candidate.recordId === recordId);
      return known === undefined ? [] : [known.attempt];
    });
  }

  draws(attemptId: string): readonly BalanceWrite[] {
    return this.#state.balanceWrites.filter(({ kind, id }) => kind === "draw" && id === attemptId);
  }

  /** Whether every key of a chain was drawn by this attempt. */
  isDrawn(attemptId: string, keyIds: readonly string[]): boolean {
    const drawn = new Set(this.draws(attemptId).map(({ keyId }) => keyId));
    return keyIds.every((keyId) => drawn.has(keyId));
  }

  expected(): Expected {
    const due = new Amounts();
    const leaked = new Amounts();
    const undelivered = new Amounts();
    for (const draw of this.#state.balanceWrites) {
      if (draw.kind !== "draw") continue;
      const known = this.attempt(draw.id);
      due.add(draw, known === undefined ? draw.amount : dueFor(known.attempt));
      if (known?.attempt.ambiguous.includes(draw.keyId) === true) leaked.add(draw, draw.amount);
    }
    for (const known of this.attempts.values()) {
      const attempt = known[0]?.attempt;
      if (attempt?.kind !== "joiner" || attempt.cost <= 0n) continue;
      for (const place of attempt.windows) due.add(place, attempt.cost);
    }
    const landed = new Set(
      this.#state.balanceWrites.filter(({ kind }) => kind === "correction").map(({ id }) => id),
    );
    for (const record of this.records.values()) {
      const cancels = isCancel(record);
      for (const [opId, correction] of Object.entries(record.corrections)) {
        if (cancels) due.add(correction, microUsd(-correction.amount));
        if (!landed.has(opId)) undelivered.add(correction, correction.amount);
      }
    }
    return { due, undelivered, leaked };
  }

  /** What was taken from each key for good, in the windows it was taken from; without what is held. */
  spent(): Amounts {
    const spent = new Amounts();
    for (const [known] of this.attempts.values()) {
      if (known === undefined) continue;
      const { kind, state, windows, cost } = known.attempt;
      const takes = kind === "joiner" ? cost > 0n : state === "settled";
      if (takes) for (const place of windows) spent.add(place, paid(known.attempt));
    }
    for (const record of this.records.values())
      if (isCancel(record))
        for (const correction of Object.values(record.corrections))
          spent.add(correction, microUsd(-correction.amount));
    return spent;
  }

  /** A claim that arrives when its attempt is long over, and off its record, changes nothing of what it was. */
  #isFinished(recordId: string, attemptId: string): boolean {
    const known = this.attempts.get(attemptId)?.find((candidate) => candidate.recordId === recordId);
    return known !== undefined && known.attempt.outcome !== null;
  }

  /** A correction that the resolver took off its record, and decided once more in the same write: it did not land. */
  #supersede(before: CallRecord | null, after: CallRecord): void {
    const added = Object.entries(after.corrections).filter(
      ([opId]) => !(opId in (before?.corrections ?? {})),
    );
    for (const [opId, gone] of Object.entries(before?.corrections ?? {})) {
      if (opId in after.corrections || this.isApplied(opId)) continue;
      const again = added.findIndex(([, one]) => isSame(one, gone));
      if (again < 0) continue;
      added.splice(again, 1);
      this.superseded.add(opId);
    }
  }

  isApplied(opId: string): boolean {
    return this.#state.balanceWrites.some(({ kind, id }) => kind === "correction" && id === opId);
  }

  #remember(recordId: string, record: CallRecord): void {
    // A correction is on its way, or on the balance, whether or not the record still says so.
    const known = Object.entries(this.records.get(recordId)?.corrections ?? {});
    const left = known.filter(([opId]) => !this.superseded.has(opId));
    const corrections = { ...Object.fromEntries(left), ...record.corrections };
    this.records.set(recordId, { ...record, corrections });
    for (const attempt of Object.values(record.attempts)) {
      const { attemptId } = attempt;
      if (attempt.outcome === null && this.#isFinished(recordId, attemptId)) {
        this.claimedLate.add(attemptId);
        continue;
      }
      const others = (this.attempts.get(attemptId) ?? []).filter((known) => known.recordId !== recordId);
      const known: KnownAttempt = { recordId, attempt };
      const isTwin = recordId.includes("!");
      this.attempts.set(attemptId, isTwin ? [...others, known] : [known, ...others]);
      const onRecord = this.#attemptsOf.get(recordId) ?? new Set();
      this.#attemptsOf.set(recordId, onRecord.add(attemptId));
    }
  }
}

const isSame = (one: DecidedCorrection, other: DecidedCorrection): boolean =>
  one.keyId === other.keyId && one.window === other.window && one.amount === other.amount;

/** The amount that the draw of an attempt is for: what it paid, what it holds, or nothing any more. */
function dueFor(attempt: Attempt): MicroUsd {
  if (attempt.state === "open" || attempt.state === "unresolved") return attempt.amount;
  return attempt.state === "settled" ? paid(attempt) : NOTHING;
}

/** The price of a settled attempt. A cancellation costs nothing; what it gave back stands on its corrections. */
export const paid = (attempt: Attempt): MicroUsd =>
  attempt.request.path.endsWith("/cancel") ? NOTHING : attempt.cost;

const isCancel = (record: CallRecord): boolean =>
  Object.values(record.attempts).some(({ request }) => request.path.endsWith("/cancel"));

/** What a record counts beyond the draws of its attempts: an overrun. */
export const overrunOf = (attempt: Attempt): MicroUsd =>
  attempt.overrun ? minus(attempt.cost, attempt.kind === "own" ? attempt.amount : NOTHING) : NOTHING;
