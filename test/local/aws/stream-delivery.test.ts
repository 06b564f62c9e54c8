import type { DynamoDBRecord } from "aws-lambda";
import { expect, test } from "vitest";
import { type Delivery, deliver } from "../../../local/aws/stream-delivery.ts";

/** Guarantees that batches of the stream are retried, split and given up as Lambda does it. */

const NOW_S = 1_000_000;

const record = (sequenceNumber: string, createdS = NOW_S): DynamoDBRecord => ({
  dynamodb: { SequenceNumber: sequenceNumber, ApproximateCreationDateTime: createdS },
});

const numbers = (records: readonly DynamoDBRecord[]) =>
  records.map(({ dynamodb }) => dynamodb?.SequenceNumber).join(" ");

/** Delivers to a consumer and writes down what happens, in order. */
async function delivered(
  records: readonly DynamoDBRecord[],
  consume: (batch: string, invocation: number) => unknown,
  options: Partial<Delivery> = {},
): Promise<readonly string[]> {
  const log: string[] = [];
  let invocations = 0;
  await deliver(records, {
    invoke: async ({ Records: batch }) => {
      log.push(`invoke ${numbers(batch)}`);
      return consume(numbers(batch), ++invocations);
    },
    onDone: async (last) => {
      log.push(`done ${numbers([last])}`);
    },
    giveUp: async (batch, why, count) => {
      log.push(`give up ${numbers(batch)}: ${why} after ${count}`);
    },
    retriesMax: 10,
    ageMaxS: 72_000,
    isStopped: () => false,
    sleep: async () => {},
    nowS: () => NOW_S,
    ...options,
  });
  return log;
}

const failed = (...ids: readonly string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

test.each([
  ["nothing", undefined],
  ["null", null],
  ["an empty object", {}],
  ["no failures", { batchItemFailures: [] }],
  ["failures of null", { batchItemFailures: null }],
])("a consumer that returns %s has consumed the batch", async (_, answer) => {
  expect(await delivered([record("8"), record("9"), record("10")], () => answer)).toEqual([
    "invoke 8 9 10",
    "done 10",
  ]);
});

test("the lowest failed record is the checkpoint: those before it are done, it and all behind it come again", async () => {
  const batch = ["8", "9", "10", "11"].map((id) => record(id));

  const log = await delivered(batch, (_, invocation) => (invocation === 1 ? failed("11", "10") : undefined));

  expect(log).toEqual(["invoke 8 9 10 11", "done 9", "invoke 10 11", "done 11"]);
});

test("a batch whose consumer throws is halved until the failing record stands alone, in order", async () => {
  const batch = ["1", "2", "3", "4", "5"].map((id) => record(id));
  let alone = 0;

  const log = await delivered(batch, (ids) => {
    if (ids === "3" && ++alone === 2) return undefined;
    if (ids.includes("3")) throw new Error("poison");
    return undefined;
  });

  expect(log).toEqual([
    "invoke 1 2 3 4 5",
    "invoke 1 2 3",
    "invoke 1 2",
    "done 2",
    "invoke 3",
    "invoke 3",
    "done 3",
    "invoke 4 5",
    "done 5",
  ]);
});

test.each([
  ["an unknown record", failed("77")],
  ["an empty identifier", failed("")],
  ["no identifier", { batchItemFailures: [{}] }],
])("a consumer that reports %s fails the whole batch", async (_, answer) => {
  const log = await delivered([record("1"), record("2")], (_ids, invocation) =>
    invocation === 1 ? answer : undefined,
  );

  expect(log).toEqual(["invoke 1 2", "invoke 1", "done 1", "invoke 2", "done 2"]);
});

test("a record that fails alone is tried 11 times and given up, and the ones behind it go on", async () => {
  const waits: number[] = [];

  const log = await delivered(
    [record("1"), record("2")],
    (ids) => (ids.startsWith("1") ? failed("1") : undefined),
    {
      sleep: async (ms) => {
        waits.push(ms);
      },
    },
  );

  expect(log).toEqual([
    "invoke 1 2",
    ...Array.from({ length: 11 }, () => "invoke 1"),
    "give up 1: RetryAttemptsExhausted after 11",
    "done 1",
    "invoke 2",
    "done 2",
  ]);
  expect(waits).toEqual([100, 100, 200, 400, 800, 1600, 2000, 2000, 2000, 2000, 2000]);
});

test("a record older than 20 hours is tried once and not again", async () => {
  const old = record("1", NOW_S - 72_001);

  expect(await delivered([old], () => failed("1"))).toEqual([
    "invoke 1",
    "give up 1: RecordAgeExceeded after 1",
    "done 1",
  ]);
  expect(await delivered([old], () => undefined)).toEqual(["invoke 1", "done 1"]);
});

test("when a dead letter cannot be written, its record is not done", async () => {
  const log: string[] = [];
  const full = () => Promise.reject(new Error("disk full"));

  const delivery = delivered([record("1", 0)], () => failed("1"), {
    giveUp: full,
    onDone: async () => {
      log.push("done");
    },
  });

  await expect(delivery).rejects.toThrow("disk full");
  expect(log).toEqual([]);
});

test("a stopped delivery invokes no more and calls nothing done that is not", async () => {
  let isStopped = false;

  const log = await delivered(
    [record("1"), record("2")],
    () => {
      isStopped = true;
      return failed("2");
    },
    { isStopped: () => isStopped },
  );

  expect(log).toEqual(["invoke 1 2", "done 1"]);
});
