import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseForm as parseAsStripe } from "../../local/simulators/stripe/form.ts";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { at, textAt } from "../support/json.ts";
import { auditRows, balanceOf, callRows, issue, type Key, type OwnRun } from "../support/keybrake.ts";
import { answer, type OwnUpstream } from "../support/own-upstream.ts";
import { type RawAnswer, type RawRequest, requestBytes, sendBytes } from "../support/raw-tcp.ts";

/**
 * Guarantees that a request that could be counted in one way and charged in another never reaches the vendor. The
 * requests are such as no client library makes, byte for byte over a bare connection.
 */

const CREDENTIAL = "sk_test_upstream0wnCredential";

let upstream: OwnUpstream;
let run: OwnRun;
beforeAll(async () => {
  ({ run, upstream } = await startBeforeUpstream({ stripe: CREDENTIAL }));
});
afterAll(() => run.close());

const replayed = (id: string) =>
  answer(
    200,
    { id, object: "payment_intent", amount: 100, currency: "usd" },
    { "Idempotent-Replayed": "true" },
  );

const sent = (key: Key, request: RawRequest): Promise<RawAnswer> =>
  sendBytes(run.baseUrl, requestBytes(key.token, request));

interface Refused extends RawRequest {
  readonly name: string;
  readonly status: number;
  readonly code: string;
}

const amountOf = (name: string, body: string, code = "amount_unknown"): Refused => ({
  name,
  body,
  status: 400,
  code,
});
const ambiguous = (name: string, request: RawRequest): Refused => ({
  name,
  ...request,
  status: 400,
  code: "ambiguous_request",
});
const pathOf = (target: string, status: number, code: string): Refused => ({
  name: target,
  target,
  status,
  code,
});

const AMOUNTS: readonly Refused[] = [
  ...[
    "1e3",
    "%2B5",
    "+5",
    "-100",
    "0x10",
    "0b1",
    "010",
    "00",
    "1_000",
    "1,000",
    "1.00",
    "100.",
    ".5",
    "100%20",
    "%20100",
    "100%0A",
    "%0A100",
    "100%00",
    "%00100",
    "100%0D%0A",
    "%EF%BC%91%EF%BC%90%EF%BC%90",
    "%D9%A1%D9%A2",
    "1%C2%A000",
    "Infinity",
    "NaN",
    "true",
    "null",
    "",
    "%5B100%5D",
    "100usd",
    "%24100",
    "9999999999999999",
    "1000000000000",
  ].map((value) => amountOf(`amount=${value}`, `amount=${value}&currency=usd`)),
  amountOf("no amount", "currency=usd"),
  amountOf("amount[]", "amount[]=100&currency=usd"),
  amountOf("amount[0]", "amount%5B0%5D=100&currency=usd"),
  amountOf("amount[value]", "amount[value]=100&currency=usd"),
  amountOf("an empty body", "", "currency_unknown"),
  amountOf("Amount", "Amount=100&currency=usd", "ambiguous_request"),
  amountOf("a space before the name", "+amount=100&currency=usd", "ambiguous_request"),
  amountOf("an encoded space before the name", "%20amount=100&currency=usd", "ambiguous_request"),
  amountOf("a space behind the name", "amount+=100&currency=usd", "ambiguous_request"),
  amountOf("a bracket before the name", "[amount]=100&currency=usd", "ambiguous_request"),
  amountOf("a bracket that does not close", "amount[=100&currency=usd", "ambiguous_request"),
  amountOf("a bracket that does not open", "amount]=100&currency=usd", "ambiguous_request"),
  amountOf("a NUL in the name", "amount%00=100&currency=usd", "ambiguous_request"),
  amountOf("a byte order mark before the name", "%EF%BB%BFamount=100&currency=usd", "ambiguous_request"),
  amountOf("a dot in the name", "a.mount=100&amount=100&currency=usd", "ambiguous_request"),
  amountOf("two amounts", "amount=100&amount=99999&currency=usd", "ambiguous_request"),
  amountOf("two equal amounts", "amount=100&currency=usd&amount=100", "ambiguous_request"),
  amountOf("two amounts, one of them encoded", "amount=100&currency=usd&%61mount=99999", "ambiguous_request"),
  amountOf("amount beside amount[]", "amount=100&amount%5B%5D=1&currency=usd", "ambiguous_request"),
  amountOf("amount[] before amount", "amount[]=1&currency=usd&amount=100", "ambiguous_request"),
  amountOf("a semicolon between fields", "amount=1;amount=99999&currency=usd", "ambiguous_request"),
  amountOf("a semicolon behind a field", "amount=1&currency=usd;amount=99999", "ambiguous_request"),
  amountOf("an empty pair", "amount=100&&currency=usd", "ambiguous_request"),
  amountOf("a name without a value", "amount=100&currency=usd&confirm", "ambiguous_request"),
  amountOf("a broken percent sign", "amount=100&currency=usd&description=%zz", "ambiguous_request"),
  amountOf(
    "bytes that are no UTF-8, encoded",
    "amount=100&currency=usd&description=%FF",
    "ambiguous_request",
  ),
  amountOf("a newline behind the body", "amount=100&currency=usd\r\namount=999", "currency_unknown"),
  amountOf("another method in the body", "amount=100&currency=usd&_method=delete", "ambiguous_request"),
  ambiguous("bytes that are no UTF-8", { body: Buffer.from([0x61, 0x3d, 0xff]) }),
];

