import { eventId, rowId } from "../../lambda/audit-wire.ts";
import { type AuditEvent, type AuditRow, rowOf } from "../../lambda/domain/audit-event.ts";
import type { SpentSoFar } from "../../lambda/domain/balance.ts";
import { type BalanceWrite, Evidence, runsOf } from "../../lambda/domain/balance-write.ts";
import { type MicroUsd, NOTHING, plus, sum } from "../../lambda/domain/money.ts";
import type {
  AttemptJournal,
  AuditLog,
  JournalBatch,
  SpentBudget,
  Unended,
} from "../../lambda/ports/audit.ts";
import type { DueCall, DueList } from "../../lambda/ports/due-list.ts";
import type { EvidenceLog, EvidenceReader } from "../../lambda/ports/evidence.ts";

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

  async unended(fromMs: number, toMs: number): Promise<Unended> {
    const ended = new Set(this.#batches.flatMap(({ batch }) => batch.ended));
    const noted = this.#batches.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).map(({ batch }) => batch);
    return {
      events: noted
        .flatMap(({ begun }) => begun)
        .filter(({ attemptId }) => attemptId !== null && !ended.has(attemptId)),
      looseEnds: noted.flatMap(({ looseEnds }) => looseEnds).filter(({ id }) => !ended.has(id)),
    };
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

/** What is known of the writes of balances, in memory: all of them, once they are noted. */
export class MemoryEvidence implements EvidenceLog, EvidenceReader {
  readonly #writes = new Map<string, BalanceWrite>();

  async note(writes: readonly BalanceWrite[]): Promise<void> {
    for (const write of writes) this.#writes.set(`${write.keyId} ${write.number}`, write);
  }

  async landed(keyId: string, lastNumber: number, sinceMs: number): Promise<ReadonlySet<string> | null> {
    const runs = runsOf([...this.#writes.values()].filter((write) => write.keyId === keyId));
    const evidence = new Evidence(lastNumber, sinceMs);
    for (const run of [...runs].sort((a, b) => b.from - a.from))
      if (run.from <= lastNumber && !evidence.isDone) evidence.add(run);
    return evidence.landed();
  }
}

/** The due list in memory. */
export class MemoryDueList implements DueList {
  readonly #calls = new Map<string, DueCall>();

  async put(calls: readonly DueCall[]): Promise<void> {
    for (const call of calls) this.#calls.set(placeOf(call), call);
  }

  async due(byMs: number, limit: number): Promise<readonly DueCall[]> {
    const due = [...this.#calls.values()].filter(({ dueMs }) => dueMs <= byMs);
    return due.sort((a, b) => a.dueMs - b.dueMs).slice(0, limit);
  }

  async isAnyDue(byMs: number): Promise<boolean> {
    return (await this.due(byMs, 1)).length > 0;
  }

  async move(call: DueCall, dueMs: number): Promise<void> {
    await this.put([{ ...call, dueMs }]);
    await this.remove(call);
  }

  async remove(call: DueCall): Promise<void> {
    this.#calls.delete(placeOf(call));
  }
}

const placeOf = ({ recordId, dueMs }: DueCall): string => `${dueMs} ${recordId}`;
