import { request as httpRequest } from "node:http";
import Stripe from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type StripeSimulator, startStripeSimulator } from "../../../local/simulators/stripe/server.ts";
import { ownSideOf, until } from "./own-side.ts";

/** Guarantees that the simulated Stripe behaves as Stripe documents it. */

const SECRET_KEY = "sk_test_simulator_0123456789";
const START_MS = 1_795_000_000_000;
const HOUR_MS = 3_600_000;

let nowMs = START_MS;
let simulator: StripeSimulator;
let stripe: Stripe;

beforeEach(async () => {
  nowMs = START_MS;
  simulator = await startStripeSimulator({ secretKey: SECRET_KEY, now: () => nowMs });
  stripe = client();
});

afterEach(() => simulator.close());

function client(key = SECRET_KEY, options: { timeout?: number } = {}): Stripe {
  const { hostname, port } = new URL(simulator.origin);
  return new Stripe(key, {
    host: hostname,
    port,
    protocol: "http",
    maxNetworkRetries: 0,
    telemetry: false,
    ...options,
  });
}

interface Books {
  charged: { count: number; cents: number };
  committed: { count: number; cents: number };
  refunded: { count: number; cents: number };
  spent_cents: number;
  entries: Record<string, unknown>[];
}

const { books, fault } = ownSideOf<Books>(() => simulator.origin);

/** Cents charged, committed, refunded: what most tests ask of the books. */
async function cents(): Promise<[number, number, number]> {
  const { charged, committed, refunded } = await books();
  return [charged.cents, committed.cents, refunded.cents];
}

/** A request without an SDK, since an SDK hides headers and mends what it is given. */
async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const answer = await fetch(simulator.origin + path, {
    method: "POST",
    body,
    headers: {
      authorization: `Bearer ${SECRET_KEY}`,
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) };
}

async function get(path: string) {
  const answer = await fetch(simulator.origin + path, { headers: { authorization: `Bearer ${SECRET_KEY}` } });
  return { status: answer.status, headers: answer.headers, json: JSON.parse(await answer.text()) };
}

/** Ends with what an SDK call was refused with. */
async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}

const PAID = { amount: 1000, currency: "usd", confirm: true, payment_method: "pm_card_visa" };
const DECLINED = { ...PAID, payment_method: "pm_card_chargeDeclined" };
const HELD = { ...PAID, capture_method: "manual" } as const;

