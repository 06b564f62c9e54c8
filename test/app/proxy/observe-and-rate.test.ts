import { describe, expect, test } from "vitest";
import { eventsOf } from "../../../lambda/app/audit/record-audit.ts";
import { proxyCall } from "../../../lambda/app/proxy/proxy-call.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import type { ProxyResult } from "../../../lambda/app/proxy/proxy-result.ts";
import type { AuditFields } from "../../../lambda/domain/audit-fields.ts";
import { type Caps, UNCAPPED } from "../../../lambda/domain/balance.ts";
import type { CallLimits } from "../../../lambda/domain/call-limits.ts";
import { NO_CALLS } from "../../../lambda/domain/call-rate.ts";
import { fromUsdCents } from "../../../lambda/domain/money.ts";
import {
  type ChainMember,
  type EnforcedAbove,
  makeVaultKey,
  ownMember,
} from "../../../lambda/domain/vault-key.ts";
import type { VendorReply } from "../../../lambda/ports/vendor-http.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryAuditLog } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { DEFAULT_RATE_CARD } from "../../support/rate-card.ts";
import { UNLIMITED } from "../../support/unlimited.ts";
import { balanceOf, HOUR_MS, policyOf, START_MS } from "../../support/vault-facts.ts";

/** Guarantees what a key that only observes lets through and what it never does, and how a rate counts, by a virtual clock. */

const MINUTE_MS = 60_000;

interface KeyLike {
  readonly mode?: "observe";
  readonly maxCallsPerMinute?: number;
  /** In cents. */
  readonly daily?: number;
  readonly total?: number;
  readonly perCall?: number;
  readonly allowedEndpoints?: readonly string[];
  readonly limits?: Partial<CallLimits>;
  readonly expiresInMs?: number;
}

const CHARGED: VendorReply = {
  kind: "answer",
  status: 200,
  headers: {},
  rawHeaders: [],
  body: Buffer.from(
    JSON.stringify({
      id: "ch_1",
      object: "charge",
      amount: 500,
      amount_captured: 500,
      currency: "usd",
      captured: true,
      paid: true,
      status: "succeeded",
    }),
  ),
};
const REFUSED: VendorReply = { ...CHARGED, status: 429, body: Buffer.from("{}") };

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly form?: string;
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** One agent with the last of a chain of keys, at a vendor that does what it is told. */
async function agentOf(...keys: readonly KeyLike[]) {
  const vault = new MemoryVault();
  const made = keys.map((_, index) => makeVaultKey(`${index}`.padStart(16, "k"), "b".repeat(32)));
  const chain: ChainMember[] = [];
  let enforcedAbove: EnforcedAbove | null = null;
  for (const [index, { keyId, secretHash }] of made.entries()) {
    const key = keys[index] ?? {};
    const { mode, maxCallsPerMinute } = key;
    chain.push({
      keyId,
      issuedAtMs: START_MS,
      ...(mode !== undefined && { mode }),
      ...(maxCallsPerMinute !== undefined && { maxCallsPerMinute }),
    });
    const caps: Caps = {
      daily: key.daily === undefined ? UNCAPPED : fromUsdCents(BigInt(key.daily)),
      total: key.total === undefined ? UNCAPPED : fromUsdCents(BigInt(key.total)),
      perCall: key.perCall === undefined ? UNCAPPED : fromUsdCents(BigInt(key.perCall)),
    };
    const allowedEndpoints = key.allowedEndpoints ?? null;
    const limits = { ...UNLIMITED, ...key.limits };
    const policy = policyOf(keyId, {
      secretHash,
      allowedEndpoints,
      limits,
      chain: [...chain],
      ...(mode === "observe" && enforcedAbove !== null && { enforcedAbove }),
    });
    const minuteCalls = ownMember(policy).maxCallsPerMinute === undefined ? null : NO_CALLS;
    const balance = balanceOf(keyId, {
      caps,
      minuteCalls,
      expiresAtMs: START_MS + (key.expiresInMs ?? HOUR_MS),
    });
    await vault.policies.create(policy, balance, null);
    if (mode !== "observe") enforcedAbove = { keyId, allowedEndpoints, limits };
  }

  let nowMs = START_MS;
  let named = 0;
  let secret: string | null = `sk_test_${"a".repeat(24)}`;
  let dies = false;
  const replies: VendorReply[] = [];
  const sent: string[] = [];
  const log = new MemoryAuditLog();
  const ports: ProxyPorts = {
    vault,
    vendors: vendorRegistry(),
    spending: log,
    http: {
      send: async ({ method, target }) => {
        if (dies) {
          dies = false;
          return new Promise<VendorReply>(() => {});
        }
        sent.push(`${method} ${target}`);
        return replies.shift() ?? CHARGED;
      },
    },
    credentials: { read: async () => secret, howToSet: () => "set it" },
    clock: { now: () => nowMs },
    ids: { random: (length) => `${++named}`.padStart(length, "0") },
    destinationOf: (_, { path }) => ({ origin: "https://api.stripe.com", path }),
    rateCard: { ...DEFAULT_RATE_CARD, rates: { gbp: { picoUsd: 1_300_000_000_000n, usd: 1.3 } } },
    warn: () => {},
  };
  const call = ({ method = "POST", path = "v1/charges", form = CHARGE, ...asked }: Asked = {}) =>
    proxyCall(
      {
        requestId: "request",
        token: made.at(-1)?.token ?? "",
        vendorName: "stripe",
        method,
        rawPath: path,
        query: {},
        headers: {
          ...(method === "POST" ? { "content-type": ["application/x-www-form-urlencoded"] } : {}),
          ...(asked.idempotencyKey === undefined ? {} : { "idempotency-key": [asked.idempotencyKey] }),
          ...asked.headers,
        },
        body: Buffer.from(method === "POST" ? form : ""),
        sourceIp: null,
        startedAtMs: nowMs,
        deadlineMs: nowMs + 28_000,
      },
      ports,
    );
  const calls = async (...asked: readonly Asked[]): Promise<readonly string[]> => {
    const said: string[] = [];
    for (const each of asked) said.push(saidBy(await call(each)));
    return said;
  };
  const rows = async (): Promise<readonly AuditFields[]> => {
    await log.append(vault.state.changes.flatMap(({ change }) => eventsOf(change, vault.state.policies)));
    return [...log.rows().values()].map(({ fields }) => fields).filter(({ type }) => type === "call");
  };
  const balances = () => made.map(({ keyId }) => vault.state.balances.get(keyId));
  const minute = () => balances().at(-1)?.minuteCalls;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const keyIds = made.map(({ keyId }) => keyId);
  const setSecret = (value: string | null) => {
    secret = value;
  };
  /** The next call reserves, is sent and is never heard of again. */
  const dieOnce = async () => {
    dies = true;
    void call({ idempotencyKey: "one" });
    while (dies) await Promise.resolve();
  };
  return { call, calls, rows, balances, minute, pass, replies, sent, vault, keyIds, setSecret, dieOnce };
}

