import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDBRecord, DynamoDBStreamEvent } from "aws-lambda";
import { STREAM_READING } from "../../lib/limits.ts";
import { writeDeadLetter } from "./dead-letters.ts";
import { readCheckpoint, type ShardPosition, writeCheckpoint } from "./stream-checkpoint.ts";
import { type Delivery, deliver } from "./stream-delivery.ts";
import type { StreamTrim } from "./stream-trim.ts";
import { openTableStream, type ShardPage, type TableStream } from "./table-stream.ts";
import type { NamedTable } from "./tables.ts";

/** As many as a read may bring, since dynoxide looks through the whole stream at every read. */
const READ_MAX = 1_000;

/** For the same reason an idle poller rests nine times as long as its last read took, which leaves the engine to others. */
const REST_FACTOR = 9;
const IDLE_MS = 50;
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

interface ShardState {
  readonly id: string;
  readonly parentId: string | undefined;
  iterator: string | undefined;
  isClosed: boolean;
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
  const batchMax = options.batchMax ?? STREAM_READING.batchMax;
  const readMax = options.readMax ?? READ_MAX;
  const stream = await openTableStream(options.client, options.endpoint, options.table);
  const streamArn = stream.arn;
  const { checkpointFile } = options;
  const saved = checkpointFile === undefined ? new Map() : await readCheckpoint(checkpointFile, streamArn);
  const positions = new Map<string, ShardPosition>(saved);
  const shards = new Map<string, ShardState>();

  const closing = new AbortController();
  let wake = () => {};
  const waiting: Waiter[] = [];

  async function refreshShards(): Promise<void> {
    for await (const { ShardId: id, ParentShardId: parentId } of stream.shards()) {
      if (id === undefined || shards.has(id)) continue;
      const position = positions.get(id);
      if (position !== undefined) {
        if (await isInStream(stream, id, position)) await options.trim?.catchUp(id, position.sequenceNumber);
        else positions.delete(id);
      }
      shards.set(id, { id, parentId, iterator: undefined, isClosed: false });
    }
  }

  /** One read of every shard that is due. Whether anything came, and whether it came to the end of all of them. */
  async function pass(): Promise<{ readonly isIdle: boolean; readonly isCaughtUp: boolean }> {
    if (shards.size === 0) await refreshShards();
    let isIdle = true;
    let isCaughtUp = true;
    for (const shard of shards.values()) {
      if (shard.isClosed) continue;
      const isParentOpen = shard.parentId !== undefined && shards.get(shard.parentId)?.isClosed === false;
      const count = isParentOpen ? readMax : await consume(shard);
      if (count > 0) isIdle = false;
      if (count === readMax) isCaughtUp = false;
    }
    return { isIdle, isCaughtUp };
  }

  async function consume(shard: ShardState): Promise<number> {
    const { records, next } = await read(shard);
    for (let start = 0; start < records.length; start += batchMax) {
      const batch = records.slice(start, start + batchMax);
      await deliver(batch, deliveryOf(shard.id));
    }
    shard.iterator = next;
    if (next === undefined) {
      shard.isClosed = true;
      await refreshShards();
    }
    return records.length;
  }

  const deliveryOf = (shardId: string): Delivery => ({
    invoke: options.invoke,
    onDone: (last, count) => advance(shardId, last, count),
    giveUp: async (records, why, invocations) => {
      const { functionName, deadLetterDirectory } = options;
      const letter = { functionName, streamArn, shardId, records, why, invocations, atMs: nowMs() };
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

  async function read(shard: ShardState): Promise<ShardPage> {
    const from =
      shard.iterator ?? (await stream.iteratorAt(shard.id, positions.get(shard.id)?.sequenceNumber));
    // Whatever goes wrong from here on, the next read starts at the position again.
    shard.iterator = undefined;
    return stream.read(from, readMax);
  }

  async function advance(shardId: string, last: DynamoDBRecord, count: number): Promise<void> {
    const sequenceNumber = last.dynamodb?.SequenceNumber;
    if (sequenceNumber === undefined) return;
    positions.set(shardId, { sequenceNumber, digest: digestOf(last) });
    if (checkpointFile !== undefined) await writeCheckpoint(checkpointFile, streamArn, positions);
    options.trim?.delivered(shardId, sequenceNumber, count);
  }

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
        const { isIdle, isCaughtUp } = await pass();
        isFlowing = true;
        if (closing.signal.aborted) break;
        if (isCaughtUp) for (const { resolve } of waiting.splice(0, waitedFor)) resolve();
        const restMs = Math.max(IDLE_MS, REST_FACTOR * (performance.now() - startedMs));
        if (isIdle && waiting.length === 0) await interruptibly(restMs);
      } catch (error) {
        if (isFlowing) options.announce(`the stream of ${options.table.name} is held up: ${String(error)}`);
        isFlowing = false;
        await interruptibly(READ_FAILED_MS);
      }
    }
    for (const { reject } of waiting.splice(0)) reject(new Error("the stream poller was closed"));
  }

  // Before the first call, which trimming what an earlier run delivered would disturb. What fails here the first pass tells.
  await refreshShards().catch(() => {});
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

/** A position whose record is gone or another one must not be trusted: starting too early is harmless, too late is not. */
async function isInStream(stream: TableStream, shardId: string, position: ShardPosition): Promise<boolean> {
  const record = await stream.recordAt(shardId, position.sequenceNumber);
  return record !== undefined && digestOf(record) === position.digest;
}

function digestOf(record: DynamoDBRecord): string {
  const { dynamodb } = record;
  const keys = Object.entries(dynamodb?.Keys ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  const identity = [dynamodb?.SequenceNumber, dynamodb?.ApproximateCreationDateTime, keys];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex");
}
