import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { callRows } from "../support/keybrake.ts";
import {
  type Attempt,
  ambiguous,
  ambiguousPath,
  amountUnknown,
  type Counted,
  countsEach,
  METHODS,
  notPriced,
  OVERRIDES,
  type Refused,
  refused,
  refusesEach,
  smugglerOf,
} from "../support/smuggle.ts";
import { definitionWith, exampleOf } from "../vendors/configured/harness.ts";

/**
 * Guarantees that an API that is known only by its definition never does more than was counted. Requests go byte for
 * byte over a bare connection.
 */

const FORM = "application/x-www-form-urlencoded";

/** Headers by which a server could read a body otherwise, whatever its vendor. */
const CODINGS = (body: string): readonly Refused[] => [
  ambiguous("gzip", { headers: ["Content-Encoding: gzip"], body: gzipSync(body) }),
  ambiguous("identity as a coding", { headers: ["Content-Encoding: identity"], body }),
  ambiguous("a coding of no name", { headers: ["Content-Encoding:"], body }),
];

/** Paths that a server could take for that of another endpoint. */
const oddPaths = (base: string): readonly Refused[] =>
  [`${base}/.`, `${base}/..%2f`, `${base};x`, `${base}%2e`, `${base}%00`, `${base}\\x`, `${base}/../x`].map(
    (target) => ambiguousPath(target),
  );

/** A key of another vendor, and a key of this one on the path of another. */
const otherKeys = (name: string, target: string): readonly Refused[] => [
  refused("a key of stripe on this vendor's path", 403, "endpoint_not_allowed", {
    key: { vendor: "stripe" },
  }),
  refused("a key of this vendor on the path of stripe", 403, "endpoint_not_allowed", {
    target: target.replace(`/${name}`, "/stripe"),
  }),
  refused("a key that allows another endpoint", 403, "endpoint_not_allowed", {
    key: {
      allowed_endpoints: [
        name === "lookup" ? "GET /v2/usage" : name === "letters" ? "GET /letters" : "GET /v1/models",
      ],
    },
  }),
];

