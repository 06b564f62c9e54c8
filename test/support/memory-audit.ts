import { eventId, rowId } from "../../lambda/audit-wire.ts";
import { type AuditEvent, type AuditRow, rowOf } from "../../lambda/domain/audit-event.ts";
import type { SpentSoFar } from "../../lambda/domain/balance.ts";
import { type MicroUsd, NOTHING, plus, sum } from "../../lambda/domain/money.ts";
import type { AttemptJournal, AuditLog, JournalBatch, SpentBudget } from "../../lambda/ports/audit.ts";

/** The audit log in memory: an event is added once, and what it changes in the sums with it. */
export class MemoryAuditLog implements AuditLog, SpentBudget {
  readonly events = new Map<string, AuditEvent>();
  readonly #spent = new Map<string, Map<number, MicroUsd>>();

  async append(events: readonly AuditEvent[]): Promise<void> {
    for (const event of events) this.add(event);
  }

  add(event: AuditEvent): void {
    const id = eventId(event);
    if (this.events.has(id)) return;
    this.events.set(id, event);
    for (const { keyId, window, spent } of event.totals.keys) {
      const windows = this.#spent.get(keyId) ?? new Map<number, MicroUsd>();
      this.#spent.set(keyId, windows.set(window, plus(windows.get(window) ?? NOTHING, spent)));
    }
  }

  async spent(keyId: string, window: number): Promise<SpentSoFar> {
    return { window: this.spentIn(keyId, window), total: this.spentBy(keyId) };
  }

  spentIn(keyId: string, window: number): MicroUsd {
    return this.#spent.get(keyId)?.get(window) ?? NOTHING;
  }

  spentBy(keyId: string): MicroUsd {
    return sum(this.#spent.get(keyId)?.values() ?? []);
  }

  /** Row id to row. */
  rows(): ReadonlyMap<string, AuditRow> {
    const byRow = new Map<string, AuditEvent[]>();
    for (const event of this.events.values()) {
      const id = rowId(event);
      byRow.set(id, [...(byRow.get(id) ?? []), event]);
    }
    return new Map([...byRow].map(([id, events]) => [id, rowOf(events)]));
  }
}

/** The journal of attempts in memory. `nowMs`: when a batch is noted. */
export class MemoryJournal implements AttemptJournal {
  readonly #nowMs: () => number;
  readonly #batches: { readonly atMs: number; readonly batch: JournalBatch }[] = [];
  #sweptMs: number | null = null;

  constructor(nowMs: () => number = () => 0) {
    this.#nowMs = nowMs;
  }

  async note(batch: JournalBatch): Promise<void> {
    this.#batches.push({ atMs: this.#nowMs(), batch });
  }

  async unended(fromMs: number, toMs: number): Promise<readonly AuditEvent[]> {
    const ended = new Set(this.#batches.flatMap(({ batch }) => batch.ended));
    return this.#batches
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .flatMap(({ batch }) => batch.begun)
      .filter(({ attemptId }) => attemptId !== null && !ended.has(attemptId));
  }

  async beginsAtMs(): Promise<number | null> {
    return this.#batches.length === 0 ? null : Math.min(...this.#batches.map(({ atMs }) => atMs));
  }

  async sweptUntilMs(): Promise<number | null> {
    return this.#sweptMs;
  }

  async markSwept(untilMs: number): Promise<void> {
    this.#sweptMs = untilMs;
  }
}
