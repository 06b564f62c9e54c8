import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";

const BACK_OFF_MS = 100;
const BACK_OFF_MAX_MS = 2_000;

/** Why a record was given up, in Lambda's words. */
export type GivenUp = "RetryAttemptsExhausted" | "RecordAgeExceeded";

export interface Delivery {
  /** Runs the consumer; a rejection is a failure of the whole batch. */
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Everything up to this record, itself included, is consumed or given up, and need not come again: `count` more. */
  readonly onDone: (last: DynamoDBRecord, count: number) => Promise<void>;
  /** Keeps records that nobody could consume; a rejection stops the delivery, so that they are not lost. */
  readonly giveUp: (records: readonly DynamoDBRecord[], why: GivenUp, invocations: number) => Promise<void>;
  readonly retriesMax: number;
  readonly ageMaxS: number;
  readonly isStopped: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowS: () => number;
}

interface Batch {
  readonly records: readonly DynamoDBRecord[];
  /** Invocations with exactly these records that failed. */
  readonly failures: number;
}

/**
 * Hands records to the consumer in their order, as Lambda does with ReportBatchItemFailures and BisectBatchOnFunctionError:
 * what stands before the lowest reported record is done, a batch that fails at its head is halved, and a single record
 * that still fails after its retries is given up so that those behind it go on. Halving costs no retry.
 *
 * Unlike Lambda's, the age limits the retries only: a record is tried at least once, however long the program stood still.
 * Returns early when stopped; what was not reported as done then has to come again.
 */
export async function deliver(records: readonly DynamoDBRecord[], delivery: Delivery): Promise<void> {
  let pending: readonly Batch[] = [{ records, failures: 0 }];

  while (!delivery.isStopped()) {
    const [batch, ...others] = pending;
    const last = batch?.records.at(-1);
    if (batch === undefined || last === undefined) return;

    const failedAt = await firstFailure(batch.records, delivery);
    const count = failedAt ?? batch.records.length;
    const consumed = batch.records[count - 1];
    if (consumed !== undefined) await delivery.onDone(consumed, count);
    pending = others;
    if (failedAt === undefined) continue;

    const failures = batch.failures + 1;
    if (failedAt > 0) {
      pending = [{ records: batch.records.slice(failedAt), failures: 0 }, ...others];
    } else if (batch.records.length > 1) {
      const half = Math.ceil(batch.records.length / 2);
      const halves = [batch.records.slice(0, half), batch.records.slice(half)];
      pending = [...halves.map((part) => ({ records: part, failures: 0 })), ...others];
    } else if (failures > delivery.retriesMax || isOlder(last, delivery)) {
      const why = failures > delivery.retriesMax ? "RetryAttemptsExhausted" : "RecordAgeExceeded";
      await delivery.giveUp(batch.records, why, failures);
      await delivery.onDone(last, 1);
      continue;
    } else {
      pending = [{ records: batch.records, failures }, ...others];
    }
    await delivery.sleep(Math.min(BACK_OFF_MAX_MS, BACK_OFF_MS * 2 ** (failures - 1)));
  }
}

function isOlder(record: DynamoDBRecord, { ageMaxS, nowS }: Delivery): boolean {
  const createdS = record.dynamodb?.ApproximateCreationDateTime;
  return createdS !== undefined && nowS() - createdS > ageMaxS;
}

/** Place of the lowest record that failed, undefined when none did. An answer that names no record of the batch fails all. */
async function firstFailure(
  records: readonly DynamoDBRecord[],
  { invoke }: Delivery,
): Promise<number | undefined> {
  let answer: unknown;
  try {
    answer = await invoke({ Records: [...records] });
  } catch {
    return 0;
  }
  const failures = failuresIn(answer);
  if (failures.length === 0) return undefined;

  const places = failures.map((failure) => {
    const id =
      typeof failure === "object" &&
      failure !== null &&
      "itemIdentifier" in failure &&
      failure.itemIdentifier;
    return records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === id);
  });
  return Math.max(0, Math.min(...places));
}

function failuresIn(answer: unknown): readonly unknown[] {
  if (typeof answer !== "object" || answer === null || !("batchItemFailures" in answer)) return [];
  const { batchItemFailures: failures } = answer;
  return Array.isArray(failures) ? failures : [];
}