const CHARGE = "amount=500&currency=usd&source=tok_visa";
const REFUND_OF_OTHERS = { path: "v1/refunds", form: "charge=ch_9&amount=1" } as const;
const READ = { method: "GET", path: "v1/customers" } as const;

/** The vendor's status, or our code; and what would have been the refusal. */
const saidBy = (result: ProxyResult): string =>
  result.kind === "denied"
    ? result.problem.code
    : `${result.reply.status}${result.facts.wouldDeny === null ? "" : ` would ${result.facts.wouldDeny}`}`;

describe("a key that only observes", () => {
  test.each<[string, KeyLike, readonly Asked[], readonly string[]]>([
    [
      "its daily cap",
      { daily: 700 },
      [{}, {}, {}],
      ["200", "200 would spend_cap_exceeded", "200 would spend_cap_exceeded"],
    ],
    ["its total cap", { total: 700 }, [{}, {}], ["200", "200 would spend_cap_exceeded"]],
    ["its per-call cap", { daily: 5000, perCall: 499 }, [{}], ["200 would spend_cap_exceeded"]],
    [
      "its endpoints",
      { daily: 5000, allowedEndpoints: ["POST /v1/payment_intents"] },
      [{}, READ],
      ["200 would endpoint_not_allowed", "200 would endpoint_not_allowed"],
    ],
    [
      "its accounts",
      { daily: 5000 },
      [{ headers: { "stripe-account": ["acct_1"] } }, { ...READ, headers: { "stripe-account": ["acct_1"] } }],
      ["200 would account_not_allowed", "200 would account_not_allowed"],
    ],
    [
      "accounts in its form",
      { daily: 5000, limits: { accounts: ["acct_9"] } },
      [
        { path: "v1/payment_intents", form: "amount=500&currency=usd&on_behalf_of=acct_1" },
        { path: "v1/transfers", form: "amount=500&currency=usd&destination=acct_1" },
        { path: "v1/transfers", form: "amount=500&currency=usd&destination=acct_9" },
      ],
      ["200 would account_not_allowed", "200 would account_not_allowed", "200"],
    ],
    [
      "its currencies",
      { daily: 5000, limits: { currencies: ["eur"] } },
      [{}],
      ["200 would currency_not_allowed"],
    ],
    [
      "its recipients",
      { daily: 5000, limits: { recipients: ["cus_1"] } },
      [{ form: `${CHARGE}&customer=cus_1` }, { form: `${CHARGE}&customer=cus_2` }],
      ["200", "200 would recipient_not_allowed"],
    ],
    [
      "its rate",
      { daily: 5000, maxCallsPerMinute: 1 },
      [{}, {}, READ],
      ["200", "200 would rate_limited", "200 would rate_limited"],
    ],
    [
      "several at once, of which the first is told, and a rate before all",
      { daily: 100, maxCallsPerMinute: 2, allowedEndpoints: ["GET /v1/customers"] },
      [READ, {}, {}],
      ["200", "200 would endpoint_not_allowed", "200 would rate_limited"],
    ],
  ])("lets through what is beyond %s, and tells it", async (_, key, asked, said) => {
    const agent = await agentOf({ mode: "observe", ...key });

    expect(await agent.calls(...asked)).toEqual(said);
    expect(
      (await agent.rows()).map(({ decision, reason, wouldDeny }) => [decision, reason, wouldDeny]),
    ).toEqual(said.map((each) => ["allowed", null, each.split(" would ")[1] ?? null]));

    const { mode: _observe, ...enforcing } = { mode: "observe", ...key };
    const enforced = await agentOf(enforcing);
    expect(await enforced.calls(...asked)).toEqual(said.map((each) => each.split(" would ")[1] ?? each));
    expect((await enforced.rows()).every(({ wouldDeny }) => wouldDeny == null)).toBe(true);
  });

  test.each<[string, KeyLike, Asked, string]>([
    ["an endpoint that would hand out secrets", {}, { path: "v1/ephemeral_keys" }, "endpoint_not_priced"],
    [
      "one that is not allowed either",
      { allowedEndpoints: ["POST /v1/charges"] },
      { path: "v1/ephemeral_keys" },
      "endpoint_not_priced",
    ],
    ["an endpoint that nobody knows", {}, { path: "v1/unheard_of" }, "endpoint_not_priced"],
    ["a parameter that nobody knows", {}, { form: `${CHARGE}&unheard=1` }, "endpoint_not_priced"],
    [
      "money to an account that is not named",
      {},
      { form: `${CHARGE}&application_fee=1` },
      "account_not_allowed",
    ],
    ["an expanded secret", {}, { form: `${CHARGE}&expand[]=confirmation_secret` }, "endpoint_not_priced"],
    ["a path that can be read in two ways", {}, { path: "v1//charges" }, "ambiguous_path"],
    [
      "a header that can be read in two ways",
      {},
      { headers: { "stripe-version": ["a", "b"] } },
      "ambiguous_request",
    ],
    ["two accounts", {}, { headers: { "stripe-account": ["acct_1", "acct_2"] } }, "account_not_allowed"],
    ["an amount that is none", {}, { form: "amount=1.5&currency=usd" }, "amount_unknown"],
    ["a currency without a rate", {}, { form: "amount=1&currency=xxx" }, "currency_unknown"],
  ])("refuses %s, and says of it what it would say anyway", async (_, key, asked, code) => {
    const agent = await agentOf({ mode: "observe", daily: 5000, ...key });

    expect(await agent.calls(asked)).toEqual([code]);
    expect(agent.sent).toEqual([]);
    expect(
      (await agent.rows()).map(({ decision, reason, wouldDeny }) => [decision, reason, wouldDeny ?? null]),
    ).toEqual([["denied", code, null]]);
  });

  test.each([
    ["revoked", "key_revoked"],
    ["expired", "key_expired"],
  ])("is refused once it is %s", async (end, code) => {
    const agent = await agentOf({ mode: "observe", daily: 100, maxCallsPerMinute: 1 });
    const keyId = agent.keyIds[0] ?? "";
    if (end === "revoked") await agent.vault.balances.revoke({ keyId, by: "admin", nowMs: START_MS });
    else agent.pass(HOUR_MS);

    expect(await agent.calls({}, READ, { path: "v1/unheard_of" })).toEqual([code, code, code]);
    expect(agent.sent).toEqual([]);
  });

  test("is refused without the vendor's credential", async () => {
    const agent = await agentOf({ mode: "observe", daily: 100, allowedEndpoints: ["GET /v1/customers"] });
    agent.setSecret(null);

    expect(await agent.calls({})).toEqual(["credential_missing"]);
  });

  test("counts all that it spends, and what it takes beyond is given back as any other", async () => {
    const agent = await agentOf({ mode: "observe", daily: 700, total: 700 });
    agent.replies.push(CHARGED, REFUSED, CHARGED);
    expect(await agent.calls({}, {}, {})).toEqual([
      "200",
      "429 would spend_cap_exceeded",
      "200 would spend_cap_exceeded",
    ]);

    expect(agent.balances()[0]).toMatchObject({
      leftByWindow: { 0: fromUsdCents(-300n) },
      leftInTotal: fromUsdCents(-300n),
    });
    const rows = await agent.rows();
    expect(rows.map(({ remaining }) => remaining)).toEqual([fromUsdCents(200n), fromUsdCents(200n), 0n]);
  });

  test("lets a repeat join what is held, however much is exceeded", async () => {
    const agent = await agentOf({ mode: "observe", daily: 100 });
    agent.replies.push({ kind: "timeout" }, CHARGED);
    const once = { idempotencyKey: "one" };

    expect(await agent.calls(once, once)).toEqual(["vendor_timeout", "200"]);
    expect(agent.balances()[0]).toMatchObject({ leftByWindow: { 0: fromUsdCents(-400n) } });
    expect((await agent.rows()).map(({ reason, wouldDeny }) => [reason, wouldDeny ?? null])).toEqual([
      ["vendor_timeout", "spend_cap_exceeded"],
      ["joined", null],
    ]);
  });

  test("tells what an enforcing key would, where another attempt of the call holds its budget", async () => {
    const agent = await agentOf({ mode: "observe", daily: 700 });
    await agent.dieOnce();
    agent.pass(31_000);

    expect(await agent.calls({ idempotencyKey: "one" })).toEqual(["200 would idempotency_key_in_use"]);
  });
});

