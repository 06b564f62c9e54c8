import type { StoredChange } from "../support/memory-vault.ts";
import type { Random } from "./random.ts";

/** A change and when the table was written, in milliseconds. */
export interface StreamRecord extends StoredChange {
  readonly atMs: number;
}

/** A part of the stream, with how far it was read. Its items are its own, and their changes are in order. */
export class Shard {
  readonly name: string;
  /** Read to its end before this one is begun. */
  readonly parent: Shard | null;
  readonly records: StreamRecord[] = [];
  checkpoint = 0;

  constructor(name: string, parent: Shard | null) {
    this.name = name;
    this.parent = parent;
  }

  get isRead(): boolean {
    return this.checkpoint === this.records.length;
  }

  /** What comes next, of what was written by now. */
  batch(nowMs: number, recordsMax: number): readonly StreamRecord[] {
    if (this.parent?.isRead === false) return [];
    const next = this.records.slice(this.checkpoint, this.checkpoint + recordsMax);
    return next.filter(({ atMs }) => atMs <= nowMs);
  }
}

const SHARDS_MAX = 3;
const SPLIT = 0.4;

/** Spreads the items over a few shards, of which some split in two somewhere in the middle. */
export function shardsOf(records: readonly StreamRecord[], random: Random): readonly Shard[] {
  const count = random.between(1, SHARDS_MAX);
  const shards: Shard[] = [];
  for (const [index, part] of spread(records, count, random).entries()) {
    const shard = new Shard(`shard ${index}`, null);
    const splitAt = random.chance(SPLIT) ? random.int(part.length + 1) : part.length;
    shard.records.push(...part.slice(0, splitAt));
    shards.push(shard);
    for (const [child, rest] of spread(part.slice(splitAt), 2, random).entries()) {
      const half = new Shard(`shard ${index}.${child}`, shard);
      half.records.push(...rest);
      shards.push(half);
    }
  }
  return shards;
}

/** Each item into one of the parts. */
function spread(
  records: readonly StreamRecord[],
  parts: number,
  random: Random,
): readonly (readonly StreamRecord[])[] {
  const partOf = new Map<string, number>();
  for (const { item } of records) if (!partOf.has(item)) partOf.set(item, random.int(parts));
  return Array.from({ length: parts }, (_, part) => records.filter(({ item }) => partOf.get(item) === part));
}
