import { type BatchGetItemCommand, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type DynamoClients, dynamoClients } from "../../lambda/adapters/dynamo-clients.ts";
import { DynamoVault } from "../../lambda/adapters/dynamo-vault.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import {
  attemptOf,
  balanceOf,
  correctionOf,
  drawOf,
  HOUR_MS,
  newName,
  policyOf,
  recordOf,
  START_MS,
} from "../support/vault-facts.ts";

/** Guarantees that a lost answer of the table takes and gives money once. */

const TIMEOUT_MS = 5_000;
let engine: LocalDynamoDb;
let proxy: FaultProxy;
let clients: DynamoClients;
let vault: DynamoVault;
/** Past the proxy: what the table holds, whatever fails on the way. */
let direct: DynamoVault;
const warnings: string[] = [];

beforeAll(async () => {
  engine = await startDynamoDb();
  proxy = await startFaultProxy(engine.endpoint);
  const warn = (message: string) => warnings.push(message);
  direct = new DynamoVault(await clientsOf(engine.endpoint), TABLES[0].name, warn);
  clients = await clientsOf(proxy.endpoint);
  vault = new DynamoVault(clients, TABLES[0].name, warn);
});

beforeEach(() => {
  warnings.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await proxy.close();
  await engine.close();
});

/** The clients that are deployed, pointed elsewhere. They read the variables with their first request. */
async function clientsOf(endpoint: string): Promise<DynamoClients> {
  vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", endpoint);
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
  const made = dynamoClients(TIMEOUT_MS);
  await Promise.all([made.steady, made.once].map((client) => client.send(new ListTablesCommand({}))));
  return made;
}

