import type { UpdateItemCommandInput } from "@aws-sdk/client-dynamodb";
import { labelGroup } from "../../domain/vault-key.ts";
import { shardOf } from "../shards.ts";

/**
 * Which labels and label groups have sums of a day. Sums are found by name, so somebody has to say which names there are:
 * an item for each name and day, which a process writes once an hour.
 */
export interface Name {
  readonly kind: NameKind;
  readonly name: string;
  /** UTC day: `2026-11-22`. */
  readonly day: string;
  /** What follows the group in the label that it was seen in; empty where nothing does. */
  readonly separator: Separator;
}

export type NameKind = "label" | "label_group";
export type Separator = "/" | ":" | "";

/** The names of a call with this label, on the day that it began. */
export function namesOf(label: string, day: string): readonly Name[] {
  const group = labelGroup(label);
  const own: Name = { kind: "label", name: label, day, separator: "" };
  if (group === null) return [own];
  const separator = (label[group.length] ?? "") as Separator;
  return [own, { kind: "label_group", name: group, day, separator }];
}

/** The partition key of one part of the names of a day. */
export const namesIn = (kind: NameKind, day: string, shard: number): string =>
  `NAMES#${kind}#${day}#${shard}`;

/** Attribute that says after which separator a group was seen. */
export const SEPARATORS = { "/": "with_slash", ":": "with_colon", "": "alone" } as const;

/** Adds a name, or says when it was seen last. `seenAt`: ISO 8601. `ttlS`: seconds. */
export const nameUpdate = (
  table: string,
  { kind, name, day, separator }: Name,
  seenAt: string,
  ttlS: number,
): UpdateItemCommandInput => ({
  TableName: table,
  Key: { pk: { S: namesIn(kind, day, shardOf(name)) }, sk: { S: name } },
  UpdateExpression: `SET seen_at = :seen_at, #ttl = :ttl${kind === "label" ? "" : ", #separator = :true"}`,
  ExpressionAttributeNames: {
    "#ttl": "ttl",
    ...(kind === "label" ? {} : { "#separator": SEPARATORS[separator] }),
  },
  ExpressionAttributeValues: {
    ":seen_at": { S: seenAt },
    ":ttl": { N: `${ttlS}` },
    ...(kind === "label" ? {} : { ":true": { BOOL: true } }),
  },
});
