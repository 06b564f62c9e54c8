import { describe, expect, test } from "vitest";
import {
  answer,
  cents,
  costOf,
  counted,
  countedAs,
  entryOf,
  FORM,
  limitCode,
  limited,
  lookupOf,
  ok,
  pricedOf,
  quote,
  read,
  refusal,
  requestOf,
} from "./stripe-harness.ts";

/** Guarantees that no invoice is collected without a call that was counted, and that none gives credit. */

const CREATE = "/v1/invoices";
const UPDATE = "/v1/invoices/in_1";
const ADD = "/v1/invoices/in_1/add_lines";
const CHANGE = "/v1/invoices/in_1/update_lines";
const REMOVE = "/v1/invoices/in_1/remove_lines";
const ITEMS = "/v1/invoiceitems";
const FINALIZE = "/v1/invoices/in_1/finalize";
const SEND = "/v1/invoices/in_1/send";
const PAY = "/v1/invoices/in_1/pay";
const VOID = "/v1/invoices/in_1/void";
const CREDIT_NOTES = "/v1/credit_notes";

const invoice = (change: object = {}) => ({
  id: "in_1",
  object: "invoice",
  total: 500,
  amount_due: 500,
  amount_paid: 0,
  currency: "usd",
  status: "open",
  auto_advance: false,
  customer: "cus_1",
  ...change,
});

/** A draft of this key: known, with nothing counted. */
const DRAFT = countedAs(entryOf(cents(0)));

describe("a draft", () => {
  test("costs nothing where it cannot advance by itself", () => {
    expect(costOf(CREATE, "customer=cus_1&auto_advance=false")).toBe(0n);
    expect(ok(quote(CREATE, "customer=cus_1&auto_advance=false")).recipients).toEqual(["cus_1"]);
    expect(lookupOf(CREATE, "customer=cus_1&auto_advance=false")).toBeNull();
  });

  const VERSIONED = { headers: { ...FORM, "stripe-version": ["2020-03-02"] } };
  test("may leave auto_advance out where the version is said, since it stays a draft then", () => {
    expect(costOf(CREATE, "customer=cus_1", {}, VERSIONED)).toBe(0n);
    expect(costOf(CREATE, "customer=cus_1")).toBe("amount_unknown");
    expect(refusal(CREATE, "customer=cus_1")).toMatch(
      /^auto_advance: missing; send false, or add a Stripe-Version header; /,
    );
  });

  test.each([
    "customer=cus_1&auto_advance=true",
    "customer=cus_1&auto_advance=",
    "customer=cus_1&auto_advance=False",
    "customer=cus_1&auto_advance=0",
    "customer=cus_1&auto_advance[]=false",
    "customer=cus_1&auto_advance[0]=false",
  ])("made with %s is refused", (body) => {
    for (const change of [{}, VERSIONED]) {
      expect(costOf(CREATE, body, {}, change)).toBe("amount_unknown");
      expect(refusal(CREATE, body, {}, change)).toMatch(/^auto_advance: expected false; /);
    }
  });

  test.each([
    ["of a subscription", "customer=cus_1&auto_advance=false&subscription=sub_1", "endpoint_not_priced"],
    ["with a discount", "customer=cus_1&auto_advance=false&discounts[0][coupon]=c", "endpoint_not_priced"],
    [
      "that finalizes itself",
      "customer=cus_1&auto_advance=false&automatically_finalizes_at=1",
      "endpoint_not_priced",
    ],
    ["of another issuer", "customer=cus_1&auto_advance=false&issuer[type]=account", "endpoint_not_priced"],
    ["for another account", "customer=cus_1&auto_advance=false&on_behalf_of=acct_1", "account_not_allowed"],
    [
      "with shipping below zero",
      "customer=cus_1&auto_advance=false&shipping_cost[shipping_rate_data][fixed_amount][amount]=-5",
      "amount_unknown",
    ],
  ])("%s is refused", (_, body, code) => {
    expect(costOf(CREATE, body)).toBe(code);
  });

  test("is this key's own from its answer on, with nothing counted", () => {
    expect(read(CREATE, answer(200, invoice({ amount_due: 300 })), {}, { amount: cents(0) })).toMatchObject({
      kind: "executed",
      price: 0n,
      objectId: "in_1",
      customerId: "cus_1",
      counts: { objectId: "in_1", units: 0n, currency: "usd", total: 0n },
    });
    expect(read(CREATE, answer(200, invoice({ currency: "gbp" }))).counts).toBeNull();
  });
});

