import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { atId, DecimalUsd, eventAttributes, eventId, type WireValue } from "../../audit-wire.ts";
import type { AuditEvent } from "../../domain/audit-event.ts";
import type { AuditIndexPart } from "../../ports/audit.ts";
import { shardOf } from "../shards.ts";
import type { Item } from "../vault-items/codec.ts";

/**
 * An event as an item of the Audit table. An index key ends with a shard, since DynamoDB takes about 1,000 writes a second
 * at one key of an index, and a whole deployment may share a vendor, a run or a key. The events of an attempt have one
 * shard, so that they stay neighbours.
 */
export function eventItem(event: AuditEvent, retentionDays: number): Item {
  const { subject, attemptId, fields } = event;
  const shard = shardOf(attemptId ?? subject);
  const named: Record<string, WireValue> = {
    ...eventAttributes(event),
    pk: subject,
    sk: sortKeyOf(event),
    at_id: atId(event),
    ttl: keptUntilS(fields.atMs, retentionDays),
    [INDEXES.key.partitionKey]: keyIn({ kind: "key", keyId: fields.keyId, shard }),
    [INDEXES.vendor.partitionKey]: keyIn({ kind: "vendor", vendor: fields.vendor, shard }),
    ...(fields.label === null
      ? {}
      : { [INDEXES.label.partitionKey]: keyIn({ kind: "label", label: fields.label, shard }) }),
    ...(fields.labelGroup === null
      ? {}
      : {
          [INDEXES.label_group.partitionKey]: keyIn({ kind: "label_group", group: fields.labelGroup, shard }),
        }),
  };
  const attributes: Record<string, AttributeValue> = {};
  for (const [name, value] of Object.entries(named))
    if (!isEmpty(value)) attributes[name] = attributeOf(value);
  return attributes;
}

/** An empty list or map says no more than none: an event of 1,024 bytes costs half of one that is longer. */
const isEmpty = (value: WireValue): boolean =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof DecimalUsd) &&
  Object.keys(value).length === 0;

/** The sort key of an event in the table; its partition key is its subject. */
export const sortKeyOf = (event: AuditEvent): string => eventId(event).slice(event.subject.length + 1);

/** When TTL removes what is of this time, in seconds since 1970. */
export const keptUntilS = (atMs: number, retentionDays: number): number =>
  Math.floor(atMs / 1000) + retentionDays * 86_400;

/** A part of an index. By call the table itself answers. */
export type IndexPart = Exclude<AuditIndexPart, { readonly kind: "call" }>;

/** The index of each access pattern, with its partition key (lib/table-schemas.ts). The table itself answers by call. */
export const INDEXES = {
  key: { name: "by_key", partitionKey: "key_shard" },
  vendor: { name: "by_vendor", partitionKey: "vendor_shard" },
  label: { name: "by_label", partitionKey: "label_shard" },
  label_group: { name: "by_label_group", partitionKey: "label_group_shard" },
} as const satisfies Record<IndexPart["kind"], { readonly name: string; readonly partitionKey: string }>;

/** A value of the partition key of an index. */
export const keyIn = (part: IndexPart): string => `${indexed(part)}#${part.shard}`;

function indexed(part: IndexPart): string {
  switch (part.kind) {
    case "key":
      return part.keyId;
    case "label":
      return part.label;
    case "label_group":
      return part.group;
    case "vendor":
      return part.vendor;
  }
}

function attributeOf(value: WireValue): AttributeValue {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: `${value}` };
  if (typeof value === "boolean") return { BOOL: value };
  if (value === null) return { NULL: true };
  if (value instanceof DecimalUsd) return { N: value.text };
  if (isList(value)) return { L: value.map((each) => ({ S: each })) };
  return { M: Object.fromEntries(Object.entries(value).map(([name, text]) => [name, { S: text }])) };
}

const isList = (value: WireValue): value is readonly string[] => Array.isArray(value);
