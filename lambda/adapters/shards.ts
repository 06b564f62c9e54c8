/**
 * Into how many parts each key is divided that much traffic may share. DynamoDB takes about 1,000 write units a second at
 * one key ("Designing partition keys", documentation of DynamoDB, read 2026-11-28), and a read of all parts is one query
 * for each.
 */
const SHARDS = 8;

export const ALL_SHARDS: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);

/** The shard of what has this id, from 0 on: always the same. Ids are random, so shards fill evenly. */
export function shardOf(id: string): number {
  let sum = 0;
  for (let index = 0; index < id.length; index++) sum += id.charCodeAt(index);
  return sum % SHARDS;
}
