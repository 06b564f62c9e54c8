import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { mendEngineFile, openEngineFile } from "../../../local/aws/engine-file.ts";
import { TABLES } from "../../../local/aws/tables.ts";

/** Guarantees that no write and no read of the stream looks through the records of before. */

const VAULT = TABLES[0].name;
const SHARD = { table: VAULT, shardId: `shardId-00000001-${VAULT}` };

let folder: string;
let dataFile: string;
const opened: LocalDynamoDb[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-engine-file-"));
  dataFile = join(folder, "data");
});
afterEach(async () => {
  for (const dynamodb of opened.splice(0)) await dynamodb.close();
  await rm(folder, { recursive: true });
});

async function start(announce?: (message: string) => void): Promise<LocalDynamoDb> {
  const dynamodb = await startDynamoDb({ dataFile, ...(announce && { announce }) });
  opened.push(dynamodb);
  return dynamodb;
}

const fileOf = ({ engineFile }: LocalDynamoDb) => {
  if (engineFile === undefined) throw new Error("the engine's file is not open");
  return engineFile;
};

const put = ({ client }: LocalDynamoDb, name: string) =>
  client.send(new PutItemCommand({ TableName: VAULT, Item: { pk: { S: name }, sk: { S: "x" } } }));

async function putAll(dynamodb: LocalDynamoDb, ...names: readonly string[]): Promise<void> {
  for (const name of names) await put(dynamodb, name);
}

function inFile<T>(act: (database: DatabaseSync) => T, file = dataFile): T {
  const database = new DatabaseSync(file);
  try {
    return act(database);
  } finally {
    database.close();
  }
}

const numbersOf = (table = VAULT) =>
  inFile((database) =>
    database
      .prepare(
        "SELECT sequence_number AS n FROM _stream_records WHERE table_name = ? ORDER BY CAST(n AS INTEGER)",
      )
      .all(table)
      .map(({ n }) => String(n)),
  );

const planOf = (sql: string) =>
  inFile((database) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail)),
  );

/** What dynoxide 1.2.1 asks, as it stands in its binary: at each write the first, at each read of the stream the second. */
const NEXT_NUMBER =
  "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'keybrake-vault'";
const READ = `SELECT event_name, keys_json, new_image, old_image, sequence_number, created_at, user_identity
             FROM _stream_records
             WHERE table_name = 'keybrake-vault' AND shard_id = 'shard' AND CAST(sequence_number AS INTEGER) > 7
             ORDER BY CAST(sequence_number AS INTEGER) ASC
             LIMIT 1000`;
const SEARCHES = [
  "SEARCH _stream_records USING COVERING INDEX keybrake_stream_position (table_name=?)",
  "SEARCH _stream_records USING INDEX keybrake_stream_position (table_name=? AND <expr>>?)",
];

const plans = () => [...planOf(NEXT_NUMBER), ...planOf(READ)];

/** A file as a Keybrake of before left it: without our index, with records in its stream. */
async function makeOldFile(...names: readonly string[]): Promise<void> {
  const before = await start();
  await putAll(before, ...names);
  await before.close();
  opened.splice(0);
  inFile((database) => database.exec("DROP INDEX keybrake_stream_position"));
}

test("the engine finds its next number and its next records by the index, in a new file", async () => {
  await start();

  expect(plans()).toEqual(SEARCHES);
});

test("an old file gets the index at its next start, and keeps its records", async () => {
  await makeOldFile("a", "b");
  expect(plans()).not.toEqual(SEARCHES);
  expect(plans().join()).toContain("SCAN _stream_records");

  const dynamodb = await start();

  expect(plans()).toEqual(SEARCHES);
  expect(numbersOf()).toEqual(["1", "2", "3"]);
  await put(dynamodb, "c");
  expect(numbersOf()).toEqual(["1", "2", "3", "4"]);
});

test("a long file is told before and after it is mended, a short one is not, and a mended one is not again", async () => {
  const told: string[] = [];
  await makeOldFile("a");
  mendEngineFile(dataFile, (message) => told.push(message));
  expect(told).toEqual([]);

  inFile((database) =>
    database.exec("DROP INDEX keybrake_stream_position; UPDATE _stream_records SET id = 100000 WHERE id = 2"),
  );
  mendEngineFile(dataFile, (message) => told.push(message));
  expect(told).toEqual([
    `${dataFile} was made by an older Keybrake: preparing it once for many calls, which takes a moment`,
    `${dataFile} is prepared`,
  ]);

  mendEngineFile(dataFile, (message) => told.push(message));
  expect(told).toHaveLength(2);
});

