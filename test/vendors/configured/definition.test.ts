import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDefinitions } from "../../../lambda/vendors/configured/definition.ts";
import { definitionWith, exampleOf, RULES } from "./harness.ts";

const faultOf = (input: unknown, loopback = false): string => {
  try {
    parseDefinitions(input, { ...RULES, loopback });
  } catch (error) {
    return (error as Error).message;
  }
  return "none";
};

const USUAL = { "POST /things": 0.04 } as const;
const wrong = (change: object): unknown => [{ ...definitionWith(USUAL), ...change }];
const endpoint = (described: unknown, key = "POST /things"): unknown => [
  { ...definitionWith(USUAL), endpoints: { [key]: described } },
];
const price = (described: unknown): unknown => endpoint({ price: described });
const times = (described: object): unknown => price({ usd: 0.04, times: described });
const endpoints = (...keys: readonly string[]): unknown =>
  wrong({ endpoints: Object.fromEntries(keys.map((key) => [key, "free"])) });

/** Guarantees that the definitions that are shown can be used as they stand. */
test.each(readdirSync(join(import.meta.dirname, "../../../examples/vendors")))(
  "examples/vendors/%s is accepted",
  (file) => {
    const name = file.replace(".json", "");
    expect(parseDefinitions([exampleOf(name)], RULES)).toMatchObject([{ name }]);
  },
);

