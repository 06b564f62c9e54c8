import { describe, expect, test } from "vitest";
import {
  afterCorrection,
  afterDraw,
  type Balance,
  UNCAPPED,
  WINDOW_MS,
} from "../../lambda/domain/balance.ts";
import { crossingsOf } from "../../lambda/domain/cap-crossing.ts";
import { fromUsdCents, type MicroUsd, microUsd } from "../../lambda/domain/money.ts";
import { balanceOf } from "../support/vault-facts.ts";

/** Guarantees that what is told of caps is told when a write reaches a threshold, and at no other time. */

const usd = (dollars: number): MicroUsd => fromUsdCents(BigInt(Math.round(dollars * 100)));

interface Taken {
  readonly daily: number | null;
  readonly total?: number | null;
  /** Of the daily cap, in the window. */
  readonly taken: number;
  readonly takenInTotal?: number;
  readonly window?: number;
}

/** A balance of which so many dollars are taken. */
function balance({ daily, total = null, taken, takenInTotal = taken, window = 0 }: Taken): Balance {
  const caps = {
    daily: daily === null ? UNCAPPED : usd(daily),
    total: total === null ? UNCAPPED : usd(total),
    perCall: UNCAPPED,
  };
  return {
    ...balanceOf("key_crossing"),
    issuedAtMs: 0,
    caps,
    leftByWindow: { [window]: microUsd(caps.daily - usd(taken)) },
    leftInTotal: microUsd(caps.total - usd(takenInTotal)),
  };
}

const told = (before: Balance, after: Balance, window = 0) =>
  crossingsOf(before, after, window, 5).map(({ cap, threshold }) => `${cap} ${threshold}`);

test.each<[string, Taken, Taken, string[]]>([
  ["nothing near", { daily: 10, taken: 0 }, { daily: 10, taken: 7.99 }, []],
  ["exactly 80 %", { daily: 10, taken: 7.99 }, { daily: 10, taken: 8 }, ["daily 80"]],
  ["between the two", { daily: 10, taken: 8 }, { daily: 10, taken: 9.99 }, []],
  ["exactly 100 %", { daily: 10, taken: 9.99 }, { daily: 10, taken: 10 }, ["daily 100"]],
  ["both at once", { daily: 10, taken: 0 }, { daily: 10, taken: 10 }, ["daily 80", "daily 100"]],
  ["an overrun past 100 %", { daily: 10, taken: 9 }, { daily: 10, taken: 12 }, ["daily 100"]],
  ["an overrun when all is taken", { daily: 10, taken: 10 }, { daily: 10, taken: 12 }, []],
  ["a give-back", { daily: 10, taken: 10 }, { daily: 10, taken: 2 }, []],
  ["a give-back that crosses back", { daily: 10, taken: 8.5 }, { daily: 10, taken: 7.5 }, []],
  ["and the draw after it", { daily: 10, taken: 7.5 }, { daily: 10, taken: 8 }, ["daily 80"]],
  ["a raised cap", { daily: 10, taken: 9 }, { daily: 20, taken: 9 }, []],
  [
    "a cap lowered below what is taken",
    { daily: 50, taken: 12 },
    { daily: 10, taken: 12 },
    ["daily 80", "daily 100"],
  ],
  ["a cap lowered near what is taken", { daily: 50, taken: 8 }, { daily: 10, taken: 8 }, ["daily 80"]],
  ["a cap that is set at last", { daily: null, taken: 9 }, { daily: 10, taken: 9 }, ["daily 80"]],
  ["a cap that is taken off", { daily: 10, taken: 7 }, { daily: null, taken: 9 }, []],
  ["no cap at all", { daily: null, taken: 0 }, { daily: null, taken: 1e6 }, []],
  [
    "both caps",
    { daily: 10, total: 10, taken: 7 },
    { daily: 10, total: 10, taken: 9 },
    ["daily 80", "total 80"],
  ],
  [
    "the total cap alone, on its second day",
    { daily: 10, total: 15, taken: 1, takenInTotal: 11 },
    { daily: 10, total: 15, taken: 2, takenInTotal: 12 },
    ["total 80"],
  ],
  [
    "the total cap alone, without a daily one",
    { daily: null, total: 10, taken: 9.9 },
    { daily: null, total: 10, taken: 10 },
    ["total 100"],
  ],
  [
    "a cap that one call takes whole",
    { daily: 0.01, taken: 0 },
    { daily: 0.01, taken: 0.01 },
    ["daily 80", "daily 100"],
  ],
])("%s", (_, before, after, expected) => {
  expect(told(balance(before), balance(after))).toEqual(expected);
});

describe("by the balance's own rules", () => {
  const full: Balance = { ...balance({ daily: 10, taken: 0 }), leftByWindow: {} };
  const draw = (before: Balance, dollars: number, window: number) =>
    afterDraw(before, {
      keyId: full.keyId,
      attemptId: "att_1",
      window,
      amount: usd(dollars),
      issuedAtMs: window * WINDOW_MS,
      nowMs: window * WINDOW_MS,
      count: null,
      observes: false,
    });

  test("a window that no write has opened is full, and each window crosses by itself", () => {
    const first = draw(full, 9, 0);
    expect(told(full, first, 0)).toEqual(["daily 80"]);
    const second = draw(first, 8, 1);
    expect(told(first, second, 1)).toEqual(["daily 80"]);
    expect(told(first, second, 0)).toEqual([]);
  });

  test("what is counted beyond a cap crosses it, and says by how much", () => {
    const drawn = draw(full, 7, 0);
    const forced = afterCorrection(drawn, {
      opId: "op",
      keyId: full.keyId,
      window: 0,
      amount: microUsd(-usd(4)),
      issuedAtMs: 1,
    });
    expect(forced).not.toBeNull();
    if (forced === null) return;
    expect(crossingsOf(drawn, forced, 0, 7)).toEqual([
      {
        keyId: full.keyId,
        cap: "daily",
        window: 0,
        threshold: 80,
        capAmount: usd(10),
        taken: usd(11),
        resetsAtMs: WINDOW_MS,
        atMs: 7,
      },
      expect.objectContaining({ threshold: 100, taken: usd(11) }),
    ]);
  });
});
