import { describe, expect, test } from "vitest";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";
import { answer, cents, counted, known, pricedOf, read, requestOf } from "./stripe-harness.ts";

/**
 * Guarantees that a 2xx answer that is not what was asked for never makes a call cheaper, and never gives budget back.
 */

const REPLAYED = { "idempotent-replayed": ["true"] };

interface Case {
  readonly path: string;
  /** As Stripe answers; the call was quoted at $5.00. */
  readonly right: Readonly<Record<string, unknown>>;
  readonly body?: string;
}

const usd = { amount: 500, currency: "usd" };
const intent = { id: "pi_1", object: "payment_intent", ...usd, amount_received: 500 };
const invoice = { id: "in_1", object: "invoice", total: 500, amount_due: 500, currency: "usd" };

const MADE: readonly Case[] = [
  { path: "/v1/payment_intents", right: intent, body: "amount=500&currency=usd&customer=cus_1" },
  { path: "/v1/charges", right: { id: "ch_1", object: "charge", ...usd } },
  {
    path: "/v1/refunds",
    right: { id: "re_1", object: "refund", ...usd, charge: "ch_1" },
    body: "charge=ch_1",
  },
  { path: "/v1/payouts", right: { id: "po_1", object: "payout", ...usd } },
  { path: "/v1/topups", right: { id: "tu_1", object: "topup", ...usd } },
  { path: "/v1/transfers", right: { id: "tr_1", object: "transfer", ...usd }, body: "destination=acct_1" },
  { path: "/v1/application_fees/fee_1/refunds", right: { id: "fr_1", object: "fee_refund", ...usd } },
  {
    path: "/v1/credit_notes",
    right: { id: "cn_1", object: "credit_note", ...usd },
    body: "invoice=in_1&amount=500",
  },
];
const CHANGED: readonly Case[] = [
  { path: "/v1/payment_intents/pi_1", right: intent, body: "amount=500" },
  { path: "/v1/payment_intents/pi_1/confirm", right: intent },
  { path: "/v1/payment_intents/pi_1/capture", right: intent },
  { path: "/v1/payment_intents/pi_1/increment_authorization", right: intent, body: "amount=500" },
  { path: "/v1/charges/ch_1/capture", right: { id: "ch_1", object: "charge", ...usd, amount_captured: 500 } },
  { path: "/v1/disputes/dp_1/close", right: { id: "dp_1", object: "dispute", ...usd } },
  { path: "/v1/invoices/in_1/finalize", right: invoice },
  { path: "/v1/invoices/in_1/send", right: invoice },
  { path: "/v1/invoices/in_1/pay", right: invoice },
];

const odd = ({ path, body = "" }: Case, given: unknown, headers = {}) =>
  read(path, answer(200, JSON.stringify(given), headers), {}, {}, body);

