import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BatchWriteItemCommand, DeleteItemCommand, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import {
  type StreamPoller,
  type StreamPollerOptions,
  startStreamPoller,
} from "../../../local/aws/stream-poller.ts";
import { TABLES } from "../../../local/aws/tables.ts";
import { gate } from "../gate.ts";

let directory = "";
let dynamodb: LocalDynamoDb;
const opened: StreamPoller[] = [];

const announced: string[] = [];

beforeEach(async () => {
  announced.splice(0);
  directory = await mkdtemp(join(tmpdir(), "keybrake-poller-"));
  dynamodb = await startDynamoDb();
});

afterEach(async () => {
  for (const poller of opened.splice(0)) await poller.close();
  await dynamodb.close();
});

type Consume = (event: DynamoDBStreamEvent) => Promise<unknown>;

async function startPoller(
  invoke: Consume,
  options: Partial<StreamPollerOptions> = {},
): Promise<StreamPoller> {
  const poller = await startStreamPoller({
    client: dynamodb.client,
    endpoint: dynamodb.endpoint,
    table: TABLES[0],
    functionName: "record-audit",
    invoke,
    checkpointFile: join(directory, "checkpoint"),
    deadLetterDirectory: join(directory, "dead-letters"),
    announce: (message) => announced.push(message),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
    ...options,
  });
  opened.push(poller);
  return poller;
}

async function put(...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await dynamodb.client.send(new PutItemCommand({ TableName: TABLES[0].name, Item: itemOf(name) }));
  }
}

const itemOf = (name: string) => ({ pk: { S: name }, sk: { S: "x" } });

const nameOf = ({ dynamodb: change }: DynamoDBRecord) => change?.Keys?.["pk"]?.S ?? "?";

/** A consumer that takes everything and remembers the names, without the engine's own layout item. */
function consumer() {
  const names: string[] = [];
  const invoke: Consume = async ({ Records: records }) => {
    names.push(...records.map(nameOf).filter((name) => name !== "LAYOUT"));
  };
  return { names, invoke };
}

async function deadLetters(): Promise<string[]> {
  const files = await readdir(join(directory, "dead-letters")).catch(() => []);
  return Promise.all(files.map((file) => readFile(join(directory, "dead-letters", file), "utf8")));
}

test("everything written before a drain is consumed when it resolves, in order, at most 100 at once", async () => {
  const names: string[] = [];
  const sizes: number[] = [];
  const expected = Array.from({ length: 240 }, (_, index) => `k${index}`);
  for (let start = 0; start < expected.length; start += 24) {
    const puts = expected.slice(start, start + 24).map((name) => ({ PutRequest: { Item: itemOf(name) } }));
    await dynamodb.client.send(new BatchWriteItemCommand({ RequestItems: { [TABLES[0].name]: puts } }));
  }

  const poller = await startPoller(async ({ Records: records }) => {
    sizes.push(records.length);
    names.push(...records.map(nameOf));
  });
  await poller.drain();

  expect(names).toEqual(["LAYOUT", ...expected]);
  expect(sizes).toEqual([100, 100, 41]);
});

test("a drain waits for all reads that it takes to come to the end", async () => {
  const { names, invoke } = consumer();
  await put("a", "b", "c", "d", "e", "f", "g");

  const poller = await startPoller(invoke, { batchMax: 2, readMax: 3 });
  await poller.drain();

  expect(names).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
});

/** Guarantees that what comes one by one is consumed together: each invocation costs the machine of the calls. */
test("after a read that brought something the poller rests, so that more comes at once; an idle one looks soon again", async () => {
  const rests: number[] = [];
  const rested = gate();
  await put("a");
  await startPoller(async () => {}, {
    sleep: async (ms) => {
      rests.push(ms);
      if (rests.length < 3) return;
      rested.open();
      await new Promise(() => {});
    },
  });
  await rested.passed;

  expect(rests[0]).toBe(200);
  expect(rests[1]).toBeGreaterThanOrEqual(50);
  expect(rests[2]).not.toBe(200);
});

test("a drain waits for what was written during the read that is under way", async () => {
  const began = gate();
  const end = gate();
  const names: string[] = [];
  const poller = await startPoller(async ({ Records: records }) => {
    began.open();
    await end.passed;
    names.push(...records.map(nameOf));
  });
  await began.passed;
  await put("late");
  const drained = poller.drain();
  end.open();
  await drained;

  expect(names).toEqual(["LAYOUT", "late"]);
});

test("a change comes in the shape that Lambda gives it", async () => {
  const events: DynamoDBStreamEvent[] = [];
  const poller = await startPoller(async (event) => events.push(event));
  await poller.drain();
  events.splice(0);

  const item = {
    ...itemOf("key_1"),
    bytes: { B: new Uint8Array([1, 255]) },
    list: { L: [{ N: "1.50" }, { NULL: true as const }] },
  };
  await dynamodb.client.send(new PutItemCommand({ TableName: TABLES[0].name, Item: item }));
  await poller.drain();

  const image = {
    pk: { S: "key_1" },
    sk: { S: "x" },
    bytes: { B: "Af8=" },
    list: { L: [{ N: "1.5" }, { NULL: true }] },
  };
  expect(events.flatMap(({ Records: records }) => records)).toEqual([
    {
      eventID: expect.any(String),
      eventName: "INSERT",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: expect.any(String),
      dynamodb: {
        ApproximateCreationDateTime: expect.any(Number),
        Keys: { pk: { S: "key_1" }, sk: { S: "x" } },
        NewImage: image,
        SequenceNumber: expect.stringMatching(/^\d+$/),
        SizeBytes: expect.any(Number),
        StreamViewType: "NEW_AND_OLD_IMAGES",
      },
      eventSourceARN: expect.stringContaining(":table/keybrake-vault/stream/"),
    },
  ]);
});