describe("payment intents", () => {
  test("one without a payment method commits its amount and charges nothing", async () => {
    const intent = await stripe.paymentIntents.create({ amount: 2999, currency: "USD", customer: "cus_A" });

    expect(intent).toMatchObject({
      object: "payment_intent",
      amount: 2999,
      amount_received: 0,
      created: START_MS / 1000,
      currency: "usd",
      customer: "cus_A",
      latest_charge: null,
      status: "requires_payment_method",
    });
    expect(intent.id).toMatch(/^pi_\w{24}$/);
    expect(intent.client_secret).toMatch(new RegExp(`^${intent.id}_secret_`));
    expect(await cents()).toEqual([0, 2999, 0]);
  });

  test("one that is confirmed at create is paid, and its charge can be read", async () => {
    const intent = await stripe.paymentIntents.create({
      ...PAID,
      metadata: { run: "7" },
      expand: ["latest_charge"],
    });

    expect(intent).toMatchObject({ amount_received: 1000, status: "succeeded", metadata: { run: "7" } });
    expect(intent.latest_charge).toMatchObject({ object: "charge", paid: true, payment_intent: intent.id });
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test("confirming takes the amount once, and a second time is refused", async () => {
    const { id, status } = await stripe.paymentIntents.create({ ...PAID, confirm: false });
    expect(status).toBe("requires_confirmation");

    const paid = await stripe.paymentIntents.confirm(id);
    const again = await refusal(stripe.paymentIntents.confirm(id));

    expect(paid).toMatchObject({ status: "succeeded", amount_received: 1000 });
    expect(again).toMatchObject({ statusCode: 400, code: "payment_intent_unexpected_state" });
    expect(again.payment_intent).toMatchObject({ id, status: "succeeded" });
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test("confirming without a payment method is refused", async () => {
    const { id } = await stripe.paymentIntents.create({ amount: 5, currency: "usd" });

    expect(await refusal(stripe.paymentIntents.confirm(id))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(await stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" })).toMatchObject({
      status: "succeeded",
    });
  });

  test("amount_to_confirm becomes the amount, but not when it is declined", async () => {
    const { id } = await stripe.paymentIntents.create({ amount: 5, currency: "usd" });

    const error = await refusal(
      stripe.paymentIntents.confirm(id, { amount_to_confirm: 9, payment_method: "pm_card_chargeDeclined" }),
    );
    expect(error.payment_intent).toMatchObject({ amount: 5, status: "requires_payment_method" });
    expect(await cents()).toEqual([0, 5, 0]);

    await stripe.paymentIntents.confirm(id, { amount_to_confirm: 7, payment_method: "pm_card_visa" });
    expect(await cents()).toEqual([7, 7, 0]);
  });

  test("a manual one is held, then captured in part", async () => {
    const held = await stripe.paymentIntents.create(HELD);
    expect(held).toMatchObject({ status: "requires_capture", amount_capturable: 1000, amount_received: 0 });
    expect(await cents()).toEqual([1000, 1000, 0]);

    const tooMuch = await refusal(stripe.paymentIntents.capture(held.id, { amount_to_capture: 1001 }));
    const taken = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 600 });
    const again = await refusal(stripe.paymentIntents.capture(held.id));

    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount_to_capture" });
    expect(taken).toMatchObject({
      status: "succeeded",
      amount: 1000,
      amount_capturable: 0,
      amount_received: 600,
    });
    expect(again).toMatchObject({ code: "payment_intent_unexpected_state" });
    expect(await cents()).toEqual([600, 1000, 0]);
  });

  test("final_capture=false keeps the rest for another capture", async () => {
    const { id } = await stripe.paymentIntents.create(HELD);

    const first = await stripe.paymentIntents.capture(id, { amount_to_capture: 400, final_capture: false });
    const second = await stripe.paymentIntents.capture(id);

    expect(first).toMatchObject({ status: "requires_capture", amount_capturable: 600, amount_received: 400 });
    expect(second).toMatchObject({ status: "succeeded", amount_capturable: 0, amount_received: 1000 });
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test("an authorization is raised to a new total, only upwards and only while held", async () => {
    const { id } = await stripe.paymentIntents.create(HELD);

    const less = await refusal(stripe.paymentIntents.incrementAuthorization(id, { amount: 1000 }));
    const raised = await stripe.paymentIntents.incrementAuthorization(id, { amount: 1500 });

    expect(less).toMatchObject({ statusCode: 400, param: "amount" });
    expect(raised).toMatchObject({ amount: 1500, amount_capturable: 1500 });
    expect(await cents()).toEqual([1500, 1500, 0]);

    await stripe.paymentIntents.capture(id);
    expect(await refusal(stripe.paymentIntents.incrementAuthorization(id, { amount: 2000 }))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
  });

  test("a cancelled one counts nothing, and cannot be cancelled or confirmed again", async () => {
    const held = await stripe.paymentIntents.create(HELD);
    const open = await stripe.paymentIntents.create({ amount: 5, currency: "usd" });

    const canceled = await stripe.paymentIntents.cancel(held.id, { cancellation_reason: "abandoned" });
    await stripe.paymentIntents.cancel(open.id);

    expect(canceled).toMatchObject({
      status: "canceled",
      cancellation_reason: "abandoned",
      amount_capturable: 0,
    });
    expect(await refusal(stripe.paymentIntents.cancel(held.id))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(
      await refusal(stripe.paymentIntents.confirm(open.id, { payment_method: "pm_card_visa" })),
    ).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(await cents()).toEqual([0, 0, 0]);
  });

  test("an update changes the amount before payment and only the description after", async () => {
    const { id } = await stripe.paymentIntents.create({
      amount: 5,
      currency: "usd",
      metadata: { a: "1", b: "2" },
    });

    const updated = await stripe.paymentIntents.update(id, {
      amount: 8,
      payment_method: "pm_card_visa",
      metadata: { a: "", c: "3" },
    });
    expect(updated).toMatchObject({
      amount: 8,
      status: "requires_confirmation",
      metadata: { b: "2", c: "3" },
    });
    expect(updated.metadata).not.toHaveProperty("a");
    expect(await cents()).toEqual([0, 8, 0]);

    await stripe.paymentIntents.confirm(id);
    expect(await stripe.paymentIntents.update(id, { description: "late" })).toMatchObject({
      description: "late",
    });
    expect(await refusal(stripe.paymentIntents.update(id, { amount: 9 }))).toMatchObject({
      code: "payment_intent_unexpected_state",
    });
    expect(await cents()).toEqual([8, 8, 0]);
  });

  test("a list is newest first and pages to its end", async () => {
    const made: string[] = [];
    for (let amount = 1; amount <= 5; amount++) {
      made.unshift((await stripe.paymentIntents.create({ amount, currency: "usd", customer: "cus_A" })).id);
    }
    await stripe.paymentIntents.create({ amount: 6, currency: "usd", customer: "cus_B" });

    const listed: string[] = [];
    for await (const { id } of stripe.paymentIntents.list({ customer: "cus_A", limit: 2 })) listed.push(id);

    expect(listed).toEqual(made);
    expect(await stripe.paymentIntents.list({ limit: 6 })).toMatchObject({ has_more: false });
    expect(await stripe.paymentIntents.list({ limit: 5 })).toMatchObject({ has_more: true });
    expect(await stripe.paymentIntents.list({ created: { gt: START_MS / 1000 } })).toMatchObject({
      data: [],
    });
  });
});

describe("declines", () => {
  test("a decline at create is a 402 with the intent, and commits nothing until it is paid after all", async () => {
    const error = await refusal(stripe.paymentIntents.create(DECLINED));

    expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
    expect(error).toMatchObject({ statusCode: 402, code: "card_declined", decline_code: "generic_decline" });
    expect(error.payment_intent).toMatchObject({ status: "requires_payment_method", payment_method: null });
    expect(await cents()).toEqual([0, 0, 0]);

    const id = error.payment_intent?.id ?? "";
    await refusal(stripe.paymentIntents.confirm(id, { payment_method: "pm_card_chargeDeclined" }));
    expect(await cents()).toEqual([0, 0, 0]);

    await stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" });
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test.each([
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_visa_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"],
    ["pm_my_own_chargeDeclined", "card_declined", "generic_decline"],
  ])("%s is declined with %s, %s", async (payment_method, code, decline_code) => {
    expect(await refusal(stripe.paymentIntents.create({ ...PAID, payment_method }))).toMatchObject({
      code,
      decline_code,
    });
  });

  test("a decline at a later confirmation leaves the amount committed", async () => {
    const { id } = await stripe.paymentIntents.create({ amount: 5, currency: "usd" });

    await refusal(stripe.paymentIntents.confirm(id, { payment_method: "pm_card_chargeDeclined" }));

    expect(await cents()).toEqual([0, 5, 0]);
  });

  test("a decline is stored: its replay is the same 402 and makes no second intent", async () => {
    const body = "amount=1000&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined";

    const first = await post("/v1/payment_intents", body, { "idempotency-key": "k" });
    const second = await post("/v1/payment_intents", body, { "idempotency-key": "k" });

    expect([first.status, second.status]).toEqual([402, 402]);
    expect(second.text).toBe(first.text);
    expect(first.headers.get("stripe-should-retry")).toBe("false");
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect((await books()).entries).toHaveLength(1);
  });
});

describe("charges, refunds, customers, payment methods", () => {
  test("a charge is paid, held, or failed", async () => {
    const paid = await stripe.charges.create({ amount: 100, currency: "usd", source: "tok_visa" });
    const held = await stripe.charges.create({
      amount: 20,
      currency: "usd",
      source: "tok_visa",
      capture: false,
    });
    const error = await refusal(
      stripe.charges.create({ amount: 3, currency: "usd", source: "tok_chargeDeclined" }),
    );

    expect(paid).toMatchObject({ object: "charge", paid: true, captured: true, status: "succeeded" });
    expect(held).toMatchObject({ paid: true, captured: false, amount_captured: 0 });
    expect(error).toMatchObject({ statusCode: 402, code: "card_declined" });
    expect(await stripe.charges.list()).toMatchObject({
      data: [{ status: "failed", paid: false }, { id: held.id }, { id: paid.id }],
    });
    expect(await cents()).toEqual([120, 120, 0]);

    await stripe.charges.capture(held.id, { amount: 15 });
    expect(await refusal(stripe.charges.capture(held.id))).toMatchObject({ code: "charge_already_captured" });
    expect(await cents()).toEqual([115, 120, 0]);
  });

  test("a charge needs a source, or a customer with one", async () => {
    const { id } = await stripe.customers.create({ source: "tok_visa" });
    const bare = await stripe.customers.create();

    await stripe.charges.create({ amount: 5, currency: "usd", customer: id });

    expect(
      await refusal(stripe.charges.create({ amount: 5, currency: "usd", customer: bare.id })),
    ).toMatchObject({
      statusCode: 402,
      code: "missing",
    });
    expect(await refusal(stripe.charges.create({ amount: 5, currency: "usd" }))).toMatchObject({
      statusCode: 400,
    });
    expect(await cents()).toEqual([5, 5, 0]);
  });

  test("refunds give back in parts, never more than is left, and count as spent", async () => {
    const { id } = await stripe.paymentIntents.create(PAID);

    const part = await stripe.refunds.create({ payment_intent: id, amount: 300, reason: "duplicate" });
    const tooMuch = await refusal(stripe.refunds.create({ payment_intent: id, amount: 701 }));
    const rest = await stripe.refunds.create({ charge: String(part.charge) });
    const none = await refusal(stripe.refunds.create({ payment_intent: id }));

    expect(part).toMatchObject({ object: "refund", amount: 300, currency: "usd", status: "succeeded" });
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    expect(rest).toMatchObject({ amount: 700, payment_intent: id });
    expect(none).toMatchObject({ code: "charge_already_refunded" });
    expect(await stripe.charges.retrieve(String(part.charge))).toMatchObject({
      amount_refunded: 1000,
      refunded: true,
    });
    expect(await stripe.refunds.list({ payment_intent: id })).toMatchObject({
      data: [{ id: rest.id }, { id: part.id }],
    });
    expect(await books()).toMatchObject({ spent_cents: 2000, refunded: { count: 2, cents: 1000 } });
  });

  test("a refund of a held charge lets it go: committed and refunded, not charged", async () => {
    const { id } = await stripe.charges.create({
      amount: 20,
      currency: "usd",
      source: "tok_visa",
      capture: false,
    });

    expect(await refusal(stripe.refunds.create({ charge: id, amount: 5 }))).toMatchObject({
      param: "amount",
    });
    await stripe.refunds.create({ charge: id });

    expect(await refusal(stripe.charges.capture(id))).toMatchObject({ statusCode: 400 });
    expect(await cents()).toEqual([0, 20, 20]);
  });

  test("what took no money cannot be refunded", async () => {
    const open = await stripe.paymentIntents.create({ amount: 5, currency: "usd" });
    const held = await stripe.paymentIntents.create(HELD);

    for (const payment_intent of [open.id, held.id, "pi_none"]) {
      expect(await refusal(stripe.refunds.create({ payment_intent }))).toMatchObject({ statusCode: 400 });
    }
    expect(await cents()).toEqual([1000, 1005, 0]);
  });

  test("a customer lives until it is deleted", async () => {
    const { id } = await stripe.customers.create({ email: "a@example.com", name: "A" });

    expect(await stripe.customers.update(id, { name: "B" })).toMatchObject({
      email: "a@example.com",
      name: "B",
    });
    expect(await stripe.customers.list({ email: "a@example.com" })).toMatchObject({ data: [{ id }] });
    expect(await stripe.customers.del(id)).toEqual(expect.objectContaining({ id, deleted: true }));
    expect(await stripe.customers.retrieve(id)).toMatchObject({ deleted: true });
    expect(await refusal(stripe.customers.update(id, { name: "C" }))).toMatchObject({ statusCode: 404 });
    expect(await refusal(stripe.paymentIntents.create({ ...PAID, customer: id }))).toMatchObject({
      statusCode: 400,
      code: "resource_missing",
      param: "customer",
    });
    expect(await refusal(stripe.customers.retrieve("cus_never_named"))).toMatchObject({ statusCode: 404 });
  });

  test("a payment method is attached, listed and detached", async () => {
    const customer = await stripe.customers.create();
    const method = await stripe.paymentMethods.create({ type: "card", card: { token: "tok_mastercard" } });

    expect(method).toMatchObject({ object: "payment_method", card: { brand: "mastercard", last4: "4444" } });
    expect(await stripe.paymentMethods.attach(method.id, { customer: customer.id })).toMatchObject({
      customer: customer.id,
    });
    expect(await stripe.paymentMethods.list({ customer: customer.id })).toMatchObject({
      data: [{ id: method.id }],
    });
    expect(await stripe.paymentMethods.detach(method.id)).toMatchObject({ customer: null });
    expect(await stripe.paymentMethods.retrieve(method.id)).toMatchObject({ customer: null });
    expect(
      await refusal(stripe.paymentMethods.attach("pm_card_chargeDeclined", { customer: customer.id })),
    ).toMatchObject({ statusCode: 402 });
  });
});

describe("what is refused before it executes", () => {
  test.each([
    ["amount=10.5&currency=usd", "amount"],
    ["amount=1e3&currency=usd", "amount"],
    ["amount=0&currency=usd", "amount"],
    ["amount=-5&currency=usd", "amount"],
    ["amount=&currency=usd", "amount"],
    ["amount[value]=5&currency=usd", "amount"],
    ["currency=usd", "amount"],
    ["amount=5", "currency"],
    ["amount=5&currency=dollar", "currency"],
    ["amount=5&currency=usd&confirm=yes", "confirm"],
    ["amount=5&currency=usd&amuont=6", "amuont"],
    ["amount=5&currency=usd&metadata=x", "metadata"],
    ["amount=5&amount[a]=6&currency=usd", "amount[a]"],
    ["amount=5&currency=usd&a]=6", "a]"],
    ["amount=5&currency=usd&expand[]=nothing", "expand"],
  ])("%s is a 400 that names %s, and is not stored", async (body, param) => {
    const refused = await post("/v1/payment_intents", body, { "idempotency-key": "k" });

    expect(refused).toMatchObject({ status: 400, json: { error: { type: "invalid_request_error", param } } });
    expect(refused.headers.get("stripe-should-retry")).toBeNull();
    const other = await post("/v1/payment_intents", "amount=5&currency=usd", { "idempotency-key": "k" });
    expect(other).toMatchObject({ status: 200 });
    expect(other.headers.get("idempotent-replayed")).toBeNull();
    expect(await cents()).toEqual([0, 5, 0]);
  });

  test.each([
    ["application/json", '{"amount":5,"currency":"usd"}'],
    ["application/x-www-form-urlencoded", '{"amount":5,"currency":"usd"}'],
    ["multipart/form-data; boundary=x", "--x--"],
    ["application/x-www-form-urlencoded", "amount=%ZZ"],
  ])("a body of %s that is not a form is a 400", async (type, body) => {
    expect(await post("/v1/payment_intents", body, { "content-type": type })).toMatchObject({
      status: 400,
      json: { error: { type: "invalid_request_error" } },
    });
  });

  test("of two values the last wins, and the body wins over the query, as Stripe reads them", async () => {
    const { json } = await post(
      "/v1/payment_intents?amount=7&description=q",
      "amount=1&amount=9&currency=usd",
    );

    expect(json).toMatchObject({ amount: 9, description: "q" });
  });

  test("lists are read with and without indexes, and plus is a space", async () => {
    const body = "amount=1&currency=usd&description=a+b%2B&metadata[x][]=1";
    expect(await post("/v1/payment_intents", body)).toMatchObject({
      json: { error: { param: "metadata[x]" } },
    });

    for (const types of [
      "payment_method_types[]=card&payment_method_types[]=link",
      "payment_method_types[1]=link&payment_method_types[0]=card",
    ]) {
      const { json } = await post("/v1/payment_intents", `amount=1&currency=usd&description=a+b%2B&${types}`);
      expect(json).toMatchObject({ description: "a b+", payment_method_types: ["card", "link"] });
    }
  });

  test("an unknown path or method is Stripe's 404", async () => {
    for (const path of [
      "/v1/payment_intent",
      "/v1/payment_intents/",
      "//v1/payment_intents",
      "/v2/core/x",
      "/v1/payment_intents/pi_1/steal",
    ]) {
      const { status, json } = await post(path, "amount=5&currency=usd");
      expect([path, status]).toEqual([path, 404]);
      expect(json.error.message).toContain(`Unrecognized request URL (POST: ${path})`);
    }
    expect((await get("/v1/payment_intents/pi_none")).json.error).toMatchObject({
      code: "resource_missing",
      message: "No such payment_intent: 'pi_none'",
    });
  });

  test("a missing or wrong key is a 401, and Basic is as good as Bearer", async () => {
    const wrong = await refusal(client("sk_test_another_9876543210").paymentIntents.create(PAID));
    expect(wrong).toBeInstanceOf(Stripe.errors.StripeAuthenticationError);
    expect(wrong.message).toBe("Invalid API Key provided: sk_test_**************3210");

    const missing = await fetch(`${simulator.origin}/v1/charges`);
    expect(missing.status).toBe(401);
    expect(JSON.parse(await missing.text()).error.message).toContain("You did not provide an API key.");

    const basic = { authorization: `Basic ${Buffer.from(`${SECRET_KEY}:`).toString("base64")}` };
    expect(await post("/v1/payment_intents", "amount=5&currency=usd", basic)).toMatchObject({ status: 200 });
    expect(await cents()).toEqual([0, 5, 0]);
  });
});

describe("idempotency", () => {
  const BODY = "amount=5&currency=usd&metadata[a]=1";

  test("a repeat gets the first answer, marked as a replay", async () => {
    const first = await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });
    const second = await post("/v1/payment_intents", "currency=usd&metadata%5Ba%5D=1&amount=5", {
      "idempotency-key": "k",
    });

    const firstId = first.headers.get("request-id");
    expect(Object.fromEntries(first.headers)).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "k",
      "original-request": firstId,
      "stripe-should-retry": "false",
      "stripe-version": expect.any(String),
    });
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(second.text).toBe(first.text);
    expect(Object.fromEntries(second.headers)).toMatchObject({
      "idempotency-key": "k",
      "idempotent-replayed": "true",
      "original-request": firstId,
    });
    expect(second.headers.get("request-id")).not.toBe(firstId);
    expect(await cents()).toEqual([0, 5, 0]);
    expect((await books()).entries).toMatchObject([
      { idempotency_key: "k", created_ms: START_MS, spent_amount: 5 },
    ]);
  });

  test("a key is another request's: 400 idempotency_error", async () => {
    const { id } = await stripe.paymentIntents.create(
      { amount: 5, currency: "usd" },
      { idempotencyKey: "k" },
    );

    const otherAmount = await refusal(
      stripe.paymentIntents.create({ amount: 6, currency: "usd" }, { idempotencyKey: "k" }),
    );
    const otherPath = await refusal(stripe.paymentIntents.cancel(id, {}, { idempotencyKey: "k" }));

    expect(otherAmount).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    expect(otherAmount).toMatchObject({ statusCode: 400, rawType: "idempotency_error" });
    expect(otherPath.message).toContain(`('/v1/payment_intents/${id}/cancel' vs '/v1/payment_intents')`);
    expect(await cents()).toEqual([0, 5, 0]);
  });

  test("a repeat while the first still runs is a 409, and afterwards a replay", async () => {
    await fault({ kind: "slow", ms: 400 });
    const slow = post("/v1/payment_intents", BODY, { "idempotency-key": "k" });
    await received(1);

    const early = await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });
    expect(await cents()).toEqual([0, 0, 0]);
    const first = await slow;
    const late = await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });

    expect(early).toMatchObject({ status: 409, json: { error: { code: "idempotency_key_in_use" } } });
    expect(early.headers.get("stripe-should-retry")).toBeNull();
    expect(first.status).toBe(200);
    expect(late.text).toBe(first.text);
    expect(await cents()).toEqual([0, 5, 0]);
  });

  test("a refusal by the state of an object is stored, since it executed", async () => {
    const { id } = await stripe.paymentIntents.create(PAID);

    const first = await post(`/v1/payment_intents/${id}/confirm`, "", { "idempotency-key": "k" });
    const second = await post(`/v1/payment_intents/${id}/confirm`, "", { "idempotency-key": "k" });

    expect(first.status).toBe(400);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("idempotent-replayed")).toBe("true");
  });

  test("a key is forgotten after 24 hours, not before", async () => {
    await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });

    nowMs += 24 * HOUR_MS - 1;
    await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });
    expect(await cents()).toEqual([0, 5, 0]);

    nowMs += 1;
    await post("/v1/payment_intents", BODY, { "idempotency-key": "k" });
    expect(await cents()).toEqual([0, 10, 0]);
  });

  test("without a key every POST executes", async () => {
    await post("/v1/payment_intents", BODY);
    await post("/v1/payment_intents", BODY);

    expect(await cents()).toEqual([0, 10, 0]);
  });
});

