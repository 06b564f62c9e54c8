import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoLogins } from "../../lambda/adapters/vault/logins.ts";
import { VaultTable } from "../../lambda/adapters/vault/vault-table.ts";
import { changeFrom } from "../../lambda/adapters/vault-changes.ts";
import { codeItem, loginItem, triesKey, triesTtlS } from "../../lambda/adapters/vault-items/login-item.ts";
import { FAILED_LOGINS_MAX, TRIES_WINDOW_MS } from "../../lambda/domain/login.ts";
import type { Logins } from "../../lambda/ports/logins.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { standIn } from "../../local/aws/stand-in.ts";
import { MemoryLogins } from "../support/memory-logins.ts";
import { START_MS } from "../support/vault-facts.ts";

/** Guarantees that logins in memory and those on DynamoDB keep one contract: once is once, however many ask at once. */

const LOGIN = {
  apiKeyId: "ak_0000000000000001",
  adminProof: null,
  startedAtMs: START_MS,
  endsAtMs: START_MS + 1_000,
  endedAtMs: null,
};
const ADMIN_LOGIN = { ...LOGIN, apiKeyId: "admin", adminProof: "0f" };

let made = 0;
const newId = () => `${++made}`.padStart(64, "0");

function contract(loginsOf: () => Logins): void {
  test.each([LOGIN, ADMIN_LOGIN])("a login is read as it was started", async (login) => {
    const id = newId();
    expect(await loginsOf().read(id)).toBeNull();
    await loginsOf().start(id, login);
    expect(await loginsOf().read(id)).toEqual(login);
  });

  test("a login ends once, and ending none makes none", async () => {
    const [id, none] = [newId(), newId()];
    await loginsOf().start(id, LOGIN);
    for (const atMs of [5, 9]) await loginsOf().end(id, START_MS + atMs);
    expect(await loginsOf().read(id)).toEqual({ ...LOGIN, endedAtMs: START_MS + 5 });
    await loginsOf().end(none, START_MS);
    expect(await loginsOf().read(none)).toBeNull();
  });

  test.each([
    [999, true],
    [1_000, false],
    [1_001, false],
  ])("a code that lasts a second serves after %i ms: %s", async (afterMs, serves) => {
    const id = newId();
    const code = { apiKeyId: "admin", adminProof: "0f", endsAtMs: START_MS + 1_000 };
    await loginsOf().putCode(id, code);
    expect(await loginsOf().useCode(id, START_MS + afterMs)).toEqual(serves ? code : null);
  });

  test("of many who use a code at once one gets it, and nobody later", async () => {
    const id = newId();
    await loginsOf().putCode(id, { apiKeyId: "admin", adminProof: "0f", endsAtMs: START_MS + 1_000 });
    const used = await Promise.all(Array.from({ length: 20 }, () => loginsOf().useCode(id, START_MS)));
    expect(used.filter((code) => code !== null)).toHaveLength(1);
    expect(await loginsOf().useCode(id, START_MS)).toBeNull();
  });

  test("attempts are bounded exactly, for each group and each window, and one that is given back can be taken again", async () => {
    const group = newId();
    const taken = await Promise.all(
      Array.from({ length: 2 * FAILED_LOGINS_MAX }, () => loginsOf().takeTry(group, START_MS)),
    );
    expect(taken.filter(Boolean)).toHaveLength(FAILED_LOGINS_MAX);
    expect(await loginsOf().takeTry(newId(), START_MS)).toBe(true);
    expect(await loginsOf().takeTry(group, START_MS + TRIES_WINDOW_MS)).toBe(true);
    await loginsOf().giveTryBack(group, START_MS);
    expect([await loginsOf().takeTry(group, START_MS), await loginsOf().takeTry(group, START_MS)]).toEqual([
      true,
      false,
    ]);
  });

  test("nothing is given back that was not taken", async () => {
    const group = newId();
    await loginsOf().giveTryBack(group, START_MS);
    const taken = await Promise.all(
      Array.from({ length: FAILED_LOGINS_MAX + 1 }, () => loginsOf().takeTry(group, START_MS)),
    );
    expect(taken.filter(Boolean)).toHaveLength(FAILED_LOGINS_MAX);
  });
}

describe("in memory", () => {
  const logins = new MemoryLogins();
  contract(() => logins);
});

describe("on the engine", () => {
  let engine: LocalDynamoDb;
  let client: DynamoDBClient;
  let logins: Logins;
  beforeAll(async () => {
    engine = await startDynamoDb();
    client = new DynamoDBClient(standIn(engine.endpoint));
    logins = dynamoLogins(new VaultTable({ steady: client, once: client }, "keybrake-vault", () => {}));
  });
  afterAll(async () => {
    client.destroy();
    await engine.close();
  });

  contract(() => logins);
});

describe("items", () => {
  const items = [
    ["a login", loginItem(newId(), ADMIN_LOGIN)],
    ["a code", codeItem(newId(), ADMIN_LOGIN)],
    ["attempts", { ...triesKey("192.0.2.1", START_MS), ttl: { N: `${triesTtlS(START_MS)}` } }],
  ] as const;

  test.each(items)("of %s end by TTL after what they tell is over, and make no row", (_, item) => {
    expect(Number(item["ttl"]?.N)).toBeGreaterThanOrEqual((START_MS + 1_000) / 1_000);
    const { pk, sk } = item;
    const dynamodb = { Keys: { pk, sk }, NewImage: item } as never;
    expect(changeFrom({ eventName: "INSERT", dynamodb })).toEqual({ kind: "ignored" });
  });
});
