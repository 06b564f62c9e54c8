import { describe, expect, test } from "vitest";
import {
  answer,
  cents,
  checkOf,
  costOf,
  limitCode,
  limited,
  lookupOf,
  ok,
  quote,
  read,
  refusal,
} from "./stripe-harness.ts";

/** Guarantees that money between the balance, the bank and other accounts is bounded, and goes to allowed accounts alone. */

const PAYOUTS = "/v1/payouts";
const TOPUPS = "/v1/topups";
const TRANSFERS = "/v1/transfers";
const REVERSE = "/v1/transfers/tr_1/reversals";
const FEE_REFUND = "/v1/application_fees/fee_1/refunds";

const ALLOWED = { limits: limited({ accounts: ["acct_1"] }) };

describe.each([PAYOUTS, TOPUPS])("POST %s", (path) => {
  test("costs its amount and asks nobody", () => {
    expect(costOf(path, "amount=500&currency=usd")).toBe(cents(500));
    expect(costOf(path, "currency=usd")).toBe("amount_unknown");
    expect(costOf(path, "amount=500")).toBe("currency_unknown");
    expect(costOf(path, "amount=-500&currency=usd")).toBe("amount_unknown");
    expect(lookupOf(path, "amount=500&currency=usd", true)).toBeNull();
  });

  test("names no recipient, so a key that limits them may not call it", () => {
    const toOne = limited({ recipients: ["cus_1"] });
    expect(limitCode(path, "amount=500&currency=usd", toOne)).toBe("recipient_not_allowed");
  });

  test.each([
    ["paid", cents(500)],
    ["pending", cents(500)],
    ["in_transit", cents(500)],
    ["failed", 0n],
    ["canceled", 0n],
  ])("that answers %s costs %d and counts no object", (status, price) => {
    const given = answer(200, {
      id: "po_1",
      object: path.endsWith("payouts") ? "payout" : "topup",
      amount: 500,
      currency: "usd",
      status,
    });
    expect(read(path, given)).toMatchObject({ price, objectId: "po_1", counts: null });
  });
});

test("a payout goes where the account's settings say, and nowhere that a call names", () => {
  expect(costOf(PAYOUTS, "amount=5&currency=usd&destination=ba_1")).toBe("account_not_allowed");
  expect(costOf(PAYOUTS, "amount=5&currency=usd&destination=acct_1", ALLOWED)).toBe("account_not_allowed");
  expect(costOf(PAYOUTS, "amount=5&currency=usd&payout_method=x")).toBe("endpoint_not_priced");
});

describe("a transfer", () => {
  test("goes to an account that the key allows", () => {
    expect(costOf(TRANSFERS, "amount=500&currency=usd&destination=acct_1", ALLOWED)).toBe(cents(500));
    expect(ok(quote(TRANSFERS, "amount=500&currency=usd&destination=acct_1", ALLOWED)).recipients).toEqual([
      "acct_1",
    ]);
  });

  test.each([
    "amount=500&currency=usd&destination=acct_2",
    "amount=500&currency=usd&destination=acct_1+",
    "amount=500&currency=usd&destination=ACCT_1",
    "amount=500&currency=usd&destination[]=acct_1",
    "amount=500&currency=usd&destination[account]=acct_1",
    "amount=500&currency=usd&destination=",
    "amount=500&currency=usd",
  ])("with %s is refused", (body) => {
    expect(costOf(TRANSFERS, body, ALLOWED)).toBe("account_not_allowed");
    expect(costOf(TRANSFERS, body, { limits: limited({ accounts: [] }) })).toBe("account_not_allowed");
  });

  test("is refused without allowed accounts, and says how to allow one", () => {
    expect(costOf(TRANSFERS, "amount=500&currency=usd&destination=acct_1")).toBe("account_not_allowed");
    expect(refusal(TRANSFERS, "amount=500&currency=usd&destination=acct_1")).toContain(
      "issue a key with that account in allowed_accounts",
    );
  });

  test("without an amount is all of the charge that it comes from, which is asked for", () => {
    const body = "source_transaction=ch_1&destination=acct_1";
    const found = { id: "ch_1", amount: 500, currency: "usd" };
    expect(lookupOf(TRANSFERS, body)).toBe("/v1/charges/ch_1");
    expect(lookupOf(TRANSFERS, `${body}&currency=usd`)).toBe("/v1/charges/ch_1");
    expect(costOf(TRANSFERS, body, { ...ALLOWED, found })).toBe(cents(500));
    expect(costOf(TRANSFERS, `${body}&currency=usd`, { ...ALLOWED, found })).toBe(cents(500));
    expect(costOf(TRANSFERS, `${body}&amount=100`, { ...ALLOWED, found })).toBe(cents(100));
    expect(costOf(TRANSFERS, body, ALLOWED)).toBe("amount_unknown");
  });

  test("without an amount, in another currency than its charge, has no upper bound", () => {
    const body = "source_transaction=ch_1&destination=acct_1&currency=jpy";
    // Five dollars are some 770 yen, not 500.
    const found = { id: "ch_1", amount: 500, currency: "usd" };
    expect(costOf(TRANSFERS, body, { ...ALLOWED, found })).toBe("amount_unknown");
    expect(costOf(TRANSFERS, `${body}&amount=100`, { ...ALLOWED, found })).toBe(659_200n);
  });

  test("that says amount and currency asks nobody", () => {
    const body = "amount=5&currency=usd&source_transaction=ch_1&destination=acct_1";
    expect(lookupOf(TRANSFERS, body, true)).toBeNull();
    expect(lookupOf(TRANSFERS, "amount=5&destination=acct_1", true)).toBeNull();
    expect(lookupOf(TRANSFERS, "source_transaction=../x&destination=acct_1")).toBeNull();
    expect(costOf(TRANSFERS, "amount=5&destination=acct_1", ALLOWED)).toBe("amount_unknown");
    expect(costOf(TRANSFERS, "source_transaction=../x&destination=acct_1", ALLOWED)).toBe("amount_unknown");
  });

  test("is held to the recipients of its key too", () => {
    const body = "amount=5&currency=usd&destination=acct_1";
    expect(limitCode(TRANSFERS, body, limited({ accounts: ["acct_1"], recipients: ["acct_1"] }))).toBeNull();
    expect(limitCode(TRANSFERS, body, limited({ accounts: ["acct_1"], recipients: ["cus_1"] }))).toBe(
      "recipient_not_allowed",
    );
  });

  test("costs what the answer says", () => {
    const given = answer(200, { id: "tr_1", object: "transfer", amount: 500, currency: "jpy" });
    expect(read(TRANSFERS, given, {}, { currency: "jpy" })).toMatchObject({
      price: 3_296_000n,
      objectId: "tr_1",
      counts: null,
    });
  });
});

