import { describe, expect, test } from "vitest";
import type { CountedObject } from "../../lambda/domain/counted-object.ts";
import { Problem } from "../../lambda/domain/denial.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import type { Quote, VendorAnswer, VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/index.ts";
import { stripe } from "../../lambda/vendors/stripe.ts";

const FORM = { "content-type": ["application/x-www-form-urlencoded"] };

const requestOf = (
  method: string,
  path: string,
  body = "",
  change: Partial<VendorRequest> = {},
): VendorRequest => ({
  method,
  path,
  query: {},
  headers: FORM,
  body: new TextEncoder().encode(body),
  ...change,
});

const cents = (amount: number) => microUsd(BigInt(amount) * 10_000n);

const counted = (amount: number, total = amount): CountedObject => ({
  objectId: "pi_1",
  cancelled: false,
  entries: [
    {
      attemptId: "att_1",
      amount: cents(amount),
      total: cents(total),
      windows: [{ keyId: "key_1", window: 0 }],
    },
  ],
});

function ruleOf(method: string, path: string) {
  const rule = endpointOf(stripe, method, path)?.rule;
  if (rule === undefined) throw new Error(`${method} ${path} is not in the catalog`);
  return rule;
}

function quote(
  method: string,
  path: string,
  body: string,
  object: CountedObject | null = null,
  change: Partial<VendorRequest> = {},
): Quote | Problem {
  const rule = ruleOf(method, path);
  if (rule.kind !== "priced") throw new Error(`${method} ${path} has no price`);
  return rule.quote(requestOf(method, path, body, change), object);
}

const amountOf = (quoted: Quote | Problem) => (quoted instanceof Problem ? quoted.code : quoted.amount);

describe("what a call can cost at most", () => {
  test.each([
    [
      "a new PaymentIntent costs its amount",
      "/v1/payment_intents",
      "amount=2999&currency=usd",
      null,
      cents(2999),
    ],
    [
      "so does one that is confirmed at once",
      "/v1/payment_intents",
      "amount=2999&currency=USD&confirm=true",
      null,
      cents(2999),
    ],
    [
      "a charge costs its amount, captured or not",
      "/v1/charges",
      "amount=100&currency=usd&capture=false",
      null,
      cents(100),
    ],
    [
      "a refund of what was charged with this key costs its amount",
      "/v1/refunds",
      "payment_intent=pi_1&amount=250",
      counted(500),
      cents(250),
    ],
    [
      "a refund of anything else costs what the dearest currency would",
      "/v1/refunds",
      "charge=ch_1&amount=250",
      null,
      cents(500),
    ],
    [
      "a counted PaymentIntent is confirmed for nothing",
      "/v1/payment_intents/pi_1/confirm",
      "",
      counted(500),
      0n,
    ],
    [
      "one whose creation was declined is confirmed for its amount",
      "/v1/payment_intents/pi_1/confirm",
      "",
      counted(0, 500),
      cents(500),
    ],
    [
      "amount_to_confirm costs what goes beyond",
      "/v1/payment_intents/pi_1/confirm",
      "amount_to_confirm=700",
      counted(500),
      cents(200),
    ],
    ["it is captured for nothing", "/v1/payment_intents/pi_1/capture", "", counted(500), 0n],
    ["a part of it too", "/v1/payment_intents/pi_1/capture", "amount_to_capture=100", counted(500), 0n],
    [
      "over-capture costs what goes beyond",
      "/v1/payment_intents/pi_1/capture",
      "amount_to_capture=600",
      counted(500),
      cents(100),
    ],
    ["raising it costs the difference", "/v1/payment_intents/pi_1", "amount=800", counted(500), cents(300)],
    ["lowering it costs nothing", "/v1/payment_intents/pi_1", "amount=100", counted(500), 0n],
    ["changing its description costs nothing", "/v1/payment_intents/pi_1", "description=x", counted(500), 0n],
    [
      "an increment names the new total",
      "/v1/payment_intents/pi_1/increment_authorization",
      "amount=800",
      counted(500),
      cents(300),
    ],
    ["cancelling costs nothing", "/v1/payment_intents/pi_1/cancel", "", counted(500), 0n],
  ])("%s", (_, path, body, object, amount) => {
    expect(amountOf(quote("POST", path, body, object))).toBe(amount);
  });

  test.each([
    ["", "amount=1"],
    ["/confirm", ""],
    ["/capture", ""],
    ["/increment_authorization", "amount=1"],
    ["/cancel", ""],
  ])(
    "a PaymentIntent of somebody else has no price at %s, and one that was cancelled costs nothing",
    (action, body) => {
      const path = `/v1/payment_intents/pi_1${action}`;
      expect(amountOf(quote("POST", path, body, null))).toBe("endpoint_not_priced");
      expect(amountOf(quote("POST", path, body, { ...counted(0, 500), cancelled: true }))).toBe(0n);
    },
  );

  test.each([
    ["charge=ch_1&amount=1", "ch_1"],
    ["payment_intent=pi_1&amount=1", "pi_1"],
    ["payment_intent=pi_1&charge=ch_1&amount=1", null],
    ["charge=../x&amount=1", null],
    ["amount=1", null],
  ])("a refund with %s asks what was counted for %s", (body, objectId) => {
    const rule = ruleOf("POST", "/v1/refunds");
    expect(rule.kind === "priced" ? rule.objectOf(requestOf("POST", "/v1/refunds", body)) : undefined).toBe(
      objectId,
    );
  });

  test("a refund whose price is above what it says tells why", () => {
    expect(quote("POST", "/v1/refunds", "charge=ch_1&amount=1", null)).toMatchObject({
      explanation: expect.stringContaining("2 cents"),
    });
    expect(quote("POST", "/v1/refunds", "charge=ch_1&amount=1", counted(5))).toMatchObject({
      explanation: null,
    });
  });
});