describe("a write whose answer is lost", () => {
  const issue = async () => {
    const keyId = newName("key");
    await direct.policies.create(policyOf(keyId), balanceOf(keyId), null);
    return keyId;
  };
  const leftOf = async (keyId: string) => (await direct.balances.read([keyId]))[0]?.leftByWindow[0];

  test("the client for balances never repeats anything by itself, the other one does", async () => {
    expect(await clients.once.config.maxAttempts()).toBe(1);
    expect(await clients.steady.config.maxAttempts()).toBeGreaterThan(1);
  });

  test("a draw that landed is found by the probe, and taken once", async () => {
    const keyId = await issue();
    proxy.fail("UpdateItem", "reply_lost", 1);

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toMatchObject({
      kind: "drawn",
      balance: { leftByWindow: { 0: 6n } },
    });
    expect(proxy.seen).toEqual(["UpdateItem", "GetItem"]);
    expect(await leftOf(keyId)).toBe(6n);
  });

  test("a draw is ambiguous when another write came after it, even one of the same call, and is taken once", async () => {
    const keyId = await issue();
    proxy.fail("UpdateItem", "reply_lost", 1, () => direct.balances.draw(drawOf(keyId, 1n)));

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toEqual({ kind: "ambiguous" });
    expect(proxy.seen).toEqual(["UpdateItem", "GetItem"]);
    expect(await leftOf(keyId)).toBe(5n);
  });

  test("a draw that never arrived is ambiguous, since it could still arrive", async () => {
    const keyId = await issue();
    await direct.balances.draw(drawOf(keyId, 1n));
    proxy.fail("UpdateItem", "never_arrives", 1);

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toEqual({ kind: "ambiguous" });
    expect(await leftOf(keyId)).toBe(9n);
  });

  test("a draw stays ambiguous when the probe is lost too", async () => {
    const keyId = await issue();
    proxy.fail("UpdateItem", "reply_lost", 1, async () => {
      proxy.fail("GetItem", "never_arrives", 10);
    });

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toEqual({ kind: "ambiguous" });
    expect(await leftOf(keyId)).toBe(6n);
    proxy.fail("GetItem", "never_arrives", 0);
  });

  const error = (name: string, status = 400) => ({ error: name, status });
  const throttled = error("ThrottlingException");
  const seenTimes = (times: number) => Array.from({ length: times }, () => "UpdateItem");

  test("a draw that was throttled is sent again, and taken once", async () => {
    const keyId = await issue();
    proxy.fail("UpdateItem", throttled, 4);

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toMatchObject({ kind: "drawn" });
    expect(proxy.seen).toEqual(seenTimes(5));
    expect(await leftOf(keyId)).toBe(6n);
  });

  test.each([
    ["throttled", throttled, 5],
    ["throttled by the account", error("RequestLimitExceeded"), 5],
    ["in conflict with a transaction", error("TransactionConflictException"), 5],
    ["in conflict with another region", error("ReplicatedWriteConflictException"), 5],
    ["not permitted", error("AccessDeniedException"), 1],
    ["not valid", error("ValidationException"), 1],
    ["without its table", error("ResourceNotFoundException"), 1],
  ] as const)(
    "a draw whose every send was %s was certainly not taken, and is not probed",
    async (_, fault, sends) => {
      const keyId = await issue();
      proxy.fail("UpdateItem", fault, 5);

      expect(await vault.balances.draw(drawOf(keyId, 4n))).toEqual({ kind: "not_applied" });
      expect(proxy.seen).toEqual(seenTimes(sends));
      expect(await leftOf(keyId)).toBeUndefined();
      expect(warnings).toHaveLength(1);
    },
  );

  test.each([
    ["lost, and then throttled", ["never_arrives", throttled]],
    ["throttled, and then lost", [throttled, "never_arrives"]],
    ["answered with a fault of the service", [error("InternalServerError", 500), throttled]],
    ["answered with an error that nobody knows", [error("SomethingNew"), throttled]],
    ["answered that it is unavailable", [error("ServiceUnavailable", 503), throttled]],
  ] as const)("a draw that was %s is ambiguous, and not sent again", async (_, faults) => {
    const keyId = await issue();
    proxy.failEach("UpdateItem", faults);

    expect(await vault.balances.draw(drawOf(keyId, 4n))).toEqual({ kind: "ambiguous" });
    expect(proxy.seen).toEqual([
      ...seenTimes(faults.findIndex((fault) => fault !== throttled) + 1),
      "GetItem",
    ]);
  });

  describe("of a key with a rate", () => {
    const limited = async (minute: number) => {
      const keyId = newName("key");
      const minuteCalls = { minute, calls: 1 };
      await direct.policies.create(policyOf(keyId), balanceOf(keyId, { minuteCalls }), null);
      return keyId;
    };
    const counted = async (keyId: string) => {
      const [balance] = await direct.balances.read([keyId]);
      return [balance?.leftByWindow[0], balance?.minuteCalls];
    };
    const count = { minute: 5, max: 3 };
    const drawn = (keyId: string) => drawOf(keyId, 4n, { count });
    const call = (keyId: string) => ({ keyId, nowMs: START_MS + 1, observes: false, count });

    test("a draw in the minute that is stored is sent once", async () => {
      const keyId = await limited(5);
      proxy.fail("UpdateItem", "reply_lost", 0);

      expect(await vault.balances.draw(drawn(keyId))).toMatchObject({ kind: "drawn" });
      expect(proxy.seen).toEqual(["UpdateItem"]);
      expect(await counted(keyId)).toEqual([6n, { minute: 5, calls: 2 }]);
    });

    test("a draw in a new minute follows on a condition that failed, and is taken and counted once", async () => {
      const keyId = await limited(3);
      proxy.fail("UpdateItem", "reply_lost", 0);

      expect(await vault.balances.draw(drawn(keyId))).toMatchObject({ kind: "drawn" });
      expect(proxy.seen).toEqual(["UpdateItem", "UpdateItem"]);
      expect(await counted(keyId)).toEqual([6n, { minute: 5, calls: 1 }]);
    });

    test("a draw in a new minute follows again when another process has begun the minute in between", async () => {
      const keyId = await limited(3);
      let sends = 0;
      const once = Object.assign(Object.create(clients.once), {
        send: async (command: object) => {
          if (++sends === 2) await direct.balances.count(call(keyId));
          return clients.once.send(command as never);
        },
      });
      const racing = new DynamoVault({ ...clients, once }, TABLES[0].name, () => {});

      expect(await racing.balances.draw(drawn(keyId))).toMatchObject({ kind: "drawn" });
      expect(sends).toBe(3);
      expect(await counted(keyId)).toEqual([6n, { minute: 5, calls: 2 }]);
    });

    test.each([
      ["the first send", 5, "reply_lost", "drawn"],
      ["the first send", 5, "never_arrives", "ambiguous"],
    ] as const)(
      "a draw whose answer to %s is lost (minute %i, %s) is probed, and no other form follows",
      async (_, minute, fault, kind) => {
        const keyId = await limited(minute);
        proxy.fail("UpdateItem", fault, 1);

        expect(await vault.balances.draw(drawn(keyId))).toMatchObject({ kind });
        expect(proxy.seen).toEqual(["UpdateItem", "GetItem"]);
        expect(await counted(keyId)).toEqual(
          kind === "drawn" ? [6n, { minute: 5, calls: 2 }] : [undefined, { minute: 5, calls: 1 }],
        );
      },
    );

    test("a condition that failed and whose answer is lost is ambiguous: nothing follows it", async () => {
      const keyId = await limited(3);
      proxy.fail("UpdateItem", "reply_lost", 1);

      expect(await vault.balances.draw(drawn(keyId))).toEqual({ kind: "ambiguous" });
      expect(proxy.seen).toEqual(["UpdateItem", "GetItem"]);
      expect(await counted(keyId)).toEqual([undefined, { minute: 3, calls: 1 }]);
    });

    test("a draw is found by its probe though a call was counted after it", async () => {
      const keyId = await limited(5);
      proxy.fail("UpdateItem", "reply_lost", 1, () => direct.balances.count(call(keyId)));

      expect(await vault.balances.draw(drawn(keyId))).toMatchObject({ kind: "drawn" });
      expect(await counted(keyId)).toEqual([6n, { minute: 5, calls: 3 }]);
    });

    test("a call that draws nothing and whose answer is lost is counted once more, and never not at all", async () => {
      const keyId = await limited(5);
      proxy.fail("UpdateItem", "reply_lost", 1);

      expect(await vault.balances.count(call(keyId))).toMatchObject({ kind: "counted" });
      expect(proxy.seen).toEqual(["UpdateItem", "UpdateItem"]);
      expect(await counted(keyId)).toEqual([undefined, { minute: 5, calls: 3 }]);
    });

    test("a call that cannot be counted is not made", async () => {
      const keyId = await limited(5);
      proxy.fail("UpdateItem", "never_arrives", 10);

      await expect(vault.balances.count(call(keyId))).rejects.toThrow();
      proxy.fail("UpdateItem", "never_arrives", 0);
      expect(await counted(keyId)).toEqual([undefined, { minute: 5, calls: 1 }]);
    });
  });

  test("a draw on a table that nobody can connect to was certainly not taken", async () => {
    const closed = await startFaultProxy(engine.endpoint);
    const unreachable = await clientsOf(closed.endpoint);
    await closed.close();
    for (const client of [unreachable.steady, unreachable.once]) client.destroy();
    const behind = new DynamoVault(unreachable, TABLES[0].name, (message) => warnings.push(message));

    expect(await behind.balances.draw(drawOf(await issue(), 4n))).toEqual({ kind: "not_applied" });
  });

  test.each([
    ["reply_lost", 9n],
    ["never_arrives", 6n],
  ] as const)("a give-back is sent once (%s), and whoever sent it is not stopped", async (fault, left) => {
    const keyId = await issue();
    await direct.balances.draw(drawOf(keyId, 4n));
    proxy.fail("UpdateItem", fault, 1);
    await vault.balances.correct(correctionOf(keyId, 3n));

    expect(proxy.seen).toEqual(["UpdateItem"]);
    expect(await leftOf(keyId)).toBe(left);
    expect(warnings).toHaveLength(1);
  });

  test.each([
    [4, "read"],
    [5, "not read"],
  ] as const)("balances that come back unread %i times are %s", async (times, end) => {
    const keyId = await issue();
    let sends = 0;
    const steady = Object.assign(Object.create(clients.steady), {
      send: async (command: BatchGetItemCommand) =>
        ++sends <= times ? { UnprocessedKeys: command.input.RequestItems } : clients.steady.send(command),
    });
    const read = new DynamoVault({ ...clients, steady }, TABLES[0].name, () => {}).balances.read([keyId]);

    if (end === "read") expect(await read).toMatchObject([{ keyId }]);
    else await expect(read).rejects.toThrow("unread");
    expect(sends).toBe(5);
  });

  test("a change of caps is sent once, and throws", async () => {
    const keyId = await issue();
    await direct.balances.draw(drawOf(keyId, 4n));
    const [before] = await direct.balances.read([keyId]);
    if (before === undefined || before === null) throw new Error("there is no such balance");
    // Its first update is of the policy and is repeated; the second is the balance.
    proxy.fail("UpdateItem", "reply_lost", 2);
    const caps = { ...before.caps, daily: microUsd(20n) };
    const change = { caps, expiresAtMs: before.expiresAtMs, by: "api_1", nowMs: START_MS };
    await vault.balances.change(before, change).catch(() => null);

    expect([6n, 16n]).toContain(await leftOf(keyId));
  });

  test("a claim is repeated and finds itself", async () => {
    const callId = newName("call");
    const attempt = attemptOf();
    proxy.fail("UpdateItem", "reply_lost", 1);
    const result = await vault.calls.claim({
      callId,
      attempt,
      nowMs: START_MS,
      leaseUntilMs: START_MS + 30_000,
      replayableSinceMs: START_MS - 23 * HOUR_MS,
    });

    expect(proxy.seen).toEqual(["UpdateItem", "UpdateItem"]);
    expect(result).toMatchObject({ kind: "claimed", record: { version: 1 } });
  });

  test("an outcome is repeated and finds itself on the record", async () => {
    const record = recordOf(newName("call"));
    proxy.fail("PutItem", "reply_lost", 1);

    expect(await vault.calls.save(record, 0, null)).toEqual({ kind: "stale", record });
    expect(proxy.seen).toEqual(["PutItem", "PutItem"]);
  });

  test("an outcome with an object is written once, whatever its repeat is told", async () => {
    const record = recordOf(newName("call"));
    const [rootId, objectId] = [newName("key"), newName("pi")];
    const entry = {
      attemptId: newName("att"),
      amount: microUsd(3n),
      beyond: NOTHING,
      total: microUsd(3n),
      windows: [],
    };
    proxy.fail("TransactWriteItems", "reply_lost", 1);
    const result = await vault.calls.save(record, 0, {
      kind: "count",
      rootId,
      objectId,
      entry,
      nowMs: START_MS,
    });

    expect([{ kind: "saved" }, { kind: "stale", record }]).toContainEqual(result);
    expect(await direct.objects.read({ rootId, objectId })).toMatchObject({ entries: [entry] });
  });

  test("a revocation is repeated and tells the time of the first send", async () => {
    const keyId = await issue();
    proxy.fail("UpdateItem", "reply_lost", 1);

    expect(await vault.balances.revoke({ keyId, by: "api_1", nowMs: START_MS + 7 })).toBe(START_MS + 7);
    expect(await direct.balances.read([keyId])).toMatchObject([{ revokedAtMs: START_MS + 7, writes: 1 }]);
  });

  test.each([null, "hash"])("an issue is repeated and issues one key (request: %s)", async (request) => {
    const keyId = newName("key");
    const hash = request === null ? null : newName(request);
    proxy.fail(request === null ? "PutItem" : "TransactWriteItems", "reply_lost", 1);

    expect(await vault.policies.create(policyOf(keyId), balanceOf(keyId), hash)).toBe("created");
    expect(await direct.policies.read(keyId)).toMatchObject({ keyId });
  });
});
