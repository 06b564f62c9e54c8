import { describe, expect, test } from "vitest";
import { refusal, START_S, simulatedStripe } from "./stripe-simulator-client.ts";

/** Guarantees that the simulated Stripe moves money to banks and other accounts as documented. */

const sim = simulatedStripe();
const KEY = { idempotencyKey: "k" };

describe("payouts", () => {
  test("a payout is pending and counts until it is cancelled", async () => {
    const kept = await sim.stripe.payouts.create({ amount: 1000, currency: "usd", method: "instant" });
    const ended = await sim.stripe.payouts.create({ amount: 300, currency: "usd" });

    expect(kept).toMatchObject({
      object: "payout",
      amount: 1000,
      automatic: false,
      created: START_S,
      currency: "usd",
      method: "instant",
      status: "pending",
      type: "bank_account",
    });
    expect(kept.id).toMatch(/^po_1\w{23}$/);
    expect(await sim.stripe.payouts.cancel(ended.id)).toMatchObject({ status: "canceled" });
    expect(await refusal(sim.stripe.payouts.cancel(ended.id))).toMatchObject({ statusCode: 400 });
    expect(await sim.stripe.payouts.list({ status: "pending" })).toMatchObject({ data: [{ id: kept.id }] });
    expect(await sim.books()).toMatchObject({
      paid_out: { count: 1, cents: 1000 },
      committed: { count: 0, cents: 0 },
      spent_cents: 1000,
      entries: [
        { id: kept.id, kind: "payout", spent_amount: 1000, charged_amount: 0 },
        { id: ended.id, kind: "payout", status: "canceled", spent_amount: 0 },
      ],
    });
  });

  test("a reversal is a payout below zero, and does not lessen what was paid out", async () => {
    const payout = await sim.stripe.payouts.create({ amount: 1000, currency: "eur" });

    const reversal = await sim.stripe.payouts.reverse(payout.id, { expand: ["original_payout"] });

    expect(reversal).toMatchObject({ amount: -1000, original_payout: { id: payout.id } });
    expect(await sim.stripe.payouts.retrieve(payout.id)).toMatchObject({ reversed_by: reversal.id });
    expect(await refusal(sim.stripe.payouts.reverse(payout.id))).toMatchObject({ statusCode: 400 });
    expect(await sim.spent()).toEqual({ eur: 1000 });
  });

  test("forint are paid out whole", async () => {
    expect(await refusal(sim.stripe.payouts.create({ amount: 150, currency: "huf" }))).toMatchObject({
      param: "amount",
    });
    await sim.stripe.payouts.create({ amount: 200, currency: "huf" });
    expect(await sim.spent()).toEqual({ huf: 200 });
  });

  test("a replay pays out once, and a fault after it is a 500 that has paid", async () => {
    const order = { amount: 500, currency: "usd" };
    const first = await sim.stripe.payouts.create(order, KEY);
    const second = await sim.stripe.payouts.create(order, KEY);
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers["idempotent-replayed"]).toBe("true");

    await sim.fault({ kind: "500_after", path: "/v1/payouts" });
    expect(await refusal(sim.stripe.payouts.create(order))).toMatchObject({ statusCode: 500 });
    expect(await sim.books()).toMatchObject({ paid_out: { count: 2, cents: 1000 } });
  });
});

describe("transfers", () => {
  test("a transfer counts whole, also once parts of it are reversed", async () => {
    const { id } = await sim.stripe.transfers.create({
      amount: 900,
      currency: "usd",
      destination: "acct_seller",
    });

    const part = await sim.stripe.transfers.createReversal(id, { amount: 200 });
    const tooMuch = await refusal(sim.stripe.transfers.createReversal(id, { amount: 701 }));
    const rest = await sim.stripe.transfers.createReversal(id);

    expect(part).toMatchObject({ object: "transfer_reversal", amount: 200, transfer: id });
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    expect(rest).toMatchObject({ amount: 700 });
    expect(await sim.stripe.transfers.retrieve(id)).toMatchObject({
      amount: 900,
      amount_reversed: 900,
      destination: "acct_seller",
      reversed: true,
      reversals: { data: [{ id: rest.id }, { id: part.id }] },
    });
    expect(await sim.stripe.transfers.listReversals(id, { limit: 1 })).toMatchObject({
      data: [{ id: rest.id }],
      has_more: true,
      url: `/v1/transfers/${id}/reversals`,
    });
    expect(await sim.stripe.transfers.retrieveReversal(id, part.id)).toMatchObject({ amount: 200 });
    expect(await sim.books()).toMatchObject({ transferred: { count: 1, cents: 900 }, spent_cents: 900 });
  });

  test("without an amount it is the charge that it names, in the currency of that", async () => {
    const { id } = await sim.elsewhere({ type: "charge", amount: 4321, currency: "eur" });
    const order = { currency: "eur", destination: "acct_seller", source_transaction: id };

    const other = await refusal(sim.stripe.transfers.create({ ...order, currency: "usd" }));
    const tooMuch = await refusal(sim.stripe.transfers.create({ ...order, amount: 4322 }));
    const transfer = await sim.stripe.transfers.create({ ...order, expand: ["source_transaction"] });

    expect(other).toMatchObject({ statusCode: 400, param: "currency" });
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    expect(transfer).toMatchObject({ amount: 4321, source_transaction: { id, amount: 4321 } });
    expect(await sim.spent()).toEqual({ eur: 4321 });
  });

  test("one that names neither an amount nor a charge is refused, and not stored", async () => {
    const order = { currency: "usd", destination: "acct_seller" };

    expect(await refusal(sim.stripe.transfers.create(order, KEY))).toMatchObject({
      code: "parameter_missing",
      param: "amount",
    });
    expect(await sim.stripe.transfers.create({ ...order, amount: 1 }, KEY)).toMatchObject({ amount: 1 });
  });

  test("a destination that is not an account is a 400", async () => {
    const order = { amount: 1, currency: "usd", destination: "ba_1" };
    expect(await refusal(sim.stripe.transfers.create(order))).toMatchObject({
      code: "resource_missing",
      param: "destination",
    });
  });
});

