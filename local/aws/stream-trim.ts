import { setTimeout as delay } from "node:timers/promises";
import { oneLine } from "../start-error.ts";
import { type EngineFile, MANY_RECORDS, type ShardOfTable } from "./engine-file.ts";

/** Records that are deleted in one transaction: some milliseconds, in which neither the engine nor this process does anything else. */
const BATCH_MAX = 100;
/** The same before the run is ready, when nobody waits for either. */
const CATCH_UP_BATCH_MAX = 2_000;
/** Fewer delivered records than these are left to lie: each trim is a write, and a quiet run needs none. */
const DELIVERED_MIN = 500;
/** Rest between two transactions, which leaves the file to the engine for most of the time. */
const REST_MS = 10;

export interface StreamTrim {
  /** Tells that `count` more records of a shard are consumed, the last of them with this number. */
  delivered(shardId: string, sequenceNumber: string, count: number): void;
  /** Trims what stands before this record, which an earlier run delivered, all of it and as fast as it goes. */
  catchUp(shardId: string, sequenceNumber: string): Promise<void>;
  /** Resolves when all that was told to be delivered is trimmed, or trimming was given up. */
  settled(): Promise<void>;
  /** Trims no more; resolves when nothing is under way. */
  close(): Promise<void>;
}

interface Pace {
  readonly batchMax: number;
  readonly rest: () => Promise<void>;
  /** Told how many records a transaction deleted. */
  readonly onBatch?: (deleted: number) => void;
}

export interface StreamTrimOptions {
  readonly file: EngineFile;
  readonly table: string;
  /** Told in a sentence, once, that trimming has failed; there is no more of it then. */
  readonly announce: (message: string) => void;
  /** Told in a sentence how far a long catching up is. */
  readonly tell?: (message: string) => void;
  readonly rest?: () => Promise<void>;
}

/**
 * Deletes a stream's delivered records little by little, which DynamoDB does after a day and the engine never.
 *
 * The record with the number that was told last stays: a checkpoint that names it is found again (stream-poller.ts). So does
 * everything behind it, which is not delivered yet.
 */
export function startStreamTrim(options: StreamTrimOptions): StreamTrim {
  const { file, table, announce, tell = () => {} } = options;
  const rest = options.rest ?? (() => delay(REST_MS, undefined, { ref: false }));
  const due = new Map<string, { before: string; count: number }>();
  let isOver = false;
  let underWay: Promise<void> | undefined;

  function start(): void {
    if (isOver || underWay !== undefined || firstDue() === undefined) return;
    underWay = orGiveUp(run).finally(() => {
      underWay = undefined;
      start();
    });
  }

  async function run(): Promise<void> {
    for (let next = firstDue(); next !== undefined && !isOver; next = firstDue()) {
      due.delete(next.shardId);
      await trim({ table, shardId: next.shardId }, next.before, { batchMax: BATCH_MAX, rest });
    }
  }

  const firstDue = () => {
    for (const [shardId, { before, count }] of due) if (count >= DELIVERED_MIN) return { shardId, before };
    return undefined;
  };

  async function trim(shard: ShardOfTable, before: string, { batchMax, rest, onBatch }: Pace): Promise<void> {
    for (;;) {
      await rest();
      if (isOver) return;
      const deleted = file.trimStream(shard, before, batchMax);
      if (deleted !== undefined) onBatch?.(deleted);
      if (deleted !== undefined && deleted < batchMax) return;
    }
  }

  async function catchUp(shardId: string, before: string): Promise<void> {
    if (isOver) return;
    const total = file.streamLength(table);
    let deleted = 0;
    const onBatch = (count: number) => {
      const isAtMark = Math.floor(deleted / MANY_RECORDS) < Math.floor((deleted + count) / MANY_RECORDS);
      deleted += count;
      if (isAtMark) tell(`removed ${deleted} of ${total} records of the stream, which are delivered`);
    };
    const pace = { batchMax: CATCH_UP_BATCH_MAX, rest: options.rest ?? (() => delay(0)), onBatch };
    await trim({ table, shardId }, before, pace);
  }

  /** What fails here fails once: the run does not need it, and goes on. */
  async function orGiveUp(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      isOver = true;
      announce(`delivered records of the stream of ${table} stay in the data file: ${oneLine(error)}`);
    }
  }

  return {
    delivered: (shardId, before, count) => {
      due.set(shardId, { before, count: count + (due.get(shardId)?.count ?? 0) });
      start();
    },
    catchUp: (shardId, before) => orGiveUp(() => catchUp(shardId, before)),
    settled: async () => {
      while (underWay !== undefined) await underWay;
    },
    close: async () => {
      isOver = true;
      await underWay;
    },
  };
}
