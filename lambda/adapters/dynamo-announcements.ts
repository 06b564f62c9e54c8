import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { isoTime } from "../domain/time.ts";
import type { AnnouncementRegister, KeptEvent, OutgoingEvent } from "../ports/announcements.ts";
import type { Clock } from "../ports/clock.ts";

const DAY_S = 86_400;
/** Longer than a key lives: a window that is announced is announced for good. */
const MARKED_DAYS = 40;
/** For so long an event that was not taken is sent again. */
const KEPT_DAYS = 2;

const KEPT = "UNSENT";
const markKey = (id: string) => ({ pk: { S: `ANNOUNCED#${id}` }, sk: { S: "ANNOUNCED" } });

/**
 * What was announced, and what waits to be sent, as items of the Audit table. They are none of its events, and are read by
 * whoever announces alone. Only `kept` is asked regularly: mostly it finds nothing.
 */
export class DynamoAnnouncements implements AnnouncementRegister {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(client: DynamoDBClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  async marked(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await Promise.all(
      ids.map(async (id) => {
        const key = { TableName: this.#table, Key: markKey(id), ConsistentRead: true };
        const { Item } = await this.#client.send(new GetItemCommand(key));
        return Item === undefined ? [] : [id];
      }),
    );
    return new Set(found.flat());
  }

  async mark(ids: readonly string[]): Promise<void> {
    const ttl = { N: `${this.#nowS() + MARKED_DAYS * DAY_S}` };
    await Promise.all(
      ids.map((id) =>
        this.#client.send(new PutItemCommand({ TableName: this.#table, Item: { ...markKey(id), ttl } })),
      ),
    );
  }

  async keep(events: readonly OutgoingEvent[]): Promise<void> {
    const at = isoTime(this.#clock.now());
    const ttl = { N: `${this.#nowS() + KEPT_DAYS * DAY_S}` };
    await Promise.all(
      events.map(({ id, type, detail }) =>
        this.#client.send(
          new PutItemCommand({
            TableName: this.#table,
            Item: {
              pk: { S: KEPT },
              sk: { S: `${at}#${id}` },
              event_id: { S: id },
              event_type: { S: type },
              detail: { S: detail },
              ttl,
            },
          }),
        ),
      ),
    );
  }

  async kept(limit: number): Promise<readonly KeptEvent[]> {
    const found: KeptEvent[] = [];
    let startKey: QueryStart;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: "pk = :kept",
          FilterExpression: "attribute_not_exists(sent_at)",
          ExpressionAttributeValues: { ":kept": { S: KEPT } },
          ConsistentRead: true,
          ExclusiveStartKey: startKey,
        }),
      );
      for (const { sk, event_id, event_type, detail } of Items)
        found.push({
          place: sk?.S ?? "",
          id: event_id?.S ?? "",
          type: event_type?.S ?? "",
          detail: detail?.S ?? "",
        });
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined && found.length < limit);
    return found.slice(0, limit);
  }

  /** Nobody deletes in this table: what was sent says so, and its TTL is over. */
  async drop(events: readonly KeptEvent[]): Promise<void> {
    const nowS = this.#nowS();
    await Promise.all(
      events.map(({ place }) =>
        this.#client.send(
          new UpdateItemCommand({
            TableName: this.#table,
            Key: { pk: { S: KEPT }, sk: { S: place } },
            UpdateExpression: "SET sent_at = :now, #ttl = :over",
            ExpressionAttributeNames: { "#ttl": "ttl" },
            ExpressionAttributeValues: {
              ":now": { S: isoTime(this.#clock.now()) },
              ":over": { N: `${nowS}` },
            },
          }),
        ),
      ),
    );
  }

  #nowS(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

type QueryStart = ConstructorParameters<typeof QueryCommand>[0]["ExclusiveStartKey"];
