import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { type StreamPoller, startStreamPoller } from "../../../local/aws/stream-poller.ts";
import { type StreamTrim, startStreamTrim } from "../../../local/aws/stream-trim.ts";
import { TABLES } from "../../../local/aws/tables.ts";
import { gate } from "../gate.ts";

/** Guarantees that trimming a stream of the real engine loses no record that the consumer has not had. */

const TABLE = TABLES[0];

let folder: string;
let dataFile: string;
let dynamodb: LocalDynamoDb;
beforeEach(async () => {
  announced.splice(0);
  folder = await mkdtemp(join(tmpdir(), "keybrake-trim-"));
  dataFile = join(folder, "data");
  dynamodb = await startDynamoDb({ dataFile });
});
afterEach(async () => {
  await dynamodb.close();
  await rm(folder, { recursive: true });
});

async function restart(): Promise<void> {
  await dynamodb.close();
  dynamodb = await startDynamoDb({ dataFile });
}

/** Writes items `from` to `to`, whose records get numbers one higher: the engine's first is the layout's. */
async function put(from: number, to: number): Promise<void> {
  for (let start = from; start <= to; start += 25) {
    const names = Array.from({ length: Math.min(25, to - start + 1) }, (_, index) => String(start + index));
    const puts = names.map((name) => ({ PutRequest: { Item: { pk: { S: name }, sk: { S: "x" } } } }));
    await dynamodb.client.send(new BatchWriteItemCommand({ RequestItems: { [TABLE.name]: puts } }));
  }
}

const nameOf = ({ dynamodb: change }: DynamoDBRecord) => change?.Keys?.["pk"]?.S ?? "?";

const announced: string[] = [];
const announce = (message: string) => announced.push(message);

function startTrim(): StreamTrim {
  const file = dynamodb.engineFile;
  if (file === undefined) throw new Error("the engine's file is not open");
  return startStreamTrim({ file, table: TABLE.name, announce, rest: async () => {} });
}

/** `consume` answers for the consumer, by the names that it got. Without `trim` it is a poller as it was before. */
function startPoller(
  consume: (names: readonly string[], records: readonly DynamoDBRecord[]) => unknown,
  trim?: StreamTrim,
): Promise<StreamPoller> {
  return startStreamPoller({
    client: dynamodb.client,
    endpoint: dynamodb.endpoint,
    table: TABLE,
    functionName: "record-audit",
    invoke: async ({ Records: records }) => consume(records.map(nameOf), records),
    checkpointFile: `${dataFile}.checkpoint`,
    deadLetterDirectory: join(folder, "dead-letters"),
    trim,
    announce,
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  });
}

/** Consumes and trims all there is, and returns the names that the consumer got. */
async function consumeAll(): Promise<readonly string[]> {
  const consumed: string[] = [];
  const trim = startTrim();
  const poller = await startPoller((names) => {
    consumed.push(...names);
  }, trim);
  await poller.drain();
  await trim.settled();
  await poller.close();
  await trim.close();
  expect(announced).toEqual([]);
  return consumed;
}

function inFile<T>(act: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(dataFile);
  try {
    return act(database);
  } finally {
    database.close();
  }
}

/** The first and the last number in the stream, and how many records are between. */
const stream = () =>
  inFile(
    (database) =>
      database
        .prepare(
          "SELECT MIN(CAST(sequence_number AS INTEGER)) AS oldest, MAX(CAST(sequence_number AS INTEGER)) AS newest, COUNT(*) AS count FROM _stream_records",
        )
        .get() ?? {},
  );

const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => String(from + index));

test("what the consumer had is trimmed but for the record of its position; numbers and deliveries go on", async () => {
  await put(1, 599);
  expect(await consumeAll()).toEqual(["LAYOUT", ...range(1, 599)]);
  // The last trim was asked for by the fifth batch of 100: the sixth is too little for one of its own.
  expect(stream()).toEqual({ oldest: 500, newest: 600, count: 101 });

  await restart();
  await put(600, 609);
  expect(await consumeAll()).toEqual(range(600, 609));
  // A start trims all that is delivered: everything before the position of the run before.
  expect(stream()).toEqual({ oldest: 600, newest: 610, count: 11 });
});

test("what the consumer did not take is not trimmed, and comes at the next start", async () => {
  await put(1, 899);
  const stuck = gate();
  const trim = startTrim();
  const poller = await startPoller((names, records) => {
    const at = names.indexOf("650");
    if (at < 0) return undefined;
    stuck.open();
    return { batchItemFailures: [{ itemIdentifier: records[at]?.dynamodb?.SequenceNumber }] };
  }, trim);
  await stuck.passed;
  await trim.settled();
  expect(stream()).toEqual({ oldest: 500, newest: 900, count: 401 });
  await poller.close();
  await trim.close();

  await restart();
  expect(await consumeAll()).toEqual(range(650, 899));
});

test("a checkpoint that is lost makes the consumer begin at the oldest record that is left, which it had last", async () => {
  await put(1, 599);
  await consumeAll();
  await rm(`${dataFile}.checkpoint`);
  await put(600, 600);

  expect(await consumeAll()).toEqual(range(499, 600));
});

/** What a power failure can leave: the file is newer than its checkpoint, whose record is trimmed. */
test("a checkpoint older than what is trimmed passes over nothing", async () => {
  await put(1, 199);
  await consumeAll();
  const old = await readFile(`${dataFile}.checkpoint`);
  await put(200, 999);
  await consumeAll();
  expect(stream()).toMatchObject({ oldest: 700 });
  await writeFile(`${dataFile}.checkpoint`, old);
  await put(1000, 1000);

  expect(await consumeAll()).toEqual(range(699, 1000));
});

test("a SIGKILL in the middle of a trim leaves what was trimmed till then, and the next start goes on", async () => {
  await put(1, 599);
  const poller = await startPoller(() => undefined);
  await poller.drain();
  await poller.close();
  await dynamodb.close();
  const holder = spawn(process.execPath, [join(import.meta.dirname, "hold-trim.ts"), dataFile, "600"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  for (let step = 0; step < 3; step++) {
    await once(holder.stdout, "data");
    if (step < 2) holder.stdin.write("go on\n");
  }
  expect(stream()).toEqual({ oldest: 201, newest: 600, count: 400 });

  holder.kill("SIGKILL");
  dynamodb = await startDynamoDb({ dataFile });
  expect(stream()).toEqual({ oldest: 201, newest: 600, count: 400 });
  await put(600, 600);

  expect(await consumeAll()).toEqual(["600"]);
  expect(stream()).toEqual({ oldest: 600, newest: 601, count: 2 });
});

test("a data file that was put back to an older state is not trimmed by a newer checkpoint", async () => {
  await put(1, 9);
  inFile((database) => database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  await dynamodb.close();
  const old = await readFile(dataFile);
  dynamodb = await startDynamoDb({ dataFile });
  await put(10, 19);
  await consumeAll();
  await dynamodb.close();

  await writeFile(dataFile, old);
  for (const rest of ["-wal", "-shm"]) await rm(`${dataFile}${rest}`, { force: true });
  dynamodb = await startDynamoDb({ dataFile });
  await put(100, 119);

  expect(await consumeAll()).toEqual(["LAYOUT", ...range(1, 9), ...range(100, 119)]);
});