const CURRENCIES: readonly Refused[] = [
  ...[
    "eur",
    "jpy",
    "usd%20",
    "%20usd",
    "us",
    "usdc",
    "usd%00",
    "USD%0A",
    "",
    "u%C5%9Fd",
    "%F0%9D%93%8Esd",
  ].map((value) => amountOf(`currency=${value}`, `amount=100&currency=${value}`, "currency_unknown")),
  amountOf("no currency", "amount=100", "currency_unknown"),
  amountOf("currency[]", "amount=100&currency[]=usd", "currency_unknown"),
  amountOf("two currencies", "amount=100&currency=usd&currency=eur", "ambiguous_request"),
];

const BODIES: readonly Refused[] = [
  ambiguous("a JSON body", { type: "application/json", body: '{"amount":100,"currency":"usd"}' }),
  ambiguous("a JSON body that is called a form", { body: '{"amount":100,"currency":"usd"}' }),
  ambiguous("a form that is called JSON", { type: "application/json" }),
  ambiguous("a multipart body", {
    type: "multipart/form-data; boundary=x",
    body: '--x\r\nContent-Disposition: form-data; name="amount"\r\n\r\n99999\r\n--x--\r\n',
  }),
  ambiguous("no type", { type: null }),
  ambiguous("two types", { headers: ["Content-Type: application/json"] }),
  ambiguous("a list of types", { type: "application/x-www-form-urlencoded, application/json" }),
  ambiguous("another charset", { type: "application/x-www-form-urlencoded; charset=utf-16" }),
  ambiguous("UTF-7", {
    type: "application/x-www-form-urlencoded; charset=utf-7",
    body: "amount=100&currency=usd",
  }),
  ambiguous("UTF-16 bytes", {
    type: "application/x-www-form-urlencoded; charset=utf-16",
    body: Buffer.from("amount=100&currency=usd", "utf16le"),
  }),
  ambiguous("a compressed body", {
    headers: ["Content-Encoding: gzip"],
    body: gzipSync("amount=99999&currency=usd"),
  }),
  ambiguous("a form that is called compressed", { headers: ["Content-Encoding: identity"] }),
  ambiguous("a query beside the body", { target: "/stripe/v1/payment_intents?amount=99999" }),
  ambiguous("a query without a body", {
    target: "/stripe/v1/payment_intents?amount=99999&currency=usd",
    body: "",
  }),
  ambiguous("a query whose name every object has", { target: "/stripe/v1/payment_intents?constructor=x" }),
  ambiguous("a query whose name every object inherits", { target: "/stripe/v1/payment_intents?__proto__=x" }),
  ambiguous("a query of one name", { target: "/stripe/v1/payment_intents?x" }),
  ambiguous("a body on a GET", { method: "GET", target: "/stripe/v1/payment_intents" }),
  ambiguous("a body on a DELETE", { method: "DELETE", target: "/stripe/v1/customers/cus_1" }),
];