describe("a chain", () => {
  test("a child that observes is refused by an enforcing key above it: its caps, its rate and what it allows in a call", async () => {
    const parent = {
      daily: 700,
      maxCallsPerMinute: 4,
      allowedEndpoints: ["POST /v1/charges", "GET /v1/customers"],
      limits: { currencies: ["usd", "eur"] },
    };
    const agent = await agentOf(parent, {
      mode: "observe",
      daily: 100,
      allowedEndpoints: ["GET /v1/customers"],
      limits: { currencies: ["eur"] },
    });

    expect(await agent.calls({}, {}, REFUND_OF_OTHERS, { form: "amount=1&currency=gbp" })).toEqual([
      "200 would endpoint_not_allowed",
      "spend_cap_exceeded",
      "endpoint_not_allowed",
      "currency_not_allowed",
    ]);
    expect(await agent.calls(READ)).toEqual(["rate_limited"]);
  });

  test("a key above that observes refuses nothing, and what it would refuse is told", async () => {
    const agent = await agentOf({ mode: "observe", daily: 700, maxCallsPerMinute: 2 }, { daily: 5000 });

    expect(await agent.calls({}, {}, READ)).toEqual([
      "200",
      "200 would spend_cap_exceeded",
      "200 would rate_limited",
    ]);
    const [parent, child] = agent.balances();
    expect(parent).toMatchObject({ leftByWindow: { 0: fromUsdCents(-300n) } });
    expect(child).toMatchObject({ leftByWindow: { 0: fromUsdCents(4_000n) } });
  });

  test("every member with a rate counts, and the refusal says which one it is", async () => {
    const agent = await agentOf(
      { daily: 5000, maxCallsPerMinute: 3 },
      { daily: 5000, maxCallsPerMinute: 10 },
    );
    expect(await agent.calls({}, READ, { path: "v1/unheard_of" })).toEqual([
      "200",
      "200",
      "endpoint_not_priced",
    ]);
    expect(agent.balances().map((balance) => balance?.minuteCalls)).toEqual([
      { minute: 0, calls: 3 },
      { minute: 0, calls: 3 },
    ]);

    const [root = ""] = agent.keyIds;
    for (const asked of [{}, READ])
      expect(await agent.call(asked)).toMatchObject({
        problem: { code: "rate_limited", details: { key_id: root, max_calls_per_minute: 3 } },
      });
    expect(agent.balances()[1]).toMatchObject({ leftByWindow: { 0: fromUsdCents(4_500n) } });
  });
});

