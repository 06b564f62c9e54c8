import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HttpsVendor } from "../../../lambda/adapters/https-vendor.ts";
import { proxyCall } from "../../../lambda/app/proxy/proxy-call.ts";
import type { ProxyPorts } from "../../../lambda/app/proxy/proxy-ports.ts";
import { askBooks, type BooksPorts } from "../../../lambda/app/resolve/ask-books.ts";
import { closeCall } from "../../../lambda/app/resolve/close-call.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import type { Verdict } from "../../../lambda/domain/call/close.ts";
import { type CallRecord, unresolvedAttempts, VENDOR_BOOKS } from "../../../lambda/domain/call/record.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import { makeVaultKey } from "../../../lambda/domain/vault-key.ts";
import { booksOf } from "../../../lambda/vendors/books.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import type { Simulator } from "../../../local/simulators/shared/server.ts";
import { simulatorOf } from "../../../local/simulators/simulator-of.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { rateCardWith } from "../../support/rate-card.ts";
import { simulatorAt } from "../../support/simulator.ts";
import { balanceOf, policyOf } from "../../support/vault-facts.ts";

/**
 * Guarantees what the vendors' books tell of a call whose answer was lost: what was executed settles at its price, and what
 * was not executed, or could be another's, stays as it is. The vendors are the simulators, over the wire.
 */

const { keyId, token, secretHash } = makeVaultKey("a".repeat(16), "b".repeat(32));
const SID = "AC0123456789abcdef0123456789abcdef";
const CREDENTIALS: Readonly<Record<string, string>> = {
  stripe: "sk_test_books",
  twilio: `${SID}:token`,
  resend: "re_books",
};
const CAP = 100_000_000n;

const simulators = new Map<string, Simulator>();
beforeAll(async () => {
  for (const [vendor, credential] of Object.entries(CREDENTIALS)) {
    const start = await simulatorOf(vendor);
    if (start !== null) simulators.set(vendor, await start({ credential, latencyMs: 0 }));
  }
});
afterAll(async () => {
  for (const simulator of simulators.values()) await simulator.close();
});

const originOf = (vendor: string): string => simulators.get(vendor)?.origin ?? "";
const at = (vendor: string) => simulatorAt(originOf(vendor));

let names = 0;
let vault: MemoryVault;
let warnings: unknown[];
let ports: ProxyPorts & BooksPorts;
let onRecord: ReadonlySet<string> | null;
beforeEach(() => {
  warnings = [];
  onRecord = new Set();
  ports = portsOf("stripe");
});

/** A key of this vendor with $100, in a vault of its own. */
function portsOf(vendor: string): ProxyPorts & BooksPorts {
  vault = new MemoryVault();
  const caps = { daily: microUsd(CAP), total: UNCAPPED, perCall: UNCAPPED };
  const times = { issuedAtMs: Date.now() - 1_000, expiresAtMs: Date.now() + 3_600_000 };
  vault.state.putBalance(balanceOf(keyId, { caps, ...times }));
  const chain = [{ keyId, issuedAtMs: times.issuedAtMs }];
  vault.state.putPolicy(policyOf(keyId, { secretHash, vendor, chain, issuedAtMs: times.issuedAtMs }), null);
  return {
    vendors: vendorRegistry(),
    vault,
    spending: { spent: async () => ({ window: microUsd(0n), total: microUsd(0n) }) },
    http: new HttpsVendor(),
    credentials: { read: async () => CREDENTIALS[vendor] ?? null, howToSet: () => "set it" },
    clock: { now: () => Date.now() },
    ids: { random: (length) => `${++names}`.padStart(length, "0") },
    destinationOf: (_, { standInPath: path }) => ({ origin: originOf(vendor), path }),
    rateCard: rateCardWith({ prices: {}, rates: { eur: "1.1" }, rateMarginPercent: 0 }),
    warn: (_, cause) => {
      warnings.push(cause);
    },
    booksOf,
    objectsOnRecord: async () => onRecord,
    found: new Map(),
  };
}

type Fields = Readonly<Record<string, string>>;
const FORM = "application/x-www-form-urlencoded";

