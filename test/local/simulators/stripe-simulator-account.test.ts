import { describe, expect, test } from "vitest";
import { refusal, simulatedStripe } from "./stripe-simulator-client.ts";

/** Guarantees what a program reads of its account before and after it moves money: balance, transactions, search. */

const sim = simulatedStripe();
const paid = (amount: number, more: Record<string, unknown> = {}) =>
  sim.stripe.paymentIntents.create({
    amount,
    currency: "usd",
    payment_method: "pm_card_visa",
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    ...more,
  });

describe("the balance", () => {
  test("of an account where nothing moved is no dollar", async () => {
    expect(await sim.stripe.balance.retrieve()).toMatchObject({
      object: "balance",
      available: [{ amount: 0, currency: "usd" }],
      pending: [{ amount: 0, currency: "usd" }],
    });
  });

  test("is what came in less what went out, by currency, and the sum of its transactions", async () => {
    const intent = await paid(5000);
    await paid(300, { currency: "eur" });
    await paid(70, { capture_method: "manual" });
    await refusal(paid(900, { payment_method: "pm_card_chargeDeclined" }));
    await sim.stripe.refunds.create({ payment_intent: intent.id, amount: 1200 });
    const payout = await sim.stripe.payouts.create({ amount: 400, currency: "usd" });
    await sim.stripe.payouts.cancel(payout.id);
    await sim.stripe.payouts.create({ amount: 100, currency: "usd" });
    const transfer = await sim.stripe.transfers.create({
      amount: 250,
      currency: "usd",
      destination: "acct_1Other",
    });
    await sim.stripe.transfers.createReversal(transfer.id, { amount: 50 });

    const { data } = await sim.stripe.balanceTransactions.list();

    expect(data.map(({ type, amount, currency, net, fee }) => [type, amount, currency, net, fee])).toEqual([
      ["transfer_refund", 50, "usd", 50, 0],
      ["transfer", -250, "usd", -250, 0],
      ["payout", -100, "usd", -100, 0],
      ["payout_cancel", 400, "usd", 400, 0],
      ["payout", -400, "usd", -400, 0],
      ["refund", -1200, "usd", -1200, 0],
      ["charge", 300, "eur", 300, 0],
      ["charge", 5000, "usd", 5000, 0],
    ]);
    expect((await sim.stripe.balance.retrieve()).available).toMatchObject([
      { amount: 3500, currency: "usd" },
      { amount: 300, currency: "eur" },
    ]);
    // What was charged of it, by the books too; the held one is no movement yet.
    expect(await sim.books()).toMatchObject({
      charged: { count: 2, cents: 5070 },
      refunded: { cents: 1200 },
    });
  });

  test("has one transaction for each id that an object names, found by id, by kind and by expansion", async () => {
    const intent = await paid(5000, { expand: ["latest_charge.balance_transaction"] });
    const refund = await sim.stripe.refunds.create({ payment_intent: intent.id });
    const charge = intent.latest_charge;
    const expanded = typeof charge === "object" ? charge?.balance_transaction : null;

    expect(expanded).toMatchObject({ object: "balance_transaction", amount: 5000, type: "charge" });
    const id = `${refund.balance_transaction}`;
    expect(await sim.stripe.balanceTransactions.retrieve(id)).toMatchObject({ id, source: refund.id });
    const { data } = await sim.stripe.balanceTransactions.list({ type: "refund", expand: ["data.source"] });
    expect(data).toMatchObject([{ id, source: { object: "refund", amount: 5000 } }]);
    expect(await refusal(sim.stripe.balanceTransactions.retrieve("txn_none"))).toMatchObject({
      statusCode: 404,
      code: "resource_missing",
    });
  });

  test("is the account's own", async () => {
    await paid(5000);
    const other = { stripeAccount: "acct_1Other" };

    expect((await sim.stripe.balance.retrieve({}, other)).available).toMatchObject([{ amount: 0 }]);
    const { json } = await sim.send("GET", "/v1/account", undefined, { "stripe-account": "acct_1Other" });
    expect(json).toMatchObject({ id: "acct_1Other", object: "account", charges_enabled: true });
    expect((await sim.send("GET", "/v1/account")).json.id).toBe("acct_1SimulatedPlatform");
  });
});

