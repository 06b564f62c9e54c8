import { readdir, readFile } from "node:fs/promises";
import { DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { drawLanded, keyIssued } from "../../lambda/domain/audit-event.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import { auditRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { UNLIMITED } from "../support/unlimited.ts";

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

const policy: Policy = {
  keyId: "key_totals",
  secretHash: "h",
  vendor: "stripe",
  credential: "default",
  allowedEndpoints: null,
  limits: UNLIMITED,
  label: "totals/1",
  metadata: {},
  chain: [{ keyId: "key_totals", issuedAtMs: 0 }],
  issuerId: "admin",
  issuedAtMs: 1_795_323_600_000,
  issuedWith: {
    caps: { daily: microUsd(5n), total: UNCAPPED, perCall: UNCAPPED },
    expiresAtMs: 1_795_323_600_001,
  },
};
const drawn = (n: number) =>
  drawLanded(policy, {
    callId: `call_${n}`,
    attemptId: `att_${n}`,
    atMs: policy.issuedAtMs,
    window: 0,
    amount: microUsd(100_000n),
    method: "POST",
    path: "/v1/charges",
    remaining: null,
  });

test("an event that comes again, alone or among new ones, adds nothing to any sum", async () => {
  const log = new DynamoAuditLog(client, "keybrake-audit", 400);
  const reader = new DynamoAuditReader(client, "keybrake-audit");
  const many = Array.from({ length: 40 }, (_, n) => drawn(n));

  await log.append([keyIssued(policy), ...many.slice(0, 10)]);
  await log.append(many.slice(5, 30));
  await log.append(many);
  await log.append([...many, ...many]);

  expect(await reader.held("key_totals", 0)).toEqual({ window: 4_000_000n, total: 4_000_000n });
  const totals = async (pk: string) => {
    const { Items } = await client.send(
      new QueryCommand({
        TableName: "keybrake-audit",
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": { S: pk } },
      }),
    );
    return (Items ?? []).map((item) => [item["sk"]?.S, item["held_usd"]?.N]);
  };
  expect(await totals("TOTAL#key#key_totals")).toEqual([
    ["DAY#2026-11-22", "4"],
    ["WINDOW#0", "4"],
  ]);
  expect(await totals("TOTAL#label#totals/1")).toEqual([["DAY#2026-11-22", "4"]]);
  expect(await totals("TOTAL#label_group#totals")).toEqual([["DAY#2026-11-22", "4"]]);
});