test("an expired item's removal bears the name of DynamoDB's own sweep, another one's does not", async () => {
  const events: DynamoDBStreamEvent[] = [];
  const poller = await startPoller(async (event) => events.push(event));
  const ttls = { expired: "1000", lasting: "9999999999" };
  for (const [name, ttl] of Object.entries(ttls)) {
    const item = { ...itemOf(name), ttl: { N: ttl } };
    await dynamodb.client.send(new PutItemCommand({ TableName: TABLES[0].name, Item: item }));
    await dynamodb.client.send(new DeleteItemCommand({ TableName: TABLES[0].name, Key: itemOf(name) }));
  }
  await poller.drain();

  const removals = events
    .flatMap(({ Records: records }) => records)
    .filter(({ eventName }) => eventName === "REMOVE");
  expect(removals.map((removal) => [nameOf(removal), removal.userIdentity])).toEqual([
    ["expired", { type: "Service", principalId: "dynamodb.amazonaws.com" }],
    ["lasting", undefined],
  ]);
});

/** Guarantees that one record nobody can consume stops no other and is not lost. */
test("a poison record ends in a dead letter, whole and announced; the others are consumed in order", async () => {
  await put("a", "poison", "b", "c");
  const consumed: string[] = [];

  const poller = await startPoller(async ({ Records: records }) => {
    for (const [index, one] of records.entries()) {
      if (nameOf(one) === "poison")
        return { batchItemFailures: [{ itemIdentifier: records[index]?.dynamodb?.SequenceNumber }] };
      consumed.push(nameOf(one));
    }
    return { batchItemFailures: [] };
  });
  await poller.drain();

  expect(consumed).toEqual(["LAYOUT", "a", "b", "c"]);
  const letters = await deadLetters();
  expect(letters).toHaveLength(1);
  expect(JSON.parse(letters[0] ?? "")).toMatchObject({
    requestContext: { condition: "RetryAttemptsExhausted", approximateInvokeCount: 11 },
    DDBStreamBatchInfo: { batchSize: 1, shardId: "shardId-00000001-keybrake-vault" },
    payload: { Records: [{ eventName: "INSERT", dynamodb: { NewImage: { pk: { S: "poison" } } } }] },
  });
  const [file] = await readdir(join(directory, "dead-letters"));
  expect(announced.at(-1)).toBe(
    `record-audit gave up 1 stream record(s) (RetryAttemptsExhausted); kept in ${join(directory, "dead-letters", file ?? "")}`,
  );
});

test("a poller goes on where the one before it stopped", async () => {
  const first = consumer();
  await put("a", "b");
  const before = await startPoller(first.invoke);
  await before.drain();
  await before.close();

  await put("c");
  const second = consumer();
  const after = await startPoller(second.invoke);
  await after.drain();

  expect(first.names).toEqual(["a", "b"]);
  expect(second.names).toEqual(["c"]);
});

/** Guarantees at-least-once: what was handed out but not consumed when the process ended comes again. */
test("a batch that was not consumed when the poller closed comes again, nothing is lost", async () => {
  await put("a", "b", "c");
  const began = gate();
  const end = gate();
  const halfway = await startPoller(async ({ Records: records }) => {
    began.open();
    await end.passed;
    const failedAt = records.find((one) => nameOf(one) === "b")?.dynamodb?.SequenceNumber;
    return { batchItemFailures: [{ itemIdentifier: failedAt }] };
  });
  await began.passed;
  const closed = halfway.close();
  end.open();
  await closed;

  const { names, invoke } = consumer();
  const poller = await startPoller(invoke);
  await poller.drain();

  expect(names).toEqual(["b", "c"]);
});

test("without a checkpoint file every poller starts at the oldest record", async () => {
  await put("a");
  for (const { names, invoke } of [consumer(), consumer()]) {
    const poller = await startPoller(invoke, { checkpointFile: undefined });
    await poller.drain();
    await poller.close();
    expect(names).toEqual(["a"]);
  }
});

test.each([
  [
    "of another stream",
    { streamArn: "arn:aws:dynamodb:dynoxide:000000000000:table/keybrake-vault/stream/1" },
  ],
  [
    "beyond the stream",
    { shards: { "shardId-00000001-keybrake-vault": { sequenceNumber: "99", digest: "0" } } },
  ],
  [
    "at a record that is another one now",
    { shards: { "shardId-00000001-keybrake-vault": { sequenceNumber: "2", digest: "0" } } },
  ],
])("a checkpoint %s is not trusted", async (_, wrong) => {
  await put("a", "b");
  const before = await startPoller(async () => {});
  await before.drain();
  await before.close();
  const file = join(directory, "checkpoint");
  const saved: unknown = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...Object(saved), ...wrong }));

  const { names, invoke } = consumer();
  const poller = await startPoller(invoke);
  await poller.drain();

  expect(names).toEqual(["a", "b"]);
});

test("a checkpoint that cannot be written is announced, and the stream goes on", async () => {
  await put("a", "b");
  const { names, invoke } = consumer();
  const nowhere = join(directory, "no-such-folder", "checkpoint");
  const poller = await startPoller(invoke, { checkpointFile: nowhere, batchMax: 1 });
  await poller.drain();

  expect(names).toEqual(["a", "b"]);
  expect(announced[0]).toContain("the stream of keybrake-vault is held up: Error: ENOENT");
});

test("a closed poller cannot be drained", async () => {
  const poller = await startPoller(async () => {});
  await poller.close();

  await expect(poller.drain()).rejects.toThrow("the stream poller is closed");
});