describe("a search", () => {
  const found = async (query: string) =>
    (await sim.stripe.paymentIntents.search({ query })).data.map(({ amount }) => amount);

  test.each([
    ["status:'succeeded'", [900, 500, 100]],
    ['status:"SUCCEEDED"', [900, 500, 100]],
    ["status:succeeded", [900, 500, 100]],
    ["-status:'succeeded'", [700]],
    ["metadata['order']:'A-1'", [100]],
    [`metadata["it's"]:"5 \\"o\\" 1"`, [500]],
    ["metadata['order']:null", [900, 700, 500]],
    ["-metadata['order']:null", [100]],
    ["metadata['order']~'a-'", null],
    ["metadata['order']~'a-1'", [100]],
    ["customer:'cus_one'", [700, 500]],
    ["customer:null", [900, 100]],
    ["amount>500", [900, 700]],
    ["amount>=500 AND amount<900", [700, 500]],
    ["amount<=500 currency:'usd'", [500, 100]],
    ["amount:100 OR amount:'900'", [900, 100]],
    ["created>1 and status:'succeeded'", [900, 500, 100]],
    ["status:'succeeded' AND amount>1 OR amount<2", null],
    ["amount", null],
    ["amount:'ten'", null],
    ["amount~'100'", null],
    ["status>'a'", null],
    ["colour:'red'", null],
    ["metadata:'x'", null],
    ["status:'succeeded", null],
    ["status:'succeeded'amount>1", null],
    ["status:'succeeded' AND", null],
    ["(amount>1)", null],
    [Array.from({ length: 11 }, () => "amount>1").join(" "), null],
  ])("%s", async (query, amounts) => {
    await paid(100, { metadata: { order: "A-1" } });
    await paid(500, { customer: "cus_one", metadata: { "it's": '5 "o" 1' } });
    await sim.stripe.paymentIntents.create({ amount: 700, currency: "usd", customer: "cus_one" });
    await paid(900);

    if (amounts !== null) return expect(await found(query)).toEqual(amounts);
    const refused = await refusal(sim.stripe.paymentIntents.search({ query }));
    expect(refused).toMatchObject({ statusCode: 400, type: "StripeInvalidRequestError", param: "query" });
    expect(refused.message).toContain("unable to parse your search query");
  });

  test("is there for all that is made here, without what was deleted", async () => {
    const { id: gone } = await sim.stripe.customers.create({ email: "Ann@Example.org" });
    const { id } = await sim.stripe.customers.create({ email: "ann@example.org", metadata: { n: "1" } });
    await sim.stripe.customers.del(gone);
    const { id: invoice } = await sim.stripe.invoices.create({ customer: id });
    await paid(4242, { customer: id });
    const product = await sim.stripe.products.create({ name: "Green tea" });
    const price = await sim.stripe.prices.create({ currency: "usd", unit_amount: 5, product: product.id });
    const { stripe } = sim;
    const idsIn = async (search: Promise<{ data: { id: string }[] }>) =>
      (await search).data.map((one) => one.id);

    expect(await idsIn(stripe.customers.search({ query: "email~'ANN@'" }))).toEqual([id]);
    expect(await idsIn(stripe.invoices.search({ query: `customer:'${id}' status:'draft'` }))).toEqual([
      invoice,
    ]);
    expect(
      await idsIn(stripe.charges.search({ query: "payment_method_details.card.last4:4242" })),
    ).toHaveLength(1);
    expect(await idsIn(stripe.products.search({ query: "name~'tea' active:'true'" }))).toEqual([product.id]);
    expect(await idsIn(stripe.prices.search({ query: `product:'${product.id}'` }))).toEqual([price.id]);
  });

  test("has pages", async () => {
    for (const amount of [1, 2, 3]) await paid(amount);

    const first = await sim.stripe.paymentIntents.search({ query: "amount>0", limit: 2 });
    const amounts: number[] = [];
    for await (const { amount } of sim.stripe.paymentIntents.search({ query: "amount>0", limit: 2 }))
      amounts.push(amount);

    expect(first).toMatchObject({
      object: "search_result",
      has_more: true,
      url: "/v1/payment_intents/search",
    });
    expect(amounts).toEqual([3, 2, 1]);
  });
});

test.each([
  ["GET", "/v1/tax/settings", 404],
  ["GET", "/v1/balance_transactions?payout=po_1", 400],
  ["GET", "/v1/payment_intents?expand[]=data.review", 400],
  ["GET", "/v1/charges/search?query=colour%3A1", 400],
])("%s %s is refused as what the simulator lacks, not Stripe", async (method, path, status) => {
  const answer = await sim.send(method, path);

  expect(answer).toMatchObject({ status, json: { error: { type: "invalid_request_error" } } });
  expect(JSON.stringify(answer.json)).toContain("This is Keybrake's simulator of Stripe");
});
