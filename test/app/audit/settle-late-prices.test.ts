import { beforeEach, describe, expect, test } from "vitest";
import { recordAudit } from "../../../lambda/app/audit/record-audit.ts";
import { latePriceBacklog, settleLatePrices } from "../../../lambda/app/audit/settle-late-prices.ts";
import { proxyCall } from "../../../lambda/app/proxy/proxy-call.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import type { ProxyRequest } from "../../../lambda/app/proxy/proxy-request.ts";
import type { AuditRow } from "../../../lambda/domain/audit-event.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import type { CallRecord } from "../../../lambda/domain/call/record.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import { makeVaultKey } from "../../../lambda/domain/vault-key.ts";
import type { Calls } from "../../../lambda/ports/calls.ts";
import type { OutboundRequest, VendorHttp, VendorReply } from "../../../lambda/ports/vendor-http.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryAuditLog, MemoryEvidence, MemoryJournal } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { rateCardWith } from "../../support/rate-card.ts";
import { balanceOf, policyOf, START_MS } from "../../support/vault-facts.ts";

/**
 * Guarantees that late prices are asked for in time, and that the money follows them. The test moves the clock by hours
 * and days.
 */

const REAL_SID = "AC0123456789abcdef0123456789abcdef";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WINDOW_ONE = 0;

const { keyId, token, secretHash } = makeVaultKey("a".repeat(16), "b".repeat(32));

let nowMs: number;
let vault: MemoryVault;
let audit: MemoryAuditLog;
let journal: MemoryJournal;
let told: number;
let twilio: ScriptedTwilio;
let warnings: string[];
let ports: ProxyPorts;

/** Twilio as far as these tests go: every message is taken, and its price is what the test says. */
class ScriptedTwilio implements VendorHttp {
  readonly requests: string[] = [];
  made = 0;
  /** What is answered when the price of a message is asked for; called with its SID. */
  price: (sid: string) => VendorReply | Promise<VendorReply> = () =>
    answer(200, { price: null, price_unit: "USD" });

  async send({ method, target }: OutboundRequest): Promise<VendorReply> {
    this.requests.push(`${method} ${target}`);
    if (method === "GET") {
      const sid = /([SC][MA][0-9a-f]{32})/.exec(target)?.[1] ?? "";
      return withSid(await this.price(sid), sid);
    }
    this.made += 1;
    const kind = target.includes("Calls") ? "CA" : "SM";
    const sid = `${kind}${`${this.made}`.padStart(32, "0")}`;
    return answer(201, { sid, num_segments: "1", num_media: "0", price: null, price_unit: "USD" });
  }
}

/** An answer in JSON that names no object is about the one that was asked for. */
function withSid(reply: VendorReply, sid: string): VendorReply {
  if (reply.kind !== "answer" || !Buffer.from(reply.body).toString().startsWith("{")) return reply;
  const body = JSON.parse(Buffer.from(reply.body).toString());
  return { ...reply, body: Buffer.from(JSON.stringify({ sid, ...body })) };
}

function answer(status: number, body: unknown): VendorReply {
  return {
    kind: "answer",
    status,
    headers: {},
    rawHeaders: [],
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
  };
}

const priced = (price: string, unit = "USD"): VendorReply =>
  answer(200, { status: "delivered", price, price_unit: unit });

let names: number;
beforeEach(() => {
  nowMs = START_MS;
  vault = new MemoryVault();
  audit = new MemoryAuditLog();
  journal = new MemoryJournal();
  told = 0;
  names = 0;
  twilio = new ScriptedTwilio();
  warnings = [];
  vault.state.putBalance(
    balanceOf(keyId, {
      caps: { daily: microUsd(1_000_000n), total: UNCAPPED, perCall: UNCAPPED },
      expiresAtMs: START_MS + 30 * DAY_MS,
    }),
  );
  vault.state.putPolicy(policyOf(keyId, { secretHash, vendor: "twilio" }), null);
  ports = {
    vendors: vendorRegistry(),
    vault,
    spending: audit,
    http: twilio,
    credentials: { read: async () => `${REAL_SID}:token`, howToSet: () => "set it" },
    clock: { now: () => nowMs },
    ids: { random: (length) => `${++names}`.padStart(length, "0") },
    destinationOf: (_, { path }) => ({ origin: "https://api.twilio.com", path }),
    rateCard: rateCardWith({
      prices: { twilio: { sms: { "+1": "0.02" } } },
      rates: { eur: "1.1" },
      rateMarginPercent: 0,
    }),
    warn: (message) => {
      warnings.push(message);
    },
  };
});

