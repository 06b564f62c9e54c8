import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type { NamedTable } from "./tables.ts";

const INTERVAL_MS = 60_000;
/** Looked at in one read: the engine answers nobody else meanwhile. Without a limit it reads the whole table each time. */
const PAGE_MAX = 100;
/** Looked at in one sweep of a table, so that a sweep costs the same however much there is: 2.8 million items a day. */
const SWEEP_MAX = 2_000;

export interface TtlSweepOptions {
  readonly client: DynamoDBClient;
  readonly tables: readonly NamedTable[];
  readonly intervalMs?: number;
  readonly nowS?: () => number;
  /** Items that one sweep looks at in each table, at most. */
  readonly sweepMax?: number;
  /** Told why a sweep failed; the next one comes all the same. */
  readonly onError?: (error: unknown) => void;
}

export interface TtlSweep {
  /** Sweeps now, where the last sweep ended, and returns how many items it deleted. */
  sweep(): Promise<number>;
  /** Sweeps no more; resolves when a sweep under way has ended. */
  close(): Promise<void>;
}

/**
 * Deletes expired items, as DynamoDB does within about two days and dynoxide never does. Every minute it looks at some
 * thousand items of each table, behind those of the last minute, and begins again at the end.
 */
export function startTtlSweep(options: TtlSweepOptions): TtlSweep {
  const nowS = options.nowS ?? (() => Math.floor(Date.now() / 1000));
  const places = options.tables.map((table): Place => ({ table, after: undefined }));
  const sweepMax = options.sweepMax ?? SWEEP_MAX;

  /** Deletes the items whose TTL attribute, a Number of epoch seconds, is past; returns how many. */
  async function sweep(): Promise<number> {
    let deleted = 0;
    for (const place of places) {
      for (let seen = 0; seen < sweepMax; seen += PAGE_MAX) {
        const pageMax = Math.min(PAGE_MAX, sweepMax - seen);
        const page = await expiredKeys(options.client, place, pageMax, nowS());
        for (const key of page.keys)
          if (await deleteIfExpired(options.client, place.table, key, nowS())) deleted++;
        place.after = page.last;
        if (page.last === undefined) break;
      }
    }
    return deleted;
  }

  let underWay: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    underWay = underWay.then(sweep).catch((error: unknown) => options.onError?.(error));
  }, options.intervalMs ?? INTERVAL_MS);
  timer.unref();

  return {
    sweep,
    close: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}

type Key = Record<string, AttributeValue>;

/** How far a table is swept. */
interface Place {
  readonly table: NamedTable;
  after: Key | undefined;
}

/** Attributes of other types than Number are no TTL to DynamoDB either. */
const EXPIRED = "attribute_type(#ttl, :number) AND #ttl < :now";

const expiredValues = (nowS: number) => ({ ":number": { S: "N" }, ":now": { N: String(nowS) } });

/** The expired ones of the next `pageMax` items, and the last item that was looked at; undefined at the end of the table. */
async function expiredKeys(
  client: DynamoDBClient,
  { table: { name, schema }, after }: Place,
  pageMax: number,
  nowS: number,
): Promise<{ readonly keys: readonly Key[]; readonly last: Key | undefined }> {
  const { Items: keys = [], LastEvaluatedKey: last } = await client.send(
    new ScanCommand({
      TableName: name,
      Limit: pageMax,
      ExclusiveStartKey: after,
      FilterExpression: EXPIRED,
      ProjectionExpression: "#partition, #sort",
      ExpressionAttributeNames: {
        "#ttl": schema.ttlAttribute,
        "#partition": schema.partitionKey,
        "#sort": schema.sortKey,
      },
      ExpressionAttributeValues: expiredValues(nowS),
    }),
  );
  return { keys, last };
}

/** The condition holds again at the delete: an item whose expiry was moved in between stays. */
async function deleteIfExpired(
  client: DynamoDBClient,
  { name, schema }: NamedTable,
  key: Key,
  nowS: number,
): Promise<boolean> {
  try {
    await client.send(
      new DeleteItemCommand({
        TableName: name,
        Key: key,
        ConditionExpression: EXPIRED,
        ExpressionAttributeNames: { "#ttl": schema.ttlAttribute },
        ExpressionAttributeValues: expiredValues(nowS),
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
