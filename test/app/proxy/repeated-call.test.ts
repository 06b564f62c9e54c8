import { GetItemCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { dynamoClients } from "../../../lambda/adapters/dynamo-clients.ts";
import { DynamoVault } from "../../../lambda/adapters/dynamo-vault.ts";
import { callItem, callKey } from "../../../lambda/adapters/vault-items/call-item.ts";
import type { Item } from "../../../lambda/adapters/vault-items/codec.ts";
import { recordAudit } from "../../../lambda/app/audit/record-audit.ts";
import { proxyCall } from "../../../lambda/app/proxy/proxy-call.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import type { ProxyResult } from "../../../lambda/app/proxy/proxy-result.ts";
import { CORRECTIONS_KEPT } from "../../../lambda/app/proxy/send-corrections.ts";
import { WINDOW_MS } from "../../../lambda/domain/balance.ts";
import { ENTRIES_MAX } from "../../../lambda/domain/call/claim.ts";
import { type CountedEntry, OBJECT_ENTRIES_MAX } from "../../../lambda/domain/counted-object.ts";
import { microUsd, NOTHING } from "../../../lambda/domain/money.ts";
import { makeVaultKey } from "../../../lambda/domain/vault-key.ts";
import type { Balances, CorrectionResult, DrawResult } from "../../../lambda/ports/balances.ts";
import type { Calls } from "../../../lambda/ports/calls.ts";
import type { Vault } from "../../../lambda/ports/vault.ts";
import type { VendorReply } from "../../../lambda/ports/vendor-http.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { TABLES } from "../../../local/aws/tables.ts";
import { MemoryAuditLog, MemoryEvidence, MemoryJournal } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { DEFAULT_RATE_CARD } from "../../support/rate-card.ts";
import { balanceOf, policyOf, START_MS } from "../../support/vault-facts.ts";

/** Guarantees that the record of a call stays small and is forgotten, however often the call is repeated with one key. */

const DAY_S = 86_400;
const LEASE_MS = 31_000;
const CAP = 10_000_000_000n;
/** What a record of a few attempts takes, and what one may take at most; DynamoDB refuses 400 KB. */
const FEW_BYTES = 6_000;
const FULL_BYTES = 100_000;
let keys = 0;

const answer = (status: number, body: unknown): VendorReply => ({
  kind: "answer",
  status,
  headers: {},
  rawHeaders: [],
  body: Buffer.from(JSON.stringify(body)),
});
const DECLINED = answer(402, { error: { type: "card_error", code: "card_declined" } });
const TOO_MANY = answer(429, { error: { type: "invalid_request_error", code: "rate_limit" } });
const INTENT = answer(200, {
  id: "pi_1",
  object: "payment_intent",
  amount: 100,
  amount_capturable: 100,
  amount_received: 0,
  currency: "usd",
  status: "requires_capture",
  capture_method: "manual",
});
const BROKEN: VendorReply = { kind: "broken", cause: new Error("reset") };

/** A program that repeats one charge with one key; every repeat comes `afterMs` after the one before. */
async function agentOf(vault: Vault, reply: VendorReply, afterMs = 1, children = 0) {
  const made = Array.from({ length: children + 1 }, () =>
    makeVaultKey(`${++keys}`.padStart(16, "k"), "b".repeat(32)),
  );
  const chain = made.map(({ keyId }) => ({ keyId, issuedAtMs: START_MS }));
  const caps = { daily: microUsd(CAP), total: microUsd(CAP), perCall: microUsd(CAP) };
  for (const [index, { keyId, secretHash }] of made.entries()) {
    const policy = policyOf(keyId, { secretHash, chain: chain.slice(0, index + 1) });
    await vault.policies.create(policy, balanceOf(keyId, { caps }), null);
  }
  const log = new MemoryAuditLog();
  let nowMs = START_MS;
  let attempts = 0;
  const ports: Omit<ProxyPorts, "vault"> = {
    vendors: vendorRegistry(),
    spending: log,
    http: { send: async ({ method }) => (method === "GET" ? INTENT : reply) },
    credentials: { read: async () => `sk_test_${"a".repeat(24)}`, howToSet: () => "set it" },
    clock: { now: () => nowMs },
    ids: { random: (length) => `${keys}x${++attempts}`.padStart(length, "0") },
    destinationOf: (_, { path }) => ({ origin: "https://api.stripe.com", path }),
    rateCard: DEFAULT_RATE_CARD,
    warn: () => {},
  };
  const call = async (
    through: Vault = vault,
    path = "v1/charges",
    form = "amount=500&currency=usd&source=tok_visa",
  ): Promise<ProxyResult> => {
    nowMs += afterMs;
    const request = {
      requestId: "request",
      token: made.at(-1)?.token ?? "",
      vendorName: "stripe",
      method: "POST",
      rawPath: path,
      query: {},
      headers: {
        "content-type": ["application/x-www-form-urlencoded"],
        "idempotency-key": ["one"],
        "user-agent": ["agent/1.0"],
      },
      body: Buffer.from(form),
      sourceIp: "192.0.2.1",
      startedAtMs: nowMs,
      deadlineMs: nowMs + 28_000,
    };
    return proxyCall(request, { ...ports, vault: through });
  };
  const left = async () =>
    (await vault.balances.read(made.map(({ keyId }) => keyId))).map((balance) => balance?.leftInTotal);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { call, left, pass, log, rootId: chain[0]?.keyId ?? "" };
}

const bytesOf = (item: Item) => JSON.stringify(item).length;
const codeOf = (result: ProxyResult) =>
  result.kind === "denied" ? result.problem.code : `vendor ${result.reply.status}`;
const callIdOf = (result: ProxyResult) => result.facts?.callId ?? "";
const keptDays = (item: Item) => {
  const ttlS = item["ttl"]?.N;
  return ttlS === undefined ? null : (Number(ttlS) - START_MS / 1000) / DAY_S;
};

function repeatedCalls(vaultOf: () => Vault, itemOf: (callId: string) => Promise<Item>, repeats: number) {
  test.each([
    ["declined", DECLINED, "vendor 402"],
    ["refused with 429", TOO_MANY, "vendor 429"],
  ] as const)("a charge that is %s each time", { timeout: 120_000 }, async (_, reply, code) => {
    const agent = await agentOf(vaultOf(), reply);
    let last = await agent.call();
    for (let repeat = 1; repeat < repeats; repeat++) {
      last = await agent.call();
      if (codeOf(last) !== code) expect.fail(`repeat ${repeat}: ${codeOf(last)}`);
    }
    const item = await itemOf(callIdOf(last));

    expect(bytesOf(item)).toBeLessThan(FEW_BYTES);
    expect(Object.keys(item).filter((name) => name.startsWith("b_"))).toHaveLength(CORRECTIONS_KEPT);
    expect(Number(item["v"]?.N)).toBeGreaterThanOrEqual(2 * repeats);
    expect(keptDays(item)).toBeCloseTo(400, 1);
    expect(await agent.left()).toEqual([CAP]);
  });

  /** Faults that leave something behind each time. */
  const stuck = (vault: Vault, change: Partial<Balances>): Vault => ({
    ...vault,
    balances: { ...vault.balances, ...change },
  });
  const dies = {
    draw: async (): Promise<DrawResult> => {
      throw new Error("the process died");
    },
  };
  const isLost = { correct: async (): Promise<CorrectionResult> => "unknown" };
  const mayHaveDrawn = { draw: async (): Promise<DrawResult> => ({ kind: "ambiguous" }) };

  test.each([
    ["whose process dies", dies, DECLINED, null],
    ["whose reservation may have landed", mayHaveDrawn, DECLINED, null],
    ["whose give-back may be lost", isLost, DECLINED, 400],
  ] as const)("a charge %s each time is refused when its record is full", async (_, fault, reply, days) => {
    const agent = await agentOf(vaultOf(), reply, LEASE_MS);
    const faulty = stuck(vaultOf(), fault);
    const first = await agent.call(faulty);
    for (let repeat = 1; repeat < ENTRIES_MAX; repeat++) await agent.call(faulty);
    const counted = await agent.left();
    const refused = [await agent.call(), await agent.call(faulty)];
    const item = await itemOf(callIdOf(refused[0] as ProxyResult));

    expect(callIdOf(first)).toBe(callIdOf(refused[0] as ProxyResult));
    expect(refused.map(codeOf)).toEqual(["record_full", "record_full"]);
    expect(refused[0]).toMatchObject({
      problem: { status: 400, charged: "no", message: expect.stringContaining("another Idempotency-Key") },
    });
    expect(await agent.left()).toEqual(counted);
    expect(Number(item["entries"]?.N)).toBe(ENTRIES_MAX);
    expect(bytesOf(item)).toBeLessThan(FULL_BYTES);
    if (days === null) expect(keptDays(item)).toBeNull();
    else expect(keptDays(item)).toBeCloseTo(days, 1);
  });

  test("a call that is joined by attempts that die is refused when its record is full", async () => {
    const agent = await agentOf(vaultOf(), BROKEN, LEASE_MS);
    const { calls, ...vault } = vaultOf();
    const save: Calls["save"] = async (...args) => {
      await calls.save(...args);
      throw new Error("the process died");
    };
    const joinsAndDies = { ...vault, calls: { ...calls, save } };
    expect(codeOf(await agent.call())).toBe("vendor_connection_broken");
    for (let repeat = 1; repeat < ENTRIES_MAX; repeat++) await agent.call(joinsAndDies);

    expect(codeOf(await agent.call())).toBe("record_full");
  });

  test("a day later a full record is another generation's", async () => {
    const agent = await agentOf(vaultOf(), DECLINED, LEASE_MS);
    for (let repeat = 0; repeat < ENTRIES_MAX; repeat++) await agent.call(stuck(vaultOf(), isLost));
    expect(codeOf(await agent.call())).toBe("record_full");
    agent.pass(WINDOW_MS);
    expect(codeOf(await agent.call())).toBe("vendor 402");
  });

  test("a charge whose reservation was certainly not taken leaves nothing behind", async () => {
    const agent = await agentOf(vaultOf(), DECLINED, 1, 1);
    const real = vaultOf();
    const throttled = stuck(real, {
      draw: async (draw) => (draw.isLeaf ? { kind: "not_applied" } : real.balances.draw(draw)),
    });
    let last = await agent.call(throttled);
    for (let repeat = 1; repeat < 2 * ENTRIES_MAX; repeat++) last = await agent.call(throttled);
    const item = await itemOf(callIdOf(last));

    expect(last).toMatchObject({ kind: "denied", problem: { code: "ledger_unavailable", charged: "no" } });
    expect(bytesOf(item)).toBeLessThan(FEW_BYTES);
    expect(keptDays(item)).toBeCloseTo(400, 1);
    expect(await agent.left()).toEqual([CAP, CAP]);
    expect(codeOf(await agent.call())).toBe("vendor 402");
  });

  test("an object that was changed as often as is counted is changed no more, before anything is drawn", async () => {
    const agent = await agentOf(vaultOf(), DECLINED);
    const vault = vaultOf();
    const entry = (index: number): CountedEntry => ({
      attemptId: `att_${index}`,
      amount: NOTHING,
      beyond: NOTHING,
      total: microUsd(1n),
      windows: [],
    });
    for (let index = 0; index < OBJECT_ENTRIES_MAX; index++)
      await vault.calls.save(
        {
          callId: `call_${agent.rootId}_${index}`,
          version: 1,
          status: "idle",
          lease: null,
          joiners: 0,
          firstAtMs: START_MS,
          payingAttemptId: null,
          objectId: null,
          latePrice: null,
          attempts: {},
          corrections: {},
        },
        0,
        { kind: "count", rootId: agent.rootId, objectId: "pi_1", entry: entry(index), nowMs: START_MS },
      );
    const result = await agent.call(vault, "v1/payment_intents/pi_1/increment_authorization", "amount=500");

    expect(result).toMatchObject({ kind: "denied", problem: { code: "record_full", charged: "no" } });
    expect(await agent.left()).toEqual([CAP]);
  });
}

describe("in memory", () => {
  const vault = new MemoryVault();
  repeatedCalls(
    () => vault,
    async (callId) => {
      const record = vault.state.calls.get(callId);
      if (record === undefined) throw new Error(`there is no ${callId}`);
      return callItem(record);
    },
    150,
  );

  test("every repeat has one row, though its corrections were taken off the record", async () => {
    const own = new MemoryVault();
    const agent = await agentOf(own, DECLINED);
    for (let repeat = 0; repeat < 20; repeat++) await agent.call();
    const changes = own.state.changes.map(
      ({ change }) =>
        () =>
          change,
    );
    expect(
      await recordAudit(changes, {
        vault: own,
        log: agent.log,
        journal: new MemoryJournal(),
        evidence: new MemoryEvidence(),
      }),
    ).toBeNull();
    const rows = [...agent.log.rows().values()].filter(({ fields }) => fields.type === "call");

    expect(rows).toHaveLength(20);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(["released"]));
    expect(agent.log.spentBy(agent.rootId)).toBe(0n);
  });
});

describe("on the engine", () => {
  let engine: LocalDynamoDb;
  let vault: DynamoVault;
  let clients: ReturnType<typeof dynamoClients>;

  beforeAll(async () => {
    engine = await startDynamoDb();
    vi.stubEnv("AWS_ENDPOINT_URL_DYNAMODB", engine.endpoint);
    vi.stubEnv("AWS_REGION", "us-east-1");
    vi.stubEnv("AWS_ACCESS_KEY_ID", "local");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "local");
    clients = dynamoClients(5_000);
    vault = new DynamoVault(clients, TABLES[0].name, () => {});
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await engine.close();
  });

  repeatedCalls(
    () => vault,
    async (callId) => {
      const { Item: item } = await clients.steady.send(
        new GetItemCommand({ TableName: TABLES[0].name, Key: callKey(callId), ConsistentRead: true }),
      );
      if (item === undefined) throw new Error(`there is no ${callId}`);
      return item;
    },
    80,
  );
});