const pass = (ms: number) => {
  nowMs += ms;
};

/** A minute of running time. */
const settle = (http: VendorHttp = twilio) => settleLatePrices(nowMs + MINUTE_MS, { ...ports, http });

async function post(
  path: string,
  form: Readonly<Record<string, string>>,
  outcome: "forwarded" | "denied" = "forwarded",
): Promise<void> {
  const request: ProxyRequest = {
    requestId: "request",
    token,
    vendorName: "twilio",
    method: "POST",
    rawPath: `2010-04-01/Accounts/${REAL_SID}/${path}`,
    query: {},
    headers: { "content-type": ["application/x-www-form-urlencoded"] },
    body: Buffer.from(new URLSearchParams({ To: "+14155550100", From: "+15005550006", ...form }).toString()),
    sourceIp: null,
    startedAtMs: nowMs,
    deadlineMs: nowMs + 28_000,
  };
  const result = await proxyCall(request, ports);
  expect(result.kind).toBe(outcome);
}

/** A message at an estimate of two cents. */
const send = (outcome: "forwarded" | "denied" = "forwarded"): Promise<void> =>
  post("Messages.json", { Body: "Hello" }, outcome);

/** What the key has left of its dollar, in micro-dollars. */
const left = (): bigint | undefined => vault.state.balances.get(keyId)?.leftByWindow[WINDOW_ONE];

/** Rows of the audit log as of now, oldest call first. */
async function rows(): Promise<readonly AuditRow[]> {
  const changes = vault.state.changes.slice(told).map(
    ({ change }) =>
      () =>
        change,
  );
  told = vault.state.changes.length;
  expect(
    await recordAudit(changes, { vault, log: audit, journal, evidence: new MemoryEvidence() }),
  ).toBeNull();
  return [...audit.rows().values()]
    .filter(({ fields }) => fields.type === "call")
    .sort((a, b) => a.fields.atMs - b.fields.atMs);
}

const asked = (): readonly string[] => twilio.requests.filter((request) => request.startsWith("GET"));

