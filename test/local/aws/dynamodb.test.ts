import { spawn } from "node:child_process";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  DescribeTableCommand,
  GetItemCommand,
  type GlobalSecondaryIndexUpdate,
  ListTablesCommand,
  PutItemCommand,
  QueryCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LAYOUT_VERSION } from "../../../lambda/layout.ts";
import { lockData } from "../../../local/aws/data-lock.ts";
import { type LocalDynamoDb, type LocalDynamoDbOptions, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { StartError } from "../../../local/start-error.ts";

let dataFile = "";
const opened: LocalDynamoDb[] = [];

beforeEach(async () => {
  dataFile = join(await mkdtemp(join(tmpdir(), "keybrake-data-")), "data");
});

afterEach(async () => {
  for (const dynamodb of opened.splice(0)) await dynamodb.close();
});

async function start(options?: LocalDynamoDbOptions): Promise<LocalDynamoDb> {
  const dynamodb = await startDynamoDb(options);
  opened.push(dynamodb);
  return dynamodb;
}

const tableOf = async ({ client }: LocalDynamoDb, name: string) =>
  (await client.send(new DescribeTableCommand({ TableName: name }))).Table;

const layoutOf = async ({ client }: LocalDynamoDb) => {
  const key = { pk: { S: "LAYOUT" }, sk: { S: "LAYOUT" } };
  return (await client.send(new GetItemCommand({ TableName: "keybrake-vault", Key: key }))).Item;
};

const setLayout = ({ client }: LocalDynamoDb, version: string) =>
  client.send(
    new PutItemCommand({
      TableName: "keybrake-vault",
      Item: { pk: { S: "LAYOUT" }, sk: { S: "LAYOUT" }, version: { N: version } },
    }),
  );

test("a new engine has both tables as they are deployed, and the layout's version", async () => {
  const dynamodb = await start();

  expect(await tableOf(dynamodb, "keybrake-vault")).toMatchObject({
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
  });
  const audit = await tableOf(dynamodb, "keybrake-audit");
  expect(
    audit?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema }) => [
      IndexName,
      KeySchema?.map((key) => key.AttributeName),
    ]).sort(),
  ).toEqual([
    ["by_key", ["key_shard", "at_id"]],
    ["by_label", ["label_shard", "at_id"]],
    ["by_label_group", ["label_group_shard", "at_id"]],
    ["by_vendor", ["vendor_shard", "at_id"]],
  ]);
  expect(audit?.StreamSpecification).toBeUndefined();
  expect(await layoutOf(dynamodb)).toEqual({
    pk: { S: "LAYOUT" },
    sk: { S: "LAYOUT" },
    version: { N: `${LAYOUT_VERSION}` },
  });
});

test("a file keeps what was written and can be used again", async () => {
  const first = await start({ dataFile });
  const item = { pk: { S: "a" }, sk: { S: "b" }, n: { N: "1" } };
  await first.client.send(new PutItemCommand({ TableName: "keybrake-vault", Item: item }));
  await first.close();

  const second = await start({ dataFile });
  const key = { pk: { S: "a" }, sk: { S: "b" } };
  const { Item: read } = await second.client.send(
    new GetItemCommand({ TableName: "keybrake-vault", Key: key }),
  );
  expect(read).toEqual(item);
});

test("a file of the first layout gets what is new of its tables, and keeps what is in it", async () => {
  const older = await start({ dataFile });
  await older.client.send(
    new UpdateTableCommand({
      TableName: "keybrake-vault",
      GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: "by_late_price" } }],
    }),
  );
  const item = {
    pk: { S: "CALL#1" },
    sk: { S: "CALL" },
    late_vendor: { S: "twilio" },
    late_due: { S: "2026" },
  };
  await older.client.send(new PutItemCommand({ TableName: "keybrake-vault", Item: item }));
  await setLayout(older, "1");
  await older.close();

  const newer = await start({ dataFile });
  const { Items } = await newer.client.send(
    new QueryCommand({
      TableName: "keybrake-vault",
      IndexName: "by_late_price",
      KeyConditionExpression: "late_vendor = :vendor",
      ExpressionAttributeValues: { ":vendor": { S: "twilio" } },
    }),
  );
  expect(Items).toEqual([item]);
  expect(await layoutOf(newer)).toMatchObject({ version: { N: `${LAYOUT_VERSION}` } });
});