/** One call through Keybrake; the record that it left. `fault`: what befalls it at the vendor. */
async function called(
  path: string,
  body: Fields | object,
  { vendor = "stripe", fault, headers = {} }: { vendor?: string; fault?: string; headers?: Fields } = {},
): Promise<CallRecord> {
  const isForm = vendor !== "resend";
  const before = new Set(vault.state.calls.keys());
  if (fault !== undefined) await at(vendor).fault({ kind: fault, method: "POST" });
  const nowMs = Date.now();
  await proxyCall(
    {
      requestId: "request",
      token,
      vendorName: vendor,
      method: "POST",
      rawPath: path.slice(1),
      query: {},
      headers: {
        "content-type": [isForm ? FORM : "application/json"],
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      },
      body: Buffer.from(isForm ? new URLSearchParams(body as Fields).toString() : JSON.stringify(body)),
      sourceIp: null,
      startedAtMs: nowMs,
      deadlineMs: nowMs + 28_000,
    },
    ports,
  );
  const [made] = [...vault.state.calls.values()].filter(({ callId }) => !before.has(callId));
  if (made === undefined) throw new Error("the call left no record");
  // That its connection broke is not what these tests look at.
  warnings.length = 0;
  return made;
}

async function asked(record: CallRecord): Promise<Verdict | null> {
  const [attempt] = unresolvedAttempts(Object.values(record.attempts));
  const policy = vault.state.policies.get(keyId);
  if (attempt === undefined || policy === undefined) throw new Error("nothing is unresolved");
  return askBooks(record, attempt, policy, Date.now() + 20_000, ports);
}

/** Closes it as the resolver does; what the key has spent and holds afterwards, in micro-dollars. */
async function closed(record: CallRecord, verdict: Verdict): Promise<bigint> {
  const policy = vault.state.policies.get(keyId) ?? null;
  const result = await closeCall({ record, verdict, by: VENDOR_BOOKS, policy }, ports);
  expect(result.kind).toBe("closed");
  return taken();
}

const taken = (): bigint =>
  CAP - (Object.values(vault.state.balances.get(keyId)?.leftByWindow ?? {})[0] ?? CAP);

const KEYED = { "idempotency-key": "" };
const withKey = () => ({ ...KEYED, "idempotency-key": `books-${++names}` });
const CARD = { payment_method: "pm_card_visa", confirm: "true" };
const usd = (cents: number) => ({ amount: `${cents}`, currency: "usd" });

