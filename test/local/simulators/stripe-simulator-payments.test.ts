import { describe, expect, test } from "vitest";
import { refusal, simulatedStripe } from "./stripe-simulator-client.ts";

/**
 * Guarantees that the simulated Stripe's payments behave as documented: currencies, refunds, disputes, and objects from
 * elsewhere.
 */

const sim = simulatedStripe();
const CARD = { confirm: true, payment_method: "pm_card_visa" };

describe("currencies", () => {
  test("each is spent in its own minor unit, and USD alone in cents", async () => {
    await sim.stripe.paymentIntents.create({ ...CARD, amount: 1999, currency: "usd" });
    await sim.stripe.paymentIntents.create({ ...CARD, amount: 5000, currency: "EUR" });
    await sim.stripe.paymentIntents.create({ ...CARD, amount: 700, currency: "jpy" });
    await sim.stripe.charges.create({ amount: 1230, currency: "kwd", source: "tok_visa" });
    await sim.stripe.charges.create({ amount: 300, currency: "isk", source: "tok_visa" });

    expect(await sim.spent()).toEqual({ usd: 1999, eur: 5000, jpy: 700, kwd: 1230, isk: 300 });
    expect(await sim.books()).toMatchObject({
      spent_cents: 1999,
      committed: { count: 1, cents: 1999 },
      charged: { count: 1, cents: 1999 },
    });
  });

  test.each([
    ["kwd", 1234],
    ["bhd", 5],
    ["isk", 150],
  ])("an amount that %s has no money for, %i, is a 400 wherever it is sent", async (currency, amount) => {
    const { id } = await sim.stripe.paymentIntents.create({ amount, currency: "usd" });
    const wrong = { statusCode: 400, param: "amount", code: "parameter_invalid_integer" };

    expect(await refusal(sim.stripe.paymentIntents.create({ amount, currency }))).toMatchObject(wrong);
    expect(await refusal(sim.stripe.charges.create({ amount, currency, source: "tok_visa" }))).toMatchObject(
      wrong,
    );
    expect(await refusal(sim.stripe.paymentIntents.update(id, { currency }))).toMatchObject(wrong);
    expect(await refusal(sim.stripe.payouts.create({ amount, currency }))).toMatchObject(wrong);
    expect(await sim.spent()).toEqual({ usd: amount });
  });

  test("a new currency without an amount keeps the number, which is worth something else then", async () => {
    const { id } = await sim.stripe.paymentIntents.create({ amount: 5000, currency: "jpy" });

    const updated = await sim.stripe.paymentIntents.update(id, { currency: "usd" });

    expect(updated).toMatchObject({ amount: 5000, currency: "usd" });
    expect(await sim.spent()).toEqual({ usd: 5000 });
  });

  test("too large a refund is refused in the money of its currency", async () => {
    const { id } = await sim.stripe.paymentIntents.create({ ...CARD, amount: 700, currency: "jpy" });

    const error = await refusal(sim.stripe.refunds.create({ payment_intent: id, amount: 701 }));

    expect(error.message).toBe(
      "Refund amount (701 jpy) is greater than unrefunded amount on charge (700 jpy)",
    );
  });
});

describe("refunds", () => {
  test("without an amount it is all that is left, in the currency of its charge", async () => {
    const intent = await sim.stripe.paymentIntents.create({ ...CARD, amount: 900, currency: "eur" });
    await sim.stripe.refunds.create({ payment_intent: intent.id, amount: 200 });

    const rest = await sim.stripe.refunds.create({ charge: String(intent.latest_charge) });

    expect(rest).toMatchObject({ amount: 700, currency: "eur", status: "succeeded" });
    expect(await sim.spent()).toEqual({ eur: 1800 });
  });

  test("one that fails answers 200, moves nothing, and leaves the charge to be refunded", async () => {
    const intent = await sim.stripe.paymentIntents.create({
      ...CARD,
      payment_method: "pm_card_refundFail",
      amount: 900,
      currency: "usd",
    });

    const refund = await sim.stripe.refunds.create({ payment_intent: intent.id });

    expect(refund).toMatchObject({
      amount: 900,
      status: "failed",
      failure_reason: "expired_or_canceled_card",
    });
    expect(await sim.stripe.charges.retrieve(String(intent.latest_charge))).toMatchObject({
      amount_refunded: 0,
      refunded: false,
    });
    expect(await sim.books()).toMatchObject({ refunded: { count: 0, cents: 0 }, spent_cents: 900 });
  });

  test("one that is pending counts", async () => {
    const charge = await sim.stripe.charges.create({
      amount: 50,
      currency: "usd",
      source: "tok_pendingRefund",
    });

    expect(await sim.stripe.refunds.create({ charge: charge.id, amount: 20 })).toMatchObject({
      status: "pending",
    });
    expect(await sim.books()).toMatchObject({ refunded: { count: 1, cents: 20 }, spent_cents: 70 });
  });
});

