/**
 * Keys, indexes, TTL and stream of both tables. Read by the local run and by the deployed stack, so that they agree.
 *
 * Index keys are strings only and sparse: an item without the attribute is not in the index. No index touches the
 * balance of a key: a throttled index throttles its table (docs/decisions/0003-one-item-per-balance.md).
 */
export interface IndexSchema {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string;
  /** What it holds beside the keys; the rest of what is found is read from the table. */
  readonly holds: readonly string[];
}

export interface TableSchema {
  readonly partitionKey: string;
  readonly sortKey: string;
  readonly ttlAttribute: string;
  /** Stream of new and old images, or none. */
  readonly stream: boolean;
  readonly indexes: readonly IndexSchema[];
}

/** Keys, balances, calls, counted objects. The index finds calls that are settled at an estimate, by vendor and due time. */
export const VAULT_TABLE: TableSchema = {
  partitionKey: "pk",
  sortKey: "sk",
  ttlAttribute: "ttl",
  stream: true,
  indexes: [{ name: "by_late_price", partitionKey: "late_vendor", sortKey: "late_due", holds: [] }],
};

/** What a list shows and filters by. An index that held whole events would cost three times as much to keep. */
const LISTED = [
  "event",
  "rank",
  "vendor",
  "key_id",
  "agent_run_label",
  "method",
  "path",
  "decision",
  "reason",
  "cost_usd",
  "overrun",
  "vendor_request_id",
];

/**
 * Audit events, by call; the indexes answer by key, by vendor, by label and by label group. Their partition keys end
 * with a shard (lambda/adapters/audit-items). `at_id` is the attempt's start and the event's id, so the events of one
 * attempt are neighbours and the newest come last.
 */
export const AUDIT_TABLE: TableSchema = {
  partitionKey: "pk",
  sortKey: "sk",
  ttlAttribute: "ttl",
  stream: false,
  indexes: [
    { name: "by_key", partitionKey: "key_shard", sortKey: "at_id", holds: LISTED },
    { name: "by_vendor", partitionKey: "vendor_shard", sortKey: "at_id", holds: LISTED },
    { name: "by_label", partitionKey: "label_shard", sortKey: "at_id", holds: LISTED },
    { name: "by_label_group", partitionKey: "label_group_shard", sortKey: "at_id", holds: LISTED },
  ],
};