describe("images, at a price times a number of the request", () => {
  const TARGET = "/images/v1/images";
  const usual = { target: TARGET, type: "application/json", body: '{"prompt":"x"}' };
  const smuggler = smugglerOf({
    vendor: "images",
    definitions: [exampleOf("images")],
    credential: "images-credential-of-the-tests",
    usual,
  });
  const written = (name: string, body: string): Attempt => ({ name, body });

  refusesEach("a number", smuggler, [
    ...[
      "0",
      "11",
      "-1",
      "1.5",
      "1.0",
      "1e1",
      "1E0",
      "100000000000000000000",
      '"3"',
      '"3,000"',
      "null",
      "true",
      "[3]",
      '{"n":3}',
    ].map((n) => amountUnknown(`n is ${n}`, { body: `{"n":${n}}` })),
    ...["01", "+1", "0x3", "NaN", "1,", "'1'", "1 2", "// 3"].map((n) =>
      ambiguous(`n is ${n}, which is no JSON`, { body: `{"n":${n}}` }),
    ),
    ...["N", "n ", "n[]", "ｎ", "size", "options"].map((name) =>
      notPriced(`beside it a field ${name}`, { body: JSON.stringify({ n: 1, [name]: 10 }) }),
    ),
    ambiguous("n twice", written("", '{"n":1,"n":10}')),
    ambiguous("n twice, once escaped", written("", '{"n":1,"\\u006e":10}')),
    ambiguous("n inside of another field", written("", '{"n":1,"prompt":{"n":10}}')),
    ambiguous("n in a prototype", written("", '{"__proto__":{"n":10}}')),
    ambiguous("a method in the body", written("", '{"n":1,"_method":"PUT"}')),
  ]);
  refusesEach("a body", smuggler, [
    ...CODINGS(usual.body),
    ambiguous("a byte order mark", written("", `\ufeff${usual.body}`)),
    ambiguous("nothing", { body: "" }),
    ambiguous("nothing, declared as none", { body: "", type: null }),
    ambiguous("a list", written("", '[{"n":1},{"n":1}]')),
    ambiguous("two objects", written("", '{"n":1}{"n":10}')),
    ambiguous("half an object", written("", '{"n":1')),
    ambiguous("deep", written("", `{"prompt":${"[".repeat(30)}${"]".repeat(30)}}`)),
    ambiguous("not UTF-8", { body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) }),
    ambiguous("UTF-16", { body: Buffer.from('{"n":1}', "utf16le") }),
    ...[
      "text/plain",
      "application/xml",
      "multipart/form-data; boundary=x",
      "application/json; charset=utf-16",
      "application/json, text/plain",
      "application/vnd.api+json",
      FORM,
    ].map((type) => ambiguous(`JSON that is called ${type}`, { type })),
    ambiguous("a form", { type: FORM, body: "n=10" }),
    ambiguous("a form that is called JSON", { body: "n=10" }),
    ambiguous("multipart", {
      type: "multipart/form-data; boundary=x",
      body: '--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n10\r\n--x--',
    }),
    ambiguous("two types", { headers: [`Content-Type: ${FORM}`] }),
  ]);
  refusesEach("a query", smuggler, [
    ...["n=10", "N=10", "n%5B%5D=10", "x=1", "_method=PUT", "n"].map((query) =>
      ambiguous(query, { target: `${TARGET}?${query}` }),
    ),
    ambiguous("of a GET that is free, with a method", {
      method: "GET",
      body: "",
      type: null,
      target: "/images/v1/models?_method=POST",
    }),
  ]);
  refusesEach("a header", smuggler, [
    ...OVERRIDES,
    ambiguous("two idempotency keys", { headers: ["Idempotency-Key: a", "Idempotency-Key: b"] }),
    ambiguous("an idempotency key of no characters", { headers: ["Idempotency-Key:"] }),
    ambiguous("a long idempotency key", { headers: [`Idempotency-Key: ${"a".repeat(256)}`] }),
  ]);
  refusesEach("a method", smuggler, METHODS);
  refusesEach("a path", smuggler, oddPaths(TARGET));
  refusesEach("an endpoint", smuggler, [
    ...[
      "/images/v1/Images",
      "/images/V1/images",
      "/images/v1/images/generations",
      "/images/v1/edits",
      "/images/v2/images",
      "/images/v1",
    ].map((target) => notPriced(target, { target })),
    ...["search", "Models", "images", "img.."].map((word) =>
      notPriced(`GET of the word ${word}`, {
        method: "GET",
        body: "",
        type: null,
        target: `${TARGET}/${word}`,
      }),
    ),
    ambiguous("a GET with a body", { method: "GET", target: "/images/v1/models", body: '{"n":10}' }),
  ]);
  refusesEach("a key", smuggler, otherKeys("images", TARGET));

  countsEach("a number", smuggler, [
    { name: "one by default", microUsd: 40_000, reaches: "/v1/images" },
    { name: "one", body: '{"n":1}', microUsd: 40_000, reaches: "/v1/images" },
    { name: "ten", body: '{ "prompt": "n: 3", "n" : 10 }', microUsd: 400_000, reaches: "/v1/images" },
    {
      name: "a charset",
      type: "application/json; charset=utf-8",
      body: '{"n":2}',
      microUsd: 80_000,
      reaches: "/v1/images",
    },
    { name: "at the root", target: "/v1/images", body: '{"n":2}', microUsd: 80_000, reaches: "/v1/images" },
    {
      name: "free",
      method: "GET",
      target: "/images/v1/images/img_1?n=10&n=11",
      body: "",
      type: null,
      microUsd: 0,
      reaches: "/v1/images/img_1?n=10&n=11",
    },
  ]);

  test("the API gets its credential and the headers that it needs, and none of ours", async () => {
    const { upstream } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();
    await smuggler.send(key, {
      headers: [
        "X-Api-Key: x",
        "Cookie: x=1",
        "X-Forwarded-Host: x",
        "Accept: a/b",
        "User-Agent: t",
        "Keybrake-Label: x",
        "Idempotency-Key: i1",
        "Range: bytes=0-1",
        "TE: trailers",
      ],
    });

    const [request] = upstream.requests;
    const names = (request?.rawHeaders ?? [])
      .filter((_, index) => index % 2 === 0)
      .map((name) => name.toLowerCase());
    expect(names.toSorted()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "idempotency-key",
      "user-agent",
    ]);
    expect(request?.rawHeaders).toContain("Bearer images-credential-of-the-tests");
  });
});