describe("Stripe's events tell of a call with an idempotency key whose answer was lost", () => {
  test.each<[string, string, Fields, bigint]>([
    ["a PaymentIntent that was made", "/v1/payment_intents", usd(1_000), 10_000_000n],
    [
      "one that was paid at once",
      "/v1/payment_intents",
      {
        ...usd(2_000),
        ...CARD,
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
      },
      20_000_000n,
    ],
    ["a charge", "/v1/charges", { ...usd(700), source: "tok_visa" }, 7_000_000n],
    ["one in euros", "/v1/charges", { amount: "700", currency: "eur", source: "tok_visa" }, 7_700_000n],
    ["a payout", "/v1/payouts", usd(300), 3_000_000n],
  ])("%s settles at its price", async (_, path, form, price) => {
    for (const fault of ["break_after", "500_after"]) {
      ports = portsOf("stripe");
      const record = await called(path, form, { fault, headers: withKey() });
      expect(record.status).toBe("unresolved");

      const verdict = await asked(record);
      expect(verdict).toMatchObject({
        kind: "charged",
        price,
        objectId: expect.stringMatching(/^(pi|ch|po)_/),
      });
      expect(verdict).toMatchObject({ facts: { vendorRequestId: expect.stringMatching(/^req_/) } });
      expect(verdict === null ? null : await closed(record, verdict)).toBe(price);
    }
    expect(warnings).toEqual([]);
  });

  test("what they count for a PaymentIntent is not counted again by a later step", async () => {
    const lost = await called("/v1/payment_intents", usd(1_000), {
      fault: "break_after",
      headers: withKey(),
    });
    const verdict = await asked(lost);
    if (verdict?.kind !== "charged") throw new Error("nothing was found");
    expect(await closed(lost, verdict)).toBe(10_000_000n);

    await called(
      `/v1/payment_intents/${verdict.objectId}/confirm`,
      { payment_method: "pm_card_visa", return_url: "https://example.com" },
      { headers: withKey() },
    );
    expect(taken()).toBe(10_000_000n);
  });

  test.each([
    ["all of it", "1000", 10_000_000n],
    ["more of it than was made", "1500", 15_000_000n],
  ])("what a later step has counted first, %s, they do not count again", async (_, amount, counted) => {
    const lost = await called("/v1/payment_intents", usd(1_000), {
      fault: "break_after",
      headers: withKey(),
    });
    const found = await asked(lost);
    if (found?.kind !== "charged") throw new Error("nothing was found");
    const intent = `/v1/payment_intents/${found.objectId}`;
    if (amount !== "1000") await called(intent, { amount }, { headers: withKey() });
    const confirmation = { payment_method: "pm_card_visa", return_url: "https://example.com" };
    await called(`${intent}/confirm`, confirmation, { headers: withKey() });
    expect(taken()).toBe(10_000_000n + counted);

    const verdict = await asked(lost);

    expect(verdict).toMatchObject({ kind: "charged", price: 0n });
    expect(verdict === null ? null : await closed(lost, verdict)).toBe(counted);
  });

  test("a decline that nobody heard of gives everything back", async () => {
    const form = { ...usd(900), source: "tok_chargeDeclined" };
    const record = await called("/v1/charges", form, { fault: "break_after", headers: withKey() });

    const verdict = await asked(record);
    expect(verdict).toEqual({ kind: "not_charged" });
    expect(verdict === null ? null : await closed(record, verdict)).toBe(0n);
  });

  test("of another account's call it is asked on that account", async () => {
    const policy = vault.state.policies.get(keyId);
    if (policy === undefined) throw new Error("no policy");
    vault.state.policies.set(keyId, { ...policy, limits: { ...policy.limits, accounts: ["acct_other1"] } });
    const headers = { ...withKey(), "stripe-account": "acct_other1" };
    const record = await called("/v1/payouts", usd(100), { fault: "break_after", headers });

    expect(Object.values(record.attempts)[0]?.sought).toEqual({ "stripe-account": "acct_other1" });
    expect(await asked(record)).toMatchObject({ kind: "charged", price: 1_000_000n });
  });

  test("what was never executed stays as it is", async () => {
    for (const fault of ["500_before", "hang", "break_before"].filter((kind) => kind !== "hang")) {
      const record = await called(
        "/v1/charges",
        { ...usd(100), source: "tok_visa" },
        { fault, headers: withKey() },
      );
      expect(record.status).toBe("unresolved");
      expect(await asked(record)).toBeNull();
    }
    expect(warnings).toEqual([]);
  });

  test("where they cannot be read it stays as it is, and an operator is told", async () => {
    const record = await called("/v1/payouts", usd(100), { fault: "break_after", headers: withKey() });
    await at("stripe").fault({ kind: "429", method: "GET" });

    expect(await asked(record)).toBeNull();
    expect(warnings).toHaveLength(1);
    expect(await asked(record)).toMatchObject({ kind: "charged" });
  });
});