test("an empty file is left to the engine", () => {
  mendEngineFile(dataFile, () => {});

  expect(inFile((database) => database.prepare("SELECT name FROM sqlite_master").all())).toEqual([]);
});

test("the records before a number are trimmed, oldest first and at most so many; that one and later ones stay", async () => {
  const dynamodb = await start();
  await putAll(dynamodb, "a", "b", "c", "d");
  const file = fileOf(dynamodb);

  expect(file.trimStream(SHARD, "4", 2)).toBe(2);
  expect(numbersOf()).toEqual(["3", "4", "5"]);
  expect(file.trimStream(SHARD, "4", 2)).toBe(1);
  expect(numbersOf()).toEqual(["4", "5"]);
  expect(file.trimStream(SHARD, "4", 2)).toBe(0);
});

test("numbers are compared as numbers", async () => {
  const dynamodb = await start();
  await putAll(dynamodb, ..."abcdefghij");

  expect(fileOf(dynamodb).trimStream(SHARD, "10", 100)).toBe(9);
  expect(numbersOf()).toEqual(["10", "11"]);
});

/** Guarantees that the engine never gives a number twice: it takes the next one from the newest record. */
test("the newest record stays whatever is asked, and the numbers go on, after a start too", async () => {
  const first = await start();
  await putAll(first, "a", "b");
  expect(fileOf(first).trimStream(SHARD, "99", 100)).toBe(2);
  expect(numbersOf()).toEqual(["3"]);
  await put(first, "c");
  expect(numbersOf()).toEqual(["3", "4"]);
  await first.close();
  opened.splice(0);

  const second = await start();
  expect(fileOf(second).trimStream(SHARD, "99", 100)).toBe(1);
  await put(second, "d");
  expect(numbersOf()).toEqual(["4", "5"]);
});

test("only the shard that is named is trimmed", async () => {
  const dynamodb = await start();
  await putAll(dynamodb, "a", "b");

  expect(fileOf(dynamodb).trimStream({ ...SHARD, shardId: "another" }, "3", 100)).toBe(0);
  expect(fileOf(dynamodb).trimStream({ ...SHARD, table: "another" }, "3", 100)).toBe(0);
  expect(numbersOf()).toEqual(["1", "2", "3"]);
});

/** Guarantees that trimming never waits in the way of a call: the thread that would wait is the one that serves calls. */
test("while the engine writes nothing is trimmed and nothing waits", async () => {
  const dynamodb = await start();
  await putAll(dynamodb, "a", "b");
  inFile((writer) => {
    writer.exec("BEGIN IMMEDIATE");

    expect(fileOf(dynamodb).trimStream(SHARD, "3", 100)).toBeUndefined();
    writer.exec("COMMIT");
    expect(fileOf(dynamodb).trimStream(SHARD, "3", 100)).toBe(2);
  });
});

test("a write that meets a trim waits for it and is done", async () => {
  const dynamodb = await start();
  const writer = new DatabaseSync(dataFile);
  writer.exec("BEGIN IMMEDIATE; DELETE FROM _stream_records WHERE id < 0");
  const written = put(dynamodb, "a");
  const isFirst = await Promise.race([written, new Promise((resolve) => setImmediate(resolve, "waits"))]);
  expect(isFirst).toBe("waits");
  writer.exec("COMMIT");
  writer.close();

  expect((await written).$metadata.httpStatusCode).toBe(200);
});

test("what is no file of the engine is refused with the reason of SQLite", () => {
  expect(() => openEngineFile(dataFile)).toThrow("no such table: main._stream_records");
});

/** Guarantees that a run goes on where its file cannot be mended: calls are right without, only slower. */
test("where the index cannot be made the run says so once and trims nothing", async () => {
  await makeOldFile("a");
  inFile((database) => database.exec("CREATE VIEW keybrake_stream_position AS SELECT 1"));
  const told: string[] = [];

  const dynamodb = await start((message) => told.push(message));

  await put(dynamodb, "b");
  expect(dynamodb.engineFile).toBeUndefined();
  expect(told).toEqual([
    expect.stringMatching(/^the data file cannot be prepared for many calls: .*keybrake_stream_position/),
  ]);
});
