import { describe, expect, test } from "vitest";
import {
  answer,
  cents,
  costOf,
  counted,
  countedAs,
  entryOf,
  limitCode,
  limited,
  lookupOf,
  micros,
  ok,
  pricedOf,
  quote,
  read,
  refusal,
  requestOf,
} from "./stripe-harness.ts";

/** Guarantees that charges, what goes back of them and what is conceded of them cost no more than was reserved. */

const CHARGES = "/v1/charges";
const CAPTURE = "/v1/charges/ch_1/capture";
const REFUNDS = "/v1/refunds";
const CLOSE = "/v1/disputes/dp_1/close";

const charge = (change: object = {}) => ({
  id: "ch_1",
  object: "charge",
  amount: 500,
  amount_captured: 500,
  amount_refunded: 0,
  currency: "usd",
  status: "succeeded",
  customer: "cus_1",
  ...change,
});

describe("a charge", () => {
  test("costs its amount, captured or not", () => {
    expect(costOf(CHARGES, "amount=100&currency=usd&source=tok_1")).toBe(cents(100));
    expect(costOf(CHARGES, "amount=100&currency=usd&capture=false")).toBe(cents(100));
    expect(lookupOf(CHARGES, "amount=100&currency=usd", true)).toBeNull();
  });

  test("that was made is counted, so that its capture costs nothing", () => {
    expect(read(CHARGES, answer(200, charge({ amount_captured: 0 })))).toMatchObject({
      kind: "executed",
      price: cents(500),
      objectId: "ch_1",
      customerId: "cus_1",
      counts: { objectId: "ch_1", units: 500n, currency: "usd", total: cents(500) },
    });
    const own = { object: counted(500), found: charge() };
    expect(costOf(CAPTURE, "", own)).toBe(0n);
    expect(costOf(CAPTURE, "amount=100", own)).toBe(0n);
    expect(costOf(CAPTURE, "", { ...own, found: charge({ amount: 800 }) })).toBe(cents(300));
  });

  test("that failed costs nothing and is not counted", () => {
    expect(read(CHARGES, answer(200, charge({ status: "failed" })))).toMatchObject({
      price: 0n,
      counts: null,
    });
  });

  test("is looked up before it is captured, and costs its amount where somebody else made it", () => {
    expect(lookupOf(CAPTURE, "")).toBe("/v1/charges/ch_1");
    expect(pricedOf(CAPTURE).objectOf?.(requestOf("POST", CAPTURE))).toBe("ch_1");
    expect(costOf(CAPTURE, "", { found: charge() })).toBe(cents(500));
    expect(costOf(CAPTURE, "amount=100", { found: charge() })).toBe(cents(500));
    expect(costOf(CAPTURE, "amount=600", { found: charge() })).toBe(cents(600));
    for (const object of [null, counted(500)]) expect(costOf(CAPTURE, "", { object })).toBe("amount_unknown");
    expect(costOf(CAPTURE, "amount=1e3", { found: charge() })).toBe("amount_unknown");
  });

  test("costs what its capture took beyond what is counted", () => {
    const captured = answer(200, charge({ amount_captured: 300 }));
    const unnamed = { amountText: null };
    expect(read(CAPTURE, captured, { object: counted(500) }, unnamed).price).toBe(0n);
    expect(read(CAPTURE, captured, { found: charge() }, unnamed)).toMatchObject({
      price: cents(300),
      counts: { objectId: "ch_1", units: 300n, currency: "usd", total: cents(300) },
    });
  });
});