describe("faults", () => {
  const KEY = { idempotencyKey: "k" };

  test("429 charges nothing and is not stored", async () => {
    await fault({ kind: "429" });

    const error = await refusal(stripe.paymentIntents.create(PAID, KEY));
    expect(error).toBeInstanceOf(Stripe.errors.StripeRateLimitError);
    expect(error).toMatchObject({ statusCode: 429, code: "rate_limit" });
    expect(await cents()).toEqual([0, 0, 0]);

    await stripe.paymentIntents.create(PAID, KEY);
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test("429 comes before a replay too", async () => {
    await stripe.paymentIntents.create(PAID, KEY);
    await fault({ kind: "429" });

    expect(await refusal(stripe.paymentIntents.create(PAID, KEY))).toMatchObject({ statusCode: 429 });
  });

  test.each([
    ["500_before", 0],
    ["500_after", 1000],
  ])("%s is stored as a 500, having charged %i", async (kind, charged) => {
    await fault({ kind });

    const first = await refusal(stripe.paymentIntents.create(PAID, KEY));
    const second = await refusal(stripe.paymentIntents.create(PAID, KEY));

    expect([first.statusCode, second.statusCode]).toEqual([500, 500]);
    expect(second.headers?.["idempotent-replayed"]).toBe("true");
    expect(second.headers?.["original-request"]).toBe(first.requestId);
    expect(await cents()).toEqual([charged, charged, 0]);
  });

  test.each([
    ["hang", 0],
    ["hang_after", 1000],
  ])("%s never answers, having charged %i, and a retry ends with one charge", async (kind, charged) => {
    await fault({ kind });

    const error = await refusal(client(SECRET_KEY, { timeout: 200 }).paymentIntents.create(PAID, KEY));
    expect(error).toBeInstanceOf(Stripe.errors.StripeConnectionError);
    expect(await cents()).toEqual([charged, charged, 0]);

    expect(await stripe.paymentIntents.create(PAID, KEY)).toMatchObject({ status: "succeeded" });
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test.each([
    ["break_before", 0],
    ["break_after", 1000],
  ])(
    "%s closes the connection, having charged %i, and a retry ends with one charge",
    async (kind, charged) => {
      await fault({ kind });

      await expect(post("/v1/payment_intents", FORM, { "idempotency-key": "k" })).rejects.toThrow(
        "fetch failed",
      );
      expect(await cents()).toEqual([charged, charged, 0]);

      expect(await stripe.paymentIntents.create(PAID, KEY)).toMatchObject({ status: "succeeded" });
      expect(await cents()).toEqual([1000, 1000, 0]);
    },
  );

  test("slow charges at the end of its delay, though nobody waits any more", async () => {
    await fault({ kind: "slow", ms: 400 });

    await refusal(client(SECRET_KEY, { timeout: 40 }).paymentIntents.create(PAID, KEY));
    expect(await cents()).toEqual([0, 0, 0]);
    await until(async () => (await books()).charged.cents > 0);

    const replayed = await stripe.paymentIntents.create(PAID, KEY);
    expect(replayed.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(await cents()).toEqual([1000, 1000, 0]);
  });

  test("a fault ends after its times, and befalls only what it names", async () => {
    await fault({ kind: "429", times: 2, path: "/confirm" });
    await fault({ kind: "429", times: -1, idempotencyKey: "marked" });
    const { id } = await stripe.paymentIntents.create({ ...PAID, confirm: false });

    expect(await refusal(stripe.paymentIntents.confirm(id))).toMatchObject({ statusCode: 429 });
    expect(await refusal(stripe.paymentIntents.confirm(id))).toMatchObject({ statusCode: 429 });
    await stripe.paymentIntents.confirm(id);
    for (let i = 0; i < 3; i++) {
      expect(await refusal(stripe.paymentIntents.create(PAID, { idempotencyKey: "marked" }))).toMatchObject({
        statusCode: 429,
      });
    }
    await fetch(`${simulator.origin}/faults`, { method: "DELETE" });
    await stripe.paymentIntents.create(PAID, { idempotencyKey: "marked" });
    expect(await cents()).toEqual([2000, 2000, 0]);
  });

  test("a fault of a method spares the others, and a GET can fail without being stored", async () => {
    const { id } = await stripe.paymentIntents.create(PAID);
    await fault({ kind: "500_before", method: "GET" });

    await stripe.paymentIntents.update(id, { description: "x" });
    expect(await refusal(stripe.paymentIntents.retrieve(id))).toMatchObject({ statusCode: 500 });
    expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({ description: "x" });
  });

  test("a request asks for a fault in its metadata, once for its key", async () => {
    const params = { ...PAID, metadata: { keybrake_fault: "break_after" } };

    const intent = await client(SECRET_KEY).paymentIntents.create(params, { ...KEY, maxNetworkRetries: 2 });

    expect(intent.lastResponse.headers["idempotent-replayed"]).toBe("true");
    expect(await cents()).toEqual([1000, 1000, 0]);
    const unknown = { ...PAID, metadata: { keybrake_fault: "explode" } };
    expect(await refusal(stripe.paymentIntents.create(unknown))).toMatchObject({
      statusCode: 400,
      param: "metadata[keybrake_fault]",
    });
  });

  test.each([
    ["{}", "kind must be one of"],
    ["no json", "a fault is a JSON object"],
    ['{"kind":"hang","times":0}', "times must be"],
    ['{"kind":"slow","ms":"5"}', "ms must be"],
    ['{"kind":"hang","tmies":2}', "unknown field tmies"],
  ])("the order %s is refused", async (body, message) => {
    const answer = await fetch(`${simulator.origin}/faults`, { method: "POST", body });

    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(message);
  });
});

describe("books, log and load", () => {
  test("the books list every intent, direct charge and refund, and sum up USD only", async () => {
    const intent = await stripe.paymentIntents.create(PAID, { idempotencyKey: "one" });
    await stripe.paymentIntents.create({ ...PAID, amount: 70, currency: "eur" });
    const charge = await stripe.charges.create({ amount: 5, currency: "usd", source: "tok_visa" });
    const refund = await stripe.refunds.create({ charge: charge.id, amount: 2 });

    expect(await books()).toEqual({
      object: "books",
      currency: "usd",
      charged: { count: 2, cents: 1005 },
      committed: { count: 2, cents: 1005 },
      refunded: { count: 1, cents: 2 },
      paid_out: { count: 0, cents: 0 },
      transferred: { count: 0, cents: 0 },
      topped_up: { count: 0, cents: 0 },
      fees_refunded: { count: 0, cents: 0 },
      invoiced: { count: 0, cents: 0 },
      credited: { count: 0, cents: 0 },
      conceded: { count: 0, cents: 0 },
      credit_given: { count: 0, cents: 0 },
      spent_cents: 1007,
      spent_by_currency: { usd: 1007, eur: 70 },
      made: {},
      breaches: [],
      entries: [
        {
          id: intent.id,
          kind: "payment_intent",
          amount: 1000,
          currency: "usd",
          status: "succeeded",
          idempotency_key: "one",
          created_ms: START_MS,
          charged_amount: 1000,
          spent_amount: 1000,
        },
        expect.objectContaining({ kind: "payment_intent", amount: 70, currency: "eur", spent_amount: 70 }),
        expect.objectContaining({
          id: charge.id,
          kind: "charge",
          amount: 5,
          charged_amount: 5,
          spent_amount: 5,
        }),
        expect.objectContaining({
          id: refund.id,
          kind: "refund",
          amount: 2,
          charged_amount: 0,
          spent_amount: 2,
        }),
      ],
    });
  });

  test("the log shows requests as they came, and no key", async () => {
    await post("/v1/payment_intents?a=%62", "amount=5&currency=usd", {
      "idempotency-key": "k",
      "stripe-account": "acct_1",
      "x-extra": "1",
    });
    await fetch(`${simulator.origin}/v1/charges`);

    const text = await (await fetch(`${simulator.origin}/requests`)).text();
    const log = JSON.parse(text);
    expect(log).toMatchObject([
      {
        method: "POST",
        path: "/v1/payment_intents?a=%62",
        idempotency_key: "k",
        stripe_account: "acct_1",
        stripe_context: null,
        content_type: "application/x-www-form-urlencoded",
        body: "amount=5&currency=usd",
      },
      { method: "GET", path: "/v1/charges", idempotency_key: null, body: "" },
    ]);
    expect(log[0].headers).toEqual(expect.arrayContaining(["authorization", "x-extra"]));
    expect(text).not.toContain(SECRET_KEY);

    await fetch(`${simulator.origin}/requests`, { method: "DELETE" });
    expect(await (await fetch(`${simulator.origin}/requests`)).text()).toBe("[]");
  });

  test("a header that comes twice is seen twice", async () => {
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(`${simulator.origin}/v1/charges`, {
        headers: { "Idempotency-Key": ["a", "b"] },
      });
      request.on("response", (response) => response.resume().on("end", resolve));
      request.on("error", reject);
      request.end();
    });

    const [logged] = JSON.parse(await (await fetch(`${simulator.origin}/requests`)).text());
    expect(logged.idempotency_key).toBe("a, b");
    expect(logged.headers.filter((name: string) => name === "idempotency-key")).toHaveLength(2);
  });

  test("500 parallel calls over 50 keys charge 50 times", async () => {
    const calls = Array.from({ length: 500 }, (_, index) =>
      stripe.paymentIntents.create(PAID, { idempotencyKey: `k${index % 50}` }),
    );

    const ids = new Set((await Promise.all(calls)).map(({ id }) => id));

    expect(ids.size).toBe(50);
    expect(await books()).toMatchObject({ charged: { count: 50, cents: 50_000 }, spent_cents: 50_000 });
  });

  test("closing cuts requests that hang or wait", async () => {
    const other = await startStripeSimulator({ latencyMs: 60_000 });
    const waiting = fetch(`${other.origin}/v1/charges`, { headers: { authorization: "Bearer any_key" } });
    const refused = expect(waiting).rejects.toThrow("fetch failed");
    await until(async () => JSON.parse(await (await fetch(`${other.origin}/requests`)).text()).length === 1);

    await other.close();
    await refused;
  });
});

const FORM = "amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa";

/** Waits until so many requests have arrived. */
async function received(count: number): Promise<void> {
  await until(
    async () => JSON.parse(await (await fetch(`${simulator.origin}/requests`)).text()).length >= count,
  );
}
