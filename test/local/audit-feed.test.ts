import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDeadLetter } from "../../local/aws/dead-letters.ts";
import type { Invoke } from "../../local/aws/invocation.ts";
import { callRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that a change that could not be recorded is on the log once it can be: each start tries it again. */

let folder = "";
let run: OwnRun | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-letters-"));
});
afterEach(async () => {
  await run?.close();
  await rm(folder, { recursive: true });
});

test("a start records the dead letters of the run before, and names those that stay", async () => {
  const dataFile = join(folder, "data");
  const letters = `${dataFile}.dead-letters`;
  const kept: DynamoDBRecord[] = [];
  run = await startOwn({ dataFile, aroundFunctions: withoutCalls(kept) });
  const key = await issue(run);
  expect((await pay(run, key, 300)).status).toBe(200);
  expect(await callRows(run, key)).toEqual([]);
  await run.close();
  await writeDeadLetter(letters, {
    functionName: "record-audit",
    streamArn: "arn:aws:dynamodb:us-east-1:000000000000:table/keybrake-vault/stream/1",
    shardId: "shardId-1",
    records: kept,
    why: "RetryAttemptsExhausted",
    invocations: 11,
    atMs: Date.now(),
  });
  await writeFile(join(letters, "unreadable.json"), "{}");

  run = await startOwn({ dataFile });

  expect((await callRows(run, key)).map(({ state, cost_usd }) => [state, cost_usd])).toEqual([
    ["settled", 3],
  ]);
  expect(await readdir(letters)).toEqual(["unreadable.json"]);
  expect(run.announced).toEqual([
    `1 dead letter(s) in ${letters} are recorded now, and removed`,
    expect.stringContaining(
      `1 dead letter(s) in ${letters} still cannot be recorded; the first, unreadable.json: `,
    ),
  ]);
});

/** The consumer of the stream never sees a call's record, and says that it did. */
const withoutCalls =
  (kept: DynamoDBRecord[]) =>
  (invoke: Invoke): Invoke =>
  (name, event, context) => {
    const { Records: records } = event as Partial<DynamoDBStreamEvent>;
    if (name !== "record-audit" || records === undefined) return invoke(name, event, context);
    const isOfCall = ({ dynamodb }: DynamoDBRecord) => dynamodb?.Keys?.["sk"]?.S === "CALL";
    kept.push(...records.filter(isOfCall));
    return invoke(name, { Records: records.filter((record) => !isOfCall(record)) }, context);
  };