const HEADERS: readonly Refused[] = [
  ...[
    "X-HTTP-Method-Override: DELETE",
    "X-HTTP-Method: PUT",
    "X-Method-Override: GET",
    "x-http-method-override:",
  ].map((line) => ambiguous(line, { headers: [line] })),
  ...[
    "Stripe-Account: acct_1",
    "stripe-account: acct_1",
    "Stripe-Context: acct_1",
    "STRIPE-CONTEXT:",
    "Stripe-Account:",
  ].map((line): Refused => ({ name: line, headers: [line], status: 403, code: "account_not_allowed" })),
  ambiguous("two idempotency keys", { headers: ["Idempotency-Key: a", "Idempotency-Key: b"] }),
  ambiguous("two equal idempotency keys", { headers: ["Idempotency-Key: a", "idempotency-key: a"] }),
  ambiguous("an empty idempotency key", { headers: ["Idempotency-Key:"] }),
  ambiguous("an idempotency key of spaces", { headers: ["Idempotency-Key:    "] }),
  ambiguous("an idempotency key of 300 characters", { headers: [`Idempotency-Key: ${"k".repeat(300)}`] }),
  ambiguous("two labels of the call", { headers: ["Keybrake-Label: a", "Keybrake-Label: b"] }),
  ambiguous("a label of the call of 201 characters", { headers: [`Keybrake-Label: ${"l".repeat(201)}`] }),
];

const METHODS: readonly Refused[] = [
  "HEAD",
  "OPTIONS",
  "PUT",
  "PATCH",
  "TRACE",
  "DELETE",
  "PROPFIND",
  "LINK",
].map((method) => ({ name: method, method, body: "", status: 403, code: "endpoint_not_priced" }));

const NOT_PRICED = [403, "endpoint_not_priced"] as const;
const AMBIGUOUS_PATH = [400, "ambiguous_path"] as const;
const PATHS: readonly Refused[] = [
  ...[
    "/stripe/v1/Payouts",
    "/stripe/v1/payouts.json",
    "/stripe/v1/subscriptions",
    "/stripe/v1/invoices",
    "/stripe/v1/invoices/in_1/pay",
    "/stripe/v1/checkout/sessions",
    "/stripe/v1/payment_links",
    "/stripe/v1/setup_intents",
    "/stripe/v1/ephemeral_keys",
    "/stripe/v1/webhook_endpoints",
    "/stripe/v1/accounts/acct_1/external_accounts",
    "/stripe/v1/issuing/cards",
    "/stripe/v1/customers/cus_1/balance_transactions",
    "/stripe/v1/customers/cus_1/sources",
    "/stripe/v1/payment_intents/pi_x/apply_customer_balance",
    "/stripe/v1/payment_intents/pi_x/verify_microdeposits",
    "/stripe/v1/payment_intents/pi_x/confirm",
    "/stripe/v1/payment_intents/pi_x/capture",
    "/stripe/v1/payment_intents/x",
    "/stripe/v1/charges/ch_x/captures",
    "/stripe/v1/charges/ch_x/refund",
    "/stripe/v1/charges/ch_x/refunds",
    "/stripe/v1/test_helpers/test_clocks",
    "/stripe/v1/files/file_x",
    "/stripe/oauth/token",
    "/v2/money_management/outbound_payments",
    "/stripe/v2/core/events",
    "/stripe/v0/payment_intents",
    "/stripe/payment_intents",
    "/stripe/stripe/v1/payment_intents",
    "/stripe/V1/payment_intents",
    "/stripe/v1/Payment_Intents",
    "/stripe/v1/PAYMENT_INTENTS",
    "/STRIPE/v1/payment_intents",
    "/stripe/v1/payment_intents.json",
    "/stripe/v1/payment_intents,",
    "/stripe/v1/payment_intents:",
    "/stripe/v1/payment_intents=",
    "/stripe/v1/payment_intents&amount=1",
    "/stripe/v1/payment_intents/pi_x/confirm/",
    "/stripe/api.stripe.com/v1/payouts",
  ].map((target) => pathOf(target, ...NOT_PRICED)),
  ...[
    "/stripe//v1/payment_intents",
    "/stripe/v1//payment_intents",
    "//v1/payment_intents",
    "//stripe/v1/payment_intents",
    "/stripe/v1/payment_intents//",
    "/stripe/v1/payment_intents/./confirm",
    "/stripe/v1/./payment_intents",
    "/stripe/v1/payment_intents/pi_x/../../payouts",
    "/stripe/../stripe/v1/payment_intents",
    "/stripe/v1/payment_intents/..",
    "/v1/payment_intents/..;/payouts",
    "/stripe/v1/%2e%2e/v1/payouts",
    "/stripe/v1/%2E./payouts",
    "/stripe/v1/payment%5Fintents",
    "/stripe/v1%2Fpayment_intents",
    "/stripe/v1%2fpayment_intents",
    "/stripe/v1/payment_intents%2Fpi_x%2Fconfirm",
    "/stripe/v1/payment_intents/pi_x%2F..%2F..%2Fpayouts",
    "/stripe/v1/payment_intents%252F..",
    "/stripe/v1/payment_intents%3Famount=1",
    "/stripe/v1/payment_intents%23",
    "/stripe/v1/payment_intents%00",
    "/stripe/v1/payment_intents%0d%0aX:1",
    "/stripe/v1/payment_intents%20",
    "/stripe/v1/payment_intents;x=1",
    "/stripe/v1;x/payment_intents",
    "/stripe/v1/payment_intents#fragment",
    "/stripe/v1/payment_intents\\..\\payouts",
    "/stripe/v1\\payment_intents",
    "/stripe/v1/payment_intents|",
    '/stripe/v1/payment_intents"',
    "/stripe/v1/payment_intents<x>",
    "/stripe/v1/payment_intents{id}",
    "/stripe/v1/payment_intents/%E2%80%A5/payouts",
    `/stripe/v1/${"a%41".repeat(500)}`,
  ].map((target) => pathOf(target, ...AMBIGUOUS_PATH)),
  pathOf(`/stripe/v1/payment_intents/${"x".repeat(8000)}`, ...NOT_PRICED),
  pathOf("/stripe/v1/transfers", 403, "account_not_allowed"),
  pathOf("/stripe/v1/files", 400, "ambiguous_request"),
];

