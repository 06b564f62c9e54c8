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
}

/** The writes of each key, in runs. They may come in any order, and more than once. */
export function runsOf(writes: readonly BalanceWrite[]): readonly WriteRun[] {
  const byKey = Map.groupBy(writes, ({ keyId }) => keyId);
  return [...byKey].flatMap(([keyId, all]) => {
    const byNumber = new Map(all.map((write) => [write.number, write]));
    const ordered = [...byNumber.values()].sort((a, b) => a.number - b.number);
    const runs: { from: number; ids: (string | null)[]; writtenMs: number }[] = [];
    for (const { number, id, writtenMs } of ordered) {
      const run = runs.at(-1);
      if (run !== undefined && run.from + run.ids.length === number) {
        run.ids.push(id);
        run.writtenMs = Math.max(run.writtenMs, writtenMs);
      } else runs.push({ from: number, ids: [id], writtenMs });
    }
    return runs.map((run) => ({ keyId, ...run }));
  });
}

/**
 * Gathers what is known of the writes of one balance, the latest runs first, until it is whole: back to the first write, or
 * to one that landed before `sinceMs` (milliseconds), behind which nothing that is looked for can stand.
 */
export class Evidence {
  readonly #lastNumber: number;
  readonly #sinceMs: number;
  readonly #known = new Map<number, string | null>();
  #firstNumber = Infinity;
  #reachesBack: boolean;

  /** `lastNumber`: that of the fence, or of a later write. */
  constructor(lastNumber: number, sinceMs: number) {
    this.#lastNumber = lastNumber;
    this.#sinceMs = sinceMs;
    this.#reachesBack = lastNumber === 0;
  }

  /** Runs come in the order of their first numbers, downwards. */
  add({ from, ids, writtenMs }: Omit<WriteRun, "keyId">): void {
    ids.forEach((id, index) => {
      if (from + index <= this.#lastNumber) this.#known.set(from + index, id);
    });
    this.#firstNumber = Math.min(this.#firstNumber, from);
    this.#reachesBack ||= from <= 1 || writtenMs < this.#sinceMs;
  }

  /** Whether nothing earlier is needed. */
  get reachesBack(): boolean {
    return this.#reachesBack;
  }

  /** Ids of the writes that landed; null while a number is missing. */
  landed(): ReadonlySet<string> | null {
    if (!this.#reachesBack) return null;
    for (let number = this.#firstNumber; number <= this.#lastNumber; number++)
      if (!this.#known.has(number)) return null;
    return new Set([...this.#known.values()].filter((id) => id !== null));
  }
}
