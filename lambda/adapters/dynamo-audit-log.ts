import { randomInt } from "node:crypto";
import {
  type DynamoDBClient,
  TransactionCanceledException,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { eventId } from "../audit-wire.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import type { AuditLog } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import { eventItem } from "./audit-items/event-item.ts";
import { Lane } from "./audit-items/lane.ts";
import { sumsOf, sumUpdate } from "./audit-items/sum-items.ts";
import { type Tried, type Waiting, withBackOff } from "./back-off.ts";

/** What one transaction of DynamoDB takes ("TransactWriteItems", API reference, read 2026-11-28). */
const ITEMS_MAX = 100;
const RESENDS_MAX = 6;

/**
 * Adds events to the Audit table, and what they change in the sums, in one transaction: an event that is there already
 * changes no sum again. Nothing here updates or deletes an event; TTL removes it after the retention.
 */
export class DynamoAuditLog implements AuditLog {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #retentionDays: number;
  readonly #clock: Clock;
  readonly #waiting: Waiting | undefined;
  readonly #lane = new Lane((below) => randomInt(below));

  /** `waiting`: how it waits before it sends again; in real time where it is left out. */
  constructor(client: DynamoDBClient, table: string, retentionDays: number, clock: Clock, waiting?: Waiting) {
    this.#client = client;
    this.#table = table;
    this.#retentionDays = retentionDays;
    this.#clock = clock;
    this.#waiting = waiting;
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    let left: readonly AuditEvent[] = [...new Map(events.map((event) => [eventId(event), event])).values()];
    // One after another: two transactions of this process would meet in its lane.
    while (left.length > 0) {
      const count = this.#fitting(left);
      await this.#write(left.slice(0, count));
      left = left.slice(count);
    }
  }

  /** How many of the events fit into one transaction with their sums, one at least. */
  #fitting(events: readonly AuditEvent[]): number {
    let count = Math.min(events.length, ITEMS_MAX);
    while (count > 1 && count + this.#sumsOf(events.slice(0, count), 0).length > ITEMS_MAX)
      count = Math.ceil(count / 2);
    return count;
  }

  async #write(events: readonly AuditEvent[]): Promise<void> {
    let missing = events;
    const tryOnce = async (): Promise<Tried<void>> => {
      while (missing.length > 0) {
        try {
          await this.#client.send(new TransactWriteItemsCommand({ TransactItems: this.#writes(missing) }));
          break;
        } catch (cause) {
          if (!(cause instanceof TransactionCanceledException)) throw cause;
          const reasons = (cause.CancellationReasons ?? []).map(({ Code }) => Code);
          if (reasons.slice(missing.length).includes("TransactionConflict")) this.#lane.leave();
          if (!reasons.includes("ConditionalCheckFailed")) return { kind: "again", cause };
          missing = missing.filter((_, index) => reasons[index] !== "ConditionalCheckFailed");
        }
      }
      return { kind: "done", value: undefined };
    };
    await withBackOff(RESENDS_MAX, tryOnce, this.#waiting);
  }

  /** The events first, then the sums. */
  #writes(events: readonly AuditEvent[]) {
    const put = (event: AuditEvent) => ({
      TableName: this.#table,
      Item: eventItem(event, this.#retentionDays),
      ConditionExpression: "attribute_not_exists(pk)",
    });
    const nowMs = this.#clock.now();
    const sums = this.#sumsOf(events, nowMs);
    return [
      ...events.map((event) => ({ Put: put(event) })),
      ...sums.map((sum) => ({ Update: sumUpdate(this.#table, this.#lane.number, sum, nowMs) })),
    ];
  }

  #sumsOf(events: readonly AuditEvent[], nowMs: number) {
    return sumsOf(events, this.#retentionDays, nowMs);
  }
}
