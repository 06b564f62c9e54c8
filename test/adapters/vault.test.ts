import { createServer, request, type Server } from "node:http";
import { DeleteItemCommand, GetItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoClients } from "../../lambda/adapters/dynamo-clients.ts";
import { DynamoVault } from "../../lambda/adapters/dynamo-vault.ts";
import { changeFrom } from "../../lambda/adapters/vault-changes.ts";
import { type Balance, type Caps, UNCAPPED, WINDOW_MS, windowAt } from "../../lambda/domain/balance.ts";
import { minuteAt, NO_CALLS } from "../../lambda/domain/call-rate.ts";
import { fromUsdCents } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { itemSize } from "../support/item-size.ts";
import { MemoryVault } from "../support/memory-vault.ts";
import { UNLIMITED } from "../support/unlimited.ts";
import { vaultContract } from "./vault.contract.ts";

/** Guarantees that the vault in memory and the one on DynamoDB pass the same contract. */

function keyOf(keyId: string, change: Partial<Policy> = {}): { policy: Policy; balance: Balance } {
  const caps = { daily: 10n, total: 100n, perCall: 100n } as never as Caps;
  const policy: Policy = {
    keyId,
    secretHash: "h",
    vendor: "stripe",
    credential: "default",
    allowedEndpoints: null,
    limits: UNLIMITED,
    label: null,
    metadata: {},
    chain: [{ keyId, issuedAtMs: 1 }],
    issuerId: "admin",
    issuedAtMs: 1,
    issuedWith: { caps, expiresAtMs: 9_000_000_000_000 },
    ...change,
  };
  const balance: Balance = {
    keyId,
    issuedAtMs: 1,
    caps,
    leftByWindow: {},
    leftInTotal: caps.total,
    expiresAtMs: 9_000_000_000_000,
    revokedAtMs: null,
    fenceMs: 0,
    writes: 0,
    minuteCalls: null,
  };
  return { policy, balance };
}

describe("in memory", () => {
  const vault = new MemoryVault();
  vaultContract(() => vault);
});

