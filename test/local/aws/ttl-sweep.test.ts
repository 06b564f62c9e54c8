import { PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { TABLES } from "../../../local/aws/tables.ts";
import { startTtlSweep } from "../../../local/aws/ttl-sweep.ts";

/** Guarantees that the local sweep deletes only expired items. */

const NOW_S = 1_800_000_000;

let dynamodb: LocalDynamoDb;
beforeEach(async () => {
  dynamodb = await startDynamoDb();
});
afterEach(async () => {
  vi.useRealTimers();
  await dynamodb.close();
});

async function put(table: string, name: string, ttl?: { N: string } | { S: string }): Promise<void> {
  const item = { pk: { S: name }, sk: { S: "x" }, ...(ttl && { ttl }) };
  await dynamodb.client.send(new PutItemCommand({ TableName: table, Item: item }));
}

async function namesIn(table: string): Promise<string[]> {
  const { Items: items = [] } = await dynamodb.client.send(new ScanCommand({ TableName: table }));
  return items.map((item) => item["pk"]?.S ?? "").sort();
}

test("a sweep deletes what has expired in both tables, and nothing else", async () => {
  await put("keybrake-vault", "past", { N: String(NOW_S - 1) });
  await put("keybrake-vault", "now", { N: String(NOW_S) });
  await put("keybrake-vault", "future", { N: String(NOW_S + 1) });
  await put("keybrake-vault", "text", { S: "1" });
  await put("keybrake-vault", "none");
  await put("keybrake-audit", "past", { N: "1" });

  const sweep = startTtlSweep({ client: dynamodb.client, tables: TABLES, nowS: () => NOW_S });

  expect(await sweep.sweep()).toBe(2);
  expect(await namesIn("keybrake-vault")).toEqual(["LAYOUT", "future", "none", "now", "text"]);
  expect(await namesIn("keybrake-audit")).toEqual([]);
  expect(await sweep.sweep()).toBe(0);
  await sweep.close();
});

/** Guarantees that a sweep costs the same however much there is, and that all of it is swept in time. */
test("a sweep looks at so many items of each table, the next one at those behind them, and it begins again at the end", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  for (const name of names) await put("keybrake-audit", name, name === "b" ? undefined : { N: "1" });
  const sent = vi.spyOn(dynamodb.client, "send");

  const sweep = startTtlSweep({ client: dynamodb.client, tables: TABLES, sweepMax: 3, nowS: () => NOW_S });

  expect(await sweep.sweep()).toBe(2);
  expect(await namesIn("keybrake-audit")).toEqual(["b", "d", "e", "f", "g"]);
  expect(await sweep.sweep()).toBe(3);
  expect(await namesIn("keybrake-audit")).toEqual(["b", "g"]);
  await put("keybrake-audit", "a", { N: "1" });
  expect(await sweep.sweep()).toBe(1);
  expect(await namesIn("keybrake-audit")).toEqual(["a", "b"]);
  expect(await sweep.sweep()).toBe(1);
  expect(await namesIn("keybrake-audit")).toEqual(["b"]);
  const limits = sent.mock.calls.flatMap(([{ input }]) => ("FilterExpression" in input ? [input] : []));
  expect(limits).not.toEqual([]);
  expect(limits.filter((input) => !("Limit" in input) || input.Limit !== 3)).toEqual([]);
  await sweep.close();
});

test("a sweep comes every minute, and closing waits for it", async () => {
  await put("keybrake-vault", "past", { N: "1" });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const sweep = startTtlSweep({ client: dynamodb.client, tables: TABLES });

  vi.advanceTimersByTime(59_999);
  expect(await namesIn("keybrake-vault")).toEqual(["LAYOUT", "past"]);
  vi.advanceTimersByTime(1);
  await sweep.close();

  expect(await namesIn("keybrake-vault")).toEqual(["LAYOUT"]);
});

test("a sweep that fails is told and the next one comes", async () => {
  const errors: unknown[] = [];
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const missing = { ...TABLES[0], name: "no-such-table" };
  const sweep = startTtlSweep({
    client: dynamodb.client,
    tables: [missing],
    onError: (error) => errors.push(error),
  });

  vi.advanceTimersByTime(120_000);
  await sweep.close();

  expect(errors).toHaveLength(2);
});
