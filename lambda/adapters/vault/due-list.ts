import { eachAtOnce } from "../../at-once.ts";
import { isoTime } from "../../domain/time.ts";
import type { DueList } from "../../ports/due-list.ts";
import { ALL_SHARDS } from "../shards.ts";
import { dueItem, dueKey, duePart, readDueItem } from "../vault-items/due-item.ts";
import type { VaultTable } from "./vault-table.ts";

const PUTS_AT_ONCE = 8;

/** The due list in the Vault table. Every write of it is harmless twice. */
export const dynamoDueList = (table: VaultTable): DueList => ({
  async put(calls) {
    await eachAtOnce(calls, PUTS_AT_ONCE, (call) => table.put({ Item: dueItem(call) }));
  },
  async due(byMs, limit) {
    const pages = await Promise.all(
      ALL_SHARDS.map((shard) =>
        table.query({
          KeyConditionExpression: "pk = :part AND sk < :after",
          ExpressionAttributeValues: { ":part": { S: duePart(shard) }, ":after": { S: isoTime(byMs + 1) } },
          ConsistentRead: true,
          Limit: limit,
        }),
      ),
    );
    return pages
      .flat()
      .map(readDueItem)
      .sort((a, b) => a.dueMs - b.dueMs)
      .slice(0, limit);
  },
  async move(call, dueMs) {
    await table.put({ Item: dueItem({ ...call, dueMs }) });
    await table.delete(dueKey(call));
  },
  remove: (call) => table.delete(dueKey(call)),
});
