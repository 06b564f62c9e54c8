import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { deploymentUnderTest } from "../support/deployed.ts";
import { textAt } from "../support/json.ts";
import { ask, balanceOf, callRows, issue, type OwnRun, post } from "../support/keybrake.ts";
import { answer, type OwnUpstream } from "../support/own-upstream.ts";
import { refusalOf, stripeClient } from "../support/stripe-node.ts";

/** Guarantees that a vendor's answer that is too large to pass on is reported, counted and not repeated. */

let run: OwnRun;
let upstream: OwnUpstream;
beforeAll(async () => {
  ({ run, upstream } = await startBeforeUpstream());
});
afterAll(() => run.close());

const TOO_LARGE = JSON.stringify({ id: "pi_1", data: "x".repeat(4_500_000) });
const PAID = { amount: "2999", currency: "usd" };

test.each([
  ["executed", 200, {}, "yes", "settled", { spent: 2999, reserved: 0 }],
  ["executed", 201, {}, "yes", "settled", { spent: 2999, reserved: 0 }],
  ["refused", 404, {}, "no", "released", { spent: 0, reserved: 0 }],
  ["refused", 429, {}, "no", "released", { spent: 0, reserved: 0 }],
  ["failed", 500, {}, "unknown", "unresolved", { spent: 0, reserved: 2999 }],
] as const)("a paid call that was %s with %i", async (_, status, headers, charged, state, balance) => {
  const key = await issue(run);
  upstream.next(answer(status, TOO_LARGE, headers));

  const refused = await post(run, key, "/v1/payment_intents", PAID);

  expect(refused.status).toBe(501);
  expect(refused.json).toMatchObject({ error: { code: "vendor_answer_too_large", charged } });
  expect(textAt(refused.json, "error", "message")).toMatch(
    RegExp(`^the vendor answered ${status} with more than the 4500000 bytes.*lower limit.*without expand`),
  );
  expect(refused.headers).toMatchObject({ "stripe-should-retry": "false", "keybrake-charged": charged });
  expect(await balanceOf(run, key)).toMatchObject(balance);
  expect(await callRows(run, key)).toMatchObject([
    { state, reason: "vendor_answer_too_large", vendor_status: status },
  ]);
});

test("a free read charged nothing", async () => {
  const key = await issue(run);
  upstream.next(answer(200, TOO_LARGE));

  const refused = await ask(run, "GET", "/stripe/v1/payment_intents?limit=100", { token: key.token });

  expect(refused.status).toBe(501);
  expect(refused.json).toMatchObject({ error: { code: "vendor_answer_too_large", charged: "no" } });
  expect(textAt(refused.json, "error", "message")).toMatch(/; nothing was charged$/);
});

test("a lookup whose answer is too large refuses its call, and nothing is charged", async () => {
  const key = await issue(run);
  upstream.forget();
  upstream.next(answer(200, TOO_LARGE));

  const refused = await post(run, key, "/v1/refunds", { charge: "ch_1" });

  expect(refused.status).toBe(501);
  expect(refused.json).toMatchObject({ error: { code: "vendor_answer_too_large", charged: "no" } });
  expect(upstream.requests.map(({ method }) => method)).toEqual(["GET"]);
  expect(await balanceOf(run, key)).toMatchObject({ spent: 0, reserved: 0 });
});

describe.skipIf(deploymentUnderTest() !== null)("stripe-node with its own retries", () => {
  test("raises it after one request", async () => {
    const key = await issue(run);
    upstream.forget();
    upstream.next(answer(200, TOO_LARGE), answer(200, TOO_LARGE));

    const refusal = await refusalOf(
      stripeClient("stripe", "host", run.baseUrl, key.token).paymentIntents.create(PAID),
    );

    expect(refusal).toMatchObject({
      class: "StripeAPIError",
      statusCode: 501,
      code: "vendor_answer_too_large",
    });
    expect(upstream.requests).toHaveLength(1);
  });
});