describe.each([...MADE, ...CHANGED])("POST $path", (one) => {
  const amounts = Object.keys(one.right).filter((field) => typeof one.right[field] === "number");
  const withAmounts = (value: unknown) => ({
    ...one.right,
    ...Object.fromEntries(amounts.map((field) => [field, value])),
  });

  test("as Stripe answers costs what the answer says, and a replay is one", () => {
    expect(odd(one, one.right)).toMatchObject({
      kind: "executed",
      price: cents(500),
      objectId: one.right["id"],
    });
    expect(odd(one, one.right, REPLAYED).replayed).toBe(true);
  });

  test.each<[string, unknown]>([
    ["a list", [one.right]],
    ["a text", "succeeded"],
    ["null", null],
    ["a number", 0],
    ["an error", { error: { message: "no" } }],
    ["another kind of object", { ...one.right, object: "balance" }],
    ["no kind of object", { ...one.right, object: null }],
    ["a kind that is a list", { ...one.right, object: [one.right["object"]] }],
    ["what was asked for, inside of a list", { object: "list", data: [one.right] }],
  ])("answered with %s costs what was quoted, and no word of it is believed", (_, given) => {
    const fields = typeof given === "object" && given !== null ? given : {};
    const cheap = { ...fields, amount: 1, status: "failed" };
    for (const value of [given, ...(Array.isArray(given) ? [] : [cheap])])
      expect(odd(one, typeof given === "object" && given !== null ? value : given, REPLAYED)).toMatchObject({
        kind: "executed",
        price: cents(500),
        replayed: false,
        objectId: null,
        counts: null,
        uncountsObject: false,
      });
  });

  test.each<[string, string]>([
    ["nothing", ""],
    ["HTML", "<html>"],
    ["half of it", JSON.stringify(one.right).slice(0, -5)],
    ["it twice", JSON.stringify(one.right).repeat(2)],
  ])("answered with %s costs what was quoted", (_, text) => {
    expect(read(one.path, answer(200, text), {}, {}, one.body)).toMatchObject({
      price: cents(500),
      objectId: null,
    });
  });

  test.each<[string, unknown]>([
    ["nothing", 0],
    ["an amount below zero", -500],
    ["a text", "1"],
    ["a fraction", 0.5],
    ["none", undefined],
    ["null", null],
  ])("answered with the amount %s costs what was quoted", (_, value) => {
    expect(odd(one, withAmounts(value)).price).toBe(cents(500));
  });

  test.each(["jpy", "gbp", "USDC", null, 7])(
    "answered in the currency %j costs what was quoted",
    (currency) => {
      expect(odd(one, { ...one.right, currency }).price).toBe(cents(500));
    },
  );

  test("answered with more costs more, and with less as much as is certain", () => {
    expect(odd(one, withAmounts(700)).price).toBe(cents(700));
    expect(odd(one, withAmounts(300)).price).toBe(cents(300));
    expect(odd(one, { ...withAmounts(300), object: undefined }).price).toBe(cents(500));
  });
});

test.each(CHANGED)("POST $path answered with another object than the path's costs what was quoted", (one) => {
  for (const id of ["pi_2", "", undefined, null, 7, { id: one.right["id"] }])
    expect(odd(one, { ...one.right, id, amount: 1, status: "canceled" }, REPLAYED)).toMatchObject({
      price: cents(500),
      replayed: false,
      objectId: null,
      counts: null,
    });
});

test.each([
  ["/v1/refunds", "charge=ch_1", { id: "re_1", object: "refund", charge: "ch_2" }],
  ["/v1/refunds", "payment_intent=pi_1", { id: "re_1", object: "refund", payment_intent: { id: "pi_2" } }],
  ["/v1/credit_notes", "invoice=in_1&amount=500", { id: "cn_1", object: "credit_note", invoice: "in_2" }],
  ["/v1/transfers", "source_transaction=ch_1", { id: "tr_1", source_transaction: "ch_2" }],
  ["/v1/payment_intents", "customer=cus_1", { id: "pi_1", object: "payment_intent", customer: "cus_2" }],
])("%s of %s answered with that of another one costs what was quoted", (path, body, given) => {
  const cheap = { ...given, amount: 1, currency: "usd", status: "failed" };
  expect(read(path, answer(200, cheap), {}, { amountText: null }, body)).toMatchObject({
    price: cents(500),
    objectId: null,
  });
});

