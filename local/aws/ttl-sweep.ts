import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import type { NamedTable } from "./tables.ts";

const INTERVAL_MS = 60_000;

export interface TtlSweepOptions {
  readonly client: DynamoDBClient;
  readonly tables: readonly NamedTable[];
  readonly intervalMs?: number;
  readonly nowS?: () => number;
  /** Told why a sweep failed; the next one comes all the same. */
  readonly onError?: (error: unknown) => void;
}

export interface TtlSweep {
  /** Sweeps now and returns how many items it deleted. */
  sweep(): Promise<number>;
  /** Sweeps no more; resolves when a sweep under way has ended. */
  close(): Promise<void>;
}

/** Deletes expired items every minute, as DynamoDB does within about two days and dynoxide never does. */
export function startTtlSweep(options: TtlSweepOptions): TtlSweep {
  const nowS = options.nowS ?? (() => Math.floor(Date.now() / 1000));
  const sweep = () => deleteExpired(options.client, options.tables, nowS());

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

/** Deletes the items whose TTL attribute, a Number of epoch seconds, is past; returns how many. */
async function deleteExpired(
  client: DynamoDBClient,
  tables: readonly NamedTable[],
  nowS: number,
): Promise<number> {
  let deleted = 0;
  for (const table of tables) {
    for await (const key of expiredKeys(client, table, nowS)) {
      if (await deleteIfExpired(client, table, key, nowS)) deleted++;
    }
  }
  return deleted;
}

type Key = Record<string, AttributeValue>;

/** Attributes of other types than Number are no TTL to DynamoDB either. */
const EXPIRED = "attribute_type(#ttl, :number) AND #ttl < :now";

const expiredValues = (nowS: number) => ({ ":number": { S: "N" }, ":now": { N: String(nowS) } });

async function* expiredKeys(
  client: DynamoDBClient,
  { name, schema }: NamedTable,
  nowS: number,
): AsyncGenerator<Key> {
  const pages = paginateScan(
    { client },
    {
      TableName: name,
      FilterExpression: EXPIRED,
      ProjectionExpression: "#partition, #sort",
      ExpressionAttributeNames: {
        "#ttl": schema.ttlAttribute,
        "#partition": schema.partitionKey,
        "#sort": schema.sortKey,
      },
      ExpressionAttributeValues: expiredValues(nowS),
    },
  );
  for await (const page of pages) yield* page.Items ?? [];
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
