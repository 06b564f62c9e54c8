import { type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import type { AuditEvent } from "../domain/audit-event.ts";
import { isoDay, isoTime } from "../domain/time.ts";
import type { Clock } from "../ports/clock.ts";
import { keptUntilS } from "./audit-items/event-item.ts";
import { type Name, namesOf, nameUpdate } from "./audit-items/name-items.ts";

const HOUR_MS = 3_600_000;
/** Names that a process remembers; one with more writes some of them again. */
const REMEMBERED_MAX = 20_000;
const WRITTEN_AT_ONCE = 25;

/**
 * Notes the names of sums in the Audit table. A process notes each once an hour, so a name costs little however many calls
 * it has, and what was active in the last hour is found by when it was seen.
 */
export class DynamoNames {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #retentionDays: number;
  readonly #clock: Clock;
  #hour = 0;
  #noted = new Set<string>();

  constructor(client: DynamoDBClient, table: string, retentionDays: number, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#retentionDays = retentionDays;
    this.#clock = clock;
  }

  /** Notes the labels and label groups of those events that change a sum. */
  async note(events: readonly AuditEvent[]): Promise<void> {
    const nowMs = this.#clock.now();
    const hour = Math.floor(nowMs / HOUR_MS);
    if (hour !== this.#hour || this.#noted.size > REMEMBERED_MAX) this.#noted = new Set();
    this.#hour = hour;
    const names = new Map<string, Name>();
    for (const { fields, totals } of events) {
      if (fields.label === null || (totals.spent === 0n && totals.allowed + totals.denied === 0)) continue;
      for (const name of namesOf(fields.label, isoDay(fields.atMs))) {
        const id = JSON.stringify(name);
        if (!this.#noted.has(id)) names.set(id, name);
      }
    }
    const unwritten = [...names];
    for (let start = 0; start < unwritten.length; start += WRITTEN_AT_ONCE)
      await Promise.all(
        unwritten.slice(start, start + WRITTEN_AT_ONCE).map(([id, name]) => this.#write(id, name, nowMs)),
      );
  }

  async #write(id: string, name: Name, nowMs: number): Promise<void> {
    const ttlS = keptUntilS(Date.parse(name.day), this.#retentionDays + 1);
    await this.#client.send(new UpdateItemCommand(nameUpdate(this.#table, name, isoTime(nowMs), ttlS)));
    this.#noted.add(id);
  }
}