describe.each([
  ["an amount", AMOUNTS],
  ["a currency", CURRENCIES],
  ["a body", BODIES],
  ["a header", HEADERS],
  ["a method", METHODS],
  ["a path", PATHS],
] as const)(
  "%s that could pass uncounted is refused in Stripe's shape, is a denied row and reaches nobody",
  (_, table) => {
    let key: Key;
    beforeAll(async () => {
      key = await issue(run, { daily_usd_cap: 1000 });
    });

    test.each(table)("$name", async ({ name, status, code, ...request }) => {
      upstream.forget();

      const refused = await sent(key, request);

      expect(upstream.requests).toEqual([]);
      expect(refused.status, refused.body).toBe(status);
      expect(refused.headers).toMatchObject({
        "content-type": "application/json",
        "stripe-should-retry": "false",
        "keybrake-charged": "no",
        "request-id": expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      if (request.method === "HEAD") {
        expect(refused.body).toBe("");
        return;
      }
      const json: unknown = JSON.parse(refused.body);
      expect(at(json, "error")).toMatchObject({
        type: status === 403 ? "permission_error" : "invalid_request_error",
        code,
        charged: "no",
        request_id: refused.headers["request-id"],
      });
      expect(textAt(json, "error", "message")).toMatch(/; nothing was charged$/);
    });

    test("and each of them is one row, in order, with its reason; the balance is untouched", async () => {
      const rows = await callRows(run, key);

      expect(
        [...rows]
          .reverse()
          .map(({ decision, state, reason, cost_usd }) => [decision, state, reason, cost_usd]),
      ).toEqual(table.map(({ code }) => ["denied", "denied", code, 0]));
      expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 100_000 });
    });
  },
);

