import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { STREAM_READING } from "../../lib/limits.ts";
import { writeDeadLetter } from "./dead-letters.ts";
import { openCheckpoint } from "./stream-checkpoint.ts";
import { openStreamConsumer, type Pass } from "./stream-consumer.ts";
import type { Delivery } from "./stream-delivery.ts";
import type { StreamTrim } from "./stream-trim.ts";
import { openTableStream } from "./table-stream.ts";
import type { NamedTable } from "./tables.ts";

/** As many as a read may bring. */
const READ_MAX = 1_000;

const IDLE_MS = 50;
/**
 * Rest after a read that brought something: more comes in one batch then, which costs less than two. Shorter than the
 * second of Lambda's (STREAM_READING), because a person waits for the row.
 */
const WINDOW_MS = 200;
/** An idle poller leaves nine tenths of the time to others, where the engine takes long for a read. */
const REST_FACTOR = 9;
const READ_FAILED_MS = 500;

export interface StreamPollerOptions {
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  readonly table: NamedTable;
  /** Name of the consumer, for dead letters. */
  readonly functionName: string;
  /** Runs the consumer; a rejection is a failure of the whole batch. */
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Where the position outlives the process; undefined starts at the oldest record each time. */
  readonly checkpointFile?: string | undefined;
  readonly deadLetterDirectory: string;
  /** Told what is delivered and need not come again, once a checkpoint says so. */
  readonly trim?: Pick<StreamTrim, "delivered" | "catchUp"> | undefined;
  /** Told in a sentence what needs a person: a dead letter and its file, a stream that cannot be read. */
  readonly announce: (message: string) => void;
  readonly batchMax?: number;
  readonly readMax?: number;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly nowMs?: () => number;
}

export interface StreamPoller {
  /** Resolves when every record written before the call is consumed or in a dead letter; rejects when closed before. */
  drain(): Promise<void>;
  /** Invokes no more; resolves when the invocation under way has ended. */
  close(): Promise<void>;
}

/**
 * Reads a table's stream and hands it to a function as Lambda's event source mapping does: batches of up to 100, in order
 * within a shard, parents before children, at least once. What fails, how often and where it ends is in `deliver`.
 *
 * Starts where the checkpoint says; at the oldest record when there is none or its record is not in the stream.
 */
export async function startStreamPoller(options: StreamPollerOptions): Promise<StreamPoller> {
  const sleep = options.sleep ?? ((ms: number) => delay(ms));
  const nowMs = options.nowMs ?? Date.now;
  const stream = await openTableStream(options.client, options.endpoint, options.table);
  const closing = new AbortController();
  let wake = () => {};
  const waiting: Waiter[] = [];

  const deliveryOf = (shardId: string): Omit<Delivery, "onDone"> => ({
    invoke: options.invoke,
    giveUp: async (records, why, invocations) => {
      const { functionName, deadLetterDirectory } = options;
      const letter = {
        functionName,
        streamArn: stream.arn,
        shardId,
        records,
        why,
        invocations,
        atMs: nowMs(),
      };
      const file = await writeDeadLetter(deadLetterDirectory, letter);
      options.announce(
        `${functionName} gave up ${records.length} stream record(s) (${why}); kept in ${file}`,
      );
    },
    retriesMax: STREAM_READING.retriesMax,
    ageMaxS: STREAM_READING.ageMaxH * 3600,
    isStopped: () => closing.signal.aborted,
    sleep: interruptibly,
    nowS: () => nowMs() / 1000,
  });
  const consumer = openStreamConsumer({
    stream,
    checkpoint: await openCheckpoint(options.checkpointFile, stream.arn),
    trim: options.trim,
    deliveryOf,
    batchMax: options.batchMax ?? STREAM_READING.batchMax,
    readMax: options.readMax ?? READ_MAX,
  });

  async function interruptibly(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (!closing.signal.aborted) await Promise.race([sleep(ms), woken]);
  }

  async function run(): Promise<void> {
    let isFlowing = true;
    while (!closing.signal.aborted) {
      const waitedFor = waiting.length;
      const startedMs = performance.now();
      try {
        const pass = await consumer.pass();
        isFlowing = true;
        if (closing.signal.aborted) break;
        if (pass.isCaughtUp) for (const { resolve } of waiting.splice(0, waitedFor)) resolve();
        const restMs = restAfter(pass, performance.now() - startedMs);
        if (restMs > 0 && waiting.length === 0) await interruptibly(restMs);
      } catch (error) {
        if (isFlowing) options.announce(`the stream of ${options.table.name} is held up: ${String(error)}`);
        isFlowing = false;
        await interruptibly(READ_FAILED_MS);
      }
    }
    for (const { reject } of waiting.splice(0)) reject(new Error("the stream poller was closed"));
  }

  // Before the first call, which trimming what an earlier run delivered would disturb. What fails here the first pass tells.
  await consumer.findShards().catch(() => {});
  const running = run();
  return {
    drain: () => {
      if (closing.signal.aborted) return Promise.reject(new Error("the stream poller is closed"));
      const drained = new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
      wake();
      return drained;
    },
    close: async () => {
      closing.abort();
      wake();
      await running;
      stream.close();
    },
  };
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function restAfter({ records, isCaughtUp }: Pass, tookMs: number): number {
  if (!isCaughtUp) return 0;
  return records > 0 ? WINDOW_MS : Math.max(IDLE_MS, REST_FACTOR * tookMs);
}