describe("what is on a draft", () => {
  const LINES = "lines[0][amount]=500&lines[0][description]=x";

  test.each([
    [UPDATE, "description=x"],
    [UPDATE, "auto_advance=false"],
    [ADD, LINES],
    [CHANGE, "lines[0][id]=il_1&lines[0][quantity]=2"],
    [REMOVE, "lines[0][id]=il_1&lines[0][behavior]=delete"],
    [REMOVE, "lines[][id]=il_1&lines[][behavior]=delete"],
    [ITEMS, "invoice=in_1&customer=cus_1&amount=500&currency=usd"],
    [ITEMS, "invoice=in_1&customer=cus_1&unit_amount_decimal=0.5&quantity=1000"],
  ])("changes for nothing where the draft is this key's own: %s with %s", (path, body) => {
    const found = invoice({ status: "draft" });
    expect(costOf(path, body, { object: DRAFT, found })).toBe(0n);
    expect(lookupOf(path, body)).toBe("/v1/invoices/in_1");
    expect(pricedOf(path).objectOf?.(requestOf("POST", path, body))).toBe("in_1");
    expect(costOf(path, body)).toBe("endpoint_not_priced");
    expect(costOf(path, body, { found })).toBe("endpoint_not_priced");
  });

  test.each([
    [UPDATE, "description=x"],
    [ADD, LINES],
    [CHANGE, "lines[0][id]=il_1&lines[0][quantity]=2"],
    [REMOVE, "lines[0][id]=il_1&lines[0][behavior]=delete"],
    [ITEMS, "invoice=in_1&customer=cus_1&amount=500&currency=usd"],
  ])("is not changed once others have let it advance by itself: %s with %s", (path, body) => {
    for (const [status, auto_advance, cost] of [
      ["draft", true, "amount_unknown"],
      ["draft", undefined, "amount_unknown"],
      ["open", true, "amount_unknown"],
      ["open", false, 0n],
      ["paid", undefined, 0n],
      ["void", true, 0n],
    ] as const)
      expect(costOf(path, body, { object: DRAFT, found: invoice({ status, auto_advance }) })).toBe(cost);
    expect(costOf(path, body, { object: DRAFT })).toBe("amount_unknown");
  });

  test("can be kept back again", () => {
    const found = invoice({ status: "draft", auto_advance: true });
    expect(costOf(UPDATE, "auto_advance=false", { object: DRAFT, found })).toBe(0n);
    expect(refusal(UPDATE, "description=x", { object: DRAFT, found })).toMatch(
      /^auto_advance: .*set its auto_advance to false first$/,
    );
  });

  test.each([
    ["auto_advance=true", "amount_unknown"],
    ["auto_advance[]=true", "amount_unknown"],
    ["auto_advance[0]=true", "amount_unknown"],
    ["discounts[0][coupon]=c", "endpoint_not_priced"],
    ["default_tax_rates[0]=txr_1&issuer[type]=self", "endpoint_not_priced"],
    ["transfer_data[destination]=acct_1", "account_not_allowed"],
  ])("an update with %s is refused: %s", (body, code) => {
    expect(costOf(UPDATE, body, { object: DRAFT, found: invoice() })).toBe(code);
  });

  test.each([
    [ADD, "lines[0][amount]=-500", "amount_unknown"],
    [ADD, "lines[][amount]=-500", "amount_unknown"],
    [ADD, "lines[0][price_data][unit_amount]=-1", "amount_unknown"],
    [ADD, "lines[0][price_data][unit_amount_decimal]=-0.5", "amount_unknown"],
    [ADD, "lines[0][amount]=5&lines[0][quantity]=-1", "amount_unknown"],
    [ADD, "lines[0][amount]=%2B5", "amount_unknown"],
    [ADD, "lines[0][amount]=1e3", "amount_unknown"],
    [ADD, "lines[0][amount]=5&lines[0][discounts][0][coupon]=c", "endpoint_not_priced"],
    [CHANGE, "lines[0][id]=il_1&lines[0][discounts][0][promotion_code]=p", "endpoint_not_priced"],
    [CHANGE, "lines[0][id]=il_1&lines[0][amount]=-1", "amount_unknown"],
    [ITEMS, "invoice=in_1&customer=cus_1&amount=-5&currency=usd", "amount_unknown"],
    [ITEMS, "invoice=in_1&customer=cus_1&unit_amount=-5", "amount_unknown"],
    [ITEMS, "invoice=in_1&customer=cus_1&quantity=-5", "amount_unknown"],
    [ITEMS, "invoice=in_1&customer=cus_1&price_data[unit_amount]=-5", "amount_unknown"],
    [ITEMS, "invoice=in_1&customer=cus_1&amount=5&discounts[0][coupon]=c", "endpoint_not_priced"],
  ])("gives no credit: %s with %s is refused: %s", (path, body, code) => {
    expect(costOf(path, body, { object: DRAFT, found: invoice() })).toBe(code);
  });

  test.each([
    "lines[0][id]=il_1&lines[0][behavior]=unassign",
    "lines[][id]=il_1&lines[][behavior]=unassign",
    "lines[0][id]=il_1&lines[0][behavior]=delete&lines[1][id]=il_2&lines[1][behavior]=unassign",
    "lines[0][id]=il_1&lines[0][behavior][]=unassign",
    "lines[0][id]=il_1",
    "lines[0]=il_1",
  ])("is not taken off to wait for another invoice: %s", (body) => {
    expect(costOf(REMOVE, body, { object: DRAFT, found: invoice() })).toBe("amount_unknown");
  });

  test.each([
    ["customer=cus_1&amount=500&currency=usd", "amount_unknown"],
    ["customer=cus_1&amount=500&currency=usd&invoice=", "amount_unknown"],
    ["customer=cus_1&amount=500&currency=usd&invoice[]=in_1", "amount_unknown"],
    ["customer=cus_1&amount=500&currency=usd&subscription=sub_1", "endpoint_not_priced"],
    ["invoice=in_1&customer=cus_1&subscription=sub_1&amount=5", "endpoint_not_priced"],
  ])("does not wait for the next invoice: an item with %s is refused", (body, code) => {
    expect(costOf(ITEMS, body, { object: DRAFT, found: invoice() })).toBe(code);
  });

  test("is read as having moved nothing", () => {
    expect(read(ADD, answer(200, invoice()), { object: DRAFT }, { amount: cents(0) })).toMatchObject({
      price: 0n,
      counts: null,
      uncountsObject: false,
    });
    expect(
      read(ITEMS, answer(200, { id: "ii_1", amount: 500, currency: "usd" }), { object: DRAFT }),
    ).toMatchObject({ price: 0n, counts: null });
  });
});

