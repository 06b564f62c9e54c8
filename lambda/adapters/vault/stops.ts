import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { StopRecords, Stops } from "../../ports/stops.ts";
import {
  BY_TIME,
  lastStopsWriteIn,
  lastStopsWriteMap,
  readStopRecordItem,
  readStopsItem,
  stopMap,
  stopRecordItem,
  stopRecordKey,
  stopsKey,
} from "../vault-items/stop-item.ts";
import { number, type VaultTable } from "./vault-table.ts";

/** The stops in force, in one item of the Vault table. Every write of it is harmless twice. */
export function dynamoStops(table: VaultTable): Stops {
  const write = (
    expression: string,
    { by, atMs }: { readonly by: string; readonly atMs: number },
    more: { readonly names?: Record<string, string>; readonly stop?: ReturnType<typeof stopMap> } = {},
  ) =>
    table.update({
      Key: stopsKey,
      UpdateExpression: `${expression} ADD n :one`,
      ExpressionAttributeNames: { "#last": "last", ...more.names },
      ExpressionAttributeValues: {
        ":one": number(1),
        ":last": lastStopsWriteMap({ by, atMs }),
        ...(more.stop && { ":stop": more.stop }),
      },
    });
  return {
    async read() {
      const item = await table.get(stopsKey);
      return item === null
        ? { stops: [], last: null }
        : { stops: readStopsItem(item), last: lastStopsWriteIn(item) };
    },
    async order(stop) {
      const names = { "#stop": stop.id };
      await write("SET #stop = :stop, #last = :last", stop, { names, stop: stopMap(stop) });
    },
    async lift({ stopId, by, nowMs }) {
      try {
        await table.update({
          Key: stopsKey,
          UpdateExpression: "SET #last = :last REMOVE #stop ADD n :one",
          ConditionExpression: "attribute_exists(#stop)",
          ExpressionAttributeNames: { "#last": "last", "#stop": stopId },
          ExpressionAttributeValues: {
            ":last": lastStopsWriteMap({ by, atMs: nowMs }),
            ":one": number(1),
          },
        });
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        throw error;
      }
    },
    async end(stopIds, nowMs) {
      if (stopIds.length === 0) return;
      const names = Object.fromEntries(stopIds.map((id, at) => [`#stop${at}`, id]));
      const expression = `SET #last = :last REMOVE ${Object.keys(names).join(", ")}`;
      await write(expression, { by: BY_TIME, atMs: nowMs }, { names });
    },
    async callAgain(nowMs) {
      await write("SET #last = :last", { by: BY_TIME, atMs: nowMs });
    },
  };
}

/** What became of each stop, an item each beside those in force. */
export const dynamoStopRecords = (table: VaultTable): StopRecords => ({
  async read(stopId) {
    const item = await table.get(stopRecordKey(stopId));
    return item === null ? null : readStopRecordItem(item);
  },
  async page({ before, limit }) {
    const { pk, sk: first } = stopRecordKey("");
    const { sk: last } = stopRecordKey(before ?? "~");
    const { items, hasMore } = await table.page({
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :first AND :last",
      ExpressionAttributeValues: { ":pk": pk, ":first": first, ":last": last },
      ScanIndexForward: false,
      ConsistentRead: true,
      // One more: the page before ended with the first.
      Limit: limit + 1,
    });
    const records = items.map(readStopRecordItem).filter(({ stop }) => stop.id !== before);
    const shown = records.slice(0, limit);
    const next = hasMore || records.length > limit ? (shown.at(-1)?.stop.id ?? null) : null;
    return { records: shown, next };
  },
  async save(record, expectedVersion) {
    try {
      await table.put({
        Item: stopRecordItem(record),
        ConditionExpression: expectedVersion === 0 ? "attribute_not_exists(pk)" : "v = :expected",
        ...(expectedVersion === 0
          ? {}
          : { ExpressionAttributeValues: { ":expected": number(expectedVersion) } }),
      });
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  },
});