describe("a request that shows no key, or more than one, is a 401 and nobody's row", () => {
  const CASES: readonly (RawRequest & { readonly name: string })[] = [
    { name: "no Authorization", authorization: null },
    { name: "an empty Authorization", authorization: "" },
    { name: "a bare token", authorization: "TOKEN" },
    { name: "another scheme", authorization: "Digest TOKEN" },
    { name: "two Authorizations", headers: ["Authorization: Bearer other"] },
    { name: "two equal Authorizations", headers: ["Authorization: Bearer TOKEN"] },
    { name: "two tokens", authorization: "Bearer TOKEN, Bearer TOKEN" },
    { name: "a token and something behind it", authorization: "Bearer TOKEN x" },
    { name: "a token in the query", authorization: null, target: "/stripe/v1/payment_intents?api_key=TOKEN" },
    { name: "a token in another header", authorization: null, headers: ["X-Api-Key: TOKEN"] },
    { name: "Basic of something that is not base64", authorization: "Basic %%%" },
  ];

  test.each(CASES)("$name", async ({ name, ...request }) => {
    upstream.forget();
    const key = await issue(run);
    const filled = (text: string) => text.replaceAll("TOKEN", key.token);

    const refused = await sent(key, {
      ...request,
      ...(typeof request.authorization === "string" && { authorization: filled(request.authorization) }),
      ...(request.headers && { headers: request.headers.map(filled) }),
      ...(request.target !== undefined && { target: filled(request.target) }),
    });

    expect(refused.status).toBe(401);
    expect(at(JSON.parse(refused.body), "error")).toMatchObject({
      type: "authentication_error",
      code: "key_unknown",
    });
    expect(refused.headers["stripe-should-retry"]).toBe("false");
    expect(refused.body).not.toContain(key.token);
    expect(upstream.requests).toEqual([]);
    expect(await callRows(run, key)).toEqual([]);
  });
});

describe("an unclear HTTP request is refused by the gateway before any function runs", () => {
  const body = "amount=100&currency=usd";
  const CASES: readonly (RawRequest & { readonly name: string })[] = [
    { name: "an absolute target", target: "http://api.stripe.com/v1/payouts" },
    { name: "an absolute target of the proxy itself", target: "http://127.0.0.1/stripe/v1/payment_intents" },
    { name: "a target without a slash", target: "stripe/v1/payment_intents" },
    { name: "an asterisk", target: "*" },
    { name: "a method in lower case", method: "post" },
    { name: "two lengths that differ", headers: ["Content-Length: 10"] },
    { name: "a list of lengths", length: "23, 10" },
    { name: "a negative length", length: "-1" },
    { name: "a length that is not a number", length: "0x17" },
    {
      name: "a length beside chunks",
      headers: ["Transfer-Encoding: chunked"],
      body: `17\r\n${body}\r\n0\r\n\r\n`,
    },
    {
      name: "chunks whose size is not a number",
      length: null,
      headers: ["Transfer-Encoding: chunked"],
      body: `zz\r\n${body}\r\n0\r\n\r\n`,
    },
    {
      name: "chunks that are not the last encoding",
      length: null,
      headers: ["Transfer-Encoding: chunked, identity"],
      body: `17\r\n${body}\r\n0\r\n\r\n`,
    },
    { name: "a folded header", headers: ["X-Folded: a", " Stripe-Account: acct_1"] },
    { name: "a space before the colon", headers: ["Stripe-Account : acct_1"] },
    { name: "a NUL in a header", headers: ["X-Nul: a\u0000b"] },
    { name: "another version", version: "HTTP/9.9" },
    { name: "a space in the path", target: "/stripe/v1/payment_intents x" },
    { name: "a head of more than 10 KB", headers: [`X-Long: ${"x".repeat(11_000)}`] },
  ];

  test.each(CASES)("$name", async ({ name, ...request }) => {
    upstream.forget();
    const key = await issue(run);

    const refused = await sent(key, request);

    expect(refused.status, refused.body).toBeGreaterThanOrEqual(400);
    expect(refused.status).toBeLessThan(500);
    expect(upstream.requests).toEqual([]);
    expect(await callRows(run, key)).toEqual([]);
  });

  test("a body that is cut short is not a request", async () => {
    upstream.forget();
    const key = await issue(run);

    await sendBytes(run.baseUrl, requestBytes(key.token, { length: "500" }), true);

    expect(upstream.requests).toEqual([]);
    expect(await callRows(run, key)).toEqual([]);
  });

  test("a second request behind the first on one connection needs a key of its own", async () => {
    upstream.forget();
    const key = await issue(run);
    const hidden = requestBytes("", { authorization: null });

    await sendBytes(
      run.baseUrl,
      Buffer.concat([requestBytes(key.token, { connection: "keep-alive" }), hidden]),
    );

    expect(upstream.requests).toHaveLength(1);
    expect(await callRows(run, key)).toHaveLength(1);
  });
});