describe("a list tells of a call without an idempotency key", () => {
  const TEXT = { From: "+15005550006", Body: "Hello" };
  const messages = `/2010-04-01/Accounts/${SID}/Messages.json`;
  let numbers = 0;
  const someone = () => `+1415555${`${1000 + ++numbers}`}`;

  type Row = readonly [name: string, vendor: string, path: string, body: () => Fields | object];
  const rows: readonly Row[] = [
    ["Stripe: by its amount", "stripe", "/v1/payouts", () => usd(1_000 + ++numbers)],
    ["Twilio: a message by To and From", "twilio", messages, () => ({ ...TEXT, To: someone() })],
    [
      "Twilio: a call",
      "twilio",
      `/2010-04-01/Accounts/${SID}/Calls.json`,
      () => ({
        From: TEXT.From,
        To: someone(),
        TimeLimit: "60",
        Twiml: "<Response><Say>Hi</Say></Response>",
      }),
    ],
    [
      "Resend: an e-mail",
      "resend",
      "/emails",
      () => ({ from: "a@example.com", to: [`${++numbers}@example.com`], subject: "Hi", text: "x" }),
    ],
  ];

  test.each(rows)("%s, once it is certain whose it is", async (_, vendor, path, body) => {
    ports = portsOf(vendor);
    const sent = body();
    const record = await called(path, sent, { vendor, fault: "break_after" });
    expect(record.status).toBe("unresolved");
    const verdict = await asked(record);
    expect(verdict).toMatchObject({ kind: "charged", objectId: expect.any(String) });
    if (verdict?.kind !== "charged" || verdict.objectId === null) throw new Error("nothing was found");

    // Another call has it on record already, or there are too many to know.
    onRecord = new Set([verdict.objectId]);
    expect(await asked(record)).toBeNull();
    onRecord = null;
    expect(await asked(record)).toBeNull();
    onRecord = new Set();
    expect(await asked(record)).toMatchObject({ objectId: verdict.objectId });

    // A second one that could be it: nobody knows.
    const second = await called(path, sent, { vendor, fault: "break_after" });
    expect(await asked(second)).toMatchObject({ kind: "charged" });
    ports.found.clear();
    expect(await asked(record)).toBeNull();
    expect([...ports.found]).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test.each(rows)(
    "%s is one call's, where two that are alike are asked for at once",
    async (_, vendor, path, body) => {
      ports = portsOf(vendor);
      const sent = body();
      const executed = await called(path, sent, { vendor, fault: "break_after" });
      const lost = await called(path, sent, { vendor, fault: "break_before" });

      const verdicts = await Promise.all([asked(executed), asked(lost)]);

      expect(verdicts.filter((verdict) => verdict !== null)).toHaveLength(1);
      expect(ports.found.size).toBe(1);
    },
  );

  test("what is counted of an object that is only guessed takes nothing off a price: it may be another call's", async () => {
    const form = usd(1_000 + ++numbers);
    const price = BigInt(form.amount) * 10_000n;
    const mine = await called("/v1/payment_intents", form, { fault: "break_after" });
    const verdict = await asked(mine);
    if (verdict === null) throw new Error("nothing was found");
    expect(await closed(mine, verdict)).toBe(price);

    // Another process asks, and the log has the first one not yet.
    ports.found.clear();
    const alike = await called("/v1/payment_intents", form, { fault: "break_before" });
    const guess = await asked(alike);
    expect(guess).toMatchObject({ kind: "charged", price });
    expect(guess === null ? null : await closed(alike, guess)).toBe(2n * price);
  });

  test.each(rows)("%s that was never executed stays as it is", async (_, vendor, path, body) => {
    ports = portsOf(vendor);
    const record = await called(path, body(), { vendor, fault: "break_before" });
    expect(record.status).toBe("unresolved");
    expect(await asked(record)).toBeNull();
  });

  test("Twilio's price comes later still, and the numbers are kept no longer than needed", async () => {
    ports = portsOf("twilio");
    const To = someone();
    const record = await called(messages, { ...TEXT, To }, { vendor: "twilio", fault: "break_after" });
    expect(Object.values(record.attempts)[0]?.sought).toEqual({ to: To, from: TEXT.From, count: "1" });

    const verdict = await asked(record);
    if (verdict === null) throw new Error("nothing was found");
    await closed(record, verdict);
    const after = vault.state.calls.get(record.callId);
    expect(after?.latePrice).toMatchObject({ vendor: "twilio" });
    expect(Object.values(after?.attempts ?? {})[0]?.sought).toBeUndefined();
  });

  test("of an e-mail a fingerprint is kept, and of a call that is settled nothing", async () => {
    ports = portsOf("resend");
    const email = { from: "a@example.com", to: "b@example.com", subject: "Secret plans", text: "x" };
    const lost = await called("/emails", email, { vendor: "resend", fault: "break_before" });
    expect(Object.values(lost.attempts)[0]?.sought).toEqual({
      email: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const sent = await called("/emails", email, { vendor: "resend" });
    expect(Object.values(sent.attempts)[0]?.sought).toBeUndefined();
  });
});
