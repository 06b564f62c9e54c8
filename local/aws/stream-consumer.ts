import { type Checkpoint, positionAt } from "./stream-checkpoint.ts";
import { type Delivery, deliver } from "./stream-delivery.ts";
import type { StreamTrim } from "./stream-trim.ts";
import type { ShardPage, TableStream } from "./table-stream.ts";

export interface StreamConsumerOptions {
  readonly stream: TableStream;
  readonly checkpoint: Checkpoint;
  /** Told what is delivered and need not come again, once the checkpoint says so. */
  readonly trim: Pick<StreamTrim, "delivered" | "catchUp"> | undefined;
  /** How the records of a shard are handed out. */
  readonly deliveryOf: (shardId: string) => Omit<Delivery, "onDone">;
  readonly batchMax: number;
  readonly readMax: number;
}

/** What one read of every shard brought. */
export interface Pass {
  readonly records: number;
  /** Whether nothing is left that had been written before the pass. */
  readonly isCaughtUp: boolean;
}

/** Reads the shards of a stream, parents before children, each from its position on. */
export interface StreamConsumer {
  /** Finds the shards, and for each of them where to begin. `pass` does it too, where it was not done. */
  findShards(): Promise<void>;
  /** Reads every shard once that is due, and hands out what it got. */
  pass(): Promise<Pass>;
}

interface Shard {
  readonly id: string;
  readonly parentId: string | undefined;
  iterator: string | undefined;
  isClosed: boolean;
}

export function openStreamConsumer(options: StreamConsumerOptions): StreamConsumer {
  const { stream, checkpoint, trim, batchMax, readMax } = options;
  const shards = new Map<string, Shard>();

  async function findShards(): Promise<void> {
    for await (const { ShardId: id, ParentShardId: parentId } of stream.shards()) {
      if (id === undefined || shards.has(id)) continue;
      await resume(id);
      shards.set(id, { id, parentId, iterator: undefined, isClosed: false });
    }
  }

  /** A position whose record is gone or another one must not be trusted: starting too early is harmless, too late is not. */
  async function resume(shardId: string): Promise<void> {
    const position = checkpoint.position(shardId);
    if (position === undefined) return;
    const record = await stream.recordAt(shardId, position.sequenceNumber);
    if (record !== undefined && positionAt(record)?.digest === position.digest)
      await trim?.catchUp(shardId, position.sequenceNumber);
    else checkpoint.forget(shardId);
  }

  async function pass(): Promise<Pass> {
    if (shards.size === 0) await findShards();
    let records = 0;
    let isCaughtUp = true;
    for (const shard of shards.values()) {
      if (shard.isClosed) continue;
      const isParentOpen = shard.parentId !== undefined && shards.get(shard.parentId)?.isClosed === false;
      const count = isParentOpen ? readMax : await consume(shard);
      if (!isParentOpen) records += count;
      if (count === readMax) isCaughtUp = false;
    }
    return { records, isCaughtUp };
  }

  async function consume(shard: Shard): Promise<number> {
    const { records, next } = await read(shard);
    for (let start = 0; start < records.length; start += batchMax) {
      await deliver(records.slice(start, start + batchMax), {
        ...options.deliveryOf(shard.id),
        onDone: async (last, count) => {
          const position = positionAt(last);
          if (position === undefined) return;
          await checkpoint.advance(shard.id, position);
          trim?.delivered(shard.id, position.sequenceNumber, count);
        },
      });
    }
    shard.iterator = next;
    if (next === undefined) {
      shard.isClosed = true;
      await findShards();
    }
    return records.length;
  }

  async function read(shard: Shard): Promise<ShardPage> {
    const from =
      shard.iterator ?? (await stream.iteratorAt(shard.id, checkpoint.position(shard.id)?.sequenceNumber));
    // Whatever goes wrong from here on, the next read starts at the position again.
    shard.iterator = undefined;
    return stream.read(from, readMax);
  }

  return { findShards, pass };
}