describe("disputes", () => {
  test("a charge of the test card is disputed, takes evidence, and is conceded by closing", async () => {
    const intent = await sim.stripe.paymentIntents.create({
      ...CARD,
      payment_method: "pm_card_createDispute",
      amount: 800,
      currency: "usd",
    });
    const { data } = await sim.stripe.disputes.list({ payment_intent: intent.id });
    const [dispute] = data;
    expect(data).toHaveLength(1);
    expect(dispute).toMatchObject({
      object: "dispute",
      amount: 800,
      charge: intent.latest_charge,
      currency: "usd",
      status: "needs_response",
    });
    const id = dispute?.id ?? "";

    expect(
      await sim.stripe.disputes.update(id, { evidence: { product_description: "tea" }, submit: false }),
    ).toMatchObject({ evidence: { product_description: "tea" }, status: "needs_response" });
    expect(await sim.books()).toMatchObject({ conceded: { count: 0, cents: 0 }, spent_cents: 800 });

    const closed = await sim.stripe.disputes.close(id, { expand: ["charge"] });
    expect(closed).toMatchObject({ status: "lost", charge: { disputed: true, amount: 800 } });
    expect(await sim.books()).toMatchObject({ conceded: { count: 1, cents: 800 }, spent_cents: 1600 });
    expect(await refusal(sim.stripe.disputes.close(id))).toMatchObject({
      statusCode: 400,
      code: "dispute_already_closed",
    });
    expect(await refusal(sim.stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      code: "charge_disputed",
    });
    expect(await sim.spent()).toEqual({ usd: 1600 });
  });

  test("evidence goes to the bank unless it is kept back", async () => {
    const { id } = await sim.elsewhere({ type: "dispute", amount: 400, currency: "gbp" });

    await sim.stripe.disputes.update(id, { evidence: { uncategorized_text: "no" } });

    expect(await sim.stripe.disputes.retrieve(id)).toMatchObject({ status: "under_review" });
    expect(await sim.spent()).toEqual({});
    await sim.stripe.disputes.close(id);
    expect(await sim.spent()).toEqual({ gbp: 400 });
  });
});

describe("payments made elsewhere", () => {
  test("they are read through the API and count nothing", async () => {
    const intent = await sim.elsewhere({
      type: "payment_intent",
      amount: 5000,
      currency: "eur",
      status: "succeeded",
    });
    const held = await sim.elsewhere({ type: "charge", amount: 100, captured: false });
    await sim.elsewhere({ type: "invoice", amount: 70, status: "paid" });

    expect(await sim.stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      amount: 5000,
      amount_received: 5000,
      currency: "eur",
      status: "succeeded",
    });
    expect(await sim.stripe.charges.retrieve(held.id)).toMatchObject({ captured: false, paid: true });
    expect(await sim.books()).toMatchObject({ entries: [], spent_cents: 0, charged: { cents: 0 } });
  });

  test("one that is confirmed here counts whole; a decline leaves it uncounted", async () => {
    const { id } = await sim.elsewhere({ type: "payment_intent", amount: 5000, currency: "eur" });

    await refusal(sim.stripe.paymentIntents.confirm(id, { payment_method: "pm_card_chargeDeclined" }));
    await sim.stripe.paymentIntents.update(id, { description: "mine" });
    expect(await sim.spent()).toEqual({});

    await sim.stripe.paymentIntents.confirm(id, { payment_method: "pm_card_visa" });
    expect(await sim.spent()).toEqual({ eur: 5000 });
  });

  test("one that is captured here counts what was captured", async () => {
    const held = { type: "payment_intent", amount: 5000, currency: "usd", status: "requires_capture" };
    const intent = await sim.elsewhere(held);
    const charge = await sim.elsewhere({ type: "charge", amount: 90, captured: false });

    await sim.stripe.paymentIntents.capture(intent.id, { amount_to_capture: 3000 });
    await sim.stripe.charges.capture(charge.id, { amount: 40 });

    expect(await sim.books()).toMatchObject({
      committed: { count: 2, cents: 3040 },
      charged: { count: 2, cents: 3040 },
      spent_cents: 3040,
    });
  });

  test("one of which part is captured and the rest kept counts that part", async () => {
    const { id } = await sim.elsewhere({
      type: "payment_intent",
      amount: 500,
      status: "requires_capture",
    });

    await sim.stripe.paymentIntents.capture(id, { amount_to_capture: 200, final_capture: false });

    expect(await sim.books()).toMatchObject({ committed: { cents: 200 }, charged: { cents: 200 } });
  });

  test("one that is given another amount or authorization here counts whole", async () => {
    const open = await sim.elsewhere({ type: "payment_intent", amount: 100 });
    const held = await sim.elsewhere({ type: "payment_intent", amount: 100, status: "requires_capture" });

    await sim.stripe.paymentIntents.update(open.id, { amount: 7 });
    await sim.stripe.paymentIntents.incrementAuthorization(held.id, { amount: 150 });

    expect(await sim.books()).toMatchObject({ committed: { count: 2, cents: 157 } });
  });

  test("a refund of one counts, though the payment does not", async () => {
    const { id } = await sim.elsewhere({ type: "charge", amount: 600, currency: "jpy" });

    await sim.stripe.refunds.create({ charge: id });

    expect(await sim.spent()).toEqual({ jpy: 600 });
  });

  test.each([
    [{ type: "house" }, "Invalid type"],
    [{}, "Missing required param: type."],
    [{ type: "charge", colour: "red" }, "Received unknown parameter: colour"],
    [{ type: "charge", amount: 1.5 }, "Invalid integer: 1.5"],
    [{ type: "charge", account: "me" }, "No such account: 'me'"],
    [{ type: "charge", payment_method: "pm_card_chargeDeclined" }, "is one that was paid"],
  ])("the order %o is refused", async (order, message) => {
    await expect(sim.elsewhere(order)).rejects.toThrow(message);
  });
});
