import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DynamoDBRecord } from "aws-lambda";
import type { DeadLetters } from "../../lib/dead-letter-replay.ts";
import type { GivenUp } from "./stream-delivery.ts";

export interface DeadLetter {
  readonly functionName: string;
  readonly streamArn: string;
  readonly shardId: string;
  readonly records: readonly DynamoDBRecord[];
  readonly why: GivenUp;
  readonly invocations: number;
  readonly atMs: number;
}

/**
 * Writes what a consumer could not consume to one file of `directory` and returns its path.
 *
 * The shape is that of Lambda's S3 destination, the only one that keeps the records whole ("Retain discarded records",
 * docs of Lambda, read 2026-11-22).
 */
export async function writeDeadLetter(directory: string, letter: DeadLetter): Promise<string> {
  const at = new Date(letter.atMs).toISOString();
  const path = join(directory, `${at.replaceAll(":", ".")}-${randomUUID()}.json`);
  const [first, last] = [letter.records[0]?.dynamodb, letter.records.at(-1)?.dynamodb];
  const content = {
    requestContext: {
      requestId: randomUUID(),
      functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${letter.functionName}`,
      condition: letter.why,
      approximateInvokeCount: letter.invocations,
    },
    version: "1.0",
    timestamp: at,
    DDBStreamBatchInfo: {
      shardId: letter.shardId,
      startSequenceNumber: first?.SequenceNumber,
      endSequenceNumber: last?.SequenceNumber,
      approximateArrivalOfFirstRecord: isoTime(first?.ApproximateCreationDateTime),
      approximateArrivalOfLastRecord: isoTime(last?.ApproximateCreationDateTime),
      batchSize: letter.records.length,
      streamArn: letter.streamArn,
    },
    payload: { Records: letter.records },
  };
  await mkdir(directory, { recursive: true });
  await writeFile(`${path}.new`, `${JSON.stringify(content, undefined, 2)}\n`);
  await rename(`${path}.new`, path);
  return path;
}

/** The letters that are in a directory, oldest first; none where there is no such directory. */
export function lettersIn(directory: string): DeadLetters {
  return {
    async *names() {
      const files = await readdir(directory).catch(() => []);
      yield* files.filter((name) => name.endsWith(".json")).sort();
    },
    read: (name) => readFile(join(directory, name), "utf8"),
    remove: (name) => rm(join(directory, name)),
  };
}

const isoTime = (timeS: number | undefined) =>
  timeS === undefined ? undefined : new Date(timeS * 1000).toISOString();
