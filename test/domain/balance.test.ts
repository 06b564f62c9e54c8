import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterCorrection,
  afterDraw,
  type Balance,
  capStatuses,
  type Draw,
  leftInWindow,
  refusalOf,
  UNCAPPED,
  WINDOW_MS,
  windowAt,
} from "../../lambda/domain/balance.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";

const START = 1_700_000_000_000;
const fresh: Balance = {
  keyId: "key_1",
  issuedAtMs: START,
  caps: { daily: microUsd(10n), total: UNCAPPED, perCall: UNCAPPED },
  leftByWindow: {},
  leftInTotal: UNCAPPED,
  expiresAtMs: START + 10 * WINDOW_MS,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 0,
  minuteCalls: null,
};
const drawOf = (amount: bigint, change: Partial<Draw> = {}): Draw => ({
  keyId: "key_1",
  attemptId: "att_1",
  window: 0,
  amount: microUsd(amount),
  issuedAtMs: START + 1,
  nowMs: START + 1,
  observes: false,
  count: null,
  ...change,
});

describe("refusals, in the order in which they are said", () => {
  test.each([
    ["there is no balance", null, drawOf(1n), "unknown"],
    [
      "the key is revoked, even when it also expired",
      { ...fresh, revokedAtMs: START, expiresAtMs: START },
      drawOf(1n),
      "revoked",
    ],
    ["the key expires at this very moment", { ...fresh, expiresAtMs: START + 1 }, drawOf(1n), "expired"],
    ["the attempt began at the fence", { ...fresh, fenceMs: START + 1 }, drawOf(1n), "fenced"],
    [
      "the call is above the cap of one call",
      { ...fresh, caps: { ...fresh.caps, perCall: microUsd(4n) } },
      drawOf(5n),
      "per_call_cap",
    ],
    ["a new window has less than the call needs", fresh, drawOf(11n), "daily_cap"],
    [
      "an open window has less left",
      { ...fresh, leftByWindow: { 0: microUsd(4n) } },
      drawOf(5n),
      "daily_cap",
    ],
    ["the key's whole life has less left", { ...fresh, leftInTotal: microUsd(4n) }, drawOf(5n), "total_cap"],
    ["it fits to the last micro-dollar", fresh, drawOf(10n), null],
  ])("%s: %s", (_, balance, draw, refusal) => {
    expect(refusalOf(balance, draw)).toBe(refusal);
  });
});

describe("windows", () => {
  test("are days counted from the key's issue", () => {
    expect(windowAt(START, START)).toBe(0);
    expect(windowAt(START, START + WINDOW_MS - 1)).toBe(0);
    expect(windowAt(START, START + WINDOW_MS)).toBe(1);
  });

  test("what is taken in one is not missing in the next", () => {
    const spent = afterDraw(fresh, drawOf(10n));
    expect(leftInWindow(spent, 0)).toBe(0n);
    expect(leftInWindow(spent, 1)).toBe(10n);
  });

  test("a give-back that comes late lands where it was taken from", () => {
    const next = afterDraw(afterDraw(fresh, drawOf(10n)), drawOf(7n, { window: 1 }));
    const back = afterCorrection(next, {
      opId: "a.0",
      keyId: "key_1",
      window: 0,
      amount: microUsd(10n),
      issuedAtMs: START + 2,
    });
    expect(back?.leftByWindow).toEqual({ 0: 10n, 1: 3n });
  });

  test("a forgotten window gets nothing back, the total does", () => {
    const draws = [0, 1, 2, 3].reduce((balance, window) => afterDraw(balance, drawOf(4n, { window })), {
      ...fresh,
      leftInTotal: microUsd(100n),
    });
    const back = afterCorrection(draws, {
      opId: "a.0",
      keyId: "key_1",
      window: 0,
      amount: microUsd(4n),
      issuedAtMs: START + 2,
    });
    expect(back?.leftByWindow).toEqual({ 1: 6n, 2: 6n, 3: 6n });
    expect(back?.leftInTotal).toBe(88n);
  });
});