describe("the final price", () => {
  test("is asked for a minute after the call, and not before", async () => {
    await send();
    pass(59_999);
    expect(await settle()).toEqual({ settled: 0, waiting: 0 });
    expect(asked()).toEqual([]);

    pass(1);
    expect(await settle()).toEqual({ settled: 0, waiting: 1 });
    expect(asked()).toEqual([
      `GET /2010-04-01/Accounts/${REAL_SID}/Messages/SM00000000000000000000000000000001.json`,
    ]);
  });

  test("below the estimate gives the difference back, and the row says it", async () => {
    await send();
    expect(left()).toBe(980_000n);
    twilio.price = () => priced("-0.00750");
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 1, waiting: 0 });

    expect(left()).toBe(992_500n);
    const [row, ...more] = await rows();
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      state: "settled",
      fields: { reserved: 20_000n, cost: 7_500n, amountText: "0.00750", currency: "usd", overrun: false },
    });
    expect(row?.events.map(({ event }) => event)).toEqual(["settled", "late_price"]);
    expect(row?.fields.remaining).toBe(left());
    expect(audit.spentBy(keyId)).toBe(7_500n);
  });

  test("of zero gives everything back", async () => {
    await send();
    twilio.price = () => priced("0");
    pass(MINUTE_MS);

    await settle();

    expect(left()).toBe(1_000_000n);
    expect(await rows()).toMatchObject([{ state: "settled", fields: { cost: 0n } }]);
  });

  test("that is positive is a credit, which takes the estimate back and no more", async () => {
    await send();
    twilio.price = () => priced("0.00500");
    pass(MINUTE_MS);

    await settle();

    expect(left()).toBe(1_000_000n);
    expect(await rows()).toMatchObject([{ fields: { cost: 0n, amountText: "0.00500" } }]);
  });

  test("above the estimate is counted beyond the cap, and is marked", async () => {
    await send();
    twilio.price = () => priced("-1.50000");
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 1, waiting: 0 });

    expect(left()).toBe(-500_000n);
    expect(await rows()).toMatchObject([
      { state: "settled", fields: { cost: 1_500_000n, overrun: true, remaining: 0n } },
    ]);
  });

  test("equal to the estimate moves no money, and settles the row", async () => {
    await send();
    const before = vault.state.balanceWrites.length;
    twilio.price = () => priced("-0.02");
    pass(MINUTE_MS);

    await settle();
    pass(DAY_MS);
    await settle();

    expect(vault.state.balanceWrites.length).toBe(before);
    expect(asked()).toHaveLength(1);
    expect(await rows()).toMatchObject([{ fields: { cost: 20_000n, amountText: "0.02" } }]);
  });

  test("with more places than a micro-dollar has is rounded up", async () => {
    await send();
    twilio.price = () => priced("-0.00750001");
    pass(MINUTE_MS);

    await settle();

    expect(left()).toBe(992_499n);
  });

  test("in another currency is counted at its rate, and one that has no rate leaves the estimate", async () => {
    await send();
    await send();
    twilio.price = (sid) => priced("-0.01000", sid.endsWith("1") ? "EUR" : "JPY");
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 1, waiting: 1 });

    expect(left()).toBe(1_000_000n - 11_000n - 20_000n);
    expect((await rows()).map(({ fields }) => [fields.currency, fields.fxRate ?? null, fields.cost])).toEqual(
      [
        ["eur", 1.1, 11_000n],
        ["usd", null, 20_000n],
      ],
    );
  });

  test("of a call is asked for under its own path", async () => {
    await post("Calls.json", { TimeLimit: "60", Twiml: "<Response><Hangup/></Response>" });
    twilio.price = () => priced("-0.01300");
    pass(MINUTE_MS);

    await settle();

    expect(asked()).toEqual([
      `GET /2010-04-01/Accounts/${REAL_SID}/Calls/CA00000000000000000000000000000001.json`,
    ]);
    expect(left()).toBe(987_000n);
  });

  test("comes for the window of the call, however much later", async () => {
    await send();
    twilio.price = () => priced("-0.00750");
    pass(2 * DAY_MS);

    await settle();

    expect(Object.keys(vault.state.balances.get(keyId)?.leftByWindow ?? {})).toEqual([`${WINDOW_ONE}`]);
    expect(left()).toBe(992_500n);
  });

  test("comes though the key was revoked or has expired meanwhile", async () => {
    await send();
    twilio.price = () => priced("-0.00750");
    vault.state.revokeKey({ keyId, by: "api_1", nowMs });
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 1, waiting: 0 });

    expect(left()).toBe(992_500n);
  });
});

