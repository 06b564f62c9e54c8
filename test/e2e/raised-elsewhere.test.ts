import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { manifest } from "../../lambda/vendors/stripe/manifest.ts";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { at, textAt } from "../support/json.ts";
import {
  ask,
  balanceOf,
  callRows,
  costOf,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  startOwn,
} from "../support/keybrake.ts";
import { answer, broken, type OwnUpstream } from "../support/own-upstream.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/** Guarantees that an object that others change never passes a cap, and that what it cost beyond is counted once. */

const MANUAL = { confirm: "true", payment_method: "pm_card_visa", capture_method: "manual" };
const CARD = { payment_method: "pm_card_visa" };

describe("what others changed at Stripe", () => {
  let run: OwnRun;
  let stripe: Simulator;
  beforeAll(async () => {
    run = await startOwn();
    stripe = simulatorAt(run.vendor("stripe").origin);
  });
  afterAll(() => run.close());

  /** As the shop's own backend does it: with the real secret, past Keybrake. */
  async function byTheShop(path: string, form: Readonly<Record<string, string>>): Promise<unknown> {
    const answered = await fetch(`${run.vendor("stripe").origin}${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${manifest.local.placeholder}` },
      body: new URLSearchParams(form),
    });
    expect(answered.status, path).toBe(200);
    return answered.json();
  }

  const at50 = () => issue(run, { daily_usd_cap: 50 });
  const untouched = { spent: 1000, reserved: 0, remaining: 4000 };

  test.each<[string, Record<string, string>, string, Record<string, string>]>([
    ["confirmed without a word", {}, "confirm", {}],
    ["confirmed with a card", {}, "confirm", CARD],
    ["confirmed for less", {}, "confirm", { ...CARD, amount_to_confirm: "1" }],
    ["captured without a word", MANUAL, "capture", {}],
    ["captured in part", MANUAL, "capture", { amount_to_capture: "1" }],
  ])("is counted when an own PaymentIntent is %s", async (_, made, action, form) => {
    const key = await at50();
    const id = textAt((await pay(run, key, 1000, made)).json, "id");
    const raise = made === MANUAL ? "/increment_authorization" : "";
    await byTheShop(`/v1/payment_intents/${id}${raise}`, { amount: "500000" });
    const before = await stripe.spentCents();

    const refused = await post(run, key, `/v1/payment_intents/${id}/${action}`, form);

    expect(refused.status).toBe(429);
    expect(at(refused.json, "error", "requested_usd")).toBe(4990);
    expect(await stripe.spentCents()).toBe(before);
    expect(await balanceOf(run, key)).toEqual(untouched);
  });

  test("by a second key is counted there, and again before the first key goes on", async () => {
    const [key, rich] = await Promise.all([at50(), issue(run, { daily_usd_cap: 100_000 })]);
    const id = textAt((await pay(run, key, 1000)).json, "id");
    expect((await post(run, rich, `/v1/payment_intents/${id}`, { amount: "500000" })).status).toBe(200);

    expect((await post(run, key, `/v1/payment_intents/${id}/confirm`, CARD)).status).toBe(429);
    expect(await balanceOf(run, key)).toEqual(untouched);
  });

  test("within the cap is counted once, whatever is done with it then", async () => {
    const key = await issue(run, { daily_usd_cap: 100 });
    const id = textAt((await pay(run, key, 1000, { capture_method: "manual" })).json, "id");
    await byTheShop(`/v1/payment_intents/${id}`, { amount: "7000" });

    for (const [action, form] of [
      ["confirm", CARD],
      ["capture", {}],
    ] as const) {
      expect((await post(run, key, `/v1/payment_intents/${id}/${action}`, form)).status).toBe(200);
      expect(await balanceOf(run, key)).toEqual({ spent: 7000, reserved: 0, remaining: 3000 });
    }
    expect(costOf(await callRows(run, key))).toBe(7000);
  });

  test("is counted though an update of this key was lost on its way", async () => {
    const key = await at50();
    const id = textAt((await pay(run, key, 1000)).json, "id");
    await stripe.fault({ path: `/v1/payment_intents/${id}`, method: "POST", kind: "break_after" });
    const lost = await post(run, key, `/v1/payment_intents/${id}`, { amount: "5000" });
    expect(lost.status).toBe(502);
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 4000, remaining: 0 });

    expect((await post(run, key, `/v1/payment_intents/${id}/confirm`, CARD)).status).toBe(429);
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 4000, remaining: 0 });
  });

  test("of a draft lets no line be added that would be collected by itself", async () => {
    const key = await at50();
    const form = { customer: "cus_1", auto_advance: "false" };
    const id = textAt((await post(run, key, "/v1/invoices", form)).json, "id");
    const line = { customer: "cus_1", invoice: id, amount: "500000", currency: "usd" };
    await byTheShop(`/v1/invoices/${id}`, { auto_advance: "true" });

    const refused = await post(run, key, "/v1/invoiceitems", line);
    expect([refused.status, at(refused.json, "error", "code")]).toEqual([400, "amount_unknown"]);
    const added = await post(run, key, `/v1/invoices/${id}/add_lines`, { "lines[0][amount]": "500000" });
    expect([added.status, at(added.json, "error", "code")]).toEqual([400, "amount_unknown"]);

    expect((await post(run, key, `/v1/invoices/${id}`, { auto_advance: "false" })).status).toBe(200);
    expect((await post(run, key, "/v1/invoiceitems", line)).status).toBe(200);
    expect((await post(run, key, `/v1/invoices/${id}/finalize`)).status).toBe(429);
  });
});