/** Guarantees that a wrong definition is refused by the field's name, with what would be accepted. */
describe("a wrong definition", () => {
  test.each<readonly [string, unknown, RegExp]>([
    ["no list", { name: "x" }, /^vendors: .*expected a list of definitions/],
    [
      "an unknown field",
      wrong({ orign: "x" }),
      /^0\.orign: unknown field; expected an object with name, title, origin,/,
    ],
    [
      "no name",
      [{ ...definitionWith(USUAL), name: undefined }],
      /^0\.name: .*expected a name of 2 to 30 small letters/,
    ],
    ["a name with a hyphen", wrong({ name: "my-api" }), /^0\.name: got "my-api"; expected a name/],
    ["a name with capitals", wrong({ name: "Images" }), /^0\.name: got "Images"/],
    ["a path of ours as name", wrong({ name: "vault" }), /^0\.name: got "vault"; it is taken/],
    ["healthz as name", wrong({ name: "healthz" }), /^0\.name: .*it is taken/],
    ["dashboard as name", wrong({ name: "dashboard" }), /^0\.name: .*it is taken/],
    ["a built-in vendor's name", wrong({ name: "stripe" }), /^0\.name: got "stripe"; it is taken/],
    ["a name that every object has", wrong({ name: "constructor" }), /^0\.name: .*it is taken/],
    [
      "a limit on the list that the price counts",
      endpoint({
        price: { usd: 0.01, times: { form: "sizes[]", is: "list", max: 5 } },
        values: { sizes: ["small"] },
      }),
      /^0\.endpoints\.POST \/things\.values: it names the list that the price counts/,
    ],
    [
      "a header that every object has",
      wrong({ credential: { send: "header", name: "constructor" } }),
      /^0\.credential\.name: .*the name of a header/,
    ],
    [
      "a placeholder that every object has",
      endpoints("GET /things/{constructor}"),
      /expected "METHOD \/path"/,
    ],
    [
      "a limit that JavaScript would lose",
      endpoint({ price: 0.04, values: JSON.parse('{"constructor": ["a"]}') }),
      /^0\.endpoints\.POST \/things\.values: expected other names than __proto__, constructor, prototype/,
    ],
    [
      "a placeholder that JavaScript would lose",
      wrong({ placeholders: JSON.parse('{"constructor": "any"}') }),
      /^0\.placeholders: expected other names than/,
    ],
    [
      "a header that says something else for the idempotency key",
      wrong({ idempotency: { header: "User-Agent", hours: 24 } }),
      /^0\.idempotency\.header: it has another meaning already/,
    ],
    [
      "a name twice",
      [definitionWith(USUAL), definitionWith(USUAL)],
      /^1\.name: another vendor has this name/,
    ],
    ["no origin", [{ ...definitionWith(USUAL), origin: undefined }], /^0\.origin: .*expected https:\/\//],
    ["no credential", [{ ...definitionWith(USUAL), credential: undefined }], /^0\.credential/],
    [
      "another way of the credential",
      wrong({ credential: { send: "cookie" } }),
      /^0\.credential\.send: .*bearer, basic, header or query/,
    ],
    [
      "a header of the connection for the credential",
      wrong({ credential: { send: "header", name: "Host" } }),
      /^0\.credential\.name: .*of the API's own/,
    ],
    [
      "a line break in the prefix",
      wrong({ credential: { send: "header", name: "X-Key", prefix: "a\r\nb" } }),
      /^0\.credential\.prefix/,
    ],
    [
      "an unknown field of the credential",
      wrong({ credential: { send: "bearer", name: "x" } }),
      /^0\.credential\.name: unknown field; expected an object with send/,
    ],
    ["no endpoints", wrong({ endpoints: {} }), /^0\.endpoints: expected 1 to 50 endpoints/],
    [
      "51 endpoints",
      endpoints(...Array.from({ length: 51 }, (_, at) => `GET /e${at}`)),
      /^0\.endpoints: expected 1 to 50/,
    ],
    [
      "a price of text",
      endpoint("cheap"),
      /^0\.endpoints\.POST \/things: got "cheap"; expected "free", dollars/,
    ],
    ["a price of nothing", endpoint(0), /^0\.endpoints\.POST \/things: .*expected "free"/],
    ["a price below zero", endpoint(-1), /^0\.endpoints\.POST \/things: /],
    ["a price with a float's noise", endpoint(0.1 + 0.2), /^0\.endpoints\.POST \/things: /],
    ["a price with seven places", endpoint("0.0000001"), /^0\.endpoints\.POST \/things: got "0.0000001"/],
    ["a price as a small float", endpoint(1e-7), /^0\.endpoints\.POST \/things: /],
    ["no price", endpoint({ object_id: "id" }), /^0\.endpoints\.POST \/things\.price: /],
    [
      "an unknown field of an endpoint",
      endpoint({ price: 1, cost: 1 }),
      /^0\.endpoints\.POST \/things\.cost: unknown field; expected an object with price, fields/,
    ],
    [
      "a price of unknown fields",
      price({ dollars: 1 }),
      /^0\.endpoints\.POST \/things\.price\.(usd|dollars|times): /,
    ],
    [
      "no bound of a number",
      times({ json: "n" }),
      /^0\.endpoints\.POST \/things\.price\.times\.max: it is missing; expected a whole number/,
    ],
    [
      "no bound of an amount in the answer",
      price({ answer: { field: "price", unit: "cents" } }),
      /^0\.endpoints\.POST \/things\.price\.answer\.max_usd: it is missing/,
    ],
    [
      "no unit of an amount",
      price({ amount: { json: "amount" } }),
      /^0\.endpoints\.POST \/things\.price\.amount\.unit: it is missing; expected dollars, cents, micro_dollars/,
    ],
    ["another unit", price({ amount: { json: "amount", unit: "eur" } }), /price\.amount\.unit: got "eur"/],
    [
      "no field of the number",
      times({ max: 3 }),
      /price\.times: expected exactly one of json, form and query/,
    ],
    [
      "two fields of the number",
      times({ json: "n", form: "n", max: 3 }),
      /price\.times: expected exactly one of/,
    ],
    [
      "a default above the bound",
      times({ json: "n", max: 3, default: 4 }),
      /price\.times: expected a default that is not above max/,
    ],
    ["a bound with a fraction", times({ json: "n", max: 1.5 }), /price\.times\.max: /],
    [
      "a list in the query",
      times({ query: "n", is: "list", max: 3 }),
      /price\.times: expected a list in json or form/,
    ],
    ["a field that is no name", times({ json: "a b", max: 3 }), /price\.times\.json: got "a b"/],
    [
      "a number in the body of a GET",
      endpoint({ price: { usd: 1, times: { json: "n", max: 2 } } }, "GET /things"),
      /^0\.endpoints\.GET \/things\.price: a GET has no body/,
    ],
    [
      "a number in the query of a POST",
      times({ query: "n", max: 2 }),
      /^0\.endpoints\.POST \/things\.price: a POST has its number in the body/,
    ],
    [
      "a status that is no refusal",
      endpoint({ price: 1, charged_on: [500] }),
      /charged_on\.0: .*from 400 to 499/,
    ],
    [
      "a status in both lists",
      endpoint({ price: 1, charged_on: [404], not_charged_on: [404] }),
      /POST \/things: expected a status in one of/,
    ],
    [
      "an object's id of a free call",
      endpoint({ price: "free", object_id: "id" }),
      /POST \/things: expected object_id,/,
    ],
    [
      "idempotent without an object's id",
      endpoint({ price: 1, idempotent: true }),
      /POST \/things: expected idempotent only with object_id/,
    ],
    [
      "idempotent without a window",
      endpoint({ price: 1, idempotent: true, object_id: "id" }),
      /POST \/things\.idempotent: it needs idempotency of the vendor/,
    ],
    [
      "a window below the margin",
      wrong({ idempotency: { hours: 1 } }),
      /^0\.idempotency\.hours: .*from 2 to 48/,
    ],
    [
      "a window above what a record is kept",
      wrong({ idempotency: { hours: 49 } }),
      /^0\.idempotency\.hours: .*from 2 to 48/,
    ],
    [
      "a bill for a call that is sent again",
      endpoint({ price: 1, charged_on: [401] }),
      /charged_on: expected any status but 401/,
    ],
    [
      "a number in a list of a form",
      times({ form: "n[]", max: 10, default: 1 }),
      /price\.times: expected a field of a form without \[\] at its end/,
    ],
    [
      "an amount in a list of a form",
      price({ amount: { form: "n[]", unit: "cents" } }),
      /price\.amount: expected a field of a form without \[\] at its end/,
    ],
    [
      "entries of a number",
      times({ json: "n", max: 10, entries: "any" }),
      /price\.times: expected entries only of a list/,
    ],
    [
      "a credential among the forwarded headers",
      wrong({ credential: { send: "header", name: "X-Key" }, forwarded_headers: ["X-Key"] }),
      /^0\.forwarded_headers\.0: /,
    ],
    [
      "authorization among the forwarded headers",
      wrong({ forwarded_headers: ["Authorization"] }),
      /^0\.forwarded_headers\.0: /,
    ],
    [
      "an encoding among the forwarded headers",
      wrong({ forwarded_headers: ["Content-Encoding"] }),
      /^0\.forwarded_headers\.0: /,
    ],
    [
      "another method among the forwarded headers",
      wrong({ forwarded_headers: ["X-HTTP-Method-Override"] }),
      /^0\.forwarded_headers\.0: /,
    ],
    [
      "the credential as a parameter that counts",
      [
        definitionWith(
          { "GET /things": { price: { usd: 1, times: { query: "Key", max: 2 } } } },
          { credential: { send: "query", name: "key" } },
        ),
      ],
      /price: it names the parameter of the credential/,
    ],
  ])("%s", (_, input, fault) => {
    expect(faultOf(input)).toMatch(fault);
  });

  test.each<readonly [string, readonly string[], RegExp]>([
    ["no method", ["/things"], /expected "METHOD \/path"/],
    ["another method", ["HEAD /things"], /expected "METHOD/],
    ["a method in small letters", ["post /things"], /expected "METHOD/],
    ["no slash", ["POST things"], /expected "METHOD/],
    ["an empty segment", ["POST /things//x"], /expected "METHOD/],
    ["a slash at the end", ["POST /things/"], /expected "METHOD/],
    ["a dotted segment", ["POST /things/../x"], /expected "METHOD/],
    ["an escape", ["POST /th%69ngs"], /expected "METHOD/],
    ["a query", ["POST /things?x=1"], /expected "METHOD/],
    ["a wildcard", ["POST /things/**"], /none|expected "METHOD/],
    ["a brace that stays open", ["POST /things/{id"], /expected "METHOD/],
    ["a placeholder with an ending", ["POST /things/{id}.json"], /expected "METHOD/],
    [
      "one endpoint under two placeholders",
      ["GET /things/{id}", "GET /things/{name}"],
      /is the same endpoint as/,
    ],
    ["two that fit one path", ["GET /{a}/x", "GET /y/{b}"], /a path can be this endpoint and/],
    ["two that differ in capitals", ["GET /things", "GET /Things"], /a path can be this endpoint and/],
  ])("its endpoint has %s", (_, keys, fault) => {
    expect(faultOf(endpoints(...keys))).toMatch(fault);
  });

  test("a narrower endpoint beside a wider one is accepted", () => {
    expect(faultOf(endpoints("GET /things/{id}", "GET /things/search"))).toBe("none");
  });
});

/** Guarantees that a credential goes to a public host over TLS, or to this machine where that is allowed. */
describe("an origin", () => {
  test.each([
    "http://api.example.com",
    "http://127.0.0.1:8080",
    "https://127.0.0.1",
    "https://169.254.169.254",
    "https://[fd00:ec2::254]",
    "https://[::ffff:169.254.169.254]",
    "https://2852039166",
    "https://0xa9fea9fe",
    "https://0251.0376.0251.0376",
    "https://10.0.0.1",
    "https://localhost",
    "https://foo.localhost",
    "https://metadata.google.internal",
    "https://metadata",
    "https://ip-10-0-0-1.ec2.internal",
    "https://printer.local",
    "https://api.example.com.",
    "https://api.example.com/v1",
    "https://api.example.com/",
    "https://api.example.com?x=1",
    "https://api.example.com#x",
    "https://user@api.example.com",
    "https://user:password@api.example.com",
    "https://API.example.com",
    "https://api.example.com:443",
    "https://api.exämple.com",
    "https://api_example.com",
    "https://api.example.com:99999",
    "ftp://api.example.com",
    "file:///etc/passwd",
    "api.example.com",
    " https://api.example.com",
    "https:\\\\api.example.com",
    "",
  ])("%j is refused", (origin) => {
    expect(faultOf(wrong({ origin }))).toMatch(/^0\.origin: .*expected https:\/\//);
  });

  test.each([
    "https://api.example.com",
    "https://api.example.com:8443",
    "https://a-b.example.co.uk",
    "https://api.xn--exmple-cua.com",
  ])("%s is accepted", (origin) => {
    expect(faultOf(wrong({ origin }))).toBe("none");
  });

  test.each(["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:8080"])(
    "%s is accepted on one machine alone",
    (origin) => {
      expect(faultOf(wrong({ origin }))).toMatch(/origin/);
      expect(faultOf(wrong({ origin }), true)).toBe("none");
    },
  );

  test.each([
    "http://192.168.0.1",
    "http://169.254.169.254",
    "http://127.0.0.1.example.com",
    "http://127.0.0.1:8080/",
    "http://user@127.0.0.1:80",
  ])("%s is refused there too", (origin) => {
    expect(faultOf(wrong({ origin }), true)).toMatch(/or http:\/\/127\.0\.0\.1:<port> on this machine$/);
  });
});