describe("a price that does not come", () => {
  test("is asked for after as long as it has been waited for, six hours at most, and for a week at most", async () => {
    await send();
    const askedAfterMs: number[] = [];
    for (let minute = 1; minute <= 9 * 24 * 60; minute++) {
      pass(MINUTE_MS);
      const before = asked().length;
      await settle();
      if (asked().length > before) askedAfterMs.push(nowMs - START_MS);
    }

    const minutes = askedAfterMs.map((ms) => ms / MINUTE_MS);
    expect(minutes.slice(0, 12)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 872, 1232]);
    expect(minutes.slice(9).every((minute, index) => minute === 512 + index * 360)).toBe(true);
    // The first time beyond the week is the last.
    expect(askedAfterMs.filter((ms) => ms > 7 * DAY_MS)).toHaveLength(1);
    expect(left()).toBe(980_000n);
    const [row] = await rows();
    expect(row).toMatchObject({
      state: "settled",
      fields: { cost: 20_000n, overrun: false, remaining: 980_000n, reason: "price_never_told" },
    });
    expect(row?.events.map(({ event }) => event)).toEqual(["settled", "late_price"]);
    expect(warnings.join()).toContain("keeps its estimate");
  });

  test.each<[string, string, bigint]>([
    ["failed", "ended_without_price", 1_000n],
    ["canceled", "ended_without_price", 0n],
  ])(
    "because a message ended as %s is settled 48 hours later at what that costs",
    async (status, reason, cost) => {
      await send();
      const ended = new Date(nowMs + MINUTE_MS).toUTCString();
      twilio.price = () => answer(200, { status, price: null, price_unit: "USD", date_updated: ended });
      pass(DAY_MS);
      expect(await settle()).toEqual({ settled: 0, waiting: 1 });
      expect(left()).toBe(980_000n);
      pass(DAY_MS + HOUR_MS);

      expect(await settle()).toEqual({ settled: 1, waiting: 0 });

      expect(left()).toBe(1_000_000n - cost);
      expect(await rows()).toMatchObject([
        { state: "settled", fields: { cost, reason, currency: "usd", remaining: 1_000_000n - cost } },
      ]);
      expect(audit.spentBy(keyId)).toBe(cost);
    },
  );

  test("because the answer is about another message is asked for again", async () => {
    await send();
    twilio.price = () =>
      answer(200, { sid: `SM${"9".repeat(32)}`, status: "delivered", price: "-0.0001", price_unit: "USD" });
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 0, waiting: 1 });
    expect(left()).toBe(980_000n);
  });

  test.each<[string, () => VendorReply | Promise<VendorReply>]>([
    ["a 500", () => answer(500, "oops")],
    ["a 404", () => answer(404, { code: 20404, status: 404 })],
    ["a 429", () => answer(429, { code: 20429, status: 429 })],
    ["no JSON", () => answer(200, "oops")],
    ["a price that is not a number", () => priced("-1e9")],
    ["a price with a sign that is none", () => priced("--1")],
    ["a price in no currency", () => answer(200, { price: "-1", price_unit: null })],
    ["no connection", () => ({ kind: "unreachable", cause: new Error("refused") })],
    ["a broken connection", () => ({ kind: "broken", cause: new Error("reset") })],
    ["no answer in time", () => ({ kind: "timeout" })],
    ["an error of the client", () => Promise.reject(new Error("bug"))],
  ])("because of %s leaves the estimate, and is asked for again", async (_, reply) => {
    await send();
    twilio.price = reply;
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 0, waiting: 1 });
    expect(await settle()).toEqual({ settled: 0, waiting: 0 });
    expect(left()).toBe(980_000n);
    expect(warnings.join()).not.toContain("token");

    twilio.price = () => priced("-0.00750");
    pass(MINUTE_MS);
    expect(await settle()).toEqual({ settled: 1, waiting: 0 });
    expect(left()).toBe(992_500n);
  });

  test("because there is no credential is asked for once there is one", async () => {
    await send();
    twilio.price = () => priced("-0.00750");
    pass(MINUTE_MS);
    const none = { ...ports, credentials: { ...ports.credentials, read: async () => null } };

    expect(await settleLatePrices(nowMs + MINUTE_MS, none)).toEqual({ settled: 0, waiting: 1 });
    expect(asked()).toEqual([]);
    pass(MINUTE_MS);
    expect(await settle()).toEqual({ settled: 1, waiting: 0 });
  });
});