describe("parameters that are not known here", () => {
  test.each([
    ["/v1/payment_intents", "amount=5&currency=usd&transfer_data[destination]=acct_1", "account_not_allowed"],
    ["/v1/payment_intents", "amount=5&currency=usd&on_behalf_of=acct_1", "account_not_allowed"],
    ["/v1/payment_intents", "amount=5&currency=usd&application_fee_amount=1", "account_not_allowed"],
    ["/v1/charges", "amount=5&currency=usd&destination=acct_1", "account_not_allowed"],
    ["/v1/refunds", "amount=5&reverse_transfer=true", "account_not_allowed"],
    ["/v1/refunds", "amount=5&origin=customer_balance", "endpoint_not_priced"],
    ["/v1/payment_intents", "amount=5&currency=usd&surcharge=9", "endpoint_not_priced"],
    ["/v1/payment_intents/pi_1/cancel", "amount=5", "endpoint_not_priced"],
  ])("at %s, %s is refused: %s", (path, body, code) => {
    expect(amountOf(quote("POST", path, body, counted(5)))).toBe(code);
  });
});

describe("an amount that can be read in more than one way", () => {
  const create = (body: string, change: Partial<VendorRequest> = {}) =>
    amountOf(quote("POST", "/v1/payment_intents", body, null, change));

  test.each([
    "currency=usd",
    "amount=1e3&currency=usd",
    "amount=%2B5&currency=usd",
    "amount=+5&currency=usd",
    "amount=5+&currency=usd",
    "amount=5.0&currency=usd",
    "amount=-5&currency=usd",
    "amount=05&currency=usd",
    "amount=0x10&currency=usd",
    "amount=%EF%BC%95&currency=usd",
    "amount=5%00&currency=usd",
    "amount=5%0A&currency=usd",
    "amount=&currency=usd",
    "amount[]=5&currency=usd",
    "amount[0]=5&currency=usd",
    "amount=9999999999999&currency=usd",
  ])("%s is no amount", (body) => {
    expect(create(body)).toBe("amount_unknown");
  });

  test.each([
    "amount=5&amount=500&currency=usd",
    "amount=5&amount[]=500&currency=usd",
    "amount=5&amount%5B%5D=500&currency=usd",
    "amount=5;amount=500&currency=usd",
    "amount=5&%20amount=500&currency=usd",
    "amount=5&+amount=500&currency=usd",
    "amount=5&[amount]=500&currency=usd",
    "amount=5&Amount=500&currency=usd",
    "amount=5&amount%00=500&currency=usd",
    "amount=5&currency=usd&_method=delete",
    "amount=5&currency=usd&&",
    "amount=5&currency=usd&x=%zz",
    "amount=5&currency=usd&x=%ff",
    "amount=5&currency=usd&metadata[a]=1&metadata[a]=2",
  ])("%s is refused whole", (body) => {
    expect(create(body)).toBe("ambiguous_request");
  });

  test.each([
    ["amount=5"],
    ["amount=5&currency=eur"],
    ["amount=5&currency=usd+"],
    ["amount=5&currency[]=usd"],
  ])("%s has no currency with a price", (body) => {
    expect(create(body)).toBe("currency_unknown");
  });

  test.each([
    ["a query beside the body", { query: { amount: ["500"] } }],
    ["a compressed body", { headers: { ...FORM, "content-encoding": ["gzip"] } }],
    ["a JSON body", { headers: { "content-type": ["application/json"] } }],
    ["a body of no type", { headers: {} }],
    [
      "a body of two types",
      { headers: { "content-type": ["application/x-www-form-urlencoded", "application/json"] } },
    ],
    [
      "a body in another character set",
      { headers: { "content-type": ["application/x-www-form-urlencoded; charset=utf-16"] } },
    ],
    ["a body that is not UTF-8", { body: new Uint8Array([0x61, 0x3d, 0xff]) }],
  ])("%s is refused", (_, change) => {
    expect(create("amount=5&currency=usd", change)).toBe("ambiguous_request");
  });

  test("lists and nested fields as the SDKs write them pass", () => {
    expect(
      create(
        "amount=5&currency=usd&expand[]=customer&expand[]=latest_charge&metadata[order%20id]=1&payment_method_types[0]=card&payment_method_options[card][x]=1",
      ),
    ).toBe(cents(5));
  });
});

