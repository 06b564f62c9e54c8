import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manifest } from "../../lambda/vendors/stripe/manifest.ts";
import { balanceOf, callRows, issue, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type StripeClient, stripeClient } from "../support/stripe-node.ts";
import { LOCALSTRIPE, PEER_VARIABLES, type Peer, startPeer } from "./peer.ts";

/** Keybrake before Stripe's own mock and before localstripe, with the placeholder that `npm start` sends them. */

const placeholder = manifest.local.placeholder;
const AUTOMATIC = { enabled: true, allow_redirects: "never" };

let peer: Peer;
let run: OwnRun;

const before = (start: () => Promise<Peer>) => {
  beforeAll(async () => {
    peer = await start();
    run = await startOwn({
      vendors: { stripe: { kind: "upstream", origin: peer.origin, credential: placeholder } },
    });
  });
  afterAll(async () => {
    await run?.close();
    await peer?.close();
  });
};

async function keyAndClient() {
  const key = await issue(run, { daily_usd_cap: 50 });
  const client: StripeClient = stripeClient("stripe", "host", run.baseUrl, key.token);
  return { key, client };
}

const stripeMock = process.env[PEER_VARIABLES.stripeMock] ?? "";
const localstripe = process.env[PEER_VARIABLES.localstripe] ?? "";

describe.skipIf(stripeMock === "")("before stripe-mock", () => {
  before(() => startPeer(stripeMock, (port) => ["-http-addr", `127.0.0.1:${port}`]));

  test("it takes the placeholder, and refuses one with underscores", async () => {
    const asked = (key: string) =>
      fetch(`${peer.origin}/v1/charges`, { headers: { Authorization: `Bearer ${key}` } });
    expect((await asked(placeholder)).status).toBe(200);
    expect((await asked("sk_test_with_underscores")).status).toBe(401);
  });

  test("a PaymentIntent is created at what it says, and one that does not fit is refused", async () => {
    const { key, client } = await keyAndClient();

    const intent = await client.paymentIntents.create({
      amount: 2999,
      currency: "usd",
      automatic_payment_methods: AUTOMATIC,
    });

    expect(intent).toMatchObject({ object: "payment_intent", amount: 2999 });
    await expect(client.paymentIntents.create({ amount: 2999, currency: "usd" })).rejects.toMatchObject({
      type: "StripeRateLimitError",
    });
    expect(await balanceOf(run, key)).toEqual({ spent: 2999, reserved: 0, remaining: 2001 });
    expect(await callRows(run, key)).toMatchObject([
      { decision: "denied", reason: "spend_cap_exceeded" },
      { state: "settled", cost_usd: 29.99, vendor_object_id: intent.id },
    ]);
  });

  test("a customer is created for nothing", async () => {
    const { key, client } = await keyAndClient();

    expect(await client.customers.create({ email: "ann@example.com" })).toMatchObject({ object: "customer" });

    expect((await balanceOf(run, key)).spent).toBe(0);
  });
});

describe.skipIf(localstripe === "")("before localstripe", () => {
  before(() => startPeer(localstripe, (port) => ["-c", LOCALSTRIPE, `${port}`]));

  test("a PaymentIntent that is confirmed at once is paid there, and its refund counts too", async () => {
    const { key, client } = await keyAndClient();

    const intent = await client.paymentIntents.create({
      amount: 2000,
      currency: "usd",
      payment_method: "pm_card_visa",
      confirm: true,
    });
    const refund = await client.refunds.create({ payment_intent: intent.id, amount: 500 });

    expect(intent).toMatchObject({ status: "succeeded", amount: 2000 });
    expect(refund).toMatchObject({ object: "refund", amount: 500 });
    expect(await balanceOf(run, key)).toEqual({ spent: 2500, reserved: 0, remaining: 2500 });
    expect(await callRows(run, key)).toMatchObject([
      { state: "settled", cost_usd: 5, vendor_object_id: refund.id },
      { state: "settled", cost_usd: 20, vendor_object_id: intent.id },
    ]);
  });

  test("one that is confirmed later costs once", async () => {
    const { key, client } = await keyAndClient();
    const made = await client.paymentIntents.create({
      amount: 1500,
      currency: "usd",
      payment_method: "pm_card_visa",
    });

    const paid = await client.paymentIntents.confirm(made.id, {});

    expect(paid).toMatchObject({ id: made.id, status: "succeeded" });
    expect(await balanceOf(run, key)).toEqual({ spent: 1500, reserved: 0, remaining: 3500 });
  });

  test("a declined card gives the budget back", async () => {
    const { key, client } = await keyAndClient();

    const error: unknown = await client.paymentIntents
      .create({ amount: 1000, currency: "usd", payment_method: "pm_card_chargeCustomerFail", confirm: true })
      .catch((reason: unknown) => reason);

    expect(error).toMatchObject({ statusCode: 402, type: "StripeCardError" });
    expect((await balanceOf(run, key)).remaining).toBe(5000);
  });
});
