import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { refusal, simulatedStripe } from "./stripe-simulator-client.ts";

/**
 * Guarantees that the simulated Stripe serves what moves no money at once, but gives it away later or opens a way to
 * it.
 */

const sim = simulatedStripe();

describe("a customer's balance", () => {
  test("is credited by an amount below zero, which counts", async () => {
    const { id } = await sim.stripe.customers.create();

    await sim.stripe.customers.update(id, { balance: -700 });
    await sim.stripe.customers.update(id, { balance: -600 });
    const { data } = await sim.stripe.customers.listBalanceTransactions(id);

    expect(data).toMatchObject([
      { object: "customer_balance_transaction", amount: 100, ending_balance: -600, type: "adjustment" },
      { amount: -700, ending_balance: -700 },
    ]);
    expect(await sim.stripe.customers.retrieve(id)).toMatchObject({ balance: -600, currency: "usd" });
    expect(await sim.stripe.customers.retrieveBalanceTransaction(id, data[1]?.id ?? "")).toMatchObject({
      amount: -700,
    });
    expect(await sim.books()).toMatchObject({ credit_given: { count: 1, cents: 700 }, spent_cents: 700 });
  });

  test("is credited when it is created, too", async () => {
    const { id } = await sim.stripe.customers.create({ balance: -50 });
    expect(await sim.stripe.customers.update(id, { balance: -80 })).toMatchObject({ balance: -80 });
    expect(await sim.books()).toMatchObject({ credit_given: { count: 2, cents: 80 } });
  });
});

describe("files", () => {
  const BYTES = new Uint8Array([0, 255, 254, 13, 10, 45, 45, 128, 65]);

  function form(bytes: Uint8Array<ArrayBuffer>): FormData {
    const body = new FormData();
    body.append("purpose", "dispute_evidence");
    body.append("file", new Blob([bytes], { type: "image/png" }), "naïve.png");
    return body;
  }

  test("one is taken in as multipart, with its bytes counted as they came", async () => {
    const { status, json } = await sim.send("POST", "/v1/files", form(BYTES));

    expect(status).toBe(200);
    expect(json).toMatchObject({
      object: "file",
      filename: "naïve.png",
      purpose: "dispute_evidence",
      size: 9,
      type: "png",
    });
    expect(await sim.stripe.files.list()).toMatchObject({ data: [{ id: json.id, size: 9 }] });
    expect(await sim.books()).toMatchObject({ made: { file: 1 }, spent_cents: 0 });
  });

  test("stripe-node's own multipart is read", async () => {
    const file = await sim.stripe.files.create({
      purpose: "identity_document",
      file: { data: "four", name: "a.txt", type: "text/plain" },
    });
    expect(file).toMatchObject({ filename: "a.txt", purpose: "identity_document", size: 4 });
  });

  test("a repeat with its key is a replay, with other bytes it is another request", async () => {
    const key = { "idempotency-key": "k" };
    const first = await sim.send("POST", "/v1/files", form(BYTES), key);
    const second = await sim.send("POST", "/v1/files", form(BYTES), key);
    const other = await sim.send("POST", "/v1/files", form(new Uint8Array(9)), key);

    expect(second.json.id).toBe(first.json.id);
    expect(other).toMatchObject({ status: 400, json: { error: { type: "idempotency_error" } } });
    expect(await sim.books()).toMatchObject({ made: { file: 1 } });
  });

  test("a body that breaks off is a 400", async () => {
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const cut = '--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nx\r\n';
    expect(await sim.send("POST", "/v1/files", cut, headers)).toMatchObject({ status: 400 });
  });
});

describe("setup intents", () => {
  test("one is confirmed or cancelled, and no money moves", async () => {
    const made = await sim.stripe.setupIntents.create({ customer: "cus_A" });
    expect(made).toMatchObject({ status: "requires_payment_method", usage: "off_session" });

    expect(await sim.stripe.setupIntents.confirm(made.id, { payment_method: "pm_card_visa" })).toMatchObject({
      status: "succeeded",
    });
    expect(await refusal(sim.stripe.setupIntents.cancel(made.id))).toMatchObject({
      code: "setup_intent_unexpected_state",
    });
    const other = await sim.stripe.setupIntents.create({});
    expect(await sim.stripe.setupIntents.cancel(other.id)).toMatchObject({ status: "canceled" });
    expect(
      await refusal(
        sim.stripe.setupIntents.create({ confirm: true, payment_method: "pm_card_chargeDeclined" }),
      ),
    ).toMatchObject({ statusCode: 402 });
    expect(await sim.stripe.setupIntents.list({ customer: "cus_A" })).toMatchObject({
      data: [{ id: made.id }],
    });
    expect(await sim.books()).toMatchObject({ made: { setup_intent: 3 }, spent_cents: 0 });
  });
});

test("products and prices are kept and found again", async () => {
  const product = await sim.stripe.products.create({ name: "tea", metadata: { a: "1" } });
  const price = await sim.stripe.prices.create({
    currency: "jpy",
    product: product.id,
    unit_amount_decimal: Stripe.Decimal.from("0.25"),
  });

  expect(await sim.stripe.prices.retrieve(price.id, { expand: ["product"] })).toMatchObject({
    currency: "jpy",
    product: { name: "tea", metadata: { a: "1" } },
    type: "one_time",
    unit_amount: null,
  });
  expect(await sim.stripe.products.update(product.id, { name: "mate" })).toMatchObject({ name: "mate" });
  expect(await refusal(sim.stripe.prices.retrieve("price_none"))).toMatchObject({
    statusCode: 404,
    code: "resource_missing",
  });
  expect(await sim.books()).toMatchObject({ made: { product: 1, price: 1 }, spent_cents: 0 });
});

test("what opens a way to money or secrets shows in the books when it went through", async () => {
  const { stripe } = sim;
  for (const call of [
    stripe.paymentLinks.create({ line_items: [{ price: "price_1", quantity: 1 }] }),
    stripe.accounts.create({ type: "express", email: "a@example.com" }),
    stripe.ephemeralKeys.create({ customer: "cus_A" }, { apiVersion: "2026-10-28.endive" }),
    stripe.webhookEndpoints.create({
      enabled_events: ["charge.succeeded"],
      url: "https://example.com/hook",
    }),
  ])
    expect(await refusal(call)).toMatchObject({ statusCode: 404 });

  expect(await sim.books()).toMatchObject({
    made: {},
    spent_cents: 0,
    entries: [],
    breaches: ["/v1/payment_links", "/v1/accounts", "/v1/ephemeral_keys", "/v1/webhook_endpoints"].map(
      (path) => ({ method: "POST", path }),
    ),
  });
});