describe("on the engine", () => {
  let engine: LocalDynamoDb;
  let vault: DynamoVault;
  const saved = { ...process.env };

  const vaultAt = (endpoint: string) => {
    process.env["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint;
    return new DynamoVault(dynamoClients(5_000), "keybrake-vault", () => undefined);
  };

  beforeAll(async () => {
    Object.assign(process.env, {
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_SECRET_ACCESS_KEY: "local",
    });
    engine = await startDynamoDb();
    vault = vaultAt(engine.endpoint);
  });

  afterAll(async () => {
    await engine.close();
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
  });

  vaultContract(() => vault);

  test("a key that is changed stays in its lists as long as its policy, also one of a time before the lists", async () => {
    const { client } = engine;
    const ttlsOf = async (keyId: string) => {
      const { Items = [] } = await client.send(
        new ScanCommand({
          TableName: "keybrake-vault",
          FilterExpression: "key_id = :id AND sk <> :balance",
          ExpressionAttributeValues: { ":id": { S: keyId }, ":balance": { S: "BALANCE" } },
        }),
      );
      return Items.map(({ pk, sk, ttl }) => ({ pk: pk?.S, sk: sk?.S, ttl: Number(ttl?.N) }));
    };
    const keyId = "key_kept_longer";
    const { policy, balance } = keyOf(keyId, { label: "kept/1", issuerId: "key_above" });
    await vault.policies.create(policy, balance, null);
    expect(await ttlsOf(keyId)).toHaveLength(4);
    const caps = balance.caps;
    const change = async (expiresAtMs: number) => {
      const [before = null] = await vault.balances.read([keyId]);
      return before && vault.balances.change(before, { caps, expiresAtMs, by: "admin", nowMs: 5 });
    };

    expect(await change(9_500_000_000_000)).not.toBeNull();
    const longer = await ttlsOf(keyId);
    expect(new Set(longer.map(({ ttl }) => ttl))).toEqual(new Set([9_500_000_000 + 30 * 86_400]));

    for (const { pk, sk } of longer.filter((item) => item.pk?.startsWith("LISTED#")))
      await client.send(
        new DeleteItemCommand({
          TableName: "keybrake-vault",
          Key: { pk: { S: `${pk}` }, sk: { S: `${sk}` } },
        }),
      );
    expect(await ttlsOf(keyId)).toHaveLength(1);
    expect(await change(9_400_000_000_000)).not.toBeNull();
    expect((await ttlsOf(keyId)).map(({ pk }) => pk).sort()).toEqual(longer.map(({ pk }) => pk).sort());
  });

  describe("the balance of a key with a rate", () => {
    const balanceItemOf = async (keyId: string) => {
      const { Item: item } = await engine.client.send(
        new GetItemCommand({
          TableName: "keybrake-vault",
          Key: { pk: { S: `KEY#${keyId}` }, sk: { S: "BALANCE" } },
          ConsistentRead: true,
        }),
      );
      return item ?? {};
    };
    const limited = async (keyId: string, issuedAtMs: number) => {
      const { policy, balance } = keyOf(keyId);
      const caps = { daily: fromUsdCents(100_000_000_000n), total: UNCAPPED, perCall: UNCAPPED };
      const put = { ...balance, issuedAtMs, caps, leftInTotal: caps.total, minuteCalls: NO_CALLS };
      await vault.policies.create(policy, put, null);
    };

    test("stays below a kilobyte in thirty days of calls with gaps of every length", async () => {
      const [keyId, issuedAtMs] = [`key_${"k".repeat(16)}`, 1_795_323_600_000];
      await limited(keyId, issuedAtMs);
      const gapsMs = [200, 59_000, 61_000, 125_000, 3_600_000, 7 * 3_600_000, 26 * 3_600_000];
      let largest = 0;
      for (let nowMs = issuedAtMs, calls = 0; nowMs < issuedAtMs + 30 * WINDOW_MS; calls++) {
        const call = {
          keyId,
          nowMs,
          observes: true,
          count: { minute: minuteAt(issuedAtMs, nowMs), max: 100_000 },
        };
        const draw = {
          ...call,
          attemptId: `att_${"a".repeat(20)}`,
          window: windowAt(issuedAtMs, nowMs),
          amount: fromUsdCents(123_456_789n),
          issuedAtMs: nowMs,
          callId: `call_${"c".repeat(40)}`,
          isLeaf: true,
          leafId: null,
          method: "POST",
          path: "/p".repeat(100),
        };
        const result = calls % 3 === 0 ? await vault.balances.count(call) : await vault.balances.draw(draw);
        expect(["counted", "drawn"]).toContain(result.kind);
        largest = Math.max(largest, itemSize(await balanceItemOf(keyId)));
        nowMs += gapsMs[calls % gapsMs.length] ?? 0;
      }
      expect(largest).toBeGreaterThan(500);
      expect(largest).toBeLessThan(1_024);
    });

    test("tells the stream nothing when a call is only counted, and a draw as ever", async () => {
      const keyId = "key_streamed";
      await limited(keyId, 1);
      const told = async (write: () => Promise<unknown>) => {
        const before = await balanceItemOf(keyId);
        await write();
        const after = await balanceItemOf(keyId);
        expect(after).not.toEqual(before);
        const { pk, sk } = after;
        const record = { dynamodb: { Keys: { pk, sk }, OldImage: before, NewImage: after } };
        return changeFrom(record as Parameters<typeof changeFrom>[0]).kind;
      };
      const call = { keyId, nowMs: 5, observes: false, count: { minute: 0, max: 9 } };
      const draw = { ...call, attemptId: "att_1", window: 0, amount: fromUsdCents(1n), issuedAtMs: 5 };
      const note = { callId: "call_1", isLeaf: true, leafId: null, method: "POST", path: "/" };

      expect(await told(() => vault.balances.count(call))).toBe("ignored");
      expect(await told(() => vault.balances.draw({ ...draw, ...note }))).toBe("drawn");
      expect(await told(() => vault.balances.count({ ...call, count: { minute: 1, max: 9 } }))).toBe(
        "ignored",
      );
    });
  });

  describe("when the reply to a write of a balance is lost", () => {
    let proxy: Server;
    let loses = false;
    let updates = 0;
    let behind: DynamoVault;

    /** Passes requests on to the engine; while `loses`, an update lands and its reply never comes. */
    beforeAll(async () => {
      proxy = createServer((incoming, outgoing) => {
        const isUpdate = `${incoming.headers["x-amz-target"]}`.endsWith(".UpdateItem");
        const passed = request(engine.endpoint, { method: "POST", headers: incoming.headers }, (answer) => {
          if (isUpdate) updates += 1;
          if (isUpdate && loses) {
            answer.resume();
            incoming.socket.destroy();
          } else {
            outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
            answer.pipe(outgoing);
          }
        });
        incoming.pipe(passed);
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const address = proxy.address();
      behind = vaultAt(
        `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`,
      );
    });

    afterAll(() => {
      proxy.closeAllConnections();
      proxy.close();
    });

    const key = (keyId: string) => {
      const { policy, balance } = keyOf(keyId);
      return vault.policies.create(policy, balance, null);
    };
    const left = async (keyId: string) => (await vault.balances.read([keyId]))[0]?.leftByWindow[0];

    test("a draw is sent once, and the probe finds that it landed", async () => {
      await key("key_lost_draw");
      loses = true;
      updates = 0;
      const draw = {
        keyId: "key_lost_draw",
        attemptId: "att_1",
        window: 0,
        amount: 4n as never,
        issuedAtMs: 5,
        nowMs: 5,
        callId: "c",
        isLeaf: true,
        leafId: null,
        method: "POST",
        path: "/",
        observes: false,
        count: null,
      };
      expect(await behind.balances.draw(draw)).toMatchObject({ kind: "drawn" });
      loses = false;
      expect(updates).toBe(1);
      expect(await left("key_lost_draw")).toBe(6n);
    });

    test("a give-back is sent once, and nobody throws", async () => {
      await key("key_lost_back");
      const draw = {
        keyId: "key_lost_back",
        attemptId: "att_1",
        window: 0,
        amount: 4n as never,
        issuedAtMs: 5,
        nowMs: 5,
        callId: "c",
        isLeaf: true,
        leafId: null,
        method: "POST",
        path: "/",
        observes: false,
        count: null,
      };
      await vault.balances.draw(draw);
      loses = true;
      updates = 0;
      await behind.balances.correct({
        opId: "att_1.0",
        keyId: "key_lost_back",
        window: 0,
        amount: 4n as never,
        issuedAtMs: 6,
      });
      loses = false;
      expect(updates).toBe(1);
      expect(await left("key_lost_back")).toBe(10n);
    });
  });
});
