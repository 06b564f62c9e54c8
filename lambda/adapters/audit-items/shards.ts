/**
 * Into how many parts each key is divided that much traffic may share. DynamoDB takes about 1,000 write units a second at
 * one key ("Designing partition keys", documentation of DynamoDB, read 2026-11-28), and a read of all parts is one query
 * for each.
 */
export const SHARDS = 8;

/** The shard of an attempt or of a key, from 0 on: the same for the same id. Ids are random, so shards fill evenly. */
export function shardOf(id: string): number {
  let sum = 0;
  for (let index = 0; index < id.length; index++) sum += id.charCodeAt(index);
  return sum % SHARDS;
}