describe("a key with a rate", () => {
  const limited = (change: KeyLike = {}) => agentOf({ daily: 5000, maxCallsPerMinute: 3, ...change });
  const joinable = { idempotencyKey: "one" };

  test.each<[string, readonly Asked[]]>([
    ["paid", [{}, {}, {}]],
    ["free", [READ, READ, READ]],
    ["denied", [{ path: "v1/unheard_of" }, { path: "v1//charges" }, { form: "amount=x&currency=usd" }]],
    ["repeated", [joinable, joinable, joinable]],
    ["denied for a cap", [{ form: "amount=9999&currency=usd&source=tok" }, {}, READ]],
  ])("counts calls that are %s, each once", async (_, asked) => {
    const agent = await limited();
    await agent.calls(...asked);
    expect(agent.minute()).toEqual({ minute: 0, calls: 3 });

    const before = agent.sent.length;
    expect(await agent.calls({}, READ, joinable, { path: "v1/unheard_of" })).toEqual(
      Array(4).fill("rate_limited"),
    );
    expect(agent.sent).toHaveLength(before);
    expect(agent.minute()).toEqual({ minute: 0, calls: 3 });
    expect((await agent.rows()).filter(({ reason }) => reason === "rate_limited")).toHaveLength(4);
  });

  test("reserves nothing beyond its rate, and asks the vendor nothing before it refuses", async () => {
    const agent = await limited({ maxCallsPerMinute: 1 });
    await agent.calls({});
    const before = agent.balances();
    const sent = agent.sent.length;

    expect(await agent.calls({}, { path: "v1/payment_intents/pi_1/confirm", form: "" })).toEqual([
      "rate_limited",
      "rate_limited",
    ]);
    expect(agent.balances()).toEqual(before);
    expect(agent.sent).toHaveLength(sent);
  });

  test.each([
    [0, 60],
    [59_999, 1],
    [60_000 * 7 + 30_500, 30],
  ])("says how long to wait: %i milliseconds after its issue it is %i seconds", async (afterMs, seconds) => {
    const agent = await limited({ maxCallsPerMinute: 1 });
    agent.pass(afterMs);
    await agent.calls(READ);
    const endMs = START_MS + (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;

    for (const asked of [{}, READ])
      expect(await agent.call(asked)).toMatchObject({
        problem: {
          code: "rate_limited",
          status: 429,
          retryAfterS: seconds,
          details: {
            max_calls_per_minute: 1,
            resets_at: new Date(endMs).toISOString().replace("Z", "+00:00"),
          },
        },
      });
    agent.pass(seconds * 1000);
    expect(await agent.calls(READ)).toEqual(["200"]);
  });

  test("says no time to wait where waiting does not help: the key ends before, or a cap has no room either", async () => {
    const ending = await limited({ maxCallsPerMinute: 1, expiresInMs: 59_000 });
    await ending.calls(READ);
    for (const asked of [{}, READ])
      expect(await ending.call(asked)).toMatchObject({
        problem: { code: "rate_limited", retryAfterS: null },
      });

    const spent = await limited({ maxCallsPerMinute: 1, daily: 700 });
    await spent.calls({});
    expect(await spent.call({})).toMatchObject({ problem: { code: "rate_limited", retryAfterS: null } });
    expect(await spent.call(READ)).toMatchObject({ problem: { code: "rate_limited", retryAfterS: 60 } });
  });

  test("begins again with each minute from its issue, and with gaps between them", async () => {
    const agent = await limited({ maxCallsPerMinute: 2 });
    agent.pass(59_000);
    expect(await agent.calls({}, {}, {})).toEqual(["200", "200", "rate_limited"]);
    agent.pass(1_000);
    expect(await agent.calls({}, READ, {})).toEqual(["200", "200", "rate_limited"]);
    agent.pass(30 * MINUTE_MS);
    expect(await agent.calls(READ, {}, READ)).toEqual(["200", "200", "rate_limited"]);
    expect(agent.minute()).toEqual({ minute: 31, calls: 2 });
  });

  test("is not begun again by a clock that is a minute behind", async () => {
    const agent = await limited({ maxCallsPerMinute: 2 });
    agent.pass(61_000);
    expect(await agent.calls({}, READ)).toEqual(["200", "200"]);
    agent.pass(-2_000);
    expect(await agent.calls({}, READ)).toEqual(["rate_limited", "rate_limited"]);
    agent.pass(2_000);
    expect(await agent.calls({}, READ)).toEqual(["rate_limited", "rate_limited"]);
  });
});