describe.each([FINALIZE, SEND, PAY])("POST %s", (path) => {
  test("always asks for the invoice, own or not", () => {
    expect(lookupOf(path, "")).toBe("/v1/invoices/in_1");
    expect(pricedOf(path).objectOf?.(requestOf("POST", path))).toBe("in_1");
  });

  test("costs what is due beyond what is counted", () => {
    expect(costOf(path, "", { found: invoice() })).toBe(cents(500));
    expect(costOf(path, "", { found: invoice(), object: DRAFT })).toBe(cents(500));
    expect(costOf(path, "", { found: invoice(), object: counted(500) })).toBe(0n);
    expect(costOf(path, "", { found: invoice({ amount_due: 800 }), object: counted(500) })).toBe(cents(300));
    expect(costOf(path, "", { found: invoice({ total: 0, amount_due: 0 }) })).toBe(0n);
    expect(costOf(path, "", { found: invoice({ currency: "jpy" }) })).toBe(3_296_000n);
  });

  test("has no price where what is due is not known, or is in a currency without a rate", () => {
    expect(costOf(path, "")).toBe("amount_unknown");
    expect(costOf(path, "", { found: { id: "in_1", currency: "usd" } })).toBe("amount_unknown");
    expect(costOf(path, "", { found: invoice({ currency: "gbp" }) })).toBe("currency_unknown");
  });

  test("is held to the limits of its key", () => {
    const found = invoice();
    expect(limitCode(path, "", limited({ recipients: ["cus_1"] }), { found })).toBeNull();
    expect(limitCode(path, "", limited({ recipients: ["cus_2"] }), { found })).toBe("recipient_not_allowed");
    expect(limitCode(path, "", limited({ currencies: ["eur"] }), { found })).toBe("currency_not_allowed");
  });

  test("is read as what is due beyond what is counted, and counted from then on", () => {
    const given = answer(200, invoice({ amount_due: 800, status: "open" }));
    expect(read(path, given, { object: counted(500) })).toMatchObject({
      price: cents(300),
      counts: { objectId: "in_1", units: 800n, currency: "usd", total: cents(800) },
    });
    expect(read(path, given, { object: DRAFT }).price).toBe(cents(800));
  });
});