describe("a refund", () => {
  test("with an amount costs it, in the currency of what is refunded", () => {
    const found = { amount: 500, currency: "usd" };
    expect(costOf(REFUNDS, "payment_intent=pi_1&amount=250", { found, object: counted(500) })).toBe(
      cents(250),
    );
    expect(costOf(REFUNDS, "charge=ch_1&amount=250", { found: charge() })).toBe(cents(250));
    // 250 yen are 1,648,000 millionths.
    expect(costOf(REFUNDS, "charge=ch_1&amount=250", { found: charge({ currency: "jpy" }) })).toBe(
      1_648_000n,
    );
  });

  test("without an amount costs all that was not refunded yet", () => {
    expect(costOf(REFUNDS, "charge=ch_1", { found: charge(), object: counted(500) })).toBe(cents(500));
    expect(costOf(REFUNDS, "charge=ch_1", { found: charge() })).toBe(cents(500));
    expect(costOf(REFUNDS, "charge=ch_1", { found: charge({ amount_refunded: 200 }) })).toBe(cents(300));
    expect(costOf(REFUNDS, "payment_intent=pi_1", { found: { amount: 500, currency: "usd" } })).toBe(
      cents(500),
    );
  });

  test("of what is refunded already is quoted in full, since its answer may be a repeated one", () => {
    const isOver = (refunded: number) =>
      ok(quote(REFUNDS, "charge=ch_1", { found: charge({ amount_refunded: refunded }) })).isOver ?? false;
    expect(costOf(REFUNDS, "charge=ch_1", { found: charge({ amount_refunded: 500 }) })).toBe(cents(500));
    expect([0, 499, 500].map(isOver)).toEqual([false, false, true]);
  });

  test("costs what was captured where that is more than the amount", () => {
    expect(costOf(REFUNDS, "charge=ch_1", { found: charge({ amount_captured: 600 }) })).toBe(cents(600));
    const found = { amount: 500, amount_received: 600, currency: "usd" };
    expect(costOf(REFUNDS, "payment_intent=pi_1", { found })).toBe(cents(600));
  });

  test("asks for what it refunds, whatever is counted: others may have changed it", () => {
    expect(lookupOf(REFUNDS, "charge=ch_1&amount=250")).toBe("/v1/charges/ch_1");
    expect(lookupOf(REFUNDS, "charge=ch_1")).toBe("/v1/charges/ch_1");
    expect(lookupOf(REFUNDS, "payment_intent=pi_1")).toBe("/v1/payment_intents/pi_1");
    expect(lookupOf(REFUNDS, "payment_intent=pi_1&amount=5")).toBe("/v1/payment_intents/pi_1");
    for (const body of ["charge=ch_1", "charge=ch_1&amount=1", "payment_intent=pi_1"])
      expect(costOf(REFUNDS, body, { object: counted(500) }), body).toBe("amount_unknown");
    // 500 yen were counted; then it became one of 2 dollars, which was less and is not counted.
    const object = countedAs(entryOf(micros(3_296_000)));
    const found = { amount: 200, amount_received: 200, currency: "usd" };
    expect(costOf(REFUNDS, "payment_intent=pi_1&amount=200", { object, found })).toBe(cents(200));
  });

  test.each([
    ["charge=ch_1&amount=1", "/v1/charges/ch_1"],
    ["charge=py_1&amount=1", "/v1/charges/py_1"],
    ["payment_intent=pi_1&amount=1", "/v1/payment_intents/pi_1"],
    ["payment_intent=pi_1&charge=ch_1&amount=1", null],
    ["payment_intent[id]=pi_1&charge=ch_1", null],
    ["charge=../x&amount=1", null],
    ["charge=ch_1/../ch_2", null],
    ["charge=&payment_intent=", null],
    ["charge[]=ch_1", null],
    ["amount=1", null],
    ["", null],
  ])("with %j is about %j, and adds nothing to what that is counted by", (body, path) => {
    expect(pricedOf(REFUNDS).objectOf?.(requestOf("POST", REFUNDS, body))).toBeNull();
    expect(lookupOf(REFUNDS, body)).toBe(path);
    if (path !== null) return;
    expect(costOf(REFUNDS, body, { found: charge() })).toBe("amount_unknown");
  });

  test("that cannot be bounded says what is accepted", () => {
    expect(refusal(REFUNDS, "amount=1")).toMatch(/^charge: expected the id of one charge, /);
  });

  test("is for the customer of what is refunded", () => {
    expect(ok(quote(REFUNDS, "charge=ch_1", { found: charge() })).recipients).toEqual(["cus_1"]);
    const toOne = limited({ recipients: ["cus_2"] });
    expect(limitCode(REFUNDS, "charge=ch_1", toOne, { found: charge() })).toBe("recipient_not_allowed");
    expect(limitCode(REFUNDS, "charge=ch_1", toOne, { found: charge({ customer: "cus_2" }) })).toBeNull();
    expect(limitCode(REFUNDS, "charge=ch_1", toOne, { found: charge({ customer: null }) })).toBe(
      "recipient_not_allowed",
    );
  });

  test("is held to the currencies of its key", () => {
    const inEuro = limited({ currencies: ["eur"] });
    expect(limitCode(REFUNDS, "charge=ch_1&amount=1", inEuro, { found: charge() })).toBe(
      "currency_not_allowed",
    );
    expect(
      limitCode(REFUNDS, "charge=ch_1&amount=1", inEuro, { found: charge({ currency: "eur" }) }),
    ).toBeNull();
  });

  test.each([
    ["usd", "succeeded", cents(500)],
    ["usd", "pending", cents(500)],
    ["usd", "requires_action", cents(500)],
    ["usd", "failed", 0n],
    ["usd", "canceled", 0n],
    ["eur", "succeeded", 5_665_000n],
    // Less than was quoted, in a currency that nobody asked for.
    ["jpy", "pending", cents(500)],
    // Without a rate it costs what was quoted.
    ["gbp", "succeeded", cents(500)],
  ])("that answers in %s with %s costs %d", (currency, status, price) => {
    expect(
      read(REFUNDS, answer(200, { id: "re_1", object: "refund", amount: 500, currency, status })),
    ).toMatchObject({
      price,
      currency,
      counts: null,
    });
  });

  test("never gives budget back", () => {
    const reading = read(REFUNDS, answer(200, { id: "re_1", amount: 500, currency: "usd" }), {
      object: counted(500),
    });
    expect(reading).toMatchObject({ price: cents(500), counts: null, uncountsObject: false });
  });
});

describe("a dispute that is closed", () => {
  const dispute = { id: "dp_1", object: "dispute", amount: 500, currency: "usd", status: "needs_response" };

  test("concedes its amount, which is always looked up", () => {
    expect(lookupOf(CLOSE, "")).toBe("/v1/disputes/dp_1");
    expect(costOf(CLOSE, "", { found: dispute })).toBe(cents(500));
    expect(costOf(CLOSE, "", {})).toBe("amount_unknown");
    expect(costOf(CLOSE, "", { found: { ...dispute, currency: "gbp" } })).toBe("currency_unknown");
    expect(costOf(CLOSE, "amount=1", { found: dispute })).toBe("endpoint_not_priced");
  });

  test("costs what the answer says, and counts no object", () => {
    expect(read(CLOSE, answer(200, { ...dispute, status: "lost" }))).toMatchObject({
      price: cents(500),
      objectId: "dp_1",
      counts: null,
    });
  });

  test("is for nobody that is known, so a key with recipients may not close it", () => {
    expect(limitCode(CLOSE, "", limited({ recipients: ["cus_1"] }), { found: dispute })).toBe(
      "recipient_not_allowed",
    );
  });
});
