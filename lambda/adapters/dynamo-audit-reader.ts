import {
  BatchGetItemCommand,
  type DynamoDBClient,
  QueryCommand,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { eventFrom, positionOf } from "../audit-wire.ts";
import { type AuditEvent, type AuditRow, rowOf } from "../domain/audit-event.ts";
import { fromUsdText, NOTHING, plus } from "../domain/money.ts";
import { isoTime } from "../domain/time.ts";
import type {
  AuditIndex,
  AuditIndexPart,
  AuditPage,
  AuditReader,
  SpentBudget,
  WantedRows,
} from "../ports/audit.ts";
import { plainOf } from "./attributes.ts";
import { INDEXES, keyIn, sortKeyOf } from "./audit-items/event-item.ts";
import { totalsOf, windowTotals } from "./audit-items/sum-items.ts";
import { RESENDS_MAX, withBackOff } from "./back-off.ts";
import { ALL_SHARDS } from "./shards.ts";
import type { Item } from "./vault-items/codec.ts";

/**
 * How many events are read for so many rows at first. Most rows have one event; where some have more, and the last row is not known to be
 * whole, a query reads on.
 */
const eventsFor = (rows: number): number => rows + Math.ceil(rows / 8) + 2;
/** What one BatchGetItem takes. */
const ITEMS_MAX = 100;

/** Rows and sums of the Audit table. They follow the calls by a moment. */
export class DynamoAuditReader implements AuditReader, SpentBudget {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor(client: DynamoDBClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  partsOf(index: AuditIndex): readonly AuditIndexPart[] {
    return index.kind === "call"
      ? [{ ...index, shard: 0 }]
      : ALL_SHARDS.map((shard) => ({ ...index, shard }));
  }

  async page({ part, fromMs, toMs, before, limit }: WantedRows): Promise<AuditPage> {
    const upper = before ?? isoTime(toMs);
    const query = this.#queryOf(part, isoTime(fromMs), upper);
    const byCall = part.kind === "call";
    const groups = new Map<string, AuditEvent[]>();
    let startKey: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          ...query,
          ScanIndexForward: false,
          Limit: eventsFor(limit),
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        }),
      );
      for (const item of Items) {
        const event = eventOf(item);
        const position = positionOf(event);
        // `upper` itself is not included: it is a row already shown, or `to`.
        if (position < upper) groups.set(position, [...(groups.get(position) ?? []), event]);
      }
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined && (byCall || groups.size <= limit));

    // By call the table sorts by attempt, and every event has been read; by an index the last row may lack some.
    const positions = [...groups.keys()].sort().reverse().slice(0, limit);
    const more = groups.size > limit || startKey !== undefined;
    return {
      rows: positions.map((position) => ({ position, row: rowOf(groups.get(position) ?? []) })),
      next: more ? (positions.at(-1) ?? null) : null,
    };
  }

  async whole(rows: readonly AuditRow[]): Promise<readonly AuditRow[]> {
    const events = rows.flatMap((row) => row.events);
    const items = new Map<string, Item>();
    for (let start = 0; start < events.length; start += ITEMS_MAX)
      for (const item of await this.#items(events.slice(start, start + ITEMS_MAX)))
        items.set(`${item["pk"]?.S}\n${item["sk"]?.S}`, item);
    return rows.map((row) =>
      rowOf(
        row.events.map((event) => {
          const item = items.get(`${event.subject}\n${sortKeyOf(event)}`);
          return item === undefined ? event : eventOf(item);
        }),
      ),
    );
  }

  async spent(keyId: string, window: number, inTotal: boolean) {
    let spentInWindow = NOTHING;
    let total = NOTHING;
    let startKey: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :windows)",
          ExpressionAttributeValues: {
            ":pk": { S: totalsOf("key", keyId) },
            ":windows": { S: inTotal ? "WINDOW#" : windowTotals(window) },
          },
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        }),
      );
      for (const item of Items) {
        const spent = fromUsdText(item["spent_usd"]?.N ?? "0");
        total = plus(total, spent);
        if (item["sk"]?.S?.startsWith(windowTotals(window)) === true)
          spentInWindow = plus(spentInWindow, spent);
      }
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined);
    return { window: spentInWindow, total: inTotal ? total : NOTHING };
  }

  /** Sorted by time, but for that by call. */
  #queryOf(part: AuditIndexPart, from: string, upper: string): QueryCommandInput {
    const times = { ":from": { S: from }, ":to": { S: upper } };
    if (part.kind === "call")
      return {
        TableName: this.#table,
        KeyConditionExpression: "pk = :key",
        FilterExpression: "at_id BETWEEN :from AND :to",
        ExpressionAttributeValues: { ":key": { S: part.callId }, ...times },
      };
    const { name, partitionKey } = INDEXES[part.kind];
    return {
      TableName: this.#table,
      IndexName: name,
      KeyConditionExpression: "#key = :key AND at_id BETWEEN :from AND :to",
      ExpressionAttributeNames: { "#key": partitionKey },
      ExpressionAttributeValues: { ":key": { S: keyIn(part) }, ...times },
    };
  }

  async #items(events: readonly AuditEvent[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    let unread: Item[] = events.map((event) => ({ pk: { S: event.subject }, sk: { S: sortKeyOf(event) } }));
    return withBackOff(RESENDS_MAX, async () => {
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetItemCommand({ RequestItems: { [this.#table]: { Keys: unread } } }),
      );
      found.push(...(Responses?.[this.#table] ?? []));
      unread = UnprocessedKeys?.[this.#table]?.Keys ?? [];
      if (unread.length === 0) return { kind: "done", value: found };
      return { kind: "again", cause: new Error("the audit log left rows unread after every retry") };
    });
  }
}

/** Reads an event; in an index it says what the index holds. */
function eventOf(item: Item): AuditEvent {
  const attributes = plainOf(item, (text) => text);
  const { pk, sk, at_id: atId } = attributes;
  if (typeof pk !== "string" || typeof sk !== "string" || typeof atId !== "string")
    throw new Error("an audit event has no key");
  const attempt = /^(.+)#[a-z_]+$/.exec(sk)?.[1] ?? null;
  const [at = ""] = atId.split("#", 1);
  return eventFrom(pk, attempt, { ...attributes, at });
}