describe("what an answer says of the money", () => {
  const answer = (status: number, body: unknown, headers: Record<string, string[]> = {}): VendorAnswer => ({
    status,
    headers,
    body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  });
  const quoted: Quote = { amount: cents(500), amountText: "500", currency: "usd", explanation: null };
  const read = (path: string, given: VendorAnswer, object: CountedObject | null = null, bound = quoted) => {
    const rule = ruleOf("POST", path);
    if (rule.kind !== "priced") throw new Error("no price");
    return rule.read(given, bound, object);
  };
  const intent = (change: object = {}) => ({
    id: "pi_1",
    object: "payment_intent",
    amount: 500,
    amount_received: 0,
    currency: "usd",
    status: "requires_confirmation",
    customer: "cus_1",
    ...change,
  });

  test("a created PaymentIntent costs its amount and is counted", () => {
    expect(read("/v1/payment_intents", answer(200, intent()))).toMatchObject({
      kind: "executed",
      price: cents(500),
      replayed: false,
      objectId: "pi_1",
      customerId: "cus_1",
      counts: { objectId: "pi_1", total: cents(500) },
    });
  });

  test("an answer that cannot be read costs what was quoted", () => {
    expect(read("/v1/payment_intents", answer(200, "<html>"))).toMatchObject({
      kind: "executed",
      price: cents(500),
      objectId: null,
      counts: null,
    });
  });

  test("a replay is told by its header", () => {
    expect(read("/v1/charges", answer(200, intent(), { "idempotent-replayed": ["true"] }))).toMatchObject({
      replayed: true,
    });
  });

  test("a failed charge costs nothing", () => {
    expect(
      read(
        "/v1/charges",
        answer(200, { id: "ch_1", object: "charge", amount: 500, currency: "usd", status: "failed" }),
      ).price,
    ).toBe(0n);
  });

  test("a declined creation leaves a PaymentIntent with nothing counted", () => {
    const declined = answer(402, { error: { code: "card_declined", payment_intent: intent() } });
    expect(read("/v1/payment_intents", declined)).toMatchObject({
      kind: "declined",
      price: 0n,
      counts: { objectId: "pi_1", total: cents(500) },
    });
  });

  test.each([
    [400, "refused"],
    [401, "refused"],
    [404, "refused"],
    [409, "refused"],
    [429, "refused"],
    [408, "unknown"],
    [424, "unknown"],
    [302, "unknown"],
    [500, "unknown"],
    [503, "unknown"],
  ])("a first %s is %s", (status, kind) => {
    expect(read("/v1/payment_intents", answer(status, { error: {} })).kind).toBe(kind);
  });

  test("a replayed 400 was stored, so the call is over; a replayed 500 is as unknown as the first", () => {
    const replayed = { "idempotent-replayed": ["true"] };
    expect(read("/v1/payment_intents", answer(400, { error: {} }, replayed)).kind).toBe("declined");
    expect(read("/v1/payment_intents", answer(500, { error: {} }, replayed)).kind).toBe("unknown");
  });

  test.each([
    ["usd", "succeeded", cents(500)],
    ["usd", "failed", 0n],
    ["usd", "canceled", 0n],
    ["gbp", "succeeded", cents(1000)],
    ["jpy", "pending", cents(1000)],
  ])("a refund in %s that is %s costs at most what it can be worth", (currency, status, price) => {
    expect(
      read("/v1/refunds", answer(200, { id: "re_1", object: "refund", amount: 500, currency, status })).price,
    ).toBe(price);
  });

  test("a raised PaymentIntent costs what goes beyond; an update without amount costs nothing, whatever it is about", () => {
    expect(read("/v1/payment_intents/pi_1", answer(200, intent({ amount: 800 })), counted(500)).price).toBe(
      cents(300),
    );
    expect(
      read("/v1/payment_intents/pi_1", answer(200, intent({ amount: 800 })), counted(0, 800), {
        ...quoted,
        amount: cents(0),
        amountText: null,
      }).price,
    ).toBe(0n);
  });

  test("a capture costs what was received beyond what is counted", () => {
    expect(
      read(
        "/v1/payment_intents/pi_1/capture",
        answer(200, intent({ amount_received: 500, status: "succeeded" })),
        counted(500),
      ).price,
    ).toBe(0n);
    expect(
      read("/v1/payment_intents/pi_1/capture", answer(200, intent({ amount_received: 600 })), counted(500))
        .price,
    ).toBe(cents(100));
  });

  test.each([
    ["canceled", 0, true],
    ["canceled", 1, false],
    ["canceled", undefined, false],
    ["requires_capture", 0, false],
  ])(
    "a cancellation that answers %s with %s received gives back: %s",
    (status, amount_received, givesBack) => {
      expect(
        read(
          "/v1/payment_intents/pi_1/cancel",
          answer(200, intent({ status, amount_received })),
          counted(500),
        ).uncountsObject,
      ).toBe(givesBack);
    },
  );
});