test("a top-up pulls money in from the bank, which is money moved, until it is cancelled", async () => {
  const kept = await sim.stripe.topups.create({ amount: 2000, currency: "usd", statement_descriptor: "in" });
  const ended = await sim.stripe.topups.create({ amount: 100, currency: "usd" });

  expect(kept).toMatchObject({ object: "topup", status: "pending", statement_descriptor: "in" });
  expect(await sim.stripe.topups.cancel(ended.id)).toMatchObject({ status: "canceled" });
  expect(await sim.stripe.topups.list()).toMatchObject({ data: [{ id: ended.id }, { id: kept.id }] });
  expect(await sim.books()).toMatchObject({ topped_up: { count: 1, cents: 2000 }, spent_cents: 2000 });
});

describe("application fees", () => {
  test("a fee is given back in parts, never more than is left", async () => {
    const { id } = await sim.elsewhere({ type: "application_fee", amount: 250, currency: "usd" });
    expect(await sim.stripe.applicationFees.list()).toMatchObject({ data: [{ id, amount: 250 }] });

    const part = await sim.stripe.applicationFees.createRefund(id, { amount: 50 });
    const tooMuch = await refusal(sim.stripe.applicationFees.createRefund(id, { amount: 201 }));
    const rest = await sim.stripe.applicationFees.createRefund(id);

    expect(part).toMatchObject({ object: "fee_refund", amount: 50, fee: id });
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    expect(rest).toMatchObject({ amount: 200 });
    expect(await sim.stripe.applicationFees.retrieve(id)).toMatchObject({
      amount_refunded: 250,
      refunded: true,
    });
    expect(await sim.stripe.applicationFees.listRefunds(id)).toMatchObject({
      data: [{ id: rest.id }, { id: part.id }],
    });
    expect(await sim.stripe.applicationFees.retrieveRefund(id, part.id)).toMatchObject({ amount: 50 });
    expect(await sim.books()).toMatchObject({ fees_refunded: { count: 2, cents: 250 }, spent_cents: 250 });
  });
});

describe("accounts", () => {
  const SELLER = { stripeAccount: "acct_seller" };
  const PAID = { amount: 100, currency: "usd", confirm: true, payment_method: "pm_card_visa" };

  test("each has its own objects, books and idempotency keys", async () => {
    const theirs = await sim.stripe.paymentIntents.create(PAID, { ...SELLER, ...KEY });
    const ours = await sim.stripe.paymentIntents.create({ ...PAID, amount: 7 }, KEY);

    expect(await sim.stripe.paymentIntents.retrieve(theirs.id, {}, SELLER)).toMatchObject({ amount: 100 });
    expect(await refusal(sim.stripe.paymentIntents.retrieve(theirs.id))).toMatchObject({ statusCode: 404 });
    expect(await sim.spent()).toEqual({ usd: 7 });
    expect(await sim.spent("acct_seller")).toEqual({ usd: 100 });
    expect(await sim.spent("acct_nobody")).toEqual({});
    expect((await sim.books()).entries).toMatchObject([{ id: ours.id, idempotency_key: "k" }]);
  });

  test("Stripe-Context names one as well, as the last of a path", async () => {
    const body = "amount=5&currency=usd";
    await sim.send("POST", "/v1/payment_intents", body, { "stripe-context": "acct_org/acct_seller" });

    expect(await sim.spent("acct_seller")).toEqual({ usd: 5 });
    expect(await sim.spent()).toEqual({});
  });

  test("what names no account is a 403, and both headers at once are a 400", async () => {
    const body = "amount=5&currency=usd";
    const path = "/v1/payment_intents";

    const wrong = await sim.send("POST", path, body, { "stripe-account": "me" });
    const both = await sim.send("POST", path, body, {
      "stripe-account": "acct_a",
      "stripe-context": "acct_a",
    });

    expect(wrong).toMatchObject({ status: 403, json: { error: { code: "account_invalid" } } });
    expect(both.status).toBe(400);
    await expect(sim.books("me")).rejects.toThrow("account must be an acct_");
  });

  test("an object made elsewhere can be another account's", async () => {
    const { id } = await sim.elsewhere({ type: "charge", amount: 40, account: "acct_seller" });

    await sim.stripe.refunds.create({ charge: id }, SELLER);

    expect(await sim.spent("acct_seller")).toEqual({ usd: 40 });
  });
});
