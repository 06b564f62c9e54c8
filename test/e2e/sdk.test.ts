import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentUnderTest } from "../support/deployed.ts";
import { ask, balanceOf, callRows, issue, type Key, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";
import {
  type Fields,
  headerOf,
  keepsPrefix,
  loadStripe,
  refusalOf,
  STRIPE_PACKAGES,
  type StripeClient,
  type StripePackage,
  stripeClient,
  type Way,
} from "../support/stripe-node.ts";

/** Guarantees that programs with stripe-node work with Keybrake as they do with Stripe. */

let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(() => run.close());

const CASES = STRIPE_PACKAGES.flatMap((name): { name: StripePackage; way: Way }[] => [
  { name, way: "host" },
  ...(keepsPrefix(name) ? [{ name, way: "prefix" as const }] : []),
]);

const WANTED = { amount: 2999, currency: "usd" };

/** A host alone leads nowhere where the URL has a stage: that takes a custom domain (README). */
const isReachable = ({ way }: { readonly way: Way }) => way === "prefix" || deploymentUnderTest() === null;

describe.each(CASES.filter(isReachable))("$name by its $way", ({ name, way }) => {
  const clientOf = (token: string, config?: Fields): StripeClient =>
    stripeClient(name, way, run.baseUrl, token, config);

  async function denials(key: Key): Promise<readonly unknown[]> {
    return (await callRows(run, key)).map(({ reason }) => reason);
  }

  test("gets Stripe's objects as they are, with Stripe's request id", async () => {
    const key = await issue(run);

    const intent = await clientOf(key.token).paymentIntents.create({
      ...WANTED,
      description: "100 % & more = ünïcode +1",
      metadata: { order: "a b", "key with space": "[x]=1&y" },
      payment_method_types: ["card"],
    });

    const { lastResponse } = intent;
    expect(intent).toMatchObject({
      object: "payment_intent",
      amount: 2999,
      description: "100 % & more = ünïcode +1",
      metadata: { order: "a b", "key with space": "[x]=1&y" },
      payment_method_types: ["card"],
    });
    expect(lastResponse.requestId).toMatch(/^req_/);
    expect(headerOf(intent, "keybrake-call-id")).toMatch(/^call_/);
    expect(headerOf(intent, "keybrake-remaining-usd")).toBe("20.01");
    expect(await callRows(run, key)).toMatchObject([
      { state: "settled", vendor_request_id: lastResponse.requestId, vendor_object_id: intent.id },
    ]);
  });

  test("walks lists, expands, changes and deletes as against Stripe itself", async () => {
    const client = clientOf((await issue(run)).token);
    const customer = await client.customers.create({ name: `of ${name} ${way}` });
    for (const amount of [101, 102, 103])
      await client.paymentIntents.create({ ...WANTED, amount, customer: customer.id });

    const found = await client.paymentIntents
      .list({ customer: customer.id, limit: 2 })
      .autoPagingToArray({ limit: 10 });
    const [newest] = found;
    const expanded = await client.paymentIntents.retrieve(newest?.id ?? "", { expand: ["customer"] });
    const changed = await client.customers.update(customer.id, { metadata: { seen: "yes" } });

    expect(found.map(({ amount }) => amount)).toEqual([103, 102, 101]);
    expect(expanded["customer"]).toMatchObject({ id: customer.id, name: `of ${name} ${way}` });
    expect(changed["metadata"]).toEqual({ seen: "yes" });
    expect(await client.customers.del(customer.id)).toMatchObject({ deleted: true });
  });

  test("raises StripeRateLimitError on an exceeded cap, with a message that says everything, after one request", async () => {
    const key = await issue(run, { daily_usd_cap: 50 });
    const client = clientOf(key.token);
    await client.paymentIntents.create(WANTED);
    await run.drain();

    const refusal = await refusalOf(client.paymentIntents.create(WANTED));

    expect(refusal).toMatchObject({
      class: "StripeRateLimitError",
      statusCode: 429,
      code: "spend_cap_exceeded",
      rawType: "rate_limit_error",
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (const part of [
      key.id,
      "daily cap $50.00",
      "spent $29.99",
      "reserved $0.00",
      "remaining $20.01",
      "this call needs $29.99",
      "not retryable until the cap is raised",
      "nothing was charged",
    ])
      expect(refusal.message).toContain(part);
    expect(await denials(key)).toEqual(["spend_cap_exceeded", null]);
  });

  test("raises StripeAuthenticationError on an unknown, a revoked and a misplaced key, and shows none of it", async () => {
    const key = await issue(run);
    const create = (token: string) => refusalOf(clientOf(token).paymentIntents.create(WANTED));

    const tokens = [
      `${key.token.slice(0, -1)}_`,
      run.apiKey,
      "sk_live_51HxkLmTopSecretOfSomebody",
      "nonsense",
    ];
    for (const token of tokens) {
      const refusal = await create(token);
      expect(refusal).toMatchObject({
        class: "StripeAuthenticationError",
        statusCode: 401,
        code: "key_unknown",
      });
      expect(JSON.stringify(refusal) + refusal.message).not.toContain(token);
    }
    expect((await create("sk_live_51HxkLmTopSecretOfSomebody")).message).toContain("a secret key of Stripe");
    expect((await create(run.apiKey)).message).toContain("an API key of Keybrake");

    await ask(run, "POST", `/vault/keys/${key.id}/revoke`, { token: run.apiKey });
    const revoked = await create(key.token);
    expect(revoked).toMatchObject({
      class: "StripeAuthenticationError",
      statusCode: 401,
      code: "key_revoked",
    });
    expect(revoked.message).toMatch(new RegExp(`^vault key ${key.id} was revoked at 20`));
    expect(await denials(key)).toEqual(["key_revoked"]);
  });

  test("raises StripePermissionError on an endpoint that is not allowed or has no price, and on another account", async () => {
    const narrow = await issue(run, { allowed_endpoints: ["POST /v1/payment_intents"] });
    const wide = await issue(run);

    const notAllowed = await refusalOf(clientOf(narrow.token).customers.create({ name: "x" }));
    const notPriced = await refusalOf(clientOf(wide.token).paymentLinks.create(WANTED));
    const connect = await refusalOf(
      clientOf(wide.token).paymentIntents.create(WANTED, { stripeAccount: "acct_1" }),
    );

    expect(notAllowed).toMatchObject({
      class: "StripePermissionError",
      statusCode: 403,
      code: "endpoint_not_allowed",
    });
    expect(notAllowed.message).toContain(
      "does not allow POST /v1/customers; it allows POST /v1/payment_intents",
    );
    expect(notPriced).toMatchObject({
      class: "StripePermissionError",
      statusCode: 403,
      code: "endpoint_not_priced",
    });
    expect(notPriced.message).toContain("POST /v1/payment_links");
    expect(connect).toMatchObject({
      class: "StripePermissionError",
      statusCode: 403,
      code: "account_not_allowed",
    });
    expect(await denials(narrow)).toEqual(["endpoint_not_allowed"]);
    expect(await denials(wide)).toEqual(["account_not_allowed", "endpoint_not_priced"]);
  });

  test("raises StripeInvalidRequestError that names the field on an amount or a currency that cannot be counted", async () => {
    const key = await issue(run);
    const client = clientOf(key.token);
    const before = (await stripe.requests()).length;

    const refusals = [];
    for (const fields of [
      { amount: "1e3", currency: "usd" },
      { amount: 29.99, currency: "usd" },
      { amount: -100, currency: "usd" },
      { amount: [100], currency: "usd" },
      { amount: 100, currency: "eur" },
      { currency: "usd" },
      { amount: 100 },
    ])
      refusals.push(await refusalOf(client.paymentIntents.create(fields)));

    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ class: "StripeInvalidRequestError", statusCode: 400 });
      expect(refusal.message).toMatch(/^(amount|currency): .*nothing was charged$/);
    }
    expect(await denials(key)).toHaveLength(7);
    expect((await stripe.requests()).length).toBe(before);
  });

  test("raises StripeCardError on a decline, with the card's reason as Stripe says it", async () => {
    const key = await issue(run);
    const confirmed = { ...WANTED, confirm: true, payment_method: "pm_card_chargeDeclinedInsufficientFunds" };

    const refusal = await refusalOf(clientOf(key.token).paymentIntents.create(confirmed));

    expect(refusal).toMatchObject({
      class: "StripeCardError",
      statusCode: 402,
      code: "card_declined",
      decline_code: "insufficient_funds",
      message: "Your card has insufficient funds.",
      requestId: expect.stringMatching(/^req_/),
    });
    expect((await balanceOf(run, key)).spent).toBe(0);
    expect(await denials(key)).toHaveLength(1);
  });

  test("raises StripeIdempotencyError when a key is used again with other parameters", async () => {
    const client = clientOf((await issue(run)).token);
    const options = { idempotencyKey: `${name}-${way}-mismatch` };
    await client.paymentIntents.create(WANTED, options);

    const refusal = await refusalOf(client.paymentIntents.create({ ...WANTED, amount: 1 }, options));

    expect(refusal).toMatchObject({ class: "StripeIdempotencyError", statusCode: 400 });
  });

  test("gets the first answer again under the same idempotency key, though the budget is spent", async () => {
    const key = await issue(run, { daily_usd_cap: 29.99 });
    const client = clientOf(key.token);
    const options = { idempotencyKey: `${name}-${way}-again` };

    const first = await client.paymentIntents.create(WANTED, options);
    const again = await client.paymentIntents.create(WANTED, options);

    expect(again.id).toBe(first.id);
    expect(await balanceOf(run, key)).toEqual({ spent: 2999, reserved: 0, remaining: 0 });
  });

  test("waits out a call that is in flight under the same idempotency key, by its own retries", async () => {
    const key = await issue(run, { daily_usd_cap: 30 });
    const client = clientOf(key.token, { maxNetworkRetries: 4 });
    const options = { idempotencyKey: `${name}-${way}-flight` };
    await stripe.fault({ kind: "slow", ms: 300, idempotencyKey: options.idempotencyKey });

    const [one, other] = await Promise.all([1, 2].map(() => client.paymentIntents.create(WANTED, options)));

    expect(other?.id).toBe(one?.id);
    expect((await balanceOf(run, key)).spent).toBe(2999);
  });
});

test("the versions are those of the vendors' page: the oldest, the newest, and those between that differ", () => {
  const versions = STRIPE_PACKAGES.map(
    (name) => Object.entries(loadStripe(name)).find(([field]) => field === "PACKAGE_VERSION")?.[1],
  );
  expect(versions).toEqual(["12.18.0", "17.7.0", "22.6.2", "23.1.0"]);
});