describe("what is written plainly passes and reaches the vendor byte for byte", () => {
  const chunked = (...chunks: readonly string[]) =>
    [...chunks, ""].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  const CASES: readonly (RawRequest & { readonly name: string; readonly reaches?: string })[] = [
    { name: "a form" },
    { name: "a form at the root", target: "/v1/payment_intents" },
    { name: "a slash at the end, which the gateway takes off", target: "/stripe/v1/payment_intents/" },
    { name: "USD in capitals", body: "currency=USD&amount=100" },
    { name: "a type with a charset", type: "application/x-www-form-urlencoded; charset=UTF-8" },
    {
      name: "encoded digits",
      body: "%61mount=%31%30%30&currency=u%73d",
      reaches: "%61mount=%31%30%30&currency=u%73d",
    },
    {
      name: "an amount in metadata",
      body: "amount=100&currency=usd&metadata[amount]=99999&metadata%5Bcurrency%5D=eur",
    },
    {
      name: "a list",
      body: "amount=100&currency=usd&payment_method_types[]=card&payment_method_types[]=link",
    },
    { name: "an indexed list", body: "amount=100&currency=usd&payment_method_types[0]=card" },
    {
      name: "chunks",
      length: null,
      headers: ["Transfer-Encoding: chunked"],
      body: chunked("amount=", "100&currency=usd"),
      reaches: "amount=100&currency=usd",
    },
    {
      name: "any text in a value",
      body: "amount=100&currency=usd&description=a%3Bamount%3D9%26b%00%0A%F0%9F%92%B8",
    },
    { name: "Basic with the key as user", authorization: "BASIC-USER" },
    { name: "Basic with the key as password", authorization: "BASIC-PASSWORD" },
    { name: "bearer in lower case", authorization: "bearer TOKEN" },
  ];

  test.each(CASES)("$name", async ({ name, reaches, authorization, ...request }) => {
    upstream.forget();
    const key = await issue(run);
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    const schemes: Readonly<Record<string, string>> = {
      "BASIC-USER": basic(`${key.token}:`),
      "BASIC-PASSWORD": basic(`AC00000000000000000000000000000000:${key.token}`),
    };
    const shown = authorization && (schemes[authorization] ?? authorization.replace("TOKEN", key.token));

    const allowed = await sent(key, { ...request, ...(shown && { authorization: shown }) });

    expect([allowed.status, allowed.headers["keybrake-charged"]]).toEqual([200, "yes"]);
    const [reached, ...more] = upstream.requests;
    expect(more).toEqual([]);
    expect([reached?.method, reached?.target]).toEqual(["POST", "/v1/payment_intents"]);
    expect(reached?.body.toString()).toBe(reaches ?? request.body ?? "amount=100&currency=usd");
    expect(await balanceOf(run, key)).toEqual({ spent: 100, reserved: 0, remaining: 4900 });
  });

  test.each(["/stripe/v1/payouts", "/v1/payouts", "/stripe/v1/topups", "/stripe/v1/charges"])(
    "%s counts like a PaymentIntent",
    async (target) => {
      upstream.forget();
      const key = await issue(run);

      expect((await sent(key, { target })).status).toBe(200);

      expect(upstream.requests.map((reached) => reached.target)).toEqual([target.replace("/stripe", "")]);
      expect(await balanceOf(run, key)).toMatchObject({ spent: 100, reserved: 0 });
    },
  );

  test("of the headers only those that Stripe knows go on, with the credential in the key's place", async () => {
    upstream.forget();
    const key = await issue(run);

    await sent(key, {
      headers: [
        "Idempotency-Key: mine",
        "Stripe-Version: 2024-06-20",
        "User-Agent: Stripe/v1 Test",
        "X-Stripe-Client-User-Agent: {}",
        "X-Stripe-Client-Telemetry: {}",
        "Accept: */*",
        "Accept-Encoding: gzip, br",
        "Cookie: session=1",
        "Keybrake-Label: step/1",
        "Stripe-Livemode: true",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=10.0.0.1",
        "Via: 1.1 evil",
        "Expect: 100-continue",
        "Proxy-Authorization: Bearer x",
        "X-Anything: else",
      ],
    });

    const [reached] = upstream.requests;
    const headers = Object.fromEntries(pairs(reached?.rawHeaders ?? []));
    expect(headers).toEqual({
      accept: "*/*",
      "accept-encoding": "identity",
      authorization: `Bearer ${CREDENTIAL}`,
      connection: "keep-alive",
      "content-length": "23",
      "content-type": "application/x-www-form-urlencoded",
      host: new URL(upstream.origin).host,
      "idempotency-key": "mine",
      "stripe-version": "2024-06-20",
      "user-agent": "Stripe/v1 Test",
      "x-stripe-client-telemetry": "{}",
      "x-stripe-client-user-agent": "{}",
    });
    expect(await callRows(run, key)).toMatchObject([{ call_label: "step/1", idempotency_key: "mine" }]);
  });

  test("a query is written anew and means the same", async () => {
    upstream.forget();
    const key = await issue(run);
    const target =
      "/stripe/v1/payment_intents?limit=3&expand[]=data.customer&expand%5B%5D=data.x&created[gte]=1&starting_after=a+b%26c";

    await sent(key, { method: "GET", target, body: "", length: null, type: null });

    const [reached] = upstream.requests;
    const [path, query = ""] = reached?.target.split("?") ?? [];
    expect(path).toBe("/v1/payment_intents");
    expect([...new URLSearchParams(query)].sort()).toEqual([
      ["created[gte]", "1"],
      ["expand[]", "data.customer"],
      ["expand[]", "data.x"],
      ["limit", "3"],
      ["starting_after", "a b&c"],
    ]);
    expect(query).toMatch(/^[A-Za-z0-9_.~%&=-]*$/);
  });

  const pairs = (raw: readonly string[]): [string, string][] =>
    Array.from({ length: raw.length / 2 }, (_, index) => [
      raw[2 * index]?.toLowerCase() ?? "",
      raw[2 * index + 1] ?? "",
    ]);
});