describe("runs", () => {
  test("two at once settle a call once: the difference goes back once", async () => {
    await send();
    const before = vault.state.balanceWrites.length;
    let arrived = 0;
    let open = () => {};
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    twilio.price = async () => {
      arrived += 1;
      if (arrived === 2) open();
      await both;
      return priced("-0.00750");
    };
    pass(MINUTE_MS);

    const runs = await Promise.all([settle(), settle()]);

    expect(runs.map(({ settled }) => settled).sort()).toEqual([0, 1]);
    expect(vault.state.balanceWrites.length).toBe(before + 1);
    expect(left()).toBe(992_500n);
    expect((await rows()).map(({ fields }) => fields.cost)).toEqual([7_500n]);
  });

  test("whose write landed though its reply was lost gives the difference back by itself", async () => {
    await send();
    twilio.price = () => priced("-0.00750");
    pass(MINUTE_MS);
    /** Sends again what landed already, as the SDK does by itself. */
    const { policies, balances, calls } = vault;
    const save: Calls["save"] = async (...args) => {
      await calls.save(...args);
      return calls.save(...args);
    };

    expect(
      await settleLatePrices(nowMs + MINUTE_MS, {
        ...ports,
        vault: { policies, balances, calls: { ...calls, save } },
      }),
    ).toEqual({ settled: 1, waiting: 0 });

    expect(left()).toBe(992_500n);
  });

  test("end in time: no price is asked for that could not be written any more", async () => {
    for (let sent = 0; sent < 4; sent++) await send();
    twilio.price = () => {
      pass(10_000);
      return priced("-0.00750");
    };
    pass(MINUTE_MS);

    const run = await settleLatePrices(nowMs + 28_000, ports);

    expect(run).toEqual({ settled: 2, waiting: 0 });
    expect(asked()).toHaveLength(2);
    // The other two have waited for as long as those took.
    const behind = await latePriceBacklog(nowMs, ports);
    expect(behind.overdue).toBe(2);
    expect(behind.oldestMs).toBeGreaterThanOrEqual(20_000);
    expect(await settle()).toEqual({ settled: 2, waiting: 0 });
    expect(await latePriceBacklog(nowMs, ports)).toEqual({ overdue: 0, oldestMs: 0 });
  });

  test("go on until nothing is due, page by page, the longest due first", async () => {
    for (let sent = 0; sent < 40; sent++) {
      await send();
      pass(1);
    }
    expect(left()).toBe(200_000n);
    twilio.price = (sid) =>
      Number(sid.slice(2)) % 2 === 0 ? priced("-0.00750") : answer(200, { price: null, price_unit: "USD" });
    pass(MINUTE_MS);

    expect(await settle()).toEqual({ settled: 20, waiting: 20 });

    expect(asked().map((request) => Number(/SM0*(\d+)/.exec(request)?.[1]))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    // Twenty went from $0.02 to $0.0075.
    expect(left()).toBe(450_000n);
    expect((await rows()).filter(({ fields }) => fields.cost === 7_500n)).toHaveLength(20);
    expect(audit.spentBy(keyId)).toBe(550_000n);
  });

  test("pass by a call that an index still shows and that is settled already", async () => {
    await send();
    twilio.price = () => priced("-0.00750");
    pass(MINUTE_MS);
    const [callId] = await vault.calls.late({ vendor: "twilio", dueByMs: nowMs, limit: 25 });
    await settle();
    const { policies, balances, calls } = vault;
    const late = async () => (callId === undefined ? [] : [callId]);
    const lagging = { policies, balances, calls: { ...calls, late } };

    expect(await settleLatePrices(nowMs + MINUTE_MS, { ...ports, vault: lagging })).toEqual({
      settled: 0,
      waiting: 0,
    });

    expect(asked()).toHaveLength(1);
    const record: CallRecord | null = await vault.calls.read(callId ?? "");
    expect(record).toMatchObject({ status: "settled", latePrice: null });
  });

  test("leave what was refused, or is not known to be made, alone", async () => {
    const refusing: VendorHttp = { send: async () => answer(400, { code: 21211, status: 400 }) };
    const silent: VendorHttp = { send: async () => ({ kind: "timeout" }) };
    const given = ports;
    ports = { ...given, http: refusing };
    await send();
    ports = { ...given, http: silent };
    await send("denied");
    ports = given;
    pass(HOUR_MS);

    expect(await settle()).toEqual({ settled: 0, waiting: 0 });

    expect(asked()).toEqual([]);
    expect(left()).toBe(980_000n);
  });
});

test("calls that cannot be read do not stand before all others, however many they are", async () => {
  for (let call = 0; call < 31; call++) {
    await post("Messages.json", { Body: "hi" });
    pass(1);
  }
  pass(2 * MINUTE_MS);
  twilio.price = () => priced("-0.00750");
  const unreadable = new Set(await vault.calls.late({ vendor: "twilio", dueByMs: nowMs, limit: 30 }));
  const { policies, balances, calls } = vault;
  const read = async (callId: string) => {
    if (unreadable.has(callId)) throw new Error("the record cannot be read");
    return calls.read(callId);
  };
  const partly = { policies, balances, calls: { ...calls, read } };

  const run = await settleLatePrices(nowMs + MINUTE_MS, { ...ports, vault: partly });

  expect(run).toEqual({ settled: 1, waiting: 0 });
  expect(warnings).toHaveLength(30);
});