test("a correction issued at or before the fence is refused", () => {
  expect(
    afterCorrection(
      { ...fresh, fenceMs: 5 },
      { opId: "a.0", keyId: "key_1", window: 0, amount: microUsd(1n), issuedAtMs: 5 },
    ),
  ).toBeNull();
});

/** Guarantees the promise the product is named for, on the balance alone. */
test("no sequence of draws and give-backs takes more than the cap", () => {
  const step = fc.record({
    amount: fc.bigInt({ min: 0n, max: 6n }),
    window: fc.integer({ min: 0, max: 2 }),
    giveBack: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let balance: Balance = {
        ...fresh,
        caps: { ...fresh.caps, total: microUsd(15n) },
        leftInTotal: microUsd(15n),
      };
      const held: [number, bigint][] = [];
      for (const { amount, window, giveBack } of steps) {
        const draw = drawOf(amount, { window });
        if (refusalOf(balance, draw) !== null) continue;
        balance = afterDraw(balance, draw);
        if (giveBack)
          balance =
            afterCorrection(balance, {
              opId: "a.0",
              keyId: "key_1",
              window,
              amount: draw.amount,
              issuedAtMs: START + 2,
            }) ?? balance;
        else held.push([window, amount]);
      }
      for (const window of [0, 1, 2]) {
        const taken = held.filter(([in_]) => in_ === window).reduce((sum, [, amount]) => sum + amount, 0n);
        expect(taken).toBeLessThanOrEqual(10n);
        expect(leftInWindow(balance, window)).toBe(10n - taken);
      }
      const total = held.reduce((sum, [, amount]) => sum + amount, 0n);
      expect(total).toBeLessThanOrEqual(15n);
      expect(balance.leftInTotal).toBe(15n - total);
    }),
  );
});

describe("what is shown of the caps", () => {
  const both: Balance = {
    ...fresh,
    caps: { ...fresh.caps, total: microUsd(12n) },
    leftByWindow: { 1: microUsd(4n) },
    leftInTotal: microUsd(3n),
  };

  test("spent, reserved and remaining make up the cap, tightest first", () => {
    expect(capStatuses(both, START + WINDOW_MS, { window: microUsd(4n), total: microUsd(7n) })).toEqual([
      { name: "total", cap: 12n, spent: 7n, reserved: 2n, remaining: 3n, exceededBy: 0n, resetsAtMs: null },
      {
        name: "daily",
        cap: 10n,
        spent: 4n,
        reserved: 2n,
        remaining: 4n,
        exceededBy: 0n,
        resetsAtMs: START + 2 * WINDOW_MS,
      },
    ]);
  });

  test("totals that are behind or ahead of the balance never show more spent than is taken, nor less than nothing", () => {
    const [daily] = capStatuses({ ...fresh, leftByWindow: { 0: microUsd(8n) } }, START, {
      window: microUsd(5n),
      total: NOTHING,
    });
    expect(daily).toMatchObject({ spent: 2n, reserved: 0n, remaining: 8n });
    const [negative] = capStatuses({ ...fresh, leftByWindow: { 0: microUsd(8n) } }, START, {
      window: microUsd(-5n),
      total: NOTHING,
    });
    expect(negative).toMatchObject({ spent: 0n, reserved: 2n, remaining: 8n });
  });

  test("a cap below what is taken has nothing left, and shows by how much it is exceeded", () => {
    const [daily] = capStatuses({ ...fresh, leftByWindow: { 0: microUsd(-3n) } }, START, {
      window: microUsd(13n),
      total: NOTHING,
    });
    expect(daily).toMatchObject({ spent: 13n, reserved: 0n, remaining: 0n, exceededBy: 3n });
  });

  test("of two caps that are exceeded the one that is exceeded more is the tightest", () => {
    const beyond = { ...both, leftByWindow: { 0: microUsd(-1n) }, leftInTotal: microUsd(-2n) };
    expect(capStatuses(beyond, START, { window: microUsd(11n), total: microUsd(14n) })).toMatchObject([
      { name: "total", remaining: 0n, exceededBy: 2n },
      { name: "daily", remaining: 0n, exceededBy: 1n },
    ]);
  });
});
