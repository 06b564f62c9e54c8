import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as v from "valibot";
import type { CountedEntry, CountedObject } from "../../domain/counted-object.ts";
import { type Item, keyWindow, money, read, written } from "./codec.ts";

export const objectKey = (rootId: string, objectId: string) => ({
  pk: { S: `ROOT#${rootId}` },
  sk: { S: `OBJECT#${objectId}` },
});

const ENTRY_PREFIX = "c_";
export const entryAttribute = (attemptId: string): string => ENTRY_PREFIX + attemptId;
const objectSchema = v.objectWithRest(
  { object_id: v.string(), ended: v.optional(v.boolean(), false) },
  v.unknown(),
);
/** Older entries have no `beyond`: nothing was remembered of it. */
const entrySchema = v.object({
  micros: money,
  beyond: v.optional(money, 0n),
  total: money,
  keys: v.array(keyWindow),
});

export function readObjectItem(item: Item): CountedObject {
  const parsed = v.parse(objectSchema, read(item));
  const entries = Object.entries(parsed)
    .filter(([name]) => name.startsWith(ENTRY_PREFIX))
    .map(([name, value]): CountedEntry => {
      const entry = v.parse(entrySchema, value);
      const windows = entry.keys.map(({ key_id, w }) => ({ keyId: key_id, window: w }));
      return {
        attemptId: name.slice(ENTRY_PREFIX.length),
        amount: entry.micros,
        beyond: entry.beyond,
        total: entry.total,
        windows,
      };
    });
  return { objectId: parsed.object_id, cancelled: parsed.ended, entries };
}

export const entryMap = (entry: CountedEntry): AttributeValue => ({
  M: written({
    micros: entry.amount,
    beyond: entry.beyond,
    total: entry.total,
    keys: entry.windows.map(({ keyId, window }) => ({ key_id: keyId, w: window })),
  }),
});
