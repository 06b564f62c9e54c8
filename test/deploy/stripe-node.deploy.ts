import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { balanceOf, callRows, costOf, issue, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";
import { loadStripe, STRIPE_PACKAGES, type StripeClient } from "../support/stripe-node.ts";

/** stripe-node as the README has it for an address with a stage: with a fetch that goes through Keybrake. */

let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(() => run.close());

describe.each(STRIPE_PACKAGES)("%s", (name) => {
  const clientOf = (token: string): StripeClient => {
    const Stripe = loadStripe(name);
    const throughKeybrake = (address: string, options: RequestInit) => {
      const { pathname, search } = new URL(address);
      return fetch(`${run.baseUrl}/stripe${pathname}${search}`, options);
    };
    return new Stripe(token, { httpClient: Stripe.createFetchHttpClient(throughKeybrake), telemetry: false });
  };

  test("charges, is stopped by the cap, and gets its first answer again under one idempotency key", async () => {
    const before = await stripe.spentCents();
    const key = await issue(run, { daily_usd_cap: 5 });
    const client = clientOf(key.token);
    const wanted = { amount: 300, currency: "usd" };
    const options = { idempotencyKey: `${name}-${key.id}` };

    const made = await client.paymentIntents.create(wanted, options);
    await expect(client.paymentIntents.create(wanted)).rejects.toMatchObject({
      type: "StripeRateLimitError",
      statusCode: 429,
      code: "spend_cap_exceeded",
    });
    const again = await client.paymentIntents.create(wanted, options);

    expect(again.id).toBe(made.id);
    expect(await stripe.spentCents()).toBe(before + 300);
    expect(await balanceOf(run, key)).toEqual({ spent: 300, reserved: 0, remaining: 200 });
    expect(costOf(await callRows(run, key))).toBe(300);
  });
});