describe("free endpoints", () => {
  const check = (method: string, path: string, body = "", change: Partial<VendorRequest> = {}) => {
    const rule = ruleOf(method, path);
    if (rule.kind !== "free") throw new Error("not free");
    return rule.check(requestOf(method, path, body, change))?.code ?? null;
  };

  test.each([
    ["POST", "/v1/customers", "email=a%40b.c", null],
    ["POST", "/v1/customers", "balance=-5000", "endpoint_not_priced"],
    [
      "POST",
      "/v1/customers/cus_1",
      "cash_balance[settings][reconciliation_mode]=manual",
      "endpoint_not_priced",
    ],
    ["POST", "/v1/payment_methods/pm_1/attach", "customer=cus_1", null],
    ["GET", "/v1/payment_intents/pi_1", "", null],
    ["GET", "/v1/customers", "x=1", "ambiguous_request"],
    ["DELETE", "/v1/customers/cus_1", "", null],
  ])("%s %s with %s: %s", (method, path, body, problem) => {
    expect(check(method, path, body)).toBe(problem);
  });

  test("a query is theirs on GET and nobody's on POST", () => {
    expect(
      check("GET", "/v1/customers", "", {
        query: { limit: ["3"], "expand[]": ["data.sources"], "created[gte]": ["5"] },
      }),
    ).toBeNull();
    for (const name of ["_method", "_stripe_account", "key", "amount", "Limit", "limit ", "__proto__"]) {
      expect(check("GET", "/v1/customers", "", { query: Object.fromEntries([[name, ["x"]]]) }), name).toBe(
        "ambiguous_request",
      );
    }
    expect(check("DELETE", "/v1/customers/cus_1", "", { query: { limit: ["3"] } })).toBe("ambiguous_request");
    expect(check("POST", "/v1/customers", "", { query: { balance: ["-5"] } })).toBe("ambiguous_request");
  });
});