describe("the refund of an application fee", () => {
  const found = { id: "fee_1", account: "acct_1", amount: 500, amount_refunded: 200, currency: "usd" };
  const about = { ...ALLOWED, found };

  test("asks for the fee, and costs its amount or what is left of it", () => {
    expect(lookupOf(FEE_REFUND, "amount=100")).toBe("/v1/application_fees/fee_1");
    expect(costOf(FEE_REFUND, "amount=100", about)).toBe(cents(100));
    expect(costOf(FEE_REFUND, "", about)).toBe(cents(300));
    expect(costOf(FEE_REFUND, "", { ...ALLOWED, found: { ...found, amount_refunded: 500 } })).toBe(
      cents(500),
    );
    const refunded = { ...ALLOWED, found: { ...found, amount_refunded: 500 } };
    expect([about, refunded].map((one) => ok(quote(FEE_REFUND, "", one)).isOver ?? false)).toEqual([
      false,
      true,
    ]);
    expect(costOf(FEE_REFUND, "amount=100&currency=usd", about)).toBe("endpoint_not_priced");
    expect(costOf(FEE_REFUND, "amount=100", { ...ALLOWED, found: { account: "acct_1" } })).toBe(
      "amount_unknown",
    );
  });

  test("goes to an account that the key allows", () => {
    expect(costOf(FEE_REFUND, "amount=100", { found })).toBe("account_not_allowed");
    expect(costOf(FEE_REFUND, "amount=100", { ...ALLOWED, found: { ...found, account: "acct_2" } })).toBe(
      "account_not_allowed",
    );
    expect(
      costOf(FEE_REFUND, "amount=100", { ...ALLOWED, found: { ...found, account: { id: "acct_1" } } }),
    ).toBe(cents(100));
    expect(costOf(FEE_REFUND, "amount=100", ALLOWED)).toBe("account_not_allowed");
  });

  test("costs what the answer says", () => {
    const given = answer(200, { id: "fr_1", object: "fee_refund", amount: 300, currency: "usd" });
    expect(read(FEE_REFUND, given, {}, { amountText: null })).toMatchObject({
      price: cents(300),
      counts: null,
    });
  });
});

describe("what is pulled back or withdrawn", () => {
  test.each([
    "/v1/payouts/po_1/cancel",
    "/v1/payouts/po_1/reverse",
    "/v1/refunds/re_1/cancel",
    "/v1/topups/tu_1/cancel",
  ])("costs nothing: %s", (path) => {
    expect(checkOf("POST", path, "metadata[a]=1")).toBeNull();
    expect(checkOf("POST", path, "amount=1")).toBe("endpoint_not_priced");
  });

  test("out of another account costs nothing where the key allows that account", () => {
    const found = { id: "tr_1", destination: "acct_1", amount: 500, currency: "usd" };
    expect(lookupOf(REVERSE, "amount=5")).toBe("/v1/transfers/tr_1");
    expect(costOf(REVERSE, "amount=5", { ...ALLOWED, found })).toBe(0n);
    expect(costOf(REVERSE, "amount=5", { found })).toBe("account_not_allowed");
    expect(costOf(REVERSE, "amount=5", { ...ALLOWED, found: { ...found, destination: "acct_2" } })).toBe(
      "account_not_allowed",
    );
    expect(costOf(REVERSE, "refund_application_fee=true", { ...ALLOWED, found })).toBe("account_not_allowed");
    const given = answer(200, { id: "trr_1", amount: 5, currency: "usd" });
    expect(read(REVERSE, given)).toMatchObject({ price: 0n, counts: null });
  });
});
