import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DynamoDBRecord } from "aws-lambda";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DIST } from "../../bin/build.ts";
import type { Item } from "../../lambda/adapters/vault-items/codec.ts";
import { policyItem } from "../../lambda/adapters/vault-items/policy-item.ts";
import { type DeadLetters, replay } from "../../lib/dead-letter-replay.ts";
import { writeDeadLetter } from "../../local/aws/dead-letters.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { type Invoke, invocationContext } from "../../local/aws/invocation.ts";
import { auditRows, type OwnRun, startOwn } from "../support/keybrake.ts";
import { policyOf } from "../support/vault-facts.ts";

/** Guarantees that what the consumer could not record is recorded by a replay, once, and is kept until then. */

let run: OwnRun;
let invoke: Invoke;
let folder: string;
beforeAll(async () => {
  run = await startOwn();
  invoke = loadFunctions(DIST);
  folder = await mkdtemp(join(tmpdir(), "keybrake-letters-"));
});
afterAll(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

/** Letters in memory. */
function lettersOf(
  texts: Readonly<Record<string, string>>,
): DeadLetters & { readonly kept: Map<string, string> } {
  const kept = new Map(Object.entries(texts));
  return {
    kept,
    async *names() {
      yield* [...kept.keys()];
    },
    read: async (name) => kept.get(name) ?? "",
    remove: async (name) => {
      kept.delete(name);
    },
  };
}

const consume = (event: unknown) => invoke("record-audit", event, invocationContext("record-audit"));

const policy = (keyId: string) => policyOf(keyId, { label: "letters/1" });

/** The SDK's attribute values and the event's differ in types only, for what our items hold. */
type StreamImage = NonNullable<DynamoDBRecord["dynamodb"]>["NewImage"] & object;

const record = (sequenceNumber: string, image: Item): DynamoDBRecord => ({
  eventName: "INSERT",
  dynamodb: {
    SequenceNumber: sequenceNumber,
    Keys: { pk: image["pk"], sk: image["sk"] } as StreamImage,
    NewImage: image as StreamImage,
  },
});
const issued = (sequenceNumber: string, keyId: string) =>
  record(sequenceNumber, policyItem(policy(keyId), 1_795_400_000));
const poison = record("7", { pk: { S: "CALL#poison" }, sk: { S: "CALL" }, v: { S: "no number" } });

const letter = (...records: DynamoDBRecord[]) => ({ version: "1.0", payload: { Records: records } });
const rowsOf = async (keyId: string) => (await auditRows(run, { key_id: keyId })).length;

test("a letter is recorded and removed, whether its payload is an object or text", async () => {
  const { payload } = letter(issued("1", "key_letterText000"));
  const letters = lettersOf({
    "2026/11/23/a": JSON.stringify(letter(issued("1", "key_letterObject0"))),
    "2026/11/23/b": JSON.stringify({ version: "1.0", payload: JSON.stringify(payload) }),
  });
  const told: string[] = [];
  expect(await replay(letters, consume, (line) => told.push(line))).toEqual({ recorded: 2, left: [] });
  expect(letters.kept.size).toBe(0);
  expect([await rowsOf("key_letterObject0"), await rowsOf("key_letterText000")]).toEqual([1, 1]);
  expect(told).toEqual(["recorded  2026/11/23/a", "recorded  2026/11/23/b"]);
});

test("a letter that comes twice is recorded once", async () => {
  const text = JSON.stringify(letter(issued("1", "key_letterTwice00")));
  await replay(lettersOf({ one: text, two: text }), consume, () => {});
  expect(await rowsOf("key_letterTwice00")).toBe(1);
});

test("one record that fails keeps its letter, and holds up none of the others", async () => {
  const letters = lettersOf({
    mixed: JSON.stringify(letter(poison, issued("8", "key_letterBehind0"))),
    whole: JSON.stringify(letter(issued("9", "key_letterWhole00"))),
  });
  expect(await replay(letters, consume, () => {})).toEqual({
    recorded: 1,
    left: [
      {
        name: "mixed",
        reason: "1 of 2 records fail: the record 7 cannot be recorded; see the function's log",
      },
    ],
  });
  expect([...letters.kept.keys()]).toEqual(["mixed"]);
  expect([await rowsOf("key_letterBehind0"), await rowsOf("key_letterWhole00")]).toEqual([1, 1]);
});

test("a file that is not a letter stays, and so does one whose consumer throws or answers something else", async () => {
  const text = JSON.stringify(letter(issued("1", "key_letterLater00")));
  const strange = lettersOf({ "notes.txt": "hello", empty: "", none: '{"payload":{"Records":[]}}' });
  expect((await replay(strange, consume, () => {})).left.map(({ reason }) => reason)).toEqual(
    Array(3).fill("this is not a dead letter of a stream: it has no payload with Records"),
  );
  const thrown = await replay(
    lettersOf({ a: text }),
    () => Promise.reject(new Error("the function is gone")),
    () => {},
  );
  expect(thrown.left).toEqual([{ name: "a", reason: "1 of 1 records fail: the function is gone" }]);
  const other = await replay(
    lettersOf({ a: text }),
    async () => ({ statusCode: 200 }),
    () => {},
  );
  expect(other.left[0]?.reason).toContain("does not answer like a consumer of a stream");
});

test("the dead letters of a local run have the same form", async () => {
  const path = await writeDeadLetter(folder, {
    functionName: "record-audit",
    streamArn: "arn:aws:dynamodb:local",
    shardId: "shard-1",
    records: [issued("1", "key_letterLocal00")],
    why: "RetryAttemptsExhausted",
    invocations: 11,
    atMs: 1_795_323_600_000,
  });
  expect(await replay(lettersOf({ [path]: await readFile(path, "utf8") }), consume, () => {})).toMatchObject({
    recorded: 1,
  });
  expect(await rowsOf("key_letterLocal00")).toBe(1);
});