describe("letters, at the price in the answer", () => {
  const TARGET = "/letters/letters";
  const usual = { target: TARGET, type: "application/json", body: '{"to":"ann"}' };
  const smuggler = smugglerOf({
    vendor: "letters",
    definitions: [exampleOf("letters")],
    credential: "user:letters-credential-of-the-tests",
    usual,
  });

  refusesEach("a body", smuggler, [
    ...CODINGS(usual.body),
    ambiguous("a field twice", { body: '{"to":"ann","to":"bob"}' }),
    ambiguous("a method in the body", { body: '{"_method":"DELETE"}' }),
    ambiguous("a method in a form", { type: FORM, body: "_method=DELETE" }),
    ambiguous("XML", { type: "application/xml", body: "<to>ann</to>" }),
    ambiguous("multipart", { type: "multipart/form-data; boundary=x", body: "--x--" }),
  ]);
  refusesEach("a header", smuggler, [
    ...OVERRIDES,
    ambiguous("two of the API's own idempotency keys", { headers: ["X-Request-Key: a", "X-Request-Key: b"] }),
  ]);
  refusesEach("a method", smuggler, METHODS);
  refusesEach("a path", smuggler, oddPaths(TARGET));
  refusesEach("a key", smuggler, otherKeys("letters", TARGET));
  countsEach("a letter whose price is not told", smuggler, [
    { name: "JSON", microUsd: 5_000_000, reaches: "/letters" },
    { name: "a form", type: FORM, body: "to=ann", microUsd: 5_000_000, reaches: "/letters" },
    { name: "no body", type: null, body: "", microUsd: 5_000_000, reaches: "/letters" },
    {
      name: "one that is cancelled",
      method: "DELETE",
      target: `${TARGET}/ltr_1`,
      type: null,
      body: "",
      microUsd: 0,
      reaches: "/letters/ltr_1",
    },
  ]);
});

describe("lookups, at a flat price, with the credential in the query", () => {
  const TARGET = "/lookup/v2/companies/example.com";
  const usual = { method: "GET", target: TARGET, type: null, body: "" };
  const smuggler = smugglerOf({
    vendor: "lookup",
    definitions: [exampleOf("lookup")],
    credential: "lookup-credential-of-the-tests",
    usual,
  });
  const SENT = "api_key=lookup-credential-of-the-tests";

  refusesEach("a query", smuggler, [
    ...[
      "api_key=x",
      "api_key=",
      "API_KEY=x",
      "api-key=x",
      "apiKey=x",
      "api_key[]=x",
      "api_key=x&api_key=y",
      "_method=POST",
      "x-http-method-override=POST",
    ].map((query) => ambiguous(query, { target: `${TARGET}?${query}` })),
  ]);
  refusesEach("a body", smuggler, [
    ambiguous("of a GET", { body: "{}", type: "application/json" }),
    ambiguous("a method in a form", {
      method: "POST",
      target: "/lookup/v2/people",
      type: FORM,
      body: "_method=DELETE",
    }),
    ambiguous("compressed", {
      method: "POST",
      target: "/lookup/v2/people",
      type: FORM,
      body: gzipSync("a=b"),
      headers: ["Content-Encoding: gzip"],
    }),
  ]);
  refusesEach("a header", smuggler, OVERRIDES);
  refusesEach("a method", smuggler, METHODS);
  refusesEach("a path", smuggler, oddPaths(TARGET));
  refusesEach("a key", smuggler, otherKeys("lookup", TARGET));
  countsEach("a lookup", smuggler, [
    { name: "a GET", microUsd: 10_000, reaches: `/v2/companies/example.com?${SENT}` },
    {
      name: "a GET with a query",
      target: `${TARGET}?b=2&a=1`,
      microUsd: 10_000,
      reaches: `/v2/companies/example.com?a=1&b=2&${SENT}`,
    },
    {
      name: "a form",
      method: "POST",
      target: "/lookup/v2/people",
      type: FORM,
      body: "a=b",
      microUsd: 10_000,
      reaches: `/v2/people?${SENT}`,
    },
    { name: "free", target: "/lookup/v2/usage", microUsd: 0, reaches: `/v2/usage?${SENT}` },
  ]);

  test("a vault key in the query is taken for one, and goes no further", async () => {
    const { upstream, run } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();

    const answered = await smuggler.send(key, {
      authorization: null,
      target: `${TARGET}?a=1&api_key=${key.token}`,
    });

    expect(answered.status, answered.body).toBe(200);
    expect(upstream.requests.map(({ target }) => target)).toEqual([`/v2/companies/example.com?a=1&${SENT}`]);
    expect(JSON.stringify(await callRows(run, key))).not.toMatch(/kbvk|credential-of-the-tests/);
  });

  test.each([
    [
      "another parameter",
      (token: string) => ({ target: `/lookup/v2/usage?api_key=${token}&token=${token}` }),
    ],
    [
      "another parameter, beside a key in its header",
      (token: string) => ({ authorization: `Bearer ${token}`, target: `/lookup/v2/usage?token=${token}` }),
    ],
    [
      "a header that is forwarded",
      (token: string) => ({ target: `/lookup/v2/usage?api_key=${token}`, headers: [`User-Agent: ${token}`] }),
    ],
  ] as const)("a vault key in %s goes to no vendor", async (_, sent) => {
    const { upstream } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();

    const answered = await smuggler.send(key, { authorization: null, method: "GET", ...sent(key.token) });

    expect(answered.status, answered.body).toBe(400);
    expect(upstream.requests).toEqual([]);
  });

  test("two vault keys in the query are none", async () => {
    const { upstream } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();

    const answered = await smuggler.send(key, {
      authorization: null,
      target: `${TARGET}?api_key=${key.token}&api_key=${key.token}`,
    });

    expect(answered.status).toBe(401);
    expect(upstream.requests).toEqual([]);
  });
});

