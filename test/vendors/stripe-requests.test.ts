import { describe, expect, test } from "vitest";
import type { VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";
import {
  answer,
  cents,
  checkOf,
  costOf,
  counted,
  FORM,
  limited,
  read,
  refusal,
  ruleOf,
} from "./stripe-harness.ts";

/** Guarantees that a request reaches Stripe only if it can be read in one way, on an account that its key may act on. */

const CREATE = "/v1/payment_intents";
const ONE_ACCOUNT = limited({ accounts: ["acct_1", "acct_2"] });

const create = (body: string, change: Partial<VendorRequest> = {}) => costOf(CREATE, body, {}, change);

describe("an amount that can be read in more than one way", () => {
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
    "amount=%D9%A5&currency=usd",
    "amount=5%00&currency=usd",
    "amount=5%0A&currency=usd",
    "amount=&currency=usd",
    "amount[]=5&currency=usd",
    "amount[0]=5&currency=usd",
    "amount=9999999999999&currency=usd",
  ])("is no amount: %s", (body) => {
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
    "%EF%BB%BFamount=5&currency=usd",
    "amount=5&currency=usd&_method=delete",
    "amount=5&currency=usd&&",
    "amount=5&currency=usd&x=%zz",
    "amount=5&currency=usd&x=%ff",
    "amount=5&currency=usd&metadata[a]=1&metadata[a]=2",
  ])("is refused whole: %s", (body) => {
    expect(create(body)).toBe("ambiguous_request");
  });

  test.each([
    ["a query beside the body", { query: { amount: ["500"] } }],
    ["a compressed body", { headers: { ...FORM, "content-encoding": ["gzip"] } }],
    ["a JSON body", { headers: { "content-type": ["application/json"] } }],
    ["a body of parts", { headers: { "content-type": ["multipart/form-data; boundary=x"] } }],
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

  test("an empty body is one without fields, whatever its type", () => {
    const empty = { headers: { "content-type": ["application/json"] } };
    const own = { object: counted(500), found: { amount: 500, currency: "usd" } };
    expect(costOf(`${CREATE}/pi_1/confirm`, "", own, empty)).toBe(0n);
    expect(create("", { headers: {} })).toBe("currency_unknown");
  });
});

describe("parameters that are not known here", () => {
  test.each([
    ["/v1/payment_intents", "amount=5&currency=usd&surcharge=9", "endpoint_not_priced"],
    ["/v1/payment_intents/pi_1/cancel", "amount=5", "endpoint_not_priced"],
    ["/v1/refunds", "charge=ch_1&amount=5&origin=customer_balance", "endpoint_not_priced"],
    ["/v1/refunds", "charge=ch_1&amount=5&reverse_transfer=true", "account_not_allowed"],
    ["/v1/refunds", "charge=ch_1&amount=5&refund_application_fee=true", "account_not_allowed"],
    ["/v1/charges", "amount=5&currency=usd&destination=acct_1", "account_not_allowed"],
  ])("at %s with %s are refused: %s", (path, body, code) => {
    expect(costOf(path, body, { object: counted(5) })).toBe(code);
  });
});

describe("fields that move money to another account", () => {
  const withAccounts = { limits: ONE_ACCOUNT };

  test.each([
    "on_behalf_of=acct_1",
    "transfer_data[destination]=acct_1",
    "transfer_data[destination]=acct_2&transfer_data[amount]=3",
    "on_behalf_of=acct_1&transfer_data[destination]=acct_2",
  ])("pass for an account that the key allows: %s", (fields) => {
    expect(costOf(CREATE, `amount=5&currency=usd&${fields}`, withAccounts)).toBe(cents(5));
    expect(costOf(CREATE, `amount=5&currency=usd&${fields}`)).toBe("account_not_allowed");
    expect(costOf(CREATE, `amount=5&currency=usd&${fields}`, { limits: limited({ accounts: [] }) })).toBe(
      "account_not_allowed",
    );
  });

  test.each([
    "on_behalf_of=acct_3",
    "on_behalf_of=acct_1+",
    "on_behalf_of=+acct_3",
    "on_behalf_of=ACCT_3",
    "on_behalf_of=%00acct_3",
    "transfer_data[destination]=+acct_3",
    "on_behalf_of[]=acct_1",
    "on_behalf_of=acct_1&transfer_data[destination]=acct_3",
    "transfer_data[destination][]=acct_1",
    "transfer_data=acct_1",
    "destination=acct_1",
    "destination[account]=acct_1",
    "application_fee=1",
    "application_fee_amount=1",
    "reverse_transfer=true",
    "refund_application_fee=true",
  ])("do not pass where they name none that it allows: %s", (fields) => {
    expect(costOf("/v1/charges", `amount=5&currency=usd&${fields}`, withAccounts)).toBe(
      "account_not_allowed",
    );
  });

  test("take an account away where the key allows any", () => {
    const cost = (known: object) =>
      costOf(`${CREATE}/pi_1`, "on_behalf_of=", { object: counted(5), ...known });
    expect([cost(withAccounts), cost({})]).toEqual([0n, "account_not_allowed"]);
  });

  test("name no amount without its account: the one that is set could be another", () => {
    const cost = (fields: string) =>
      costOf(`${CREATE}/pi_1`, fields, { object: counted(5), ...withAccounts });
    expect(cost("transfer_data[amount]=3")).toBe("account_not_allowed");
  });

  test("say how they can be allowed", () => {
    expect(refusal(CREATE, "amount=5&currency=usd&on_behalf_of=acct_1")).toBe(
      "on_behalf_of: acts on another account, which this vault key does not allow; leave it out, or issue a key with that account in allowed_accounts",
    );
  });

  test("are held to it wherever another field names an account", () => {
    expect(costOf(CREATE, "amount=5&currency=usd&payment_method_data[x]=acct_3", withAccounts)).toBe(
      "account_not_allowed",
    );
    expect(costOf(CREATE, "amount=5&currency=usd&payment_method_data[x]=acct_1", withAccounts)).toBe(
      cents(5),
    );
    expect(costOf(CREATE, "amount=5&currency=usd&description=acct_3&metadata[a]=acct_3")).toBe(cents(5));
  });

  test("do not pass on a free endpoint either", () => {
    expect(checkOf("POST", "/v1/setup_intents", "on_behalf_of=acct_1")).toBe("account_not_allowed");
    expect(checkOf("POST", "/v1/setup_intents", "on_behalf_of=acct_1", {}, ONE_ACCOUNT)).toBeNull();
  });
});

describe("headers", () => {
  test.each([
    [{ "idempotency-key": ["a", "b"] }, "ambiguous_request"],
    [{ "idempotency-key": [""] }, "ambiguous_request"],
    [{ "idempotency-key": ["x".repeat(256)] }, "ambiguous_request"],
    [{ "idempotency-key": ["x".repeat(255)] }, null],
    [{ "stripe-version": ["2026-06-24.dahlia"] }, null],
    [{ "stripe-version": ["2022-11-15"] }, null],
    [{ "stripe-version": ["2022-11-15", "2022-11-15"] }, "ambiguous_request"],
    [{ "stripe-version": ["2019-05-16"] }, "ambiguous_request"],
    [{ "stripe-version": ["2026-06-24.preview"] }, "ambiguous_request"],
    [{ "stripe-version": ["2022-11-15; customer_balance=v1"] }, "ambiguous_request"],
    [{}, null],
  ])("%o: %s", (headers, code) => {
    expect(stripe.refuseHeaders(headers, limited({}))?.code ?? null).toBe(code);
    expect(stripe.refuseHeaders(headers, ONE_ACCOUNT)?.code ?? null).toBe(code);
  });

  test.each([
    [{ "stripe-account": ["acct_1"] }, null],
    [{ "stripe-context": ["acct_2"] }, null],
    [{ "stripe-account": ["acct_3"] }, "account_not_allowed"],
    [{ "stripe-account": [""] }, "account_not_allowed"],
    [{ "stripe-account": ["acct_1 "] }, "account_not_allowed"],
    [{ "stripe-account": ["acct_1,acct_3"] }, "account_not_allowed"],
    [{ "stripe-context": ["org_1/acct_1"] }, "account_not_allowed"],
    [{ "stripe-context": ["acct_1/acct_3"] }, "account_not_allowed"],
    [{ "stripe-account": ["acct_1", "acct_2"] }, "account_not_allowed"],
    [{ "stripe-account": ["acct_1", "acct_1"] }, "account_not_allowed"],
    [{ "stripe-account": ["acct_1"], "stripe-context": ["acct_1"] }, "account_not_allowed"],
  ])("that name an account pass for one that the key allows: %o: %s", (headers, code) => {
    expect(stripe.refuseHeaders(headers, ONE_ACCOUNT)?.code ?? null).toBe(code);
    expect(stripe.refuseHeaders(headers, limited({}))?.code).toBe("account_not_allowed");
    expect(stripe.refuseHeaders(headers, limited({ accounts: [] }))?.code).toBe("account_not_allowed");
  });

  test("that name an account make it another call", () => {
    expect(stripe.accountHeaders).toEqual(["stripe-account", "stripe-context"]);
    for (const name of stripe.accountHeaders) expect(stripe.forwardedHeaders).toContain(name);
  });

  test("of a caller's own credential, host or address never reach the vendor", () => {
    for (const name of [
      "authorization",
      "host",
      "cookie",
      "x-forwarded-for",
      "keybrake-label",
      "accept-encoding",
      "content-encoding",
    ]) {
      expect(stripe.forwardedHeaders).not.toContain(name);
    }
  });
});

describe("free endpoints", () => {
  test.each([
    ["POST", "/v1/customers", "email=a%40b.c", null],
    ["POST", "/v1/customers", "balance=-5000", "endpoint_not_priced"],
    ["POST", "/v1/customers", "email=a&email=b", "ambiguous_request"],
    [
      "POST",
      "/v1/customers/cus_1",
      "cash_balance[settings][reconciliation_mode]=manual",
      "endpoint_not_priced",
    ],
    ["POST", "/v1/payment_methods/pm_1/attach", "customer=cus_1", null],
    ["POST", "/v1/prices", "currency=usd&product=prod_1&unit_amount=-5", "amount_unknown"],
    ["POST", "/v1/prices", "currency=usd&product=prod_1&unit_amount=5", null],
    ["GET", "/v1/payment_intents/pi_1", "", null],
    ["GET", "/v1/payment_intents/pi_1", "amount=5", "ambiguous_request"],
    ["GET", "/v1/balance", "", null],
    ["DELETE", "/v1/customers/cus_1", "", null],
    ["DELETE", "/v1/customers/cus_1", "x=1", "ambiguous_request"],
  ])("%s %s with %j: %s", (method, path, body, problem) => {
    expect(checkOf(method, path, body)).toBe(problem);
  });

  test("take a query of theirs on GET, and none on any other method", () => {
    const query = { limit: ["3"], "expand[]": ["data.sources"], "created[gte]": ["5"] };
    expect(checkOf("GET", "/v1/customers", "", { query })).toBeNull();
    for (const name of [
      "_method",
      "_stripe_account",
      "key",
      "api_key",
      "on_behalf_of",
      "Limit",
      "limit ",
      " limit",
      "[limit]",
      "x",
      "__proto__",
    ])
      expect(checkOf("GET", "/v1/customers", "", { query: Object.fromEntries([[name, ["x"]]]) }), name).toBe(
        "ambiguous_request",
      );
    expect(checkOf("DELETE", "/v1/customers/cus_1", "", { query: { limit: ["3"] } })).toBe(
      "ambiguous_request",
    );
    expect(checkOf("POST", "/v1/customers", "", { query: { balance: ["-5"] } })).toBe("ambiguous_request");
  });

  test.each([
    "number",
    "cvc",
    "data.source.card.number",
    "data.source.card.cvc",
    "individual.id_number",
    "data.payload",
    "verified_outputs",
    "data.account_number",
    "secret",
  ])("do not show what an answer leaves out for a reason: expand[]=%s", (expanded) => {
    const get = (query: VendorRequest["query"]) => checkOf("GET", "/v1/balance_transactions", "", { query });
    expect(get({ "expand[]": [expanded] })).toBe("endpoint_not_priced");
    expect(get({ "expand[0]": [expanded] })).toBe("endpoint_not_priced");
    expect(get({ expand: [expanded] })).toBe("endpoint_not_priced");
    expect(get({ "expand[]": ["data.source", expanded] })).toBe("endpoint_not_priced");
    expect(checkOf("POST", "/v1/customers", `email=a&expand[]=${expanded}`)).toBe("endpoint_not_priced");
    expect(create(`amount=5&currency=usd&expand[]=customer&expand[]=${expanded}`)).toBe(
      "endpoint_not_priced",
    );
  });

  test("show whatever else can be expanded", () => {
    for (const expanded of [
      "data.source",
      "customer",
      "latest_charge.balance_transaction",
      "number_of_items",
    ])
      expect(checkOf("GET", "/v1/charges", "", { query: { "expand[]": [expanded] } }), expanded).toBeNull();
  });

  test.each([
    ["/v1/accounts/acct_1", null],
    ["/v1/accounts/acct_1/external_accounts", null],
    ["/v1/accounts/acct_3", "account_not_allowed"],
    ["/v1/accounts/acct_3/persons/person_1", "account_not_allowed"],
  ])("show another account to a key that allows it: %s: %s", (path, code) => {
    expect(checkOf("GET", path, "", {}, ONE_ACCOUNT)).toBe(code);
    expect(checkOf("GET", path)).toBe("account_not_allowed");
  });
});

describe("a file", () => {
  const parts = (name = "purpose") =>
    [
      "--x",
      `Content-Disposition: form-data; name="${name}"`,
      "",
      "dispute_evidence",
      "--x",
      'Content-Disposition: form-data; name="file"; filename="a.txt"',
      "Content-Type: text/plain",
      "",
      "a",
      "--x--",
      "",
    ].join("\r\n");
  const typed = (...types: string[]) => ({ headers: { "content-type": types } });

  test.each([
    ["multipart/form-data; boundary=x", null],
    ['multipart/form-data; boundary="x"', null],
    ["multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", null],
    ["multipart/form-data", "ambiguous_request"],
    ["multipart/form-data; boundary=", "ambiguous_request"],
    ["multipart/form-data; boundary=x; boundary=y", "ambiguous_request"],
    ["multipart/mixed; boundary=x", "ambiguous_request"],
    ["application/x-www-form-urlencoded", "ambiguous_request"],
    ["application/json", "ambiguous_request"],
  ])("is sent as %s: %s", (type, code) => {
    expect(checkOf("POST", "/v1/files", parts(), typed(type))).toBe(code);
  });

  test("has one type, no query and no compression", () => {
    const type = "multipart/form-data; boundary=x";
    expect(checkOf("POST", "/v1/files", parts(), typed(type, type))).toBe("ambiguous_request");
    expect(checkOf("POST", "/v1/files", parts(), { headers: {} })).toBe("ambiguous_request");
    expect(checkOf("POST", "/v1/files", parts(), { ...typed(type), query: { purpose: ["x"] } })).toBe(
      "ambiguous_request",
    );
    expect(
      checkOf("POST", "/v1/files", parts(), {
        headers: { "content-type": [type], "content-encoding": ["gzip"] },
      }),
    ).toBe("ambiguous_request");
  });

  test("is not made readable for everybody", () => {
    const type = typed("multipart/form-data; boundary=x");
    expect(checkOf("POST", "/v1/files", parts("file_link_data[create]"), type)).toBe("endpoint_not_priced");
  });

  test("of megabytes is read in no time, whatever is in it", () => {
    const type = typed("multipart/form-data; boundary=x");
    const startMs = performance.now();
    for (const text of ["content-disposition", "content-disposition\r\n ", "content-disposition\n"])
      expect(checkOf("POST", "/v1/files", text.repeat(200_000), type), text).toBeNull();
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test("goes to the host for files, everything else to the other one", () => {
    const goesTo = (method: string, path: string) => stripe.address({ method, path }, "sk_test_1");
    expect(goesTo("POST", "/v1/files")).toMatchObject({ host: "files", path: "/v1/files" });
    expect(goesTo("GET", "/v1/files")).toMatchObject({ host: "main", path: "/v1/files" });
    expect(goesTo("POST", "/v1/charges")).toMatchObject({ host: "main", path: "/v1/charges" });
    expect(stripe.origins).toEqual({ main: "https://api.stripe.com", files: "https://files.stripe.com" });
  });
});

describe("the catalog", () => {
  test.each([
    ["POST", "/V1/charges"],
    ["POST", "/v1/Payment_Intents"],
    ["PUT", "/v1/payment_intents"],
    ["HEAD", "/v1/payment_intents"],
    ["POST", "/v1/payment_intents/pi.1/confirm"],
    ["POST", "/v1/payment_intents/pi_1/confirm/"],
    ["POST", "/v1/payment_intents/search/confirm"],
    ["POST", `/v1/payment_intents/pi_${"1".repeat(201)}/confirm`],
    ["POST", "/v1/tomorrow"],
  ])("does not have %s %s", (method, path) => {
    expect(endpointOf(stripe, method, path)).toBeNull();
  });

  test.each([
    [
      "POST",
      "/v1/subscriptions",
      /bill repeatedly or later.*; charge each amount with POST \/v1\/payment_intents/,
    ],
    ["POST", "/v1/checkout/sessions", /number or amount the request does not bound/],
    ["POST", "/v1/payment_intents/pi_1/apply_customer_balance", /amount the request does not name/],
    ["POST", "/v1/credit_notes/cn_1/void", /can remove a credit from an invoice/],
    ["DELETE", "/v1/invoiceitems/ii_1", /can remove a credit from an invoice/],
    ["DELETE", "/v1/invoices/in_1", /can wait for the next invoice/],
    ["POST", "/v1/customers/cus_1/balance_transactions", /gives customers credit/],
    ["POST", "/v1/coupons", /gives customers credit, discounts/],
    ["POST", "/v2/money_management/outbound_payments", /balances that Stripe holds for you/],
    ["GET", "/v1/issuing/cards/ic_1", /shows their numbers/],
    ["POST", "/v1/ephemeral_keys", /returns a credential/],
    ["POST", "/oauth/token", /returns a credential/],
    ["POST", "/v1/webhook_endpoints", /signing secret/],
    ["POST", "/v1/file_links", /any address that the caller names/],
    ["POST", "/v1/accounts/acct_1/external_accounts", /where its payouts go/],
    ["POST", "/v1/balance_settings", /setting of your whole Stripe account/],
    ["POST", "/v1/tax/calculations", /charges a fee for each call/],
    ["POST", "/v1/test_helpers/issuing/authorizations", /test mode only/],
    ["POST", "/v1/charges/ch_1/refund", /retired it/],
  ])("says why %s %s is not callable", (method, path, reason) => {
    expect(ruleOf(method, path)).toEqual({ kind: "denied", reason: expect.stringMatching(reason) });
  });

  test("names each endpoint once", () => {
    const names = stripe.catalog.map(({ method, path }) => `${method} ${path}`);
    expect(new Set(names).size).toBe(names.length);
  });

  test("lets Stripe replay every priced call for a day, failures included", () => {
    for (const { path, rule } of stripe.catalog)
      if (rule.kind === "priced")
        expect(rule.idempotency, path).toEqual({ windowMs: 86_400_000, rerunsFailures: false });
  });
});

describe("what an answer says of whether a call was executed", () => {
  const replayed = { "idempotent-replayed": ["true"] };

  test.each([
    [400, "refused"],
    [401, "refused"],
    [403, "refused"],
    [404, "refused"],
    [409, "refused"],
    [429, "refused"],
    [402, "declined"],
    [408, "unknown"],
    [424, "unknown"],
    [302, "unknown"],
    [500, "unknown"],
    [503, "unknown"],
  ])("a first %s is %s", (status, kind) => {
    expect(read(CREATE, answer(status, { error: {} }))).toMatchObject({ kind, price: 0n, replayed: false });
  });

  test("a replayed 400 was stored, so the call is over; a replayed 500 is as unknown as the first", () => {
    expect(read(CREATE, answer(400, { error: {} }, replayed))).toMatchObject({
      kind: "declined",
      replayed: true,
    });
    expect(read(CREATE, answer(500, { error: {} }, replayed))).toMatchObject({
      kind: "unknown",
      replayed: true,
    });
  });

  test("a replay is told by its header, and priced as the first answer was", () => {
    const charge = { id: "ch_1", amount: 500, currency: "usd", status: "succeeded" };
    expect(read("/v1/charges", answer(200, charge, replayed))).toMatchObject({
      kind: "executed",
      replayed: true,
      price: cents(500),
    });
    expect(read("/v1/charges", answer(200, charge)).replayed).toBe(false);
  });
});
