import * as v from "valibot";
import { isoTime } from "../../domain/time.ts";
import type { DueCall } from "../../ports/due-list.ts";
import { shardOf } from "../shards.ts";
import { type Item, money, orNull, read, whole, written } from "./codec.ts";

/** A call on the due list: an item for each time at which it is looked at. Parts are partitions, so that none grows hot. */
const PREFIX = "DUE#";

/** Whether a partition key is that of a part of the due list. */
export const isDue = (pk: string): boolean => pk.startsWith(PREFIX);

/** The partition key of one part of the list. */
export const duePart = (shard: number): string => `${PREFIX}${shard}`;

export const dueKey = ({ recordId, dueMs }: Pick<DueCall, "recordId" | "dueMs">): Item => ({
  pk: { S: duePart(shardOf(recordId)) },
  sk: { S: `${isoTime(dueMs)}#${recordId}` },
});

/** Longer than any vendor's books are asked. */
const KEPT_S = 60 * 86_400;

const drawSchema = v.pipe(
  v.object({
    key_id: v.string(),
    attempt_id: v.string(),
    at: whole,
    micros: money,
    method: v.string(),
    path: v.string(),
  }),
  v.transform(({ key_id, attempt_id, at, micros, method, path }) => ({
    keyId: key_id,
    attemptId: attempt_id,
    issuedAtMs: at,
    amount: micros,
    method,
    path,
  })),
);

const dueSchema = v.pipe(
  v.object({ record_id: v.string(), due: whole, since: whole, draw: orNull(drawSchema) }),
  v.transform(
    ({ record_id, due, since, draw }): DueCall => ({
      recordId: record_id,
      dueMs: due,
      sinceMs: since,
      draw,
    }),
  ),
);

export const readDueItem = (item: Item): DueCall => v.parse(dueSchema, read(item));

export const dueItem = ({ recordId, dueMs, sinceMs, draw }: DueCall): Item => ({
  ...dueKey({ recordId, dueMs }),
  ...written({
    record_id: recordId,
    due: dueMs,
    since: sinceMs,
    draw:
      draw === null
        ? undefined
        : {
            key_id: draw.keyId,
            attempt_id: draw.attemptId,
            at: draw.issuedAtMs,
            micros: draw.amount,
            method: draw.method,
            path: draw.path,
          },
    ttl: Math.floor(dueMs / 1000) + KEPT_S,
  }),
});
