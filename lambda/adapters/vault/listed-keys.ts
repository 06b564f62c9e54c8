import type { ListedKeys } from "../../ports/listed-keys.ts";
import { ALL_SHARDS } from "../shards.ts";
import { listKey, positionIn, readListedItem } from "../vault-items/listed-item.ts";
import type { VaultTable } from "./vault-table.ts";

/** The lists of keys in the Vault table. Each part is a partition of its own, so that no partition has all keys. */
export const dynamoListedKeys = (table: VaultTable): ListedKeys => ({
  partsOf: (list) => ALL_SHARDS.map((shard) => ({ ...list, shard })),
  async page({ part, before, limit }) {
    const { items, hasMore } = await table.page({
      KeyConditionExpression: before === null ? "pk = :part" : "pk = :part AND sk < :before",
      ExpressionAttributeValues: {
        ":part": { S: listKey(part) },
        ...(before === null ? {} : { ":before": { S: before } }),
      },
      ScanIndexForward: false,
      ConsistentRead: true,
      Limit: limit,
    });
    const entries = items.map(readListedItem).map((key) => ({ position: positionIn(key), key }));
    return { entries, next: hasMore ? (entries.at(-1)?.position ?? null) : null };
  },
});