describe("what changes between the question and the call", () => {
  let run: OwnRun;
  let upstream: OwnUpstream;
  beforeAll(async () => {
    ({ run, upstream } = await startBeforeUpstream());
  });
  afterEach(() => upstream.forget());
  afterAll(() => run.close());

  const intent = (change: object) =>
    answer(200, {
      id: "pi_1",
      object: "payment_intent",
      amount: 1000,
      amount_received: 0,
      currency: "usd",
      status: "requires_capture",
      ...change,
    });

  const act = async (key: Key, action: string, ...answers: readonly object[]) => {
    upstream.next(...answers.map(intent));
    return (await post(run, key, `/v1/payment_intents${action}`, action === "" ? CREATE : {})).status;
  };
  const CREATE = { amount: "1000", currency: "usd" };

  test("is counted beyond the cap, and not again by the next step", async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    expect(await act(key, "", {})).toBe(200);
    expect(await act(key, "/pi_1/confirm", {}, { amount: 7000 })).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 7000, reserved: 0, remaining: -2000 });

    const received = { amount: 7000, amount_received: 7000, status: "succeeded" };
    expect(await act(key, "/pi_1/capture", { amount: 7000 }, received)).toBe(200);

    expect(await balanceOf(run, key)).toEqual({ spent: 7000, reserved: 0, remaining: -2000 });
    const rows = await callRows(run, key);
    expect(costOf(rows)).toBe(7000);
    expect(rows.map(({ overrun, cost_usd }) => [overrun ?? false, cost_usd])).toEqual([
      [false, 0],
      [true, 60],
      [false, 10],
    ]);
  });

  test("is counted for its object though the answer tells nothing, and goes back when that is cancelled", async () => {
    const key = await issue(run, { daily_usd_cap: 100 });
    expect(await act(key, "", {})).toBe(200);
    upstream.next(intent({ amount: 7000 }), answer(200, {}));
    expect((await post(run, key, "/v1/payment_intents/pi_1/confirm")).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 7000, reserved: 0, remaining: 3000 });

    const received = { amount: 7000, amount_received: 0 };
    expect(await act(key, "/pi_1/capture", { amount: 7000 }, received)).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 7000, reserved: 0, remaining: 3000 });
    expect(await act(key, "/pi_1/cancel", { amount: 7000, status: "canceled" })).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 10_000 });
  });

  test("gives back what was reserved for it when it is cancelled, not what was counted beyond", async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    expect(await act(key, "", {})).toBe(200);
    expect(await act(key, "/pi_1/confirm", {}, { amount: 7000 })).toBe(200);

    expect(await act(key, "/pi_1/cancel", { amount: 7000, status: "canceled" })).toBe(200);

    expect(await balanceOf(run, key)).toEqual({ spent: 6000, reserved: 0, remaining: -1000 });
    expect(costOf(await callRows(run, key))).toBe(6000);
  });

  test("lets no repeat use what its first attempt reserved, when it was raised since", async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    expect(await act(key, "", {})).toBe(200);
    const confirm = (name: string) =>
      post(run, key, "/v1/payment_intents/pi_1/confirm", {}, { "Idempotency-Key": `${key.id}-${name}` });
    upstream.next(intent({ status: "requires_confirmation" }), broken(false));
    expect((await confirm("a")).status).toBe(502);
    upstream.forget();
    const raised = { amount: 500_000, status: "requires_confirmation" };

    upstream.next(intent(raised));
    const repeated = await confirm("a");
    expect([repeated.status, at(repeated.json, "error", "code")]).toEqual([400, "amount_unknown"]);
    expect(textAt(repeated.json, "error", "message")).toMatch(
      /needs \$4990\.00, while \$0\.00 was reserved .* new Idempotency-Key/,
    );
    upstream.next(intent(raised));
    expect((await confirm("b")).status).toBe(429);

    expect(upstream.requests.map(({ method }) => method)).toEqual(["GET", "GET"]);
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 0, remaining: 4000 });
  });

  test("is not confirmed where the question has no answer, though it is counted", async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    expect(await act(key, "", {})).toBe(200);
    upstream.forget();
    upstream.next(answer(500, { error: {} }));

    const refused = await post(run, key, "/v1/payment_intents/pi_1/confirm");

    expect([refused.status, at(refused.json, "error", "charged")]).toEqual([502, "no"]);
    expect(upstream.requests.map(({ method }) => method)).toEqual(["GET"]);
    expect(await ask(run, "GET", `/vault/keys/${key.id}`, { token: run.apiKey })).toMatchObject({
      json: { remaining_usd: 40 },
    });
  });
});
