import { describe, expect, test } from "vitest";
import { type Balance, type Draw, UNCAPPED, WINDOW_MS } from "../../lambda/domain/balance.ts";
import { ENTRIES_MAX } from "../../lambda/domain/call/claim.ts";
import { fold } from "../../lambda/domain/call/fold.ts";
import { type Attempt, type CallRecord, newCall, withAttempt } from "../../lambda/domain/call/record.ts";
import { type MinuteCalls, NO_CALLS } from "../../lambda/domain/call-rate.ts";
import type { CountedEntry } from "../../lambda/domain/counted-object.ts";
import type { KeyList, ListedKey } from "../../lambda/domain/key-list.ts";
import { type MicroUsd, microUsd, NOTHING } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { AttemptNote } from "../../lambda/ports/balances.ts";
import type { Vault } from "../../lambda/ports/vault.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** What every Vault does, whatever it is made of: the rules of lambda/domain are those of its conditional writes. */

const START = 1_795_323_600_000;
let made = 0;

const capsOf = (daily: bigint, total: bigint | null = null, perCall: bigint | null = null) => ({
  daily: microUsd(daily),
  total: total === null ? UNCAPPED : microUsd(total),
  perCall: perCall === null ? UNCAPPED : microUsd(perCall),
});

function newKey(
  caps = capsOf(10n),
  minuteCalls: MinuteCalls | null = null,
): { policy: Policy; balance: Balance } {
  const keyId = `key_${made++}`;
  const expiresAtMs = START + 10 * WINDOW_MS;
  const policy: Policy = {
    keyId,
    secretHash: "a".repeat(64),
    vendor: "stripe",
    credential: "default",
    allowedEndpoints: ["POST /v1/charges"],
    limits: UNLIMITED,
    label: made % 2 === 0 ? "run/1" : null,
    metadata: { team: "a" },
    chain: [{ keyId, issuedAtMs: START }],
    issuerId: "admin",
    issuedAtMs: START,
    issuedWith: { caps, expiresAtMs },
  };
  const balance: Balance = {
    keyId,
    issuedAtMs: START,
    caps,
    leftByWindow: {},
    leftInTotal: caps.total,
    expiresAtMs,
    revokedAtMs: null,
    fenceMs: 0,
    writes: 0,
    minuteCalls,
  };
  return { policy, balance };
}

const drawOn = (keyId: string, amount: bigint, change: Partial<Draw> = {}): Draw & AttemptNote => ({
  keyId,
  attemptId: `att_${made++}`,
  window: 0,
  amount: microUsd(amount),
  issuedAtMs: START + 10,
  nowMs: START + 10,
  callId: "call_1",
  isLeaf: true,
  leafId: null,
  method: "POST",
  path: "/v1/charges",
  observes: false,
  count: null,
  ...change,
});

const attemptOf = (attemptId: string, change: Partial<Attempt> = {}): Attempt => ({
  attemptId,
  state: "open",
  kind: "own",
  amount: microUsd(10n),
  windows: [{ keyId: "key_1", window: 2 }],
  issuedAtMs: START,
  ambiguous: [],
  settledAtJoin: false,
  cost: NOTHING,
  overrun: false,
  lateAtMs: null,
  closedBy: null,
  request: {
    keyId: "key_1",
    method: "POST",
    path: "/v1/charges",
    callLabel: null,
    idempotencyKey: "k",
    amountText: "100",
    currency: "usd",
    fxRate: null,
    sourceIp: null,
    userAgent: null,
  },
  outcome: null,
  ...change,
});

