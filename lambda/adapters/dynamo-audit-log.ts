import {
  type DynamoDBClient,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import { marshall, NumberValueImpl as NumberValue } from "@aws-sdk/util-dynamodb";
import { atId, DecimalUsd, eventAttributes, eventId } from "../audit-wire.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import { type MicroUsd, NOTHING, plus } from "../domain/money.ts";
import { isoDay } from "../domain/time.ts";
import type { AuditLog } from "../ports/audit.ts";
import { withBackOff } from "./back-off.ts";
import type { Item } from "./vault-items/codec.ts";

/** Events of one transaction: with five sums each they stay below DynamoDB's 100 items. */
const EVENTS_MAX = 16;
const RESENDS_MAX = 6;

/**
 * Adds events to the Audit table, and what they change in the sums, in one transaction: an event that is there already
 * changes no sum again. Nothing here updates or deletes an event; TTL removes it after the retention.
 */
export class DynamoAuditLog implements AuditLog {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #retentionDays: number;

  constructor(client: DynamoDBClient, table: string, retentionDays: number) {
    this.#client = client;
    this.#table = table;
    this.#retentionDays = retentionDays;
  }

  async append(events: readonly AuditEvent[]): Promise<void> {
    const once = [...new Map(events.map((event) => [eventId(event), event])).values()];
    for (let start = 0; start < once.length; start += EVENTS_MAX)
      await this.#write(once.slice(start, start + EVENTS_MAX));
  }

  async #write(events: readonly AuditEvent[]): Promise<void> {
    let missing = events;
    await withBackOff(RESENDS_MAX, async () => {
      while (missing.length > 0) {
        try {
          const items = [
            ...missing.map((event) => this.#put(event)),
            ...sumsOf(missing).map((sum) => this.#add(sum)),
          ];
          await this.#client.send(new TransactWriteItemsCommand({ TransactItems: items }));
          break;
        } catch (cause) {
          if (!(cause instanceof TransactionCanceledException)) throw cause;
          const reasons = cause.CancellationReasons ?? [];
          const recorded = reasons.map(({ Code }) => Code === "ConditionalCheckFailed");
          if (!recorded.includes(true)) return { kind: "again", cause };
          missing = missing.filter((_, index) => recorded[index] !== true);
        }
      }
      return { kind: "done", value: undefined };
    });
  }

  #put(event: AuditEvent): TransactWriteItem {
    return {
      Put: {
        TableName: this.#table,
        Item: eventItem(event, this.#retentionDays),
        ConditionExpression: "attribute_not_exists(pk)",
      },
    };
  }

  #add({ pk, sk, spent, held, allowed, denied }: Sum): TransactWriteItem {
    return {
      Update: {
        TableName: this.#table,
        Key: { pk: { S: pk }, sk: { S: sk } },
        UpdateExpression:
          "SET spent_usd = if_not_exists(spent_usd, :zero) + :spent, held_usd = if_not_exists(held_usd, :zero) + :held, " +
          "allowed_calls = if_not_exists(allowed_calls, :zero) + :allowed, denied_calls = if_not_exists(denied_calls, :zero) + :denied",
        ExpressionAttributeValues: {
          ":zero": { N: "0" },
          ":spent": { N: new DecimalUsd(spent).text },
          ":held": { N: new DecimalUsd(held).text },
          ":allowed": { N: `${allowed}` },
          ":denied": { N: `${denied}` },
        },
      },
    };
  }
}

function eventItem(event: AuditEvent, retentionDays: number): Item {
  const attributes = Object.entries(eventAttributes(event)).map(([name, value]) => [
    name,
    value instanceof DecimalUsd ? NumberValue.from(value.text) : value,
  ]);
  const { subject, attemptId, fields } = event;
  return marshall(
    {
      ...Object.fromEntries(attributes),
      pk: subject,
      sk: eventId(event).slice(subject.length + 1),
      ...(attemptId === null ? {} : { call_id: subject, attempt: attemptId }),
      at_id: atId(event),
      vendor_day: `${fields.vendor}#${isoDay(fields.atMs)}`,
      ttl: Math.floor(fields.atMs / 1000) + retentionDays * 86_400,
    },
    { removeUndefinedValues: true },
  );
}

/** What is kept beside the events: spent, held and counted, by vendor, label group, label and key a day, and by key a window. */
interface Sum {
  readonly pk: string;
  readonly sk: string;
  readonly spent: MicroUsd;
  readonly held: MicroUsd;
  readonly allowed: number;
  readonly denied: number;
}

export const keyTotals = (keyId: string): string => `TOTAL#key#${keyId}`;
export const windowTotals = (window: number): string => `WINDOW#${window}`;

function sumsOf(events: readonly AuditEvent[]): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { fields, totals } of events) {
    const { spent, held, window, allowed, denied } = totals;
    if (spent === 0n && held === 0n && allowed === 0 && denied === 0) continue;
    const day = `DAY#${isoDay(fields.atMs)}`;
    const places = [
      [`TOTAL#vendor#${fields.vendor}`, day],
      [keyTotals(fields.keyId), day],
      [keyTotals(fields.keyId), windowTotals(window)],
      ...(fields.label === null ? [] : [[`TOTAL#label#${fields.label}`, day]]),
      ...(fields.labelGroup === null ? [] : [[`TOTAL#label_group#${fields.labelGroup}`, day]]),
    ];
    for (const [pk = "", sk = ""] of places) {
      const name = `${pk}\n${sk}`;
      const sum = sums.get(name) ?? { pk, sk, spent: NOTHING, held: NOTHING, allowed: 0, denied: 0 };
      sums.set(name, {
        pk,
        sk,
        spent: plus(sum.spent, spent),
        held: plus(sum.held, held),
        allowed: sum.allowed + allowed,
        denied: sum.denied + denied,
      });
    }
  }
  return [...sums.values()];
}
