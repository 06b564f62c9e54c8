import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { textAt } from "../support/json.ts";
import { balanceOf, callRows, issue, type OwnRun, pay, post, startOwn } from "../support/keybrake.ts";
import { answer, type OwnUpstream } from "../support/own-upstream.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/** Guarantees that the repeat of a call is the same call, whatever its object has become by it and whatever it is answered with. */

const CARD = { confirm: "true", payment_method: "pm_card_visa" };
const MANUAL = { ...CARD, capture_method: "manual" };

describe("the repeat of a call whose answer was lost", () => {
  let run: OwnRun;
  let stripe: Simulator;
  beforeAll(async () => {
    run = await startOwn();
    stripe = simulatorAt(run.vendor("stripe").origin);
  });
  afterAll(() => run.close());

  test.each<
    [string, Record<string, string>, Record<string, string> | null, string, Record<string, string>, number]
  >([
    ["captures more than half", MANUAL, null, "capture", { amount_to_capture: "800" }, 1000],
    ["captures all", MANUAL, null, "capture", {}, 1000],
    ["refunds the rest", CARD, { amount: "300" }, "refunds", {}, 1000 + 300 + 700],
    ["refunds all", CARD, null, "refunds", {}, 1000 + 1000],
  ])(
    "that %s is answered with what was done, and counted once",
    async (_, made, first, action, form, spent) => {
      const key = await issue(run, { daily_usd_cap: 50 });
      const intent = (await pay(run, key, 1000, made)).json;
      const id = textAt(intent, "id");
      const charge = textAt(intent, "latest_charge");
      const path = action === "refunds" ? "/v1/refunds" : `/v1/payment_intents/${id}/${action}`;
      const about = action === "refunds" ? { charge } : {};
      if (first !== null) expect((await post(run, key, path, { ...about, ...first })).status).toBe(200);
      const call = () => post(run, key, path, { ...about, ...form }, { "Idempotency-Key": `${key.id}-once` });

      await stripe.fault({ path, method: "POST", kind: "break_after" });
      expect((await call()).status).toBe(502);
      const repeated = await call();

      expect(repeated.status, repeated.text).toBe(200);
      expect(await balanceOf(run, key)).toEqual({ spent, reserved: 0, remaining: 5000 - spent });
      expect((await call()).status).toBe(200);
      expect(await balanceOf(run, key)).toEqual({ spent, reserved: 0, remaining: 5000 - spent });
      expect(await callRows(run, key)).toHaveLength(first === null ? 4 : 5);
    },
  );
});

describe("the repeat of a call that was settled", () => {
  let run: OwnRun;
  let upstream: OwnUpstream;
  beforeAll(async () => {
    ({ run, upstream } = await startBeforeUpstream());
  });
  afterEach(() => upstream.forget());
  afterAll(() => run.close());

  const charge = answer(200, { id: "ch_1", object: "charge", amount: 1000, currency: "usd" });
  const tooLarge = answer(200, { id: "ch_1", data: "x".repeat(5_000_000) });
  test.each([
    ["nothing", [answer(200, {})]],
    ["nothing after what was made", [charge, answer(200, {})]],
    ["more than can be passed on", [tooLarge]],
    ["what was made after nothing", [answer(200, {}), charge]],
  ])("that is answered with %s is counted once", async (_, answers) => {
    const key = await issue(run, { daily_usd_cap: 50 });
    for (let repeat = 0; repeat < 4; repeat++) {
      upstream.next(answers[Math.min(repeat, answers.length - 1)] ?? charge);
      const form = { amount: "1000", currency: "usd", source: "tok_visa" };
      await post(run, key, "/v1/charges", form, { "Idempotency-Key": `${key.id}-once` });
      expect(await balanceOf(run, key), `repeat ${repeat}`).toEqual({
        spent: 1000,
        reserved: 0,
        remaining: 4000,
      });
    }
    expect(upstream.requests).toHaveLength(4);
  });
});