describe("a repeat under one idempotency key that Stripe runs anew is counted, whatever it answered before", () => {
  const made = (id: string) =>
    answer(200, { id, object: "payment_intent", amount: 100, currency: "usd", status: "succeeded" });
  const error = { error: { type: "invalid_request_error", message: "x" } };

  test.each([
    ["refused it", answer(400, error), 100],
    ["limited it", answer(429, error), 100],
    ["was in the middle of it", answer(409, error), 100],
    ["declined it", answer(402, { error: { type: "card_error", code: "card_declined" } }), 100],
    ["made another one", made("pi_first"), 200],
    ["said that it replays, for the first time", replayed("pi_of_another_key"), 100],
  ])("%s", async (_, first, cents) => {
    upstream.forget();
    const key = await issue(run);
    upstream.next(first, made("pi_second"));
    const headers = ["Idempotency-Key: anew"];

    await sent(key, { headers });
    await sent(key, { headers });

    expect(upstream.requests).toHaveLength(2);
    expect(await balanceOf(run, key)).toMatchObject({ spent: cents, reserved: 0 });
  });

  test("and no repeat is sent while the budget is gone", async () => {
    upstream.forget();
    const key = await issue(run, { daily_usd_cap: 1 });
    upstream.next(answer(402, { error: { type: "card_error", code: "card_declined" } }));
    const headers = ["Idempotency-Key: later"];
    await sent(key, { headers });
    await sent(key, {});

    const late = await sent(key, { headers });

    expect(late.status).toBe(429);
    expect(upstream.requests).toHaveLength(2);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 100, reserved: 0 });
  });

  test("one idempotency key under two spellings of a path is one call, and what each of them moved is counted", async () => {
    upstream.forget();
    const key = await issue(run);
    upstream.next(made("pi_1"), made("pi_2"), made("pi_3"));
    const headers = ["Idempotency-Key: spelled"];

    for (const target of ["/stripe/v1/payment_intents", "/v1/payment_intents", "/stripe/v1/payment_intents/"])
      await sent(key, { headers, target });

    expect(upstream.requests.map(({ target }) => target)).toEqual([
      "/v1/payment_intents",
      "/v1/payment_intents",
      "/v1/payment_intents",
    ]);
    expect(await balanceOf(run, key)).toMatchObject({ spent: 300, reserved: 0 });
  });
});

