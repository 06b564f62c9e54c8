import { randomUUID } from "node:crypto";
import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { eventAttributes, eventFrom } from "../audit-wire.ts";
import type { AuditEvent } from "../domain/audit-event.ts";
import { AUDIT_COLUMNS } from "../domain/audit-fields.ts";
import type { LooseEnd } from "../domain/call/loose-end.ts";
import { isoDay, isoTime } from "../domain/time.ts";
import type { AttemptJournal, JournalBatch, Unended } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import { journalPartition, WRITTEN_TO } from "./audit-items/journal.ts";
import { ALL_SHARDS, shardOf } from "./shards.ts";
import type { Item } from "./vault-items/codec.ts";

const DAY_MS = 86_400_000;
/** An item has 400 KB ("Service, account, and table quotas", documentation of DynamoDB, read 2026-11-28). */
const BYTES_MAX = 300_000;
/** Read at once. Without a limit a local engine (dynoxide 1.2.1) reads everything that is left for each page of 1 MB. */
const READ_MAX = 200;
/** The sweep has a week to come by. */
const KEPT_DAYS = 7;
/**
 * So far apart an attempt and its outcome may be noted, in either order: the stream orders no two items, and a consumer may
 * lag. Beyond it an attempt is told as open first, and its outcome tops that.
 */
const OUT_OF_ORDER_MS = 600_000;

const SWEPT = { pk: { S: "SWEPT" }, sk: { S: "SWEPT" } };

/** Columns that the policy of the key tells: the sweep reads them there. */
const OF_THE_KEY = new Set(
  AUDIT_COLUMNS.filter(([field, { always }]) => always === true && field !== "keyId" && field !== "type").map(
    ([, { name }]) => name,
  ),
);

/** The journal of attempts in the Audit table: one item for each batch, found by the time it was written. */
export class DynamoAttemptJournal implements AttemptJournal {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #newId: () => string;

