import { describe, expect, test } from "vitest";
import { isField, isMetadata } from "../../lambda/vendors/form.ts";
import { cents, checkOf, costOf, countedAs, entryOf, limited } from "./stripe-harness.ts";

/** Guarantees that names under metadata are the caller's, and that nothing that only looks like metadata is taken for it. */

const DRAFT = { object: countedAs(entryOf(cents(0))), found: { status: "draft", auto_advance: false } };
const CALLERS = [
  "[coupon]=SUMMER25",
  "[promotion_code]=x",
  "[discounts]=none",
  "[amount]=$29.99",
  "[amount]=-5",
  "[unit_amount]=about%205",
  "[quantity]=two",
  "[currency]=EUR",
  "[auto_advance]=true",
  "[customer]=cus_other",
  "[application_fee_amount]=5",
  "[destination]=acct_3",
  "[on_behalf_of]=acct_3",
  "[order%20no.]=A/1%3B2",
  "[__proto__]=x",
  "[constructor]=x",
];

describe("metadata may have any name and any text", () => {
  test.each(CALLERS)("metadata%s", (field) => {
    const free = [
      "/v1/customers",
      "/v1/customers/cus_1",
      "/v1/refunds/re_1",
      "/v1/products",
      "/v1/payment_methods/pm_1",
    ];
    for (const path of free) expect(checkOf("POST", path, `metadata${field}`), path).toBeNull();

    expect(costOf("/v1/payment_intents", `amount=5&currency=usd&metadata${field}`)).toBe(cents(5));
    expect(costOf("/v1/payouts", `amount=5&currency=usd&metadata${field}`)).toBe(cents(5));
    expect(
      costOf("/v1/refunds", `charge=ch_1&amount=5&metadata${field}`, {
        found: { amount: 5, currency: "usd" },
      }),
    ).toBe(cents(5));
    expect(costOf("/v1/invoices", `customer=cus_1&auto_advance=false&metadata${field}`)).toBe(0n);
    expect(costOf("/v1/invoiceitems", `customer=cus_1&invoice=in_1&amount=5&metadata${field}`, DRAFT)).toBe(
      0n,
    );
    expect(costOf("/v1/invoices/in_1", `metadata${field}`, DRAFT)).toBe(0n);
    expect(
      costOf(
        "/v1/invoices/in_1/add_lines",
        `lines[0][amount]=5&lines[0][metadata]${field}&invoice_metadata${field}`,
        DRAFT,
      ),
    ).toBe(0n);
    expect(
      costOf("/v1/invoices/in_1/add_lines", `lines[0][price_data][product_data][metadata]${field}`, DRAFT),
    ).toBe(0n);
    expect(
      costOf("/v1/invoices", `auto_advance=false&shipping_cost[shipping_rate_data][metadata]${field}`),
    ).toBe(0n);
    expect(
      checkOf(
        "POST",
        "/v1/invoices/create_preview",
        `invoice_items[0][metadata]${field}&schedule_details[phases][0][items][1][metadata]${field}`,
      ),
    ).toBeNull();
    expect(checkOf("POST", "/v1/prices", `product_data[metadata]${field}`)).toBeNull();
  });

  test.each(["description=acct_3", "lines[0][description]=acct_3", "lines[0][metadata][a]=acct_3"])(
    "%s names no account",
    (field) => {
      expect(
        costOf(
          "/v1/invoices/in_1/add_lines",
          `invoice_metadata[a]=b&${field.replace(/^description/, "lines[0][description]")}`,
          DRAFT,
        ),
      ).toBe(0n);
    },
  );
});

describe("what only looks like metadata", () => {
  test.each([
    "amount[metadata]",
    "amount[metadata][x]",
    "metadata",
    "metadata[]",
    "metadata[a][b]",
    "metadatas[a]",
    "my_metadata[a]",
    "metadata_x[a]",
    "discounts[0][metadata][coupon]",
    "lines[metadata][coupon]",
    "lines[0][discounts][metadata][coupon]",
    "lines[0][a][metadata][amount]",
    "lines[x][metadata][amount]",
    "lines[0][metadata]",
    "balance[metadata]",
    "transfer_data[metadata][amount]",
  ])("%s is none", (name) => {
    expect(isMetadata(name)).toBe(false);
  });

  const add = (body: string) => costOf("/v1/invoices/in_1/add_lines", body, DRAFT);
  test.each([
    ["lines[0][discounts][0][metadata][coupon]=c", "endpoint_not_priced"],
    ["lines[0][discounts][metadata][coupon]=c", "endpoint_not_priced"],
    ["lines[metadata][amount]=-5", "amount_unknown"],
    ["lines[0][price_data][metadata][unit_amount]=-5", "amount_unknown"],
    ["lines[0][a][metadata][quantity]=-5", "amount_unknown"],
    ["metadata[a]=b", "endpoint_not_priced"],
  ])("%s on the lines of an invoice is refused", (body, code) => {
    expect(add(body)).toBe(code);
  });

  test.each([
    ["/v1/payment_intents", "amount[metadata]=5&currency=usd", "amount_unknown"],
    ["/v1/payment_intents", "amount=5&amount[metadata]=5&currency=usd", "ambiguous_request"],
    ["/v1/payment_intents", "amount=5&currency[metadata]=usd", "currency_unknown"],
    ["/v1/payment_intents", "amount=5&currency=usd&invoice_metadata[a]=b", "endpoint_not_priced"],
    ["/v1/payment_intents/pi_1/cancel", "metadata[a]=b", "endpoint_not_priced"],
    ["/v1/transfers", "amount=5&currency=usd&destination[metadata]=acct_1", "account_not_allowed"],
  ])("%s with %s is refused", (path, body, code) => {
    expect(costOf(path, body, {}, {})).toBe(code);
  });

  test("names of metadata alone may have other signs than letters", () => {
    expect(isField("metadata[a b;c]")).toBe(true);
    expect(isField("lines[0][metadata][ä]")).toBe(true);
    expect(isField("amount[metadata][a b]")).toBe(false);
    expect(isField("lines[0][a b]")).toBe(false);
  });

  test("an account outside of metadata stays one", () => {
    expect(
      costOf("/v1/payment_intents", "amount=5&currency=usd&payment_details[metadata]=acct_3", {
        limits: limited({}),
      }),
    ).toBe("account_not_allowed");
  });
});
