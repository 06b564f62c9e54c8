import type { QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { eachAtOnce } from "../../at-once.ts";
import { isoTime } from "../../domain/time.ts";
import type { DueList } from "../../ports/due-list.ts";
import { ALL_SHARDS } from "../shards.ts";
import { dueItem, dueKey, duePart, readDueItem } from "../vault-items/due-item.ts";
import type { VaultTable } from "./vault-table.ts";

const PUTS_AT_ONCE = 8;

/** The due list in the Vault table. Every write of it is harmless twice. */
export const dynamoDueList = (table: VaultTable): DueList => {
  const dueIn = (byMs: number, asked: Pick<QueryCommandInput, "Limit" | "ConsistentRead">) =>
    Promise.all(
      ALL_SHARDS.map((shard) =>
        table.query({
          KeyConditionExpression: "pk = :part AND sk < :after",
          ExpressionAttributeValues: { ":part": { S: duePart(shard) }, ":after": { S: isoTime(byMs + 1) } },
          ...asked,
        }),
      ),
    );
  return {
    async put(calls) {
      await eachAtOnce(calls, PUTS_AT_ONCE, (call) => table.put({ Item: dueItem(call) }));
    },
    async due(byMs, limit) {
      const pages = await dueIn(byMs, { ConsistentRead: true, Limit: limit });
      return pages
        .flat()
        .map(readDueItem)
        .sort((a, b) => a.dueMs - b.dueMs)
        .slice(0, limit);
    },
    // It is asked every few minutes, mostly in vain: for half the units.
    isAnyDue: async (byMs) => (await dueIn(byMs, { Limit: 1 })).some((page) => page.length > 0),
    async move(call, dueMs) {
      await table.put({ Item: dueItem({ ...call, dueMs }) });
      await table.delete(dueKey(call));
    },
    remove: (call) => table.delete(dueKey(call)),
  };
};
