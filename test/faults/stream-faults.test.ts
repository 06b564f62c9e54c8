import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { expect, test } from "vitest";
import { invocationContext } from "../../local/aws/invocation.ts";
import { Random } from "../simulation/random.ts";
import { disturbed, openStreamFaults, reordered } from "./stream-faults.ts";

/** Guarantees that the stream is disturbed as a stream can be, and in no other way. */

const record = (number: number, item: string): DynamoDBRecord => ({
  dynamodb: { SequenceNumber: `${number}`, Keys: { pk: { S: item }, sk: { S: "CALL" } }, NewImage: {} },
});
const numbersOf = (records: readonly DynamoDBRecord[]) =>
  records.map(({ dynamodb }) => Number(dynamodb?.SequenceNumber));

const RECORDS = Array.from({ length: 3_000 }, (_, number) => record(number, `item ${number % 3}`));

test("records are in another order between items, and in their own order within one", () => {
  const given = reordered(RECORDS, new Random(1));
  expect(numbersOf(given)).not.toEqual(numbersOf(RECORDS));
  for (const item of [0, 1, 2]) {
    const ofItem = numbersOf(given).filter((number) => number % 3 === item);
    expect(ofItem).toHaveLength(1_000);
    expect(ofItem).toEqual([...ofItem].sort((one, other) => one - other));
  }
});

test("a consumer gets every record, some of them twice; some cannot be read, the same ones in every process of a round", async () => {
  const run = async (seed: number) => {
    const told: string[] = [];
    const seen: DynamoDBRecord[] = [];
    const faults = openStreamFaults({ seed, roundSeed: 7 }, (kind) => told.push(kind));
    const consume = disturbed(async (_, event) => {
      seen.push(...(event as DynamoDBStreamEvent).Records);
      return { batchItemFailures: [] };
    }, faults);
    for (let start = 0; start < RECORDS.length; start += 20) {
      const event = { Records: RECORDS.slice(start, start + 20) };
      const again = () => consume("record-audit", event, invocationContext("record-audit"));
      await again().catch(() => {});
    }
    const unreadable = seen.filter(({ dynamodb }) => dynamodb?.Keys?.["sk"]?.S === "UNREADABLE");
    return { seen: numbersOf(seen), unreadable: new Set(numbersOf(unreadable)), told: new Set(told) };
  };
  const [one, other] = [await run(1), await run(2)];

  expect(one.unreadable.size).toBeGreaterThan(0);
  expect(other.unreadable).toEqual(one.unreadable);
  expect(other.seen).not.toEqual(one.seen);
  expect(one.seen.length).toBeGreaterThan(new Set(one.seen).size);
  expect([...one.told].sort()).toEqual([
    "batch_answer_lost",
    "batch_died",
    "batch_doubled",
    "batch_reordered",
    "record_poisoned",
  ]);
});
