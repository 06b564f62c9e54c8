import { eventId, rowId } from "../../lambda/audit-wire.ts";
import { type AuditEvent, type AuditRow, rowOf } from "../../lambda/domain/audit-event.ts";
import { type MicroUsd, NOTHING, plus, sum } from "../../lambda/domain/money.ts";
import type { AuditLog, HeldBudget } from "../../lambda/ports/audit.ts";

/** The audit log in memory: an event is added once, and what it changes in the sums with it. */
export class MemoryAuditLog implements AuditLog, HeldBudget {
  readonly events = new Map<string, AuditEvent>();
  readonly #held = new Map<string, Map<number, MicroUsd>>();
  readonly #spent = new Map<string, MicroUsd>();

  async append(events: readonly AuditEvent[]): Promise<void> {
    for (const event of events) this.add(event);
  }

  add(event: AuditEvent): void {
    const id = eventId(event);
    if (this.events.has(id)) return;
    this.events.set(id, event);

    const { keyId } = event.fields;
    const { window, held, spent } = event.totals;
    const windows = this.#held.get(keyId) ?? new Map<number, MicroUsd>();
    this.#held.set(keyId, windows.set(window, plus(windows.get(window) ?? NOTHING, held)));
    this.#spent.set(keyId, plus(this.#spent.get(keyId) ?? NOTHING, spent));
  }

  async held(keyId: string, window: number): Promise<{ window: MicroUsd; total: MicroUsd }> {
    return { window: this.#held.get(keyId)?.get(window) ?? NOTHING, total: this.heldInTotal(keyId) };
  }

  heldInTotal(keyId: string): MicroUsd {
    return sum(this.#held.get(keyId)?.values() ?? []);
  }

  spent(keyId: string): MicroUsd {
    return this.#spent.get(keyId) ?? NOTHING;
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
