import type { CallRecord } from "../../lambda/domain/call/record.ts";

/** A process, as far as it matters here. */
interface Writer {
  readonly dead: boolean;
}

/** Who decided each correction of a record, and whether it was sent: whoever lives on and was told of its write sends it. */
export class SentCorrections {
  readonly #deciders = new Map<string, Writer>();
  readonly #sent = new Set<string>();
  /** Their write was never answered, so whoever decided them does not know of it. */
  readonly #inDoubt = new Set<string>();

  /** A process writes a record: what nobody has written before is decided by it. */
  written(process: Writer, { corrections }: CallRecord): void {
    for (const opId of Object.keys(corrections))
      if (!this.#deciders.has(opId)) this.#deciders.set(opId, process);
  }

  unanswered(process: Writer, { corrections }: CallRecord): void {
    for (const opId of Object.keys(corrections))
      if (this.#deciders.get(opId) === process) this.#inDoubt.add(opId);
  }

  sent(opId: string): void {
    this.#sent.add(opId);
  }

  /** Never sent, with no excuse. */
  isOmitted(opId: string): boolean {
    const decider = this.#deciders.get(opId);
    return decider !== undefined && !decider.dead && !this.#sent.has(opId) && !this.#inDoubt.has(opId);
  }
}
