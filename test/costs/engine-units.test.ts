import {
  type AttributeValue,
  type ConsumedCapacity,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { itemSize } from "../support/item-size.ts";

/**
 * Guarantees that the units that the engine tells, of which docs/limits.md is computed, are those of DynamoDB's rules:
 * a write is a unit for each KB of the item, the larger of before and after; in a transaction two; an index entry one
 * for each KB of it, two where its key moves, none where nothing of it changes; a read half a unit for 4 KB, or a whole
 * one if it is consistent ("Read and write operations", "Using Global Secondary Indexes: write capacity", documentation
 * of DynamoDB, read 2026-11-28).
 */

const TableName = "keybrake-audit";
let engine: LocalDynamoDb;
beforeAll(async () => {
  engine = await startDynamoDb();
});
afterAll(() => engine.close());

type Item = Record<string, AttributeValue>;

const INDEXED = {
  key_shard: { S: "k#1" },
  vendor_shard: { S: "stripe#1" },
  label_shard: { S: "l#1" },
  label_group_shard: { S: "g#1" },
  at_id: { S: "2026-11-28T08:00:00.000Z#1" },
};

/** An item of exactly so many bytes. */
function sized(pk: string, bytes: number, fields: Item = {}): Item {
  const item: Item = { pk: { S: pk }, sk: { S: "s" }, ...fields, filler: { S: "" } };
  return { ...item, filler: { S: "x".repeat(bytes - itemSize(item)) } };
}

const told = ({ ConsumedCapacity: consumed }: { ConsumedCapacity?: ConsumedCapacity | undefined }) => ({
  table: consumed?.Table?.CapacityUnits ?? 0,
  indexes: Object.values(consumed?.GlobalSecondaryIndexes ?? {}).map(
    ({ CapacityUnits }) => CapacityUnits ?? 0,
  ),
  all: consumed?.CapacityUnits ?? 0,
});

const put = async (item: Item) =>
  told(
    await engine.client.send(
      new PutItemCommand({ TableName, Item: item, ReturnConsumedCapacity: "INDEXES" }),
    ),
  );

const update = async (pk: string, expression: string, values: Item) =>
  told(
    await engine.client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: pk }, sk: { S: "s" } },
        UpdateExpression: expression,
        ExpressionAttributeValues: values,
        ReturnConsumedCapacity: "INDEXES",
      }),
    ),
  );

test.each([
  [1_024, 1],
  [1_025, 2],
  [2_048, 2],
  [20_000, 20],
])("a put of %i bytes is %i units", async (bytes, units) => {
  expect((await put(sized(`put-${bytes}`, bytes))).all).toBe(units);
});

test("a put into four indexes is a unit more for each, however large the item", async () => {
  expect(await put(sized("indexed", 3_000, INDEXED))).toEqual({ table: 3, indexes: [1, 1, 1, 1], all: 7 });
});

test("a put in a transaction is twice the units of the table", async () => {
  const { ConsumedCapacity: [consumed] = [] } = await engine.client.send(
    new TransactWriteItemsCommand({
      TransactItems: [{ Put: { TableName, Item: sized("transacted", 1_000, INDEXED) } }],
      ReturnConsumedCapacity: "INDEXES",
    }),
  );
  expect(told({ ConsumedCapacity: consumed })).toEqual({ table: 2, indexes: [1, 1, 1, 1], all: 6 });
});

test("an update is the larger of the item before and after", async () => {
  await put(sized("shrinks", 3_000));
  expect((await update("shrinks", "SET filler = :x", { ":x": { S: "x" } })).all).toBe(3);
  expect((await update("shrinks", "SET filler = :x", { ":x": { S: "y" } })).all).toBe(1);
  expect((await update("shrinks", "SET filler = :x", { ":x": { S: "x".repeat(1_500) } })).all).toBe(2);
});

test("an update is no unit of an index that it does not touch, one where a held attribute changes, two where the key does", async () => {
  await put(sized("moves", 900, INDEXED));
  expect((await update("moves", "SET filler = :x", { ":x": { S: "x" } })).all).toBe(1);
  expect((await update("moves", "SET reason = :x", { ":x": { S: "x" } })).all).toBe(5);
  expect((await update("moves", "SET key_shard = :x", { ":x": { S: "k#2" } })).all).toBe(3);
});

test("a read of 9 KB is three units if it is consistent, and half of that if not", async () => {
  await put(sized("read", 9_000));
  const read = async (consistent: boolean) =>
    told(
      await engine.client.send(
        new GetItemCommand({
          TableName,
          Key: { pk: { S: "read" }, sk: { S: "s" } },
          ConsistentRead: consistent,
          ReturnConsumedCapacity: "INDEXES",
        }),
      ),
    ).all;
  expect(await read(true)).toBe(3);
  expect(await read(false)).toBe(1.5);
});

test("a query counts what it reads and not what it answers", async () => {
  await put(sized("queried", 9_000));
  const { all } = told(
    await engine.client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ProjectionExpression: "pk",
        ExpressionAttributeValues: { ":pk": { S: "queried" } },
        ConsistentRead: true,
        ReturnConsumedCapacity: "INDEXES",
      }),
    ),
  );
  expect(all).toBe(3);
});
