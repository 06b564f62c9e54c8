import { BatchWriteItemCommand, type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { eachAtOnce } from "../at-once.ts";
import { type BalanceWrite, Evidence, runsOf, type WriteRun } from "../domain/balance-write.ts";
import { CLOCKS_APART_MS, isoTime } from "../domain/time.ts";
import type { Clock } from "../ports/clock.ts";
import type { EvidenceLog, EvidenceReader } from "../ports/evidence.ts";
import { RESENDS_MAX, withBackOff } from "./back-off.ts";
import type { Item } from "./vault-items/codec.ts";

/** What one BatchWriteItem takes ("BatchWriteItem", API reference of DynamoDB, read 2026-11-28). */
const PUTS_MAX = 25;
const PUTS_AT_ONCE = 4;
/** What is open for longer has no evidence any more, and stays held. The journal keeps its notes as long. */
const KEPT_DAYS = 7;
const PAGE = 100;
/** Stands for a write that moves no money. */
const NO_ID = "-";

const partition = (keyId: string): string => `SEEN#${keyId}`;
const sortKey = (number: number): string => `${number}`.padStart(12, "0");
/** By its first and last number: a batch that comes again in another size, or late, takes nothing away from a longer one. */
const placeOf = ({ from, ids }: Pick<WriteRun, "from" | "ids">): string =>
  `${sortKey(from)}-${sortKey(from + ids.length - 1)}`;

/** The writes of each balance in the Audit table: an item for each batch of the stream that has some of them. */
export class DynamoEvidence implements EvidenceLog, EvidenceReader {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(client: DynamoDBClient, table: string, clock: Clock) {
    this.#client = client;
    this.#table = table;
    this.#clock = clock;
  }

  async note(writes: readonly BalanceWrite[]): Promise<void> {
    const ttlS = Math.floor(this.#clock.now() / 1000) + KEPT_DAYS * 86_400;
    const items = runsOf(writes).map((run) => itemOf(run, ttlS));
    const parts = Array.from({ length: Math.ceil(items.length / PUTS_MAX) }, (_, index) =>
      items.slice(index * PUTS_MAX, (index + 1) * PUTS_MAX),
    );
    await eachAtOnce(parts, PUTS_AT_ONCE, (part) => this.#putAll(part));
  }

  async #putAll(items: readonly Item[]): Promise<void> {
    let left = items.map((Item) => ({ PutRequest: { Item } }));
    await withBackOff(RESENDS_MAX, async () => {
      const { UnprocessedItems } = await this.#client.send(
        new BatchWriteItemCommand({ RequestItems: { [this.#table]: left } }),
      );
      // What was throttled comes back unwritten, in an answer that is no error.
      left = (UnprocessedItems?.[this.#table] ?? []) as typeof left;
      if (left.length === 0) return { kind: "done", value: undefined };
      return { kind: "again", cause: new Error("the table left evidence unwritten after every retry") };
    });
  }

  async landed(keyId: string, lastNumber: number, sinceMs: number): Promise<ReadonlySet<string> | null> {
    // A process may have a wrong clock. Of one that is off by more a draw may not be found: then it stays held, and is not spent.
    const evidence = new Evidence(lastNumber, sinceMs - CLOCKS_APART_MS);
    let startKey: Item | undefined;
    do {
      const { Items = [], LastEvaluatedKey } = await this.#client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: "pk = :pk AND sk <= :last",
          ExpressionAttributeValues: {
            ":pk": { S: partition(keyId) },
            ":last": { S: sortKey(lastNumber + 1) },
          },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: PAGE,
          ...(startKey === undefined ? {} : { ExclusiveStartKey: startKey }),
        }),
      );
      for (const item of Items) {
        evidence.add(runIn(item));
        if (evidence.isDone) return evidence.landed();
      }
      startKey = LastEvaluatedKey;
    } while (startKey !== undefined);
    return evidence.landed();
  }
}

const itemOf = ({ keyId, from, ids, writtenMs, previousMs }: WriteRun, ttlS: number): Item => ({
  pk: { S: partition(keyId) },
  sk: { S: placeOf({ from, ids }) },
  ids: { S: ids.map((id) => id ?? NO_ID).join(" ") },
  ...(Number.isFinite(writtenMs) ? { at: { S: isoTime(writtenMs) } } : {}),
  ...(Number.isFinite(previousMs) ? { after: { S: isoTime(previousMs) } } : {}),
  ttl: { N: `${ttlS}` },
});

const runIn = (item: Item): Omit<WriteRun, "keyId"> => ({
  from: Number(item["sk"]?.S?.slice(0, 12)),
  ids: (item["ids"]?.S ?? "").split(" ").map((id) => (id === NO_ID ? null : id)),
  writtenMs: timeIn(item, "at"),
  previousMs: timeIn(item, "after"),
});

const timeIn = (item: Item, name: string): number =>
  item[name]?.S === undefined ? Infinity : Date.parse(item[name].S);