describe("the catalog", () => {
  test.each([
    ["POST", "/v1/payouts"],
    ["POST", "/v1/transfers"],
    ["POST", "/V1/charges"],
    ["POST", "/v1/Payment_Intents"],
    ["PUT", "/v1/payment_intents"],
    ["HEAD", "/v1/payment_intents"],
    ["POST", "/v1/payment_intents/pi_1/apply_customer_balance"],
    ["POST", "/v1/payment_intents/pi.1/confirm"],
    ["GET", "/v1/customers/search"],
    ["POST", "/v2/money_management/outbound_payments"],
    ["POST", "/v1/ephemeral_keys"],
    ["POST", "/oauth/token"],
    ["POST", "/v1/customers/cus_1/balance_transactions"],
    ["GET", "/v1/balance"],
  ])("%s %s is not in it", (method, path) => {
    expect(endpointOf(stripe, method, path)).toBeNull();
  });

  test("names each endpoint once", () => {
    const names = stripe.catalog.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("headers", () => {
  test.each([
    [{ "stripe-account": ["acct_1"] }, "account_not_allowed"],
    [{ "stripe-context": ["acct_1"] }, "account_not_allowed"],
    [{ "x-http-method-override": ["DELETE"] }, "ambiguous_request"],
    [{ "idempotency-key": ["a", "b"] }, "ambiguous_request"],
    [{ "idempotency-key": [""] }, "ambiguous_request"],
    [{ "idempotency-key": ["x".repeat(256)] }, "ambiguous_request"],
    [{ "idempotency-key": ["x".repeat(255)] }, null],
    [{ "stripe-version": ["2026-06-24.dahlia"] }, null],
    [{ "stripe-version": ["2022-11-15"] }, null],
    [{ "stripe-version": ["2019-05-16"] }, "ambiguous_request"],
    [{ "stripe-version": ["2026-06-24.preview"] }, "ambiguous_request"],
    [{ "stripe-version": ["2022-11-15; customer_balance=v1"] }, "ambiguous_request"],
  ])("%o: %s", (headers, code) => {
    expect(stripe.refuseHeaders(headers)?.code ?? null).toBe(code);
  });

  test("of a caller's own credential, host or address never reach the vendor", () => {
    for (const name of [
      "authorization",
      "host",
      "cookie",
      "x-forwarded-for",
      "keybrake-label",
      "stripe-account",
      "accept-encoding",
    ]) {
      expect(stripe.forwardedHeaders).not.toContain(name);
    }
  });
});