  /** `newId`: names an item, random. */
  constructor(client: DynamoDBClient, table: string, clock: Clock, newId: () => string = randomUUID) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
    this.#newId = newId;
  }

  async note({ begun, looseEnds, ended, writtenToMs }: JournalBatch): Promise<void> {
    const [first = [], ...others] = parts(begun.map(writtenEvent));
    await Promise.all([
      this.#put(first, looseEnds, ended, writtenToMs),
      ...others.map((part) => this.#put(part, [], [])),
    ]);
  }

  async #put(
    begun: readonly Written[],
    looseEnds: readonly LooseEnd[],
    ended: readonly string[],
    writtenToMs?: number,
  ): Promise<void> {
    const nowMs = this.#clock.now();
    const id = this.#newId();
    const item = {
      pk: { S: partition(isoDay(nowMs), shardOf(id)) },
      sk: { S: `${isoTime(nowMs)}#${id}` },
      begun: { S: `[${begun.map(({ text }) => text).join(",")}]` },
      begun_ids: { S: [...new Set(begun.map(({ attemptId }) => attemptId))].join(" ") },
      ...(looseEnds.length > 0 && {
        loose: { S: looseEnds.map(({ id: end, recordId }) => `${end} ${recordId}`).join(" ") },
      }),
      ended_ids: { S: ended.join(" ") },
      ...(writtenToMs !== undefined && { [WRITTEN_TO]: { S: isoTime(writtenToMs) } }),
      ttl: { N: `${Math.floor(nowMs / 1000) + KEPT_DAYS * 86_400}` },
    };
    await this.#client.send(new PutItemCommand({ TableName: this.#table, Item: item }));
  }

  async unended(fromMs: number, toMs: number, aroundMs: number = OUT_OF_ORDER_MS): Promise<Unended> {
    const begun: { readonly item: Item; readonly ids: readonly string[] }[] = [];
    const loose: LooseEnd[] = [];
    const ended = new Set<string>();
    const [firstMs, lastMs] = [fromMs - aroundMs, toMs + aroundMs];
    const readPartition = async (partitionKey: string) => {
      for await (const item of this.#itemsIn(partitionKey, firstMs, lastMs)) {
        for (const id of idsIn(item, "ended_ids")) ended.add(id);
        const notedAt = item["sk"]?.S ?? "";
        if (notedAt < isoTime(fromMs) || notedAt >= isoTime(toMs)) continue;
        begun.push({ item, ids: idsIn(item, "begun_ids") });
        loose.push(...looseIn(item));
      }
    };
    for (const day of days(firstMs, lastMs)) await Promise.all(partitions(day).map(readPartition));
    const events: AuditEvent[] = [];
    for (const { item, ids } of begun) {
      const open = new Set(ids.filter((id) => !ended.has(id)));
      if (open.size === 0) continue;
      const all = await this.#eventsOf(item);
      events.push(...all.filter(({ attemptId }) => attemptId !== null && open.has(attemptId)));
    }
    return { events, looseEnds: loose.filter(({ id }) => !ended.has(id)) };
  }

  async beginsAtMs(): Promise<number | null> {
    const nowMs = this.#clock.now();
    for (const day of days(nowMs - KEPT_DAYS * DAY_MS, nowMs)) {
      const first = await Promise.all(partitions(day).map((partitionKey) => this.#firstIn(partitionKey)));
      const timesMs = first.flatMap((item) =>
        item?.["sk"]?.S === undefined ? [] : [notedAtMs(item["sk"].S)],
      );
      if (timesMs.length > 0) return Math.min(...timesMs);
    }
    return null;
  }

  async #firstIn(partitionKey: string): Promise<Item | undefined> {
    const { Items = [] } = await this.#client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: "pk = :pk",
        ProjectionExpression: "sk",
        ExpressionAttributeValues: { ":pk": { S: partitionKey } },
        ConsistentRead: true,
        Limit: 1,
      }),
    );
    return Items[0];
  }

  async sweptUntilMs(): Promise<number | null> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: SWEPT, ConsistentRead: true }),
    );
    return item?.["until"]?.S === undefined ? null : Date.parse(item["until"].S);
  }

  async markSwept(untilMs: number): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: SWEPT,
        UpdateExpression: "SET #until = :until",
        ExpressionAttributeNames: { "#until": "until" },
        ExpressionAttributeValues: { ":until": { S: isoTime(untilMs) } },
      }),
    );
  }

  /** Who began and ended, and not the events: few of them are wanted. */
  async *#itemsIn(partitionKey: string, fromMs: number, toMs: number): AsyncGenerator<Item> {
    let startKey: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ProjectionExpression: "pk, sk, begun_ids, loose, ended_ids",
          ExpressionAttributeValues: {
            ":pk": { S: partitionKey },
            ":from": { S: isoTime(fromMs) },
            ":to": { S: isoTime(toMs) },
          },
          ConsistentRead: true,
          Limit: READ_MAX,
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        }),
      );
      yield* Items;
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined);
  }

  async #eventsOf({ pk, sk }: Item): Promise<readonly AuditEvent[]> {
    if (pk === undefined || sk === undefined) return [];
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: { pk, sk }, ConsistentRead: true }),
    );
    return (JSON.parse(item?.["begun"]?.S ?? "[]") as readonly StoredEvent[]).map(
      ({ subject, attempt, ...attributes }) => eventFrom(subject, attempt, attributes),
    );
  }
}

interface StoredEvent extends Readonly<Record<string, unknown>> {
  readonly subject: string;
  readonly attempt: string;
}

/** An event as JSON. */
interface Written {
  readonly attemptId: string | null;
  readonly text: string;
}

function writtenEvent(event: AuditEvent): Written {
  const { subject, attemptId } = event;
  const attributes = Object.entries(eventAttributes(event)).filter(([name]) => !OF_THE_KEY.has(name));
  const text = JSON.stringify({ subject, attempt: attemptId, ...Object.fromEntries(attributes) });
  return { attemptId, text };
}

/** As many events as fit into one item together, whatever callers wrote into them. */
function parts(events: readonly Written[]): readonly (readonly Written[])[] {
  const all: Written[][] = [[]];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(event.text);
    if (bytes + size > BYTES_MAX) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(event);
    bytes += size;
  }
  return all;
}

const idsIn = (item: Item, name: string): readonly string[] =>
  (item[name]?.S ?? "").split(" ").filter((id) => id !== "");

function looseIn(item: Item): readonly LooseEnd[] {
  const words = idsIn(item, "loose");
  return words.flatMap((id, index) => (index % 2 === 0 ? [{ id, recordId: words[index + 1] ?? "" }] : []));
}

const notedAtMs = (sortKey: string): number => Date.parse(sortKey.slice(0, sortKey.indexOf("#")));

const partition = journalPartition;
const partitions = (day: string): readonly string[] => ALL_SHARDS.map((shard) => partition(day, shard));

function* days(fromMs: number, toMs: number): Generator<string> {
  for (let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS; dayMs <= toMs; dayMs += DAY_MS) yield isoDay(dayMs);
}