export function vaultContract(vaultOf: () => Vault): void {
  const issued = async (caps = capsOf(10n), minuteCalls: MinuteCalls | null = null) => {
    const key = newKey(caps, minuteCalls);
    expect(await vaultOf().policies.create(key.policy, key.balance, null)).toBe("created");
    return key;
  };
  const balanceOf = async (keyId: string): Promise<Balance> => {
    const [balance] = await vaultOf().balances.read([keyId]);
    if (balance === undefined || balance === null) throw new Error("there is no such balance");
    return balance;
  };
  /** A balance without what only its own kind of vault adds to it. */
  const left = ({ leftByWindow, leftInTotal, writes }: Balance) => ({ leftByWindow, leftInTotal, writes });

  describe("keys", () => {
    test("are read as they were written, and an unknown one is null", async () => {
      const { policy, balance } = await issued(capsOf(10n, 20n, 5n));
      expect(await vaultOf().policies.read(policy.keyId)).toEqual(policy);
      const [first, unknown] = await vaultOf().balances.read([policy.keyId, "key_none"]);
      expect(first).toMatchObject(balance);
      expect(unknown).toBeNull();
      expect(await vaultOf().policies.read("key_none")).toBeNull();
    });

    test("are read as they were written with their modes and rates, and what an enforcing key above allows", async () => {
      const { policy, balance } = newKey(capsOf(10n), NO_CALLS);
      const above = { keyId: "key_above", allowedEndpoints: ["GET /v1/*"], limits: UNLIMITED };
      const full: Policy = {
        ...policy,
        chain: [
          { keyId: "key_above", issuedAtMs: START, maxCallsPerMinute: 7 },
          { keyId: policy.keyId, issuedAtMs: START, mode: "observe", maxCallsPerMinute: 100_000 },
        ],
        enforcedAbove: above,
      };
      const bare: Policy = {
        ...newKey().policy,
        enforcedAbove: {
          keyId: "key_above",
          allowedEndpoints: null,
          limits: { accounts: ["acct_1"], currencies: ["usd"], recipients: ["cus_1"], maxRecipients: 3 },
        },
      };
      await vaultOf().policies.create(full, balance, null);
      await vaultOf().policies.create(bare, { ...balance, keyId: bare.keyId }, null);
      expect(await vaultOf().policies.read(full.keyId)).toEqual(full);
      expect(await vaultOf().policies.read(bare.keyId)).toEqual(bare);
      expect(await vaultOf().balances.read([full.keyId])).toMatchObject([balance]);
    });

    test("are read many at once, known ones and new ones, and one that is not there is left out", async () => {
      const keys = [];
      for (let n = 0; n < 101; n++) keys.push(await issued());
      const wanted = new Map(keys.map(({ policy }) => [policy.keyId, policy]));
      const keyIds = [...wanted.keys()];
      await vaultOf().policies.read(keyIds[0] ?? "");

      const asked = [...keyIds, ...keyIds.slice(0, 5), "key_none"];
      expect(await vaultOf().policies.readAll(asked)).toEqual(wanted);
      expect(await vaultOf().policies.readAll([])).toEqual(new Map());
    });

    test("are issued once under one request key", async () => {
      const first = newKey();
      const second = newKey();
      const request = `request-${made++}`;
      expect(await vaultOf().policies.create(first.policy, first.balance, request)).toBe("created");
      expect(await vaultOf().policies.create(second.policy, second.balance, request)).toEqual({
        alreadyIssued: first.policy.keyId,
      });
      expect(await vaultOf().policies.read(second.policy.keyId)).toBeNull();
    });

    test("are revoked once, and the first time stands", async () => {
      const { policy } = await issued();
      expect(await vaultOf().balances.revoke({ keyId: policy.keyId, by: "admin", nowMs: START + 5 })).toBe(
        START + 5,
      );
      expect(await vaultOf().balances.revoke({ keyId: policy.keyId, by: "admin", nowMs: START + 9 })).toBe(
        START + 5,
      );
      expect(await vaultOf().balances.revoke({ keyId: "key_none", by: "admin", nowMs: START })).toBeNull();
    });
  });

  describe("a draw", () => {
    test("takes from its window and the total, and counts as a write", async () => {
      const { policy } = await issued(capsOf(10n, 15n));
      const drawn = await vaultOf().balances.draw(drawOn(policy.keyId, 4n, { window: 1 }));
      expect(drawn).toMatchObject({ kind: "drawn", balance: { leftByWindow: { 1: 6n }, leftInTotal: 11n } });
      expect(left(await balanceOf(policy.keyId))).toEqual({
        leftByWindow: { 1: 6n },
        leftInTotal: 11n,
        writes: 1,
      });
    });

    test.each<[string, ReturnType<typeof capsOf>, Partial<Draw> & { amount: MicroUsd }, string]>([
      ["an unopened window", capsOf(10n), { amount: microUsd(11n) }, "daily_cap"],
      ["the total", capsOf(10n, 5n), { amount: microUsd(6n) }, "total_cap"],
      ["one call", capsOf(10n, null, 3n), { amount: microUsd(4n) }, "per_call_cap"],
      ["an expired key", capsOf(10n), { amount: microUsd(1n), nowMs: START + 10 * WINDOW_MS }, "expired"],
      ["an attempt from before the fence", capsOf(10n), { amount: microUsd(1n), issuedAtMs: 0 }, "fenced"],
    ])("that does not fit %s changes nothing and says why", async (_, caps, change, reason) => {
      const { policy } = await issued(caps);
      expect(await vaultOf().balances.draw(drawOn(policy.keyId, change.amount, change))).toMatchObject({
        kind: "refused",
        reason,
      });
      expect((await balanceOf(policy.keyId)).writes).toBe(0);
    });

    test("on a revoked or an unknown key is refused", async () => {
      const { policy } = await issued();
      await vaultOf().balances.revoke({ keyId: policy.keyId, by: "admin", nowMs: START });
      expect(await vaultOf().balances.draw(drawOn(policy.keyId, 1n))).toMatchObject({
        kind: "refused",
        reason: "revoked",
      });
      expect(await vaultOf().balances.draw(drawOn("key_none", 1n))).toEqual({
        kind: "refused",
        reason: "unknown",
        balance: null,
      });
    });

    test("of nothing passes a cap that is used up", async () => {
      const { policy } = await issued(capsOf(10n, 10n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 10n));
      expect(await vaultOf().balances.draw(drawOn(policy.keyId, 1n))).toMatchObject({ kind: "refused" });
      expect(await vaultOf().balances.draw(drawOn(policy.keyId, 0n))).toMatchObject({ kind: "drawn" });
    });

    test("never passes the cap, however many come at once", async () => {
      const { policy } = await issued(capsOf(50n, 60n));
      const results = await Promise.all(
        Array.from({ length: 200 }, () => vaultOf().balances.draw(drawOn(policy.keyId, 1n))),
      );
      expect(results.filter(({ kind }) => kind === "drawn")).toHaveLength(50);
      expect(await balanceOf(policy.keyId)).toMatchObject({
        leftByWindow: { 0: 0n },
        leftInTotal: 10n,
        writes: 50,
      });
    });

    test("forgets the windows that no give-back can belong to", async () => {
      const { policy } = await issued();
      for (const window of [0, 1, 2, 3]) await vaultOf().balances.draw(drawOn(policy.keyId, 4n, { window }));
      expect((await balanceOf(policy.keyId)).leftByWindow).toEqual({ 1: 6n, 2: 6n, 3: 6n });
    });

    test("of a key that rested for days forgets the windows before, so that its balance stays small", async () => {
      const { policy } = await issued();
      for (let window = 0; window <= 200; window += 5)
        await vaultOf().balances.draw(drawOn(policy.keyId, 4n, { window }));
      expect((await balanceOf(policy.keyId)).leftByWindow).toEqual({ 200: 6n });
    });
  });

  describe("a draw of a key that only observes", () => {
    const observing = (keyId: string, amount: bigint, change: Partial<Draw> = {}) =>
      drawOn(keyId, amount, { observes: true, ...change });

    test("is made beyond every cap, and what is left goes below zero", async () => {
      const { policy } = await issued(capsOf(10n, 15n, 5n));
      const { keyId } = policy;
      await vaultOf().balances.draw(observing(keyId, 8n));
      expect(await vaultOf().balances.draw(observing(keyId, 9n))).toMatchObject({
        kind: "drawn",
        balance: { leftByWindow: { 0: -7n }, leftInTotal: -2n },
      });
      expect(left(await balanceOf(keyId))).toEqual({
        leftByWindow: { 0: -7n },
        leftInTotal: -2n,
        writes: 2,
      });
    });

    test.each([
      ["that has expired", { nowMs: START + 10 * WINDOW_MS }, "expired"],
      ["from before its fence", { issuedAtMs: 0 }, "fenced"],
    ] as const)("is refused all the same of one %s", async (_, change, reason) => {
      const { policy } = await issued();
      expect(await vaultOf().balances.draw(observing(policy.keyId, 1n, change))).toMatchObject({
        kind: "refused",
        reason,
      });
      expect((await balanceOf(policy.keyId)).writes).toBe(0);
    });

    test("is refused of one that is revoked or unknown", async () => {
      const { policy } = await issued();
      await vaultOf().balances.revoke({ keyId: policy.keyId, by: "admin", nowMs: START });
      expect(await vaultOf().balances.draw(observing(policy.keyId, 1n))).toMatchObject({
        reason: "revoked",
      });
      expect(await vaultOf().balances.draw(observing("key_none", 1n))).toMatchObject({ reason: "unknown" });
    });

    test("takes what is given back as any other does", async () => {
      const { policy } = await issued(capsOf(10n, 10n));
      const { keyId } = policy;
      await vaultOf().balances.draw(observing(keyId, 14n));
      const back = { opId: `op_${made++}`, keyId, window: 0, amount: microUsd(6n), issuedAtMs: START + 20 };
      expect(await vaultOf().balances.correct(back)).toBe("applied");
      expect(await balanceOf(keyId)).toMatchObject({ leftByWindow: { 0: 2n }, leftInTotal: 2n });
    });
  });

  describe("a key with a rate", () => {
    const limited = async (caps = capsOf(1_000n), minuteCalls = NO_CALLS) =>
      (await issued(caps, minuteCalls)).policy.keyId;
    const callIn = (keyId: string, minute: number, max = 3, observes = false) => ({
      keyId,
      observes,
      nowMs: START + 10,
      count: { minute, max },
    });
    const drawIn = (keyId: string, minute: number, change: Partial<Draw> = {}, max = 3) =>
      drawOn(keyId, 1n, { count: { minute, max }, ...change });
    const minuteOf = async (keyId: string) => (await balanceOf(keyId)).minuteCalls;

    test("counts draws and calls that draw nothing, and no more in a minute than it may have", async () => {
      const keyId = await limited();
      expect(await vaultOf().balances.draw(drawIn(keyId, 0))).toMatchObject({ kind: "drawn" });
      expect(await vaultOf().balances.count(callIn(keyId, 0))).toMatchObject({
        kind: "counted",
        balance: { keyId, minuteCalls: { minute: 0, calls: 2 } },
      });
      expect(await vaultOf().balances.draw(drawIn(keyId, 0))).toMatchObject({ kind: "drawn" });
      const refused = { kind: "refused", reason: "rate", balance: { minuteCalls: { minute: 0, calls: 3 } } };
      expect(await vaultOf().balances.draw(drawIn(keyId, 0))).toMatchObject(refused);
      expect(await vaultOf().balances.count(callIn(keyId, 0))).toMatchObject(refused);
      expect(await balanceOf(keyId)).toMatchObject({
        leftByWindow: { 0: 998n },
        writes: 2,
        minuteCalls: { minute: 0, calls: 3 },
      });
    });

    test.each(["draw", "count"] as const)("begins a new minute with one call, by a %s", async (by) => {
      const keyId = await limited(capsOf(1_000n), { minute: 7, calls: 3 });
      const result =
        by === "draw"
          ? await vaultOf().balances.draw(drawIn(keyId, 9))
          : await vaultOf().balances.count(callIn(keyId, 9));
      expect(result).toMatchObject({ balance: { minuteCalls: { minute: 9, calls: 1 } } });
      expect(await minuteOf(keyId)).toEqual({ minute: 9, calls: 1 });
    });

    test.each(["draw", "count"] as const)(
      "counts in the minute that has begun by another clock, and never goes back, by a %s",
      async (by) => {
        const keyId = await limited(capsOf(1_000n), { minute: 9, calls: 2 });
        const call = () =>
          by === "draw"
            ? vaultOf().balances.draw(drawIn(keyId, 8))
            : vaultOf().balances.count(callIn(keyId, 8));
        expect(await call()).toMatchObject({ balance: { minuteCalls: { minute: 9, calls: 3 } } });
        expect(await call()).toMatchObject({ kind: "refused", reason: "rate" });
        expect(await minuteOf(keyId)).toEqual({ minute: 9, calls: 3 });
      },
    );

    test("says that the rate is used up before it says that a cap is", async () => {
      const keyId = await limited(capsOf(1n), { minute: 0, calls: 3 });
      expect(await vaultOf().balances.draw(drawIn(keyId, 0, { amount: microUsd(5n) }))).toMatchObject({
        kind: "refused",
        reason: "rate",
      });
      const other = await limited(capsOf(1n), { minute: 0, calls: 2 });
      expect(await vaultOf().balances.draw(drawIn(other, 0, { amount: microUsd(5n) }))).toMatchObject({
        kind: "refused",
        reason: "daily_cap",
      });
      expect(await minuteOf(other)).toEqual({ minute: 0, calls: 2 });
    });

    test("refuses for a cap in a new minute without beginning it", async () => {
      const keyId = await limited(capsOf(1n), { minute: 0, calls: 3 });
      expect(await vaultOf().balances.draw(drawIn(keyId, 1, { amount: microUsd(5n) }))).toMatchObject({
        kind: "refused",
        reason: "daily_cap",
      });
      expect(await minuteOf(keyId)).toEqual({ minute: 0, calls: 3 });
    });

    test("counts beyond its rate where it only observes, and begins new minutes as any other", async () => {
      const keyId = await limited(capsOf(1_000n), { minute: 0, calls: 3 });
      expect(await vaultOf().balances.draw(drawIn(keyId, 0, { observes: true }))).toMatchObject({
        kind: "drawn",
        balance: { minuteCalls: { minute: 0, calls: 4 } },
      });
      expect(await vaultOf().balances.count(callIn(keyId, 0, 3, true))).toMatchObject({
        kind: "counted",
        balance: { minuteCalls: { minute: 0, calls: 5 } },
      });
      await vaultOf().balances.count(callIn(keyId, 1, 3, true));
      expect(await minuteOf(keyId)).toEqual({ minute: 1, calls: 1 });
    });

    test.each([
      ["revoked", "revoked"],
      ["expired", "expired"],
    ] as const)("counts no call once it is %s", async (_, reason) => {
      const keyId = await limited();
      if (reason === "revoked") await vaultOf().balances.revoke({ keyId, by: "admin", nowMs: START });
      const nowMs = reason === "expired" ? START + 10 * WINDOW_MS : START + 10;
      expect(await vaultOf().balances.count({ ...callIn(keyId, 0), nowMs })).toMatchObject({
        kind: "refused",
        reason,
        balance: { keyId },
      });
      expect(await minuteOf(keyId)).toEqual(NO_CALLS);
    });

    test("that is not there counts nothing", async () => {
      expect(await vaultOf().balances.count(callIn("key_none", 0))).toEqual({
        kind: "refused",
        reason: "unknown",
        balance: null,
      });
    });

    test("a count is no write of money: it is not in the number of writes", async () => {
      const keyId = await limited();
      await vaultOf().balances.count(callIn(keyId, 0));
      await vaultOf().balances.count(callIn(keyId, 1));
      expect(left(await balanceOf(keyId))).toEqual({
        leftByWindow: {},
        leftInTotal: UNCAPPED,
        writes: 0,
      });
    });

    test("keeps its minute when its caps change", async () => {
      const keyId = await limited(capsOf(10n), { minute: 4, calls: 2 });
      const before = await balanceOf(keyId);
      const change = { caps: capsOf(20n), expiresAtMs: before.expiresAtMs, by: "admin", nowMs: START };
      expect(await vaultOf().balances.change(before, change)).toMatchObject({
        minuteCalls: { minute: 4, calls: 2 },
      });
    });
  });

  describe("a correction", () => {
    const correction = (keyId: string, amount: bigint, window = 0, issuedAtMs = START + 20) => ({
      opId: `op_${made++}`,
      keyId,
      window,
      amount: microUsd(amount),
      issuedAtMs,
    });

    test("gives back to the window it was taken from", async () => {
      const { policy } = await issued(capsOf(10n, 20n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 6n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 6n, { window: 1 }));
      await vaultOf().balances.correct(correction(policy.keyId, 6n));
      expect(await balanceOf(policy.keyId)).toMatchObject({
        leftByWindow: { 0: 10n, 1: 4n },
        leftInTotal: 14n,
      });
    });

    test("of a forgotten window gives back to the total only", async () => {
      const { policy } = await issued(capsOf(10n, 20n));
      for (const window of [0, 3]) await vaultOf().balances.draw(drawOn(policy.keyId, 4n, { window }));
      await vaultOf().balances.correct(correction(policy.keyId, 4n));
      expect(await balanceOf(policy.keyId)).toMatchObject({
        leftByWindow: { 3: 6n },
        leftInTotal: 16n,
        writes: 3,
      });
    });

    test.each([
      ["applied", 6n, 0, START + 20, "applied"],
      ["to a forgotten window", 6n, 9, START + 20, "applied"],
      ["counted beyond the cap", -60n, 0, START + 20, "applied"],
      ["before the fence", 6n, 0, 0, "not_applied"],
    ] as const)("%s says so", async (_, amount, window, issuedAtMs, said) => {
      const { policy } = await issued();
      await vaultOf().balances.draw(drawOn(policy.keyId, 6n));
      expect(await vaultOf().balances.correct(correction(policy.keyId, amount, window, issuedAtMs))).toBe(
        said,
      );
      expect(await vaultOf().balances.correct(correction("key_none", amount, window, issuedAtMs))).toBe(
        "not_applied",
      );
    });

    test("below zero is counted whatever is left, and opens its window", async () => {
      const { policy } = await issued(capsOf(10n, 10n));
      await vaultOf().balances.correct(correction(policy.keyId, -12n, 2));
      expect(await balanceOf(policy.keyId)).toMatchObject({ leftByWindow: { 2: -2n }, leftInTotal: -2n });
    });

    test("a fence refuses what was issued before it, is a write of its own, and is put once", async () => {
      const { policy } = await issued(capsOf(10n));
      const { balances } = vaultOf();

      const numbers = [
        await balances.fence(policy.keyId, START + 20),
        await balances.fence(policy.keyId, START + 20),
        await balances.fence(policy.keyId, START + 19),
        await balances.fence("key_unknown", START + 20),
      ];

      expect(numbers).toEqual([1, 1, 1, null]);
      const draws = [START + 20, START + 21].map((issuedAtMs) =>
        balances.draw(drawOn(policy.keyId, 1n, { issuedAtMs })),
      );
      expect((await Promise.all(draws)).map(({ kind }) => kind)).toEqual(["refused", "drawn"]);
    });

    test("at or before the fence, or on an unknown key, changes nothing", async () => {
      const { policy } = await issued();
      await vaultOf().balances.draw(drawOn(policy.keyId, 6n));
      await vaultOf().balances.correct(correction(policy.keyId, 6n, 0, 0));
      await vaultOf().balances.correct(correction("key_none", 6n));
      expect((await balanceOf(policy.keyId)).leftByWindow).toEqual({ 0: 4n });
      expect(await vaultOf().balances.read(["key_none"])).toEqual([null]);
    });
  });

  describe("a change of caps", () => {
    const change = (daily: bigint, total: bigint | null = null, nowMs = START + 5) => ({
      caps: capsOf(daily, total),
      expiresAtMs: START + 5 * WINDOW_MS,
      by: "admin",
      nowMs,
    });

    test("moves what is left by the difference, in every open window", async () => {
      const { policy } = await issued(capsOf(10n, 30n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 4n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 9n, { window: 1 }));
      const changed = await vaultOf().balances.change(
        await balanceOf(policy.keyId),
        change(7n, 40n, START + WINDOW_MS),
      );
      expect(changed).toMatchObject({
        caps: { daily: 7n, total: 40n },
        leftByWindow: { 0: 3n, 1: -2n },
        leftInTotal: 27n,
        expiresAtMs: START + 5 * WINDOW_MS,
      });
    });

    test("sets a cap where there was none, with what was spent before", async () => {
      const { policy } = await issued(capsOf(10n));
      await vaultOf().balances.draw(drawOn(policy.keyId, 4n));
      expect(await vaultOf().balances.change(await balanceOf(policy.keyId), change(10n, 20n))).toMatchObject({
        leftInTotal: 16n,
      });
    });

    test("keeps the draws that came in between", async () => {
      const { policy } = await issued();
      await vaultOf().balances.draw(drawOn(policy.keyId, 1n));
      const before = await balanceOf(policy.keyId);
      await vaultOf().balances.draw(drawOn(policy.keyId, 2n));
      expect(await vaultOf().balances.change(before, change(20n))).toMatchObject({
        leftByWindow: { 0: 17n },
      });
    });

    test("is refused when a window was opened, a cap changed or the key revoked meanwhile", async () => {
      const opened = await issued();
      const before = await balanceOf(opened.policy.keyId);
      await vaultOf().balances.draw(drawOn(opened.policy.keyId, 1n));
      expect(await vaultOf().balances.change(before, change(20n))).toBeNull();

      const changed = await issued();
      const old = await balanceOf(changed.policy.keyId);
      await vaultOf().balances.change(old, change(20n));
      expect(await vaultOf().balances.change(old, change(30n))).toBeNull();

      const revoked = await issued();
      const last = await balanceOf(revoked.policy.keyId);
      await vaultOf().balances.revoke({ keyId: revoked.policy.keyId, by: "admin", nowMs: START });
      expect(await vaultOf().balances.change(last, change(30n))).toBeNull();
    });
  });

  describe("a call's record", () => {
    const claim = (callId: string, attempt: Attempt, nowMs = START) =>
      vaultOf().calls.claim({
        callId,
        attempt,
        nowMs,
        leaseUntilMs: nowMs + 100,
        replayableSinceMs: nowMs - 1_000,
      });
    const recordOf = async (callId: string): Promise<CallRecord> => {
      const saved = await vaultOf().calls.save(
        { ...newCall(callId, START), version: 999_999 },
        999_998,
        null,
      );
      if (saved.kind !== "stale" || saved.record === null) throw new Error("there is no such record");
      return saved.record;
    };
    const ended = async (callId: string, attemptId: string, answer: Parameters<typeof fold>[2]) => {
      const record = await recordOf(callId);
      expect(
        await vaultOf().calls.save(
          fold(record, attemptId, answer, START, false).record,
          record.version,
          null,
        ),
      ).toEqual({ kind: "saved" });
    };

    test("is claimed by one attempt; a resend of its claim is its claim, another attempt waits", async () => {
      const callId = `call_${made++}`;
      const first = await claim(callId, attemptOf("att_a"));
      expect(first).toMatchObject({
        kind: "claimed",
        record: {
          callId,
          version: 1,
          status: "idle",
          lease: { attemptId: "att_a", untilMs: START + 100 },
          firstAtMs: START,
        },
      });
      expect(await claim(callId, attemptOf("att_a"))).toEqual(first);
      expect(await claim(callId, attemptOf("att_b"))).toEqual({ kind: "busy" });
      expect(await claim(callId, attemptOf("att_b"), START + 100)).toEqual({ kind: "busy" });
      expect(await claim(callId, attemptOf("att_b"), START + 101)).toMatchObject({
        kind: "claimed",
        record: { version: 2 },
      });
    });

    test("takes as many attempts as it may hold, though none of them ends, and says that it is full", async () => {
      const callId = `call_${made++}`;
      const claimAt = (attemptId: string, nowMs: number) =>
        vaultOf().calls.claim({
          callId,
          attempt: attemptOf(attemptId),
          nowMs,
          leaseUntilMs: nowMs + 100,
          replayableSinceMs: START - 1,
        });
      for (let attempt = 0; attempt < ENTRIES_MAX; attempt++)
        expect(await claimAt(`att_${attempt}`, START + 200 * attempt)).toMatchObject({ kind: "claimed" });
      const refused = await claimAt("att_z", START + 200 * ENTRIES_MAX);
      expect(refused).toMatchObject({ kind: "full", record: { version: ENTRIES_MAX } });
      expect(Object.keys((await recordOf(callId)).attempts)).toHaveLength(ENTRIES_MAX);
    });

    test("loses corrections that are confirmed, all or none, and whoever read it before reads anew", async () => {
      const callId = `call_${made++}`;
      const correction = { keyId: "key_1", window: 2, amount: microUsd(5n), issuedAtMs: START };
      const before: CallRecord = {
        ...withAttempt(newCall(callId, START), attemptOf("att_a", { state: "released" }), null),
        corrections: { "a.0": correction, "a.1": correction, "b.0": correction },
      };
      await vaultOf().calls.save(before, 0, null);
      await vaultOf().calls.confirm(callId, ["a.0", "a.1"]);
      const after = { ...before, version: before.version + 1, corrections: { "b.0": correction } };
      expect(await recordOf(callId)).toEqual(after);

      await vaultOf().calls.confirm(callId, ["a.0", "a.1"]);
      await vaultOf().calls.confirm(callId, ["a.1", "b.0"]);
      await vaultOf().calls.confirm("call_none", ["a.0"]);
      expect(await recordOf(callId)).toEqual(after);
      expect(await vaultOf().calls.read("call_none")).toBeNull();
      const late = { ...before, version: before.version + 1 };
      expect(await vaultOf().calls.save(late, before.version, null)).toEqual({
        kind: "stale",
        record: after,
      });
    });

    test("is read back with everything that was put on it", async () => {
      const callId = `call_${made++}`;
      const outcome = {
        reason: "vendor_timeout",
        wouldDeny: null,
        remaining: microUsd(-3n),
        amountText: "1",
        currency: "usd",
        fxRate: null,
        vendorStatus: 200,
        vendorRequestId: "req_1",
        vendorObjectId: "pi_1",
        vendorCustomerId: null,
        replayed: true,
        vendorMs: 3,
        overheadMs: 4,
      };
      const attempt = attemptOf("att_a", {
        state: "denied",
        ambiguous: ["key_1"],
        cost: microUsd(-5n),
        overrun: true,
        outcome,
      });
      const record: CallRecord = {
        ...withAttempt(newCall(callId, START), attempt, null),
        status: "settled",
        payingAttemptId: "att_a",
        objectId: "pi_1",
        joiners: 2,
        corrections: { "att_a.0": { keyId: "key_1", window: 2, amount: microUsd(-5n), issuedAtMs: START } },
      };
      expect(await vaultOf().calls.save(record, 0, null)).toEqual({ kind: "saved" });
      expect(await recordOf(callId)).toEqual(record);
    });

    test("that is settled at an estimate is found by its vendor once it is due, the longest due first", async () => {
      const vendor = `vendor_${made++}`;
      const due = async (dueMs: number): Promise<CallRecord> => {
        const callId = `call_${made++}`;
        const record: CallRecord = {
          ...withAttempt(newCall(callId, START), attemptOf("att_a", { lateAtMs: START + 1 }), null),
          latePrice: { vendor, dueMs },
        };
        await vaultOf().calls.save(record, 0, null);
        return record;
      };
      const [later, sooner] = [await due(START + 20), await due(START + 10)];
      await due(START + 31);

      expect(await vaultOf().calls.read(later.callId)).toEqual(later);
      expect(await vaultOf().calls.read("call_nobody")).toBeNull();
      expect(await vaultOf().calls.late({ vendor, dueByMs: START + 30, limit: 10 })).toEqual([
        sooner.callId,
        later.callId,
      ]);
      expect(await vaultOf().calls.late({ vendor, dueByMs: START + 30, limit: 1 })).toEqual([sooner.callId]);
      expect(await vaultOf().calls.late({ vendor, dueByMs: START + 9, limit: 10 })).toEqual([]);
      expect(await vaultOf().calls.late({ vendor: "another", dueByMs: START + 30, limit: 10 })).toEqual([]);
      expect(await vaultOf().calls.lateBacklog(vendor, START + 30)).toEqual({
        calls: 2,
        oldestDueMs: START + 10,
      });
      expect(await vaultOf().calls.lateBacklog(vendor, START + 10)).toEqual({
        calls: 1,
        oldestDueMs: START + 10,
      });
      expect(await vaultOf().calls.lateBacklog(vendor, START + 9)).toEqual({ calls: 0, oldestDueMs: null });
      expect(await vaultOf().calls.lateBacklog("another", START + 30)).toEqual({
        calls: 0,
        oldestDueMs: null,
      });
      await vaultOf().calls.save(
        { ...sooner, latePrice: null, version: sooner.version + 1 },
        sooner.version,
        null,
      );
      expect(await vaultOf().calls.late({ vendor, dueByMs: START + 30, limit: 10 })).toEqual([later.callId]);
    });

    test("is joined when it holds budget, claimed again when it holds none, and begun anew when it is old", async () => {
      const callId = `call_${made++}`;
      await claim(callId, attemptOf("att_a"));
      await ended(callId, "att_a", { kind: "refused" });
      expect(await claim(callId, attemptOf("att_b"))).toMatchObject({
        kind: "claimed",
        record: { version: 3 },
      });
      await ended(callId, "att_b", { kind: "unknown" });
      expect(await claim(callId, attemptOf("att_c"))).toMatchObject({
        kind: "joinable",
        record: { status: "unresolved", version: 4 },
      });
      expect(await claim(callId, attemptOf("att_c"), START + 1_000)).toEqual({
        kind: "too_old",
        firstAtMs: START,
      });
    });

    test("does not open an attempt again that has ended, however late its claim is sent again", async () => {
      const callId = `call_${made++}`;
      await claim(callId, attemptOf("att_a"));
      await ended(callId, "att_a", { kind: "refused" });
      expect(await claim(callId, attemptOf("att_a"))).toEqual({ kind: "busy" });
      expect((await recordOf(callId)).attempts["att_a"]?.state).toBe("released");
    });

    test("is saved by one of two that read the same version; the other gets what is there", async () => {
      const callId = `call_${made++}`;
      await claim(callId, attemptOf("att_a"));
      const record = await recordOf(callId);
      const next = fold(record, "att_a", { kind: "unknown" }, START, false).record;
      const results = await Promise.all(
        [1, 2, 3].map(() => vaultOf().calls.save(next, record.version, null)),
      );
      expect(results.filter(({ kind }) => kind === "saved")).toHaveLength(1);
      expect(results.find(({ kind }) => kind === "stale")).toMatchObject({
        record: { version: 2, status: "unresolved" },
      });
    });
  });

  describe("a counted object", () => {
    const entryOf = (attemptId: string, amount: bigint): CountedEntry => ({
      attemptId,
      amount: microUsd(amount),
      beyond: microUsd(2n),
      total: microUsd(amount),
      windows: [{ keyId: "key_1", window: 0 }],
    });
    const save = (effect: Parameters<Vault["calls"]["save"]>[2]) =>
      vaultOf().calls.save({ ...newCall(`call_${made++}`, START), version: 1 }, 0, effect);
    const count = (rootId: string, entry: CountedEntry) =>
      save({ kind: "count", rootId, objectId: "pi_1", entry, nowMs: START });

    test("gathers the entries of several attempts, each once", async () => {
      const rootId = `key_${made++}`;
      expect(await vaultOf().objects.read({ rootId, objectId: "pi_1" })).toBeNull();
      await count(rootId, entryOf("att_a", 5n));
      await count(rootId, entryOf("att_b", 3n));
      await count(rootId, entryOf("att_b", 3n));
      const object = await vaultOf().objects.read({ rootId, objectId: "pi_1" });
      expect(object).toMatchObject({ objectId: "pi_1", cancelled: false });
      expect([...(object?.entries ?? [])].sort((a, b) => (a.attemptId < b.attemptId ? -1 : 1))).toEqual([
        entryOf("att_a", 5n),
        entryOf("att_b", 3n),
      ]);
    });

    test("ends once, and takes no entry afterwards; the call's record is not written then", async () => {
      const rootId = `key_${made++}`;
      const end = { kind: "end", rootId, objectId: "pi_1" } as const;
      expect(await save(end)).toEqual({ kind: "object_ended" });
      await count(rootId, entryOf("att_a", 5n));
      expect(await save(end)).toEqual({ kind: "saved" });
      expect(await save(end)).toEqual({ kind: "object_ended" });
      expect(await count(rootId, entryOf("att_b", 5n))).toEqual({ kind: "object_ended" });
      expect(await vaultOf().objects.read({ rootId, objectId: "pi_1" })).toMatchObject({
        cancelled: true,
        entries: [entryOf("att_a", 5n)],
      });
    });

    test("is not touched by a call whose record is stale", async () => {
      const rootId = `key_${made++}`;
      const record = { ...newCall(`call_${made++}`, START), version: 1 };
      await vaultOf().calls.save(record, 0, null);
      const effect = {
        kind: "count",
        rootId,
        objectId: "pi_1",
        entry: entryOf("att_a", 5n),
        nowMs: START,
      } as const;
      expect(await vaultOf().calls.save(record, 0, effect)).toMatchObject({
        kind: "stale",
        record: { version: 1 },
      });
      expect(await vaultOf().objects.read({ rootId, objectId: "pi_1" })).toBeNull();
    });
  });

  describe("a list of keys", () => {
    const listed = async (change: Partial<Policy>) => {
      const { policy, balance } = newKey();
      const created = { ...policy, ...change };
      await vaultOf().policies.create(created, { ...balance, issuedAtMs: created.issuedAtMs }, null);
      return created;
    };
    /** All keys of a list, read in pages of `limit` of each part, newest first. */
    const keysIn = async (list: KeyList, limit: number): Promise<readonly ListedKey[]> => {
      const found = await Promise.all(
        vaultOf()
          .listedKeys.partsOf(list)
          .map(async (part) => {
            const entries = [];
            let before: string | null = null;
            do {
              const page = await vaultOf().listedKeys.page({ part, before, limit });
              expect(page.entries.length).toBeLessThanOrEqual(limit);
              entries.push(...page.entries);
              before = page.next;
            } while (before !== null);
            const positions = entries.map(({ position }) => position);
            expect(positions).toEqual([...positions].sort().reverse());
            return entries;
          }),
      );
      return found
        .flat()
        .sort((one, other) => (one.position < other.position ? 1 : -1))
        .map(({ key }) => key);
    };

    test.each([1, 3, 100])("has each key once, newest first, in pages of %i", async (limit) => {
      const vendor = `vendor_${made++}`;
      const keys = [];
      for (let n = 0; n < 20; n++) keys.push(await listed({ vendor, issuedAtMs: START + (n % 7) }));
      const wanted = keys.map(({ keyId, issuedAtMs }) => ({ keyId, issuedAtMs }));
      wanted.sort((a, b) => b.issuedAtMs - a.issuedAtMs || (a.keyId < b.keyId ? 1 : -1));

      const found = await keysIn({ kind: "vendor", vendor }, limit);
      expect(found.map(({ keyId, issuedAtMs }) => ({ keyId, issuedAtMs }))).toEqual(wanted);
    });

    test("says what a key is chosen by", async () => {
      const vendor = `vendor_${made++}`;
      const label = `grüße-${made++}/run 1`;
      const keyId = `key_${made++}`;
      const issuerId = `${keyId}_parent`;
      const chain = [issuerId, keyId].map((id) => ({ keyId: id, issuedAtMs: START }));
      const policy = { keyId, vendor, credential: "test", label, issuerId, chain };
      await listed(policy);
      const endsByMs = START + 10 * WINDOW_MS + 1_000;
      const entry = { ...policy, issuedAtMs: START, chain: [issuerId, keyId], observes: false, endsByMs };
      const lists: KeyList[] = [
        { kind: "vendor", vendor },
        { kind: "label_group", group: label.split("/")[0] ?? "" },
        { kind: "issuer", id: issuerId },
      ];
      for (const list of lists) expect(await keysIn(list, 10)).toEqual([entry]);
    });

    test.each<[string, Partial<Policy>]>([
      ["no label", { label: null }],
      ["a label without a group", { label: "/1" }],
    ])("of a label group has no key with %s, and that of the admin none at all", async (_, change) => {
      const vendor = `vendor_${made++}`;
      await listed({ vendor, issuerId: "admin", ...change });
      expect(await keysIn({ kind: "vendor", vendor }, 10)).toHaveLength(1);
      for (const group of ["", "null"]) expect(await keysIn({ kind: "label_group", group }, 10)).toEqual([]);
      expect(await keysIn({ kind: "issuer", id: "admin" }, 10)).toEqual([]);
    });

    test("has a key before its issue ends", async () => {
      const vendor = `vendor_${made++}`;
      const request = `request-${made++}`;
      const [first, second] = [newKey(), newKey()];
      await vaultOf().policies.create({ ...first.policy, vendor }, first.balance, request);
      await vaultOf().policies.create({ ...second.policy, vendor }, second.balance, request);

      const found = await keysIn({ kind: "vendor", vendor }, 10);
      expect(found.map(({ keyId }) => keyId).sort()).toEqual(
        [first.policy.keyId, second.policy.keyId].sort(),
      );
      expect(await vaultOf().policies.read(second.policy.keyId)).toBeNull();
    });

    test("keeps a key that is changed as it was, and says the latest end that it ever had", async () => {
      const vendor = `vendor_${made++}`;
      const { keyId } = await listed({ vendor, label: "run/1" });
      const [before] = await keysIn({ kind: "vendor", vendor }, 10);
      for (const [days, latest] of [
        [20, 20],
        [5, 20],
        [6, 20],
        [25, 25],
      ] as const) {
        const change = {
          caps: capsOf(20n),
          expiresAtMs: START + days * WINDOW_MS,
          by: "admin",
          nowMs: START,
        };
        expect(await vaultOf().balances.change(await balanceOf(keyId), change)).not.toBeNull();
        expect(await keysIn({ kind: "vendor", vendor }, 10)).toEqual([
          { ...before, endsByMs: START + latest * WINDOW_MS + 1_000 },
        ]);
      }
    });
  });

  describe("many at once", () => {
    test("of several requests with one request key one issues a key, and only that key is usable", async () => {
      const request = `hash_${made++}`;
      const keys = Array.from({ length: 5 }, () => newKey());
      const answers = await Promise.all(
        keys.map(({ policy, balance }) => vaultOf().policies.create(policy, balance, request)),
      );
      const winners = keys.filter((_, index) => answers[index] === "created");
      const usable = await Promise.all(keys.map(({ policy }) => vaultOf().policies.read(policy.keyId)));

      expect(winners).toHaveLength(1);
      expect(usable.filter((policy) => policy !== null)).toEqual(winners.map(({ policy }) => policy));
      expect(answers).toContainEqual({ alreadyIssued: winners[0]?.policy.keyId });
    });

    test("of many calls at the turn of a minute as many pass as it may have, and each is counted once", async () => {
      const { policy } = await issued(capsOf(1_000n), { minute: 3, calls: 7 });
      const { keyId } = policy;
      const count = { minute: 4, max: 20 };
      const results = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          index % 2 === 0
            ? vaultOf().balances.draw(drawOn(keyId, 1n, { count }))
            : vaultOf().balances.count({ keyId, observes: false, nowMs: START + 10, count }),
        ),
      );
      const passed = results.filter(({ kind }) => kind === "drawn" || kind === "counted");
      const refused = results.filter((result) => result.kind === "refused" && result.reason === "rate");
      expect([passed.length, refused.length]).toEqual([20, 40]);
      const balance = await balanceOf(keyId);
      expect(balance.minuteCalls).toEqual({ minute: 4, calls: 20 });
      const drawn = results.filter(({ kind }) => kind === "drawn").length;
      expect(balance.leftByWindow).toEqual(drawn === 0 ? {} : { 0: BigInt(1_000 - drawn) });
    });

    test("draws and corrections of one window add up", async () => {
      const { policy } = await issued(capsOf(1_000n, 1_000n));
      const { keyId } = policy;
      await vaultOf().balances.draw(drawOn(keyId, 100n));
      const back = () => ({
        opId: `op_${made++}`,
        keyId,
        window: 0,
        amount: microUsd(3n),
        issuedAtMs: START + 10,
      });
      await Promise.all([
        ...Array.from({ length: 20 }, () => vaultOf().balances.correct(back())),
        ...Array.from({ length: 20 }, () => vaultOf().balances.draw(drawOn(keyId, 2n))),
      ]);

      expect(left(await balanceOf(keyId))).toEqual({
        leftByWindow: { 0: 920n },
        leftInTotal: 920n,
        writes: 41,
      });
    });

    test("a change of caps beside draws loses none of them", async () => {
      const { policy } = await issued(capsOf(100n));
      const { keyId } = policy;
      await vaultOf().balances.draw(drawOn(keyId, 1n));
      const before = await balanceOf(keyId);
      const change = { caps: capsOf(110n), expiresAtMs: before.expiresAtMs, by: "admin", nowMs: START };
      const draws = Array.from({ length: 20 }, () => vaultOf().balances.draw(drawOn(keyId, 1n)));
      const [changed] = await Promise.all([vaultOf().balances.change(before, change), ...draws]);

      expect(changed).not.toBeNull();
      expect((await balanceOf(keyId)).leftByWindow).toEqual({ 0: 89n });
    });

    test("of many claims one wins", async () => {
      const callId = `call_${made++}`;
      const attempts = Array.from({ length: 20 }, () => attemptOf(`att_${made++}`));
      const results = await Promise.all(
        attempts.map((attempt) =>
          vaultOf().calls.claim({
            callId,
            attempt,
            nowMs: START,
            leaseUntilMs: START + 100,
            replayableSinceMs: START - 1_000,
          }),
        ),
      );

      expect(results.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === "busy")).toHaveLength(19);
    });

    test("of many ends of one object one is saved, with its record", async () => {
      const rootId = `key_${made++}`;
      const entry: CountedEntry = {
        attemptId: "att_a",
        amount: microUsd(5n),
        beyond: NOTHING,
        total: microUsd(5n),
        windows: [],
      };
      const save = (effect: Parameters<Vault["calls"]["save"]>[2]) =>
        vaultOf().calls.save({ ...newCall(`call_${made++}`, START), version: 1 }, 0, effect);
      await save({ kind: "count", rootId, objectId: "pi_1", entry, nowMs: START });
      const results = await Promise.all(
        Array.from({ length: 8 }, () => save({ kind: "end", rootId, objectId: "pi_1" })),
      );

      expect(results.filter(({ kind }) => kind === "saved")).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === "object_ended")).toHaveLength(7);
    });
  });
}
