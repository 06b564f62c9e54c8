import { expect, test } from "vitest";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { balanceBefore, inSeconds, rateRefusal, refusalBy, usd } from "../../support/denials.ts";

/**
 * Guarantees that `Retry-After` is set only where the same call will fit in time (docs/decisions/0028-retry-after.md).
 */

const near = balanceBefore(300);
const caps = { daily: usd(10), total: UNCAPPED, perCall: UNCAPPED };

test.each([
  ["the window ends in five minutes", [near], 5, {}, 300],
  ["the window ends in ten minutes", [balanceBefore(600)], 5, {}, 600],
  ["the window ends in a part of a second", [balanceBefore(0.2)], 5, {}, 1],
  ["the window ends a second later than that", [balanceBefore(601)], 5, {}, null],
  ["the window ends in a part of a second later", [balanceBefore(600.1)], 5, {}, null],
  ["the window has just begun", [balanceBefore(86_400)], 5, {}, null],
  ["it takes the whole cap", [near], 10, {}, 300],
  ["it is above the whole cap", [near], 11, {}, null],
  ["the cap is for a call", [{ ...near, caps: { ...caps, perCall: usd(3) } }], 4, {}, null],
  [
    "the total cap has no room for it either",
    [{ ...near, caps: { ...caps, total: usd(20) }, leftInTotal: usd(4) }],
    5,
    {},
    null,
  ],
  [
    "the total cap has room for it",
    [{ ...near, caps: { ...caps, total: usd(20) }, leftInTotal: usd(5) }],
    5,
    {},
    300,
  ],
  [
    "the total cap alone refuses",
    [{ ...near, caps: { ...caps, total: usd(20) }, leftInTotal: usd(2) }],
    3,
    {},
    null,
  ],
  ["the key ends just then", [{ ...near, expiresAtMs: inSeconds(300) }], 5, {}, null],
  ["the key ends a moment later", [{ ...near, expiresAtMs: inSeconds(300.001) }], 5, {}, 300],
  ["the key ends before", [{ ...near, expiresAtMs: inSeconds(60) }], 5, {}, null],
  ["another key of the chain resets later", [near, balanceBefore(400)], 5, {}, 400],
  ["another key of the chain resets too late", [near, balanceBefore(700)], 5, {}, null],
  [
    "it is above the whole cap of another key",
    [near, { ...near, caps: { ...caps, daily: usd(4) } }],
    5,
    {},
    null,
  ],
  ["another key of the chain ends before", [near, { ...near, expiresAtMs: inSeconds(60) }], 5, {}, null],
  ["a key that was drawn from ends before", [near], 5, { drawnUntilMs: inSeconds(60) }, null],
  ["what a key of the chain has left is not known", [near], 5, { ambiguous: ["key_2"] }, null],
] as const)("a call is refused where %s", async (_, balances, dollars, change, seconds) => {
  const problem = await refusalBy(balances, dollars, change);

  expect(problem.code).toBe("spend_cap_exceeded");
  expect(problem.retryAfterS).toBe(seconds);
});

test("the message of a daily cap says that the total cap has to be raised too, where that is so", async () => {
  const { message } = await refusalBy(
    [{ ...near, caps: { ...caps, total: usd(20) }, leftInTotal: usd(4) }],
    5,
  );

  expect(message).toContain(
    "not retryable until the cap and the total cap are raised, since the total cap has $4.00 left (the daily cap resets at 20",
  );
});

const minute = balanceBefore(86_400);

test.each([
  ["its minute has just begun", [minute], 60],
  ["the key ends just then", [{ ...minute, expiresAtMs: inSeconds(60) }], null],
  ["the key ends a moment later", [{ ...minute, expiresAtMs: inSeconds(60.001) }], 60],
  ["another key of the chain is in an older minute", [minute, balanceBefore(86_400 - 30)], 60],
  ["the minute of the key ends sooner", [balanceBefore(86_400 - 45)], 15],
  ["no cap of the key has room", [{ ...minute, leftByWindow: { 0: usd(0) }, leftInTotal: usd(0) }], 60],
] as const)("a call that takes nothing is refused by a rate where %s", (_, balances, seconds) => {
  const problem = rateRefusal(balances);

  expect(problem.code).toBe("rate_limited");
  expect(problem.retryAfterS).toBe(seconds);
  expect(problem.details).toMatchObject({ key_id: "key_1", max_calls_per_minute: 1 });
});

test("a paid call beyond a rate waits for its minute only where a cap has room for it then", async () => {
  const full = { ...minute, minuteCalls: { minute: 0, calls: 1 } };
  const refusals = [{ keyId: "key_1", reason: "rate" as const, balance: full, count: { minute: 0, max: 1 } }];
  const refused = { refusal: refusals[0] ?? null, refusals };

  expect(await refusalBy([], 4, refused)).toMatchObject({ code: "rate_limited", retryAfterS: 60 });
  expect(await refusalBy([], 5, refused)).toMatchObject({ code: "rate_limited", retryAfterS: null });
});