test("indexes that have other keys, hold less or are no more are made anew, and find what has their keys", async () => {
  const older = await start({ dataFile });
  const change = (update: GlobalSecondaryIndexUpdate) =>
    older.client.send(
      new UpdateTableCommand({
        TableName: "keybrake-audit",
        AttributeDefinitions: ["pk", "sk", "key_id", "vendor_day", "vendor_shard", "at_id"].map((name) => ({
          AttributeName: name,
          AttributeType: "S",
        })),
        GlobalSecondaryIndexUpdates: [update],
      }),
    );
  const create = (IndexName: string, partitionKey: string, ProjectionType: "ALL" | "KEYS_ONLY") =>
    change({
      Create: {
        IndexName,
        KeySchema: [
          { AttributeName: partitionKey, KeyType: "HASH" },
          { AttributeName: "at_id", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType },
      },
    });
  await change({ Delete: { IndexName: "by_key" } });
  await create("by_key", "key_id", "ALL");
  await change({ Delete: { IndexName: "by_vendor" } });
  await create("by_vendor", "vendor_shard", "KEYS_ONLY");
  await create("by_vendor_day", "vendor_day", "ALL");
  const item = { pk: { S: "1" }, sk: { S: "2" }, key_shard: { S: "key_1#0" }, at_id: { S: "2026" } };
  await older.client.send(new PutItemCommand({ TableName: "keybrake-audit", Item: item }));
  await older.close();

  const newer = await start({ dataFile });
  const audit = await tableOf(newer, "keybrake-audit");
  const fresh = await tableOf(await start(), "keybrake-audit");
  const shapeOf = (table: typeof audit) =>
    table?.GlobalSecondaryIndexes?.map(({ IndexName, KeySchema, Projection }) =>
      JSON.stringify([
        IndexName,
        KeySchema,
        Projection?.ProjectionType,
        Projection?.NonKeyAttributes?.toSorted(),
      ]),
    ).sort();
  expect(shapeOf(audit)).toEqual(shapeOf(fresh));
  const { Items } = await newer.client.send(
    new QueryCommand({
      TableName: "keybrake-audit",
      IndexName: "by_key",
      KeyConditionExpression: "key_shard = :key",
      ExpressionAttributeValues: { ":key": { S: "key_1#0" } },
    }),
  );
  expect(Items).toEqual([item]);
});

/** Guarantees that an older program does not misread money that a newer one wrote. */
test("a file of a newer layout is refused and not changed", async () => {
  const newer = await start({ dataFile });
  await setLayout(newer, `${LAYOUT_VERSION + 1}`);
  await newer.close();

  await expect(start({ dataFile })).rejects.toThrow(
    new StartError(
      `${dataFile} has layout ${LAYOUT_VERSION + 1}, written by a newer Keybrake; this one reads layout ${LAYOUT_VERSION}: use the newer version, or another file`,
    ),
  );
  expect(await readdir(join(dataFile, ".."))).not.toContain("data.lock");
});

test("a file in use is refused, and free again after its run", async () => {
  const first = await start({ dataFile });

  await expect(startDynamoDb({ dataFile })).rejects.toThrow(
    `${dataFile} is in use by process ${process.pid}`,
  );
  await first.close();
  await start({ dataFile });
});

test("a lock of processes that are gone is stale", async () => {
  const gone = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await new Promise((resolve) => gone.on("close", resolve));
  await writeFile(`${dataFile}.lock`, String(gone.pid));

  const lock = await lockData(dataFile, 0);
  await expect(lockData(dataFile, 0)).rejects.toThrow("is in use");
  await lock.release();
});

/** Guarantees that a killed run leaves no engine behind that a new one on the same file would meet. */
test("a SIGKILL of our process kills the engine, before the file is used again", async () => {
  const holder = spawn(process.execPath, [join(import.meta.dirname, "hold-engine.ts"), dataFile], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const endpoint = await new Promise<string>((resolve) =>
    holder.stdout.once("data", (line) => resolve(String(line).trim())),
  );
  expect((await fetch(endpoint)).status).toBeGreaterThan(0);

  holder.kill("SIGKILL");
  const dynamodb = await start({ dataFile });

  await expect(fetch(endpoint)).rejects.toThrow("fetch failed");
  expect(await layoutOf(dynamodb)).toBeDefined();
});

test("without an engine for the platform the user is told what to do", async () => {
  const started = startDynamoDb({ engine: undefined });

  await expect(started).rejects.toThrow(StartError);
  await expect(started).rejects.toThrow(/^no database engine for .*KEYBRAKE_DYNAMODB/);
});

test("another DynamoDB is used as it is: nothing is tried with a file of it, and only the lock stands beside the data file", async () => {
  const own = await start();
  await setLayout(own, "1");
  const told: string[] = [];

  const announce = (message: string) => told.push(message);
  const dynamodb = await start({ dataFile, endpoint: own.endpoint, announce });

  expect(dynamodb.endpoint).toBe(own.endpoint);
  expect([dynamodb.pid, dynamodb.data, dynamodb.engineFile, told]).toEqual([
    undefined,
    undefined,
    undefined,
    [],
  ]);
  expect(await readdir(join(dataFile, ".."))).toEqual([basename(`${dataFile}.lock`)]);
  expect((await dynamodb.client.send(new ListTablesCommand({}))).TableNames).toEqual([
    "keybrake-audit",
    "keybrake-vault",
  ]);
  await expect(start({ dataFile, endpoint: own.endpoint })).rejects.toThrow(/is in use by process/);
});

test("another DynamoDB that does not answer is named, and the data file is free again", async () => {
  const gone = await start();
  await gone.close();

  await expect(startDynamoDb({ dataFile, endpoint: gone.endpoint })).rejects.toThrow(
    `KEYBRAKE_DYNAMODB is ${gone.endpoint}, which does not answer like DynamoDB`,
  );
  expect(await readdir(join(dataFile, ".."))).toEqual([]);
});
