import { type AttributeValue, DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoStopRecords, dynamoStops } from "../../lambda/adapters/vault/stops.ts";
import { VaultTable } from "../../lambda/adapters/vault/vault-table.ts";
import { changeFrom } from "../../lambda/adapters/vault-changes.ts";
import { balanceItem, stopCauseMap } from "../../lambda/adapters/vault-items/balance-item.ts";
import { causeOf } from "../../lambda/app/stops/refuse-stopped.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import type { StopsVault } from "../../lambda/ports/stops.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { itemSize } from "../support/item-size.ts";
import { MemoryVault } from "../support/memory-vault.ts";
import { stopsContract } from "./stops.contract.ts";

/** Guarantees that the stops in memory and those on DynamoDB keep one contract, and what is done about those by hand. */

describe("in memory", () => {
  const vault = new MemoryVault();
  stopsContract(() => vault);
});

describe("on the engine", () => {
  let engine: LocalDynamoDb;
  let client: DynamoDBClient;
  let vault: StopsVault;
  beforeAll(async () => {
    engine = await startDynamoDb();
    client = new DynamoDBClient(standIn(engine.endpoint));
    const table = new VaultTable({ steady: client, once: client }, "keybrake-vault", () => {});
    vault = { stops: dynamoStops(table), stopRecords: dynamoStopRecords(table) };
  });
  afterAll(async () => {
    client.destroy();
    await engine.close();
  });

  stopsContract(() => vault);

  const byHand = (id: string, stop: Record<string, AttributeValue>) =>
    client.send(
      new UpdateItemCommand({
        TableName: "keybrake-vault",
        Key: { pk: { S: "STOPS" }, sk: { S: "ACTIVE" } },
        UpdateExpression: "SET #id = :stop",
        ExpressionAttributeNames: { "#id": id },
        ExpressionAttributeValues: { ":stop": { M: stop } },
      }),
    );
  const times = { by: { S: "me" }, at: { N: "1" }, until: { N: "2" } };

  test.each<[string, Record<string, AttributeValue>]>([
    ["a misspelt criterion", { ...times, agent_run_lable: { S: "x" } }],
    ["no criterion", times],
    ["all and a criterion", { ...times, all: { BOOL: true }, vendor: { S: "stripe" } }],
    ["no end", { by: { S: "me" }, at: { N: "1" }, vendor: { S: "stripe" } }],
  ])("a stop by hand with %s makes the item unreadable, and is lifted like any other", async (_, stop) => {
    await byHand("stop_1wrong", stop);
    await expect(vault.stops.read()).rejects.toThrow();
    expect(await vault.stops.lift({ stopId: "stop_1wrong", by: "admin", nowMs: 3 })).toBe(true);
    await vault.stops.read();
  });
});

describe("the stream", () => {
  const keys = { pk: { S: "STOPS" }, sk: { S: "ACTIVE" } };
  const good = { M: { vendor: { S: "stripe" }, by: { S: "me" }, at: { N: "1000" }, until: { N: "2000" } } };
  const wrong = { M: { vendro: { S: "stripe" } } };
  const record = (before: object | null, after: object) => ({
    dynamodb: {
      Keys: keys,
      ApproximateCreationDateTime: 5,
      ...(before === null ? {} : { OldImage: { ...keys, ...before } }),
      NewImage: { ...keys, ...after },
    },
  });
  const last = (by: string) => ({ last: { M: { by: { S: by }, at: { N: "1500" } } } });
  const told = (before: object | null, after: object) => {
    const change = changeFrom(record(before, after));
    if (change.kind !== "stops") return change.kind;
    return [
      ...change.ordered.map(({ id, by, atMs }) => `+${id} ${by} ${atMs}`),
      ...change.gone.map(({ stop, by, atMs }) => `-${stop.id} ${by} ${atMs}`),
    ].join();
  };

  test.each([
    ["a first stop", null, { stop_1: good, ...last("me") }, "+stop_1 me 1000"],
    ["one more", { stop_1: good }, { stop_1: good, stop_2: good }, "+stop_2 me 1000"],
    ["the same once more", { stop_1: good }, { stop_1: good, ...last("time") }, "ignored"],
    [
      "one that was lifted",
      { stop_1: good, stop_2: good },
      { stop_2: good, ...last("ak_1") },
      "-stop_1 ak_1 1500",
    ],
    ["one whose time was over", { stop_1: good }, last("time"), "-stop_1 time 2000"],
    ["one that was taken off by hand", { stop_1: good }, {}, "-stop_1 unknown 5000"],
    ["one that nobody can read", { stop_1: good }, { stop_1: good, stop_2: wrong }, "ignored"],
  ] as const)("tells %s", (_, before, after, expected) => {
    expect(told(before, after)).toBe(expected);
  });
});

test("the balance of a stopped key stays below a kilobyte, whatever the reason", () => {
  const most = 999_999_999_999_999n as never;
  const caps = { daily: most, total: UNCAPPED, perCall: UNCAPPED };
  const keyId = `key_${"A".repeat(16)}`;
  const item = balanceItem(
    {
      keyId,
      issuedAtMs: 1_795_323_600_000,
      caps,
      leftByWindow: {},
      leftInTotal: UNCAPPED,
      expiresAtMs: 1_797_915_600_000,
      revokedAtMs: null,
      minuteCalls: { minute: 40_000, calls: 10_000 },
      fenceMs: 0,
      writes: 1_000_000,
    },
    { op: "revoke", id: `${keyId}.1795323600000`, atMs: 1_795_323_600_000, by: `ak_${"A".repeat(16)}` },
    1_800_000_000,
  );
  const cause = causeOf({
    id: "stop_1795862444389DOb0J9",
    by: `ak_${"A".repeat(16)}`,
    reason: "東".repeat(200),
    matcher: { label: null, vendor: null, parentId: null, apiKeyId: null, vendors: null, credentials: null },
    atMs: 0,
    untilMs: 1,
  });
  expect(cause.reason).toMatch(/^東{160,}…$/);
  const windows = Object.fromEntries([30, 29, 28, 27].map((n) => [`d${n}`, { N: `${most}` }]));
  const stopped = {
    ...item,
    ...windows,
    revoked_at: { N: "1795323600000" },
    revoked_by: stopCauseMap(cause),
  };
  expect(itemSize(stopped)).toBeGreaterThan(800);
  expect(itemSize(stopped)).toBeLessThan(1024);
});