test.each([FINALIZE, SEND, PAY])(
  "what is due of an invoice is not all that %s costs: a credit pays for the rest",
  (path) => {
    const found = invoice({ total: 500, amount_due: 0 });
    expect(costOf(path, "", { found })).toBe(cents(500));
    expect(read(path, answer(200, found), { object: DRAFT })).toMatchObject({
      price: cents(500),
      counts: { units: 500n },
    });
  },
);

test("an invoice whose total is below zero gives credit, and is refused", () => {
  const found = invoice({ total: -500, amount_due: 0 });
  for (const path of [FINALIZE, SEND, PAY]) expect(costOf(path, "", { found })).toBe("amount_unknown");
});

test("a draft is not paid: a line could be added while it is, and a decline leaves it open", () => {
  const found = invoice({ status: "draft" });
  expect(costOf(PAY, "", { found })).toBe("amount_unknown");
  expect(costOf(PAY, "paid_out_of_band=true", { found })).toBe("amount_unknown");
});

test("finalizing collects nothing at once: a line could be added while it does", () => {
  expect(costOf(FINALIZE, "auto_advance=true", { found: invoice() })).toBe("amount_unknown");
  expect(costOf(FINALIZE, "auto_advance=false", { found: invoice() })).toBe(cents(500));
  const isOver = (status: string) => ok(quote(FINALIZE, "", { found: invoice({ status }) })).isOver ?? false;
  expect(["draft", "open", "paid"].map(isOver)).toEqual([false, true, true]);
});

describe("an invoice that is paid", () => {
  test("outside of Stripe costs nothing, and is read so", () => {
    const quoted = ok(quote(PAY, "paid_out_of_band=true", { found: invoice() }));
    expect(quoted).toMatchObject({ amount: 0n, currency: null });
    expect(read(PAY, answer(200, invoice({ status: "paid" })), { object: DRAFT }, quoted)).toMatchObject({
      price: 0n,
      counts: null,
    });
  });

  test.each(["paid_out_of_band=false", "paid_out_of_band=True", "paid_out_of_band=1", "forgive=true"])(
    "with %s costs what is due",
    (body) => {
      expect(costOf(PAY, body, { found: invoice() })).toBe(cents(500));
    },
  );
});

