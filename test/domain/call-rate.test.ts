import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Balance,
  type CountedCall,
  countRefusal,
  type Draw,
  isOverRate,
  observedRefusal,
  refusalOf,
  UNCAPPED,
} from "../../lambda/domain/balance.ts";
import {
  afterCall,
  type CallCount,
  type CountForm,
  fitsForm,
  formFor,
  isFull,
  type MinuteCalls,
  minuteAt,
  minuteEndMs,
  NO_CALLS,
} from "../../lambda/domain/call-rate.ts";
import { microUsd } from "../../lambda/domain/money.ts";

/** Guarantees how calls are counted by the minute, and that what an observing key would refuse is what it would refuse. */

const START = 1_700_000_000_000;

describe("minutes", () => {
  test.each([
    [0, 0],
    [59_999, 0],
    [60_000, 1],
    [86_400_000 * 30, 43_200],
    [-5_000, 0],
  ])("%i milliseconds after the issue it is minute %i", (afterMs, minute) => {
    expect(minuteAt(START, START + afterMs)).toBe(minute);
  });

  test("end a minute after they begin", () => {
    expect(minuteEndMs(START, 0)).toBe(START + 60_000);
    expect(minuteEndMs(START, 7)).toBe(START + 480_000);
  });
});

describe("a count", () => {
  const stored: MinuteCalls = { minute: 7, calls: 2 };

  test.each<[string, CallCount, boolean]>([
    ["below the rate", { minute: 7, max: 3 }, false],
    ["at the rate", { minute: 7, max: 2 }, true],
    ["by a clock that is behind", { minute: 6, max: 2 }, true],
    ["in a new minute", { minute: 8, max: 2 }, false],
  ])("%s: full or not", (_, count, full) => {
    expect(isFull(stored, count)).toBe(full);
    expect(isFull(null, count)).toBe(false);
  });

  test.each<[string, CallCount, CountForm, boolean]>([
    ["one more of the same minute", { minute: 7, max: 3 }, { kind: "same" }, true],
    ["one more by a clock that is behind", { minute: 6, max: 3 }, { kind: "same" }, true],
    ["one more of a minute that has not begun", { minute: 8, max: 3 }, { kind: "same" }, false],
    [
      "the first of a minute after the one that is stored",
      { minute: 8, max: 3 },
      { kind: "next", after: 7 },
      true,
    ],
    [
      "the first of a minute that another has begun",
      { minute: 8, max: 3 },
      { kind: "next", after: 6 },
      false,
    ],
  ])("%s: fits or not", (_, count, form, fits) => {
    expect(fitsForm(stored, count, form)).toBe(fits);
    expect(fitsForm(null, count, form)).toBe(false);
  });

  test("the form that is chosen fits, and never goes back", () => {
    const minute = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(minute, fc.integer({ min: 0, max: 5 }), minute, (at, calls, now) => {
        const before = { minute: at, calls };
        const count = { minute: now, max: 9 };
        const form = formFor(before, count);
        expect(fitsForm(before, count, form)).toBe(true);
        const after = afterCall(before, count, form);
        expect(after.minute).toBe(Math.max(at, now));
        expect(after.calls).toBe(now > at ? 1 : calls + 1);
      }),
    );
  });
});

const balanceOf = (change: Partial<Balance>): Balance => ({
  keyId: "key_1",
  issuedAtMs: START,
  caps: { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED },
  leftByWindow: {},
  leftInTotal: UNCAPPED,
  expiresAtMs: START + 1_000_000,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 0,
  minuteCalls: null,
  ...change,
});

describe("what an observing key would have refused", () => {
  /** Small numbers, so that what just fits comes up. */
  const amount = fc.bigInt({ min: 0n, max: 6n });
  const left = fc.bigInt({ min: -4n, max: 8n });

  test("is, by its balance after a draw, what it would have refused by the one before", () => {
    fc.assert(
      fc.property(
        amount,
        left,
        left,
        fc.bigInt({ min: 1n, max: 6n }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        (drawn, inWindow, inTotal, perCall, calls, minute, isOpened) => {
          const before = balanceOf({
            caps: { daily: microUsd(8n), total: microUsd(8n), perCall: microUsd(perCall) },
            leftByWindow: isOpened ? { 0: microUsd(inWindow) } : {},
            leftInTotal: microUsd(inTotal),
            minuteCalls: { minute: 1, calls },
          });
          const draw: Draw = {
            keyId: "key_1",
            attemptId: "att_1",
            window: 0,
            amount: microUsd(drawn),
            issuedAtMs: START,
            nowMs: START,
            observes: true,
            count: { minute, max: 3 },
          };
          const count = draw.count ?? { minute, max: 3 };
          const stored = before.minuteCalls ?? NO_CALLS;
          const after = balanceOf({
            ...before,
            leftByWindow: { 0: microUsd((isOpened ? inWindow : 8n) - drawn) },
            leftInTotal: microUsd(inTotal - drawn),
            minuteCalls: afterCall(stored, count, formFor(stored, count)),
          });
          expect(refusalOf(before, draw)).toBeNull();
          expect(observedRefusal(after, draw)).toBe(refusalOf(before, { ...draw, observes: false }));
          expect(observedRefusal(after, { ...draw, observes: false })).toBeNull();
          const call: CountedCall = { keyId: "key_1", nowMs: START, observes: true, count };
          expect(isOverRate(after, call)).toBe(countRefusal(before, { ...call, observes: false }) === "rate");
          expect(countRefusal(before, call)).toBeNull();
        },
      ),
    );
  });
});
