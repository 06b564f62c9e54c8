import { readdir, readFile } from "node:fs/promises";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that one bad record does not keep the records after it out of the audit log. */

let run: OwnRun;
let client: DynamoDBClient;

beforeAll(async () => {
  run = await startOwn();
  client = new DynamoDBClient({
    endpoint: run.dynamodbEndpoint,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
});

afterAll(async () => {
  await run.close();
});

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