describe("an end gives budget back only of the object that the path names", () => {
  const intentEnd = { id: "pi_1", object: "payment_intent", status: "canceled", amount_received: 0 };
  const invoiceEnd = { id: "in_1", object: "invoice", status: "void", amount_paid: 0 };
  test.each<[string, Record<string, unknown>, boolean]>([
    ["/v1/payment_intents/pi_1/cancel", intentEnd, true],
    ["/v1/payment_intents/pi_1/cancel", { ...intentEnd, id: "pi_2" }, false],
    ["/v1/payment_intents/pi_1/cancel", { ...intentEnd, id: undefined }, false],
    ["/v1/payment_intents/pi_1/cancel", { ...intentEnd, object: "setup_intent" }, false],
    ["/v1/payment_intents/pi_1/cancel", { ...intentEnd, amount_received: "0" }, false],
    ["/v1/payment_intents/pi_1/cancel", { ...intentEnd, status: ["canceled"] }, false],
    ["/v1/invoices/in_1/void", invoiceEnd, true],
    ["/v1/invoices/in_1/void", { ...invoiceEnd, id: "in_2" }, false],
    ["/v1/invoices/in_1/void", { ...invoiceEnd, object: "credit_note" }, false],
    ["/v1/invoices/in_1/void", { ...invoiceEnd, amount_paid: -1 }, false],
  ])("%s answered with %j: %s", (path, given, givesBack) => {
    const object = { ...counted(500), objectId: path.split("/")[3] ?? "" };
    const free = { amount: cents(0), amountText: null, currency: null };
    for (const headers of [{}, REPLAYED])
      expect(read(path, answer(200, given, headers), { object }, free)).toMatchObject({
        price: 0n,
        uncountsObject: givesBack,
      });
  });
});

describe("a decline", () => {
  const declined = (path: string, id: string) =>
    read(path, answer(402, { error: { payment_intent: { id, object: "payment_intent", ...usd } } }));

  test("is remembered of the object that the path names, or of a new one", () => {
    expect(declined("/v1/payment_intents", "pi_7").counts).toMatchObject({ objectId: "pi_7" });
    expect(declined("/v1/payment_intents/pi_1/confirm", "pi_1").counts).toMatchObject({ objectId: "pi_1" });
    expect(declined("/v1/payment_intents/pi_1/confirm", "pi_2").counts).toBeNull();
  });
});

describe("what a lookup found", () => {
  test.each<[string, Record<string, unknown>, boolean]>([
    ["/v1/payment_intents/pi_1", { id: "pi_1", object: "payment_intent" }, true],
    ["/v1/payment_intents/pi_1", { id: "pi_1" }, true],
    ["/v1/payment_intents/pi_1", { id: "pi_2", object: "payment_intent" }, false],
    ["/v1/payment_intents/pi_1", { object: "payment_intent" }, false],
    ["/v1/payment_intents/pi_1", { id: "pi_1", object: "charge" }, false],
    ["/v1/charges/py_1", { id: "py_1", object: "charge" }, true],
    ["/v1/invoices/in_1", { id: "in_1", object: "invoice" }, true],
    ["/v1/invoices/in_1/lines", { object: "list" }, true],
    ["/v1/invoices/in_1/lines", { object: "invoice", id: "in_1" }, false],
    ["/v1/application_fees/fee_1", { id: "fee_1", object: "application_fee" }, true],
    ["/v1/subscriptions/sub_1", { id: "sub_1", object: "subscription" }, true],
    ["/v1/subscriptions/sub_1", { id: "sub_2", object: "subscription" }, false],
  ])("%s with %j is about it: %s", (path, found, expected) => {
    expect(stripe.isAbout(path, found)).toBe(expected);
  });
});

test("every priced endpoint costs what was quoted where nothing can be read", () => {
  const paths = stripe.catalog.filter(({ rule }) => rule.kind === "priced").map(({ path }) => path);
  expect(paths.length).toBeGreaterThan(20);
  for (const pattern of paths) {
    const path = pattern.replace("{id}", "xx_1");
    expect(endpointOf(stripe, "POST", path), path).toBeDefined();
    for (const given of ["", "[]", "null", '"x"', '{"object":"list"}'])
      expect(
        pricedOf(path).read(
          answer(201, given, REPLAYED),
          {
            amount: cents(500),
            amountText: null,
            currency: "usd",
            fxRate: null,
            recipients: null,
            explanation: null,
          },
          known(),
          requestOf("POST", path),
        ),
        path,
      ).toMatchObject({ kind: "executed", price: cents(500), replayed: false, uncountsObject: false });
  }
});