describe("lists, at a price for each entry, with the credential in a header", () => {
  const TARGET = "/faxes/send";
  const usual = { target: TARGET, type: FORM, body: "to=a" };
  const smuggler = smugglerOf({
    vendor: "faxes",
    definitions: [
      definitionWith(
        {
          "POST /send": { price: { usd: "0.05", times: { form: "to", is: "list", max: 3 } } },
          "POST /pay": { price: { amount: { json: "cents", unit: "cents", max_usd: 20 } } },
        },
        { name: "faxes", credential: { send: "header", name: "X-Api-Key" } },
      ),
    ],
    credential: "faxes-credential-of-the-tests",
    usual,
  });
  const pay = (name: string, body: string): Attempt => ({
    name,
    target: "/faxes/pay",
    type: "application/json",
    body,
  });

  refusesEach("a list", smuggler, [
    ...["to=a&to=b&to=c&to=d", "x=1", ""].map((body) => amountUnknown(body, { body })),
    ...[
      "to[]=a&to[]=b&to[]=c&to[]=d",
      "to[0]=a",
      "to=a&to[]=b",
      "to=a&To=b",
      "to=a;to=b",
      "to=a&to%20=b",
      "to=a&x[to]=b",
      "to.0=a",
    ].map((body) => ambiguous(body, { body })),
    ambiguous("JSON", { type: "application/json", body: '{"to":["a"]}' }),
  ]);
  refusesEach("an amount", smuggler, [
    ...["0", "2001", "-1", "10.5", "1e3", '"10"', "null", "[10]"].map((cents) =>
      amountUnknown(cents, pay("", `{"cents":${cents}}`)),
    ),
    amountUnknown("none", pay("", "{}")),
    ...['{"cents":1,"Cents":2000}', '{"cents":1,"x":{"cents":2000}}', '{"cents":1,"cents":2000}'].map(
      (body) => ambiguous(body, pay("", body)),
    ),
  ]);
  const counted = (attempt: Attempt, microUsd: number, reaches: string): Counted => ({
    ...attempt,
    microUsd,
    reaches,
  });
  countsEach("entries and amounts", smuggler, [
    counted({ name: "one" }, 50_000, "/send"),
    counted({ name: "three", body: "to=a&to=b&x=1&to=c" }, 150_000, "/send"),
    counted(pay("an amount", '{"cents":1250}'), 12_500_000, "/pay"),
  ]);

  test("a vault key in the API's own header is taken for one, and the credential stands in its place", async () => {
    const { upstream } = smuggler;
    const key = await smuggler.issue();
    upstream.forget();

    const answered = await smuggler.send(key, { authorization: null, headers: [`x-API-key: ${key.token}`] });

    expect(answered.status, answered.body).toBe(200);
    expect(JSON.stringify(upstream.requests[0]?.rawHeaders)).not.toContain("kbvk");
    expect(upstream.requests[0]?.rawHeaders).toContain("faxes-credential-of-the-tests");
  });
});
