/**
 * What is known of the writes of a balance from its stream: the evidence by which an attempt is finished whose process died.
 *
 * Every write of a balance has the next number, so a gap shows. Behind a fence no earlier write can land any more: where every
 * number up to the fence's is known, it is certain which writes landed and that no other will (docs/protocol.md, W8).
 */
export interface BalanceWrite {
  readonly keyId: string;
  /** From 1 on; the issue of a key is 0. */
  readonly number: number;
  /** The attempt that drew, or the correction that landed; null for what moves no money. */
  readonly id: string | null;
  /** Whether `id` is that of a correction. */
  readonly isCorrection: boolean;
  /** When it landed, by the clock of the table, milliseconds; Infinity where that is not known. */
  readonly writtenMs: number;
  /** When the write before it was issued, by the clock of whoever issued it, milliseconds. */
  readonly previousMs: number;
}

/** Writes of one balance without a gap. */
export interface WriteRun {
  readonly keyId: string;
  /** The number of the first. */
  readonly from: number;
  /** Ids of the writes, in their order. */
  readonly ids: readonly (string | null)[];
  /** When the last of them landed, milliseconds. */
  readonly writtenMs: number;
  /** When the write before the first was issued, milliseconds; Infinity where that is not known. */
  readonly previousMs: number;
}

/** The writes of each key, in runs. They may come in any order, and more than once. */
export function runsOf(writes: readonly BalanceWrite[]): readonly WriteRun[] {
  const byKey = Map.groupBy(writes, ({ keyId }) => keyId);
  return [...byKey].flatMap(([keyId, all]) => {
    const byNumber = new Map(all.map((write) => [write.number, write]));
    const ordered = [...byNumber.values()].sort((a, b) => a.number - b.number);
    const runs: { from: number; ids: (string | null)[]; writtenMs: number; previousMs: number }[] = [];
    for (const { number, id, writtenMs, previousMs } of ordered) {
      const run = runs.at(-1);
      if (run !== undefined && run.from + run.ids.length === number) {
        run.ids.push(id);
        run.writtenMs = Math.max(run.writtenMs, writtenMs);
      } else runs.push({ from: number, ids: [id], writtenMs, previousMs });
    }
    return runs.map((run) => ({ keyId, ...run }));
  });
}

/** A write may land so long after it was issued, by another clock. */
const LANDS_WITHIN_MS = 3_600_000;
/** More than one batch of the stream has of a balance: so far apart two runs do not overlap. */
const RUN_MAX = 1_000;

/**
 * Gathers what is known of the writes of one balance, the latest runs first, until it is whole: back to the first write, or
 * to one that landed, or came after one that was issued, before `sinceMs` (milliseconds). Behind it nothing can stand that is
 * looked for.
 */
export class Evidence {
  readonly #lastNumber: number;
  readonly #sinceMs: number;
  readonly #known = new Map<number, string | null>();
  /** Nothing is needed before this number; null while that is not known. */
  #first: number | null;
  /** From here on every number is known. */
  #wholeFrom: number;
  #isContradictory = false;
  #lowest = Infinity;

  /** `lastNumber`: that of the fence, or of a later write. */
  constructor(lastNumber: number, sinceMs: number) {
    this.#lastNumber = lastNumber;
    this.#sinceMs = sinceMs;
    this.#first = lastNumber === 0 ? 1 : null;
    this.#wholeFrom = lastNumber + 1;
  }

  /** Runs come in the order of their first numbers, downwards. */
  add({ from, ids, writtenMs, previousMs }: Omit<WriteRun, "keyId">): void {
    ids.forEach((id, index) => {
      const number = from + index;
      if (number > this.#lastNumber) return;
      const other = this.#known.get(number);
      // A table that was put back to an earlier time numbers its writes again.
      if (other !== undefined && other !== id) this.#isContradictory = true;
      this.#known.set(number, id);
    });
    while (this.#known.has(this.#wholeFrom - 1)) this.#wholeFrom--;
    this.#lowest = Math.min(this.#lowest, from);
    const last = Math.min(from + ids.length - 1, this.#lastNumber);
    if (writtenMs < this.#sinceMs) this.#first = Math.max(this.#first ?? 0, last);
    else if (from <= 1 || previousMs < this.#sinceMs - LANDS_WITHIN_MS)
      this.#first = Math.max(this.#first ?? 0, from);
  }

  /** Whether earlier runs can change nothing: it is whole, or a number is missing that none of them has. */
  get isDone(): boolean {
    return this.#isContradictory || this.#isWhole || this.#lowest < this.#wholeFrom - RUN_MAX;
  }

  get #isWhole(): boolean {
    return this.#first !== null && this.#wholeFrom <= this.#first;
  }

  /** Ids of the writes that landed; null while a number is missing. */
  landed(): ReadonlySet<string> | null {
    if (this.#isContradictory || !this.#isWhole) return null;
    return new Set([...this.#known.values()].filter((id) => id !== null));
  }
}