describe("an invoice that is voided", () => {
  test("costs nothing", () => {
    expect(costOf(VOID, "", { object: counted(500) })).toBe(0n);
    expect(costOf(VOID, "amount=1", { object: counted(500) })).toBe("endpoint_not_priced");
  });

  test.each([
    ["void", 0, true],
    ["void", 1, false],
    ["void", undefined, false],
    ["open", 0, false],
    ["canceled", 0, false],
  ])("and answers %s with %s paid gives back: %s", (status, amount_paid, givesBack) => {
    const given = answer(200, invoice({ status, amount_paid }));
    expect(read(VOID, given, { object: counted(500) })).toMatchObject({
      price: 0n,
      uncountsObject: givesBack,
    });
  });
});

describe("a credit note", () => {
  const found = invoice({ status: "paid", amount_paid: 500 });

  test("asks for its invoice, whose currency it has", () => {
    expect(lookupOf(CREDIT_NOTES, "invoice=in_1&amount=5")).toBe("/v1/invoices/in_1");
    expect(lookupOf(CREDIT_NOTES, "invoice=../x&amount=5")).toBeNull();
    expect(costOf(CREDIT_NOTES, "invoice=in_1&amount=500", { found: invoice({ currency: "jpy" }) })).toBe(
      3_296_000n,
    );
    expect(costOf(CREDIT_NOTES, "invoice=in_1&amount=500", { found: invoice({ currency: "gbp" }) })).toBe(
      "currency_unknown",
    );
    expect(costOf(CREDIT_NOTES, "invoice=in_1&amount=500")).toBe("amount_unknown");
    expect(ok(quote(CREDIT_NOTES, "invoice=in_1&amount=5", { found })).recipients).toEqual(["cus_1"]);
  });

  test.each([
    ["amount=300", cents(300)],
    ["amount=300&refund_amount=300", cents(300)],
    ["amount=300&refund_amount=200&credit_amount=100", cents(300)],
    ["amount=100&refund_amount=200&credit_amount=100", cents(300)],
    ["refund_amount=200", cents(200)],
    ["credit_amount=200", cents(200)],
    ["refund_amount=200&credit_amount=100", cents(300)],
    ["amount=300&out_of_band_amount=300", cents(300)],
    ["out_of_band_amount=300", "amount_unknown"],
    ["reason=duplicate", "amount_unknown"],
    ["amount=-300", "amount_unknown"],
    ["amount=300&refund_amount=3e2", "amount_unknown"],
    ["lines[0][type]=invoice_line_item", "endpoint_not_priced"],
    ["amount=300&refund=re_1", "endpoint_not_priced"],
    ["amount=300&refunds[0][refund]=re_1", "endpoint_not_priced"],
    ["amount=300&shipping_cost[shipping_rate]=shr_1", "endpoint_not_priced"],
  ])("with %s costs %s", (body, cost) => {
    expect(costOf(CREDIT_NOTES, `invoice=in_1&${body}`, { found })).toBe(cost);
  });

  test("costs what the answer says, without what was settled outside of Stripe", () => {
    const note = { id: "cn_1", object: "credit_note", amount: 500, currency: "usd", customer: "cus_1" };
    expect(read(CREDIT_NOTES, answer(200, note))).toMatchObject({ price: cents(500), counts: null });
    const outside = (told: number, body: string) =>
      read(CREDIT_NOTES, answer(200, { ...note, out_of_band_amount: told }), {}, {}, body).price;
    expect(outside(200, "invoice=in_1&amount=500&out_of_band_amount=200")).toBe(cents(300));
    // Not more than the request says, and nothing where it says nothing.
    expect(outside(500, "invoice=in_1&amount=500&out_of_band_amount=200")).toBe(cents(300));
    expect(outside(200, "invoice=in_1&amount=500")).toBe(cents(500));
    expect(outside(900, "invoice=in_1&amount=500&out_of_band_amount=900")).toBe(cents(500));
    expect(read(CREDIT_NOTES, answer(200, { id: "cn_1" })).price).toBe(cents(500));
  });
});