/** Parsers that servers use, for the amount of a body; they disagree on exactly what is to be refused. */
const PARSERS: readonly ((body: string) => unknown)[] = [
  (body) => new URLSearchParams(body).get("amount"),
  (body) => new URLSearchParams(body).getAll("amount").at(-1),
  (body) => new URLSearchParams(body.replaceAll(";", "&")).getAll("amount").at(-1),
  (body) => parseAsStripe(body).get("amount"),
];

test("whatever mix of fields reaches the vendor, every parser finds the amount in it that was counted", async () => {
  const key = await issue(run, { daily_usd_cap: 1_000_000 });
  const name = fc.constantFrom(
    "amount",
    "amount",
    "amount[]",
    "amount[0]",
    "Amount",
    "+amount",
    "am%6Funt",
    "amount%5B%5D",
    "metadata[amount]",
    "currency",
    "x",
  );
  const value = fc.constantFrom(
    "1",
    "2",
    "30",
    "1e3",
    "01",
    "+4",
    "5%00",
    "",
    "usd",
    "usd;amount=9",
    "%26amount=8",
  );
  const pair = fc.tuple(name, value).map(([field, text]) => `${field}=${text}`);
  const mix = fc
    .tuple(
      fc.shuffledSubarray(["amount=7", "currency=usd"], { minLength: 1 }),
      fc.array(pair, { maxLength: 3 }),
      fc.constantFrom("&", "&", "&", ";"),
    )
    .map(([usual, odd, separator]) => [...usual, ...odd].join(separator));

  await fc.assert(
    fc.asyncProperty(mix, async (body) => {
      upstream.forget();
      upstream.next(answer(200, { id: "pi_1", object: "payment_intent" }));
      const { status, headers } = await sent(key, { body });
      if (upstream.requests.length === 0) {
        expect([400, 403]).toContain(status);
        return;
      }

      const [row] = await auditRows(run, { call_id: headers["keybrake-call-id"] ?? "" });
      const counted = Math.round(Number(row?.["requested_usd"]) * 100);
      expect(PARSERS.map((parse) => parse(body))).toEqual(PARSERS.map(() => `${counted}`));
    }),
    { numRuns: 60 },
  );
}, 60_000);

test("whatever path reaches the vendor is the one that was priced, as it was asked for", async () => {
  const key = await issue(run, { daily_usd_cap: 1_000_000 });
  const piece = fc.constantFrom(
    "v1",
    "v1",
    "payment_intents",
    "payment_intents",
    "charges",
    "refunds",
    "customers",
    "payouts",
    "pi_1",
    "cancel",
    "..",
    ".",
    "",
    "%2e%2e",
    "%2F",
    "V1",
    ";",
    "stripe",
    "a%00",
    "\\",
  );
  const path = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => `/${pieces.join("/")}`);

  await fc.assert(
    fc.asyncProperty(path, async (target) => {
      upstream.forget();
      const { status } = await sent(key, { target });
      const [reached] = upstream.requests;
      if (reached === undefined) {
        expect([400, 403, 404]).toContain(status);
        return;
      }
      expect(reached.target).toBe(target.replace(/^\/stripe\//, "/").replace(/\/$/, ""));
      expect(reached.target).toMatch(
        /^\/v1\/(payment_intents|charges|refunds|customers|payouts)(\/[A-Za-z0-9_]+(\/cancel)?)?$/,
      );
    }),
    { numRuns: 150 },
  );
}, 60_000);
