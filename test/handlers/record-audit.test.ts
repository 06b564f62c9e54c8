import { readdir, readFile } from "node:fs/promises";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { dueItem } from "../../lambda/adapters/vault-items/due-item.ts";
import { type FaultyWay, startFaultyWay } from "../support/faulty-way.ts";
import { auditRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/**
 * Guarantees that one bad record does not keep the records after it out of the audit log, and that what is due is looked at
 * whatever becomes of the sweep.
 */

const MINUTE_MS = 60_000;

let run: OwnRun;
let way: FaultyWay;
let client: DynamoDBClient;
let wakes: number;
let sweepsFail: boolean;

beforeAll(async () => {
  run = await startOwn({
    beforeDynamoDb: async (endpoint) => {
      way = await startFaultyWay(endpoint, ({ body }) => {
        const isSweep = body.includes('"SWEPT"');
        return sweepsFail && isSweep ? { carriedOut: false, answer: { status: 400, body: "{}" } } : null;
      });
      return way.endpoint;
    },
    // It finishes nothing, so that what is due stays due.
    aroundFunctions: (invoke) => async (name, event, context) => {
      if (name !== "resolve-calls") return invoke(name, event, context);
      wakes++;
      return {};
    },
  });
  client = new DynamoDBClient({
    endpoint: run.dynamodbEndpoint,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
});

beforeEach(() => {
  wakes = 0;
  sweepsFail = false;
});

afterAll(async () => {
  await run.close();
  await way.close();
  client.destroy();
});

const isDueSince = async (ms: number) => {
  const dueMs = Date.now() - ms;
  const Item = dueItem({ recordId: `call_${ms}`, dueMs, sinceMs: dueMs, draw: null });
  await client.send(new PutItemCommand({ TableName: "keybrake-vault", Item }));
};
const sweep = () => run.tellOpen();

test("a record that cannot be read ends in a dead letter, and whatever comes after it is recorded", async () => {
  const key = await issue(run);
  await pay(run, key, 100);
  const poison = { pk: { S: "CALL#poison" }, sk: { S: "CALL" }, v: { S: "no number" } };
  await client.send(new PutItemCommand({ TableName: "keybrake-vault", Item: poison }));
  await pay(run, key, 200);

  const rows = await auditRows(run, { key_id: key.id });
  expect(rows.map((row) => [row["type"], row["cost_usd"]])).toEqual([
    ["call", 2],
    ["call", 1],
    ["key.issued", null],
  ]);
  const letters = run.announced.filter((message) => message.includes(".json"));
  expect(letters).toHaveLength(1);
  const [file = ""] = /\/\S+\.json/.exec(letters[0] ?? "") ?? [];
  expect(await readFile(file, "utf8")).toContain("CALL#poison");
  expect(await readdir(file.slice(0, file.lastIndexOf("/")))).toHaveLength(1);
});

test("the resolver is woken by what is due, and by nothing else", async () => {
  await sweep();
  expect(wakes).toBe(0);

  await isDueSince(MINUTE_MS);
  await sweep();
  expect(wakes).toBe(1);
});

test("it is woken though the sweep fails, which is said", async () => {
  sweepsFail = true;
  await isDueSince(2 * MINUTE_MS);

  await expect(sweep()).rejects.toThrow();

  expect(wakes).toBe(1);
});

test("where it does not finish what is due, it is woken again, and that is said", async () => {
  await isDueSince(31 * MINUTE_MS);

  await expect(sweep()).rejects.toThrow("half an hour");

  expect(wakes).toBe(1);
});
