import { describe, expect, test } from "vitest";
import { Problem } from "../../../lambda/domain/problem.ts";
import { type Asked, definitionWith, exampleOf, priceOf, quoted, vendorOf } from "./harness.ts";

const json = (body: unknown): Asked => ({ body: JSON.stringify(body) });
const written = (body: string): Asked => ({ body });
const form = (body: string): Asked => ({ body, type: "application/x-www-form-urlencoded" });
const get = (query: Asked["query"] = {}, others: Asked = {}): Asked => ({
  method: "GET",
  type: null,
  query,
  ...others,
});
const withPrice = (price: object, others: object = {}) =>
  vendorOf(definitionWith({ "POST /things": { price, ...others } } as never));

type Row = readonly [name: string, asked: Asked, cost: bigint | string];

const images = vendorOf(exampleOf("images"));
const image = (asked: Asked): Asked => ({ path: "/v1/images", ...asked });

/** Guarantees that a number of the request is read in one way only, and is what a server must bill at most. */
describe("a price times a number in JSON", () => {
  test.each<Row>([
    ["one by default", json({ prompt: "x" }), 40_000n],
    ["three", json({ prompt: "x", n: 3 }), 120_000n],
    ["the most", json({ n: 10 }), 400_000n],
    ["spaces around it", written('{ "n" :  3 }'), 120_000n],
    ["an escaped name", written('{"\\u006e": 3}'), 120_000n],
    ["one too many", json({ n: 11 }), "amount_unknown"],
    ["none", json({ n: 0 }), "amount_unknown"],
    ["below zero", json({ n: -1 }), "amount_unknown"],
    ["minus zero", written('{"n": -0}'), "amount_unknown"],
    ["a fraction", json({ n: 1.5 }), "amount_unknown"],
    ["a fraction of nothing", written('{"n": 1.0}'), "amount_unknown"],
    ["an exponent", written('{"n": 1e1}'), "amount_unknown"],
    ["a capital exponent", written('{"n": 1E0}'), "amount_unknown"],
    ["more places than a float has", written('{"n": 1.00000000000000000001}'), "amount_unknown"],
    ["more digits than a float has", written('{"n": 10000000000000000000001}'), "amount_unknown"],
    ["infinite", written('{"n": 1e999}'), "amount_unknown"],
    ["a text", json({ n: "3" }), "amount_unknown"],
    ["null", json({ n: null }), "amount_unknown"],
    ["true", json({ n: true }), "amount_unknown"],
    ["a list", json({ n: [3] }), "amount_unknown"],
    ["an object", json({ n: { n: 3 } }), "amount_unknown"],
    ["twice", written('{"n": 1, "n": 10}'), "ambiguous_request"],
    ["twice, once escaped", written('{"n": 1, "\\u006e": 10}'), "ambiguous_request"],
    ["a capital beside it", written('{"n": 1, "N": 10}'), "endpoint_not_priced"],
    ["a hexadecimal", written('{"n": 0xA}'), "ambiguous_request"],
    ["leading zeros", written('{"n": 010}'), "ambiguous_request"],
    ["a plus", written('{"n": +1}'), "ambiguous_request"],
    ["NaN", written('{"n": NaN}'), "ambiguous_request"],
    ["a comment", written('{"n": 1 /* 10 */}'), "ambiguous_request"],
    ["a comma at the end", written('{"n": 1,}'), "ambiguous_request"],
    ["two values", written('{"n": 1}{"n": 10}'), "ambiguous_request"],
    ["a byte order mark", written('\ufeff{"n": 1}'), "ambiguous_request"],
    ["a list of requests", json([{ n: 1 }, { n: 1 }]), "ambiguous_request"],
    ["a text as body", json("n=10"), "ambiguous_request"],
    ["no body", written(""), "ambiguous_request"],
    ["not UTF-8", { body: new Uint8Array([0x7b, 0xff, 0x7d]) }, "ambiguous_request"],
    ["no type", { ...json({ n: 1 }), type: null }, "ambiguous_request"],
    ["a form", form("n=1"), "ambiguous_request"],
    ["a form that is called JSON", { ...form("n=10"), type: "application/json" }, "ambiguous_request"],
    [
      "JSON that is called a form",
      { ...json({ n: 1 }), type: "application/x-www-form-urlencoded" },
      "ambiguous_request",
    ],
    ["JSON that is called text", { ...json({ n: 1 }), type: "text/plain" }, "ambiguous_request"],
    ["another charset", { ...json({ n: 1 }), type: "application/json; charset=utf-7" }, "ambiguous_request"],
    ["multipart", { ...json({ n: 1 }), type: "multipart/form-data; boundary=x" }, "ambiguous_request"],
    [
      "two types",
      { ...json({ n: 1 }), headers: { "content-type": ["application/json", "text/plain"] } },
      "ambiguous_request",
    ],
    ["compressed", { ...json({ n: 1 }), headers: { "content-encoding": ["gzip"] } }, "ambiguous_request"],
    ["a query", { ...json({ n: 1 }), query: { n: ["10"] } }, "ambiguous_request"],
    ["any query", { ...json({ n: 1 }), query: { x: ["1"] } }, "ambiguous_request"],
    ["an unknown field", json({ n: 1, size: "4096x4096" }), "endpoint_not_priced"],
    ["another method by a field", json({ n: 1, _method: "DELETE" }), "ambiguous_request"],
  ])("%s", (_, asked, cost) => {
    expect(priceOf(images, image(asked))).toBe(cost);
  });

  const loose = withPrice({ usd: 0.04, times: { json: "num_images", max: 10, default: 1 } });
  test.each<Row>([
    ["in its own place", json({ num_images: 2 }), 80_000n],
    ["nowhere", json({}), 40_000n],
    ["with other fields", json({ num_images: 2, prompt: "number of images", size: [1, 2] }), 80_000n],
    ["in capitals", json({ NUM_IMAGES: 10 }), "ambiguous_request"],
    ["in another case of words", json({ numImages: 10 }), "ambiguous_request"],
    ["with a hyphen", json({ "num-images": 10 }), "ambiguous_request"],
    ["with a space behind it", json({ "num_images ": 10 }), "ambiguous_request"],
    ["with brackets", json({ "num_images[]": 10 }), "ambiguous_request"],
    ["with a dot", json({ "options.num_images": 10 }), "ambiguous_request"],
    ["in wide letters", json({ ｎum_images: 10 }), "ambiguous_request"],
    ["in a letter that folds to it", json({ num_imageſ: 10 }), "ambiguous_request"],
    ["with a character that is not seen", json({ "num_\u200bimages": 10 }), "ambiguous_request"],
    ["inside of another field", json({ options: { num_images: 10 } }), "ambiguous_request"],
    ["inside of a list", json({ requests: [{ num_images: 10 }] }), "ambiguous_request"],
    [
      "beside it inside of another field",
      json({ num_images: 1, extra_body: { numImages: 10 } }),
      "ambiguous_request",
    ],
    ["in a prototype", written('{"__proto__": {"num_images": 10}}'), "ambiguous_request"],
  ])("a field of several words stands %s", (_, asked, cost) => {
    expect(priceOf(loose, asked)).toBe(cost);
  });

  const nested = withPrice({ usd: 1, times: { json: "options.count", max: 5 } });
  test.each<Row>([
    ["in its place", json({ options: { count: 2, other: 9 } }), 2_000_000n],
    ["nowhere, without a default", json({}), "amount_unknown"],
    ["nowhere in its object", json({ options: {} }), "amount_unknown"],
    ["at the top", json({ count: 5 }), "ambiguous_request"],
    ["at the top too", json({ count: 5, options: { count: 1 } }), "ambiguous_request"],
    ["in an object of another case", json({ Options: { count: 5 } }), "ambiguous_request"],
    ["under a dotted name", json({ "options.count": 5 }), "ambiguous_request"],
    ["in a list of objects", json({ options: [{ count: 5 }] }), "ambiguous_request"],
    ["in a text of JSON", json({ options: '{"count": 5}' }), "amount_unknown"],
    ["in an object that is null", json({ options: null }), "amount_unknown"],
  ])("a field inside of another one stands %s", (_, asked, cost) => {
    expect(priceOf(nested, asked)).toBe(cost);
  });
});

describe("a price times a number in a form", () => {
  const vendor = withPrice({ usd: 0.02, times: { form: "pages", max: 50, default: 1 } });
  test.each<Row>([
    ["a number", form("pages=3&to=x"), 60_000n],
    ["nothing", form("to=x"), 20_000n],
    ["an empty body", form(""), 20_000n],
    ["an escaped name", form("%70ages=3"), 60_000n],
    ["a number twice", form("pages=1&pages=50"), "ambiguous_request"],
    ["nothing as number", form("pages="), "amount_unknown"],
    ["one too many", form("pages=51"), "amount_unknown"],
    ["below zero", form("pages=-1"), "amount_unknown"],
    ["a plus", form("pages=%2B1"), "amount_unknown"],
    ["a space before it", form("pages=+1"), "amount_unknown"],
    ["a fraction", form("pages=1.5"), "amount_unknown"],
    ["an exponent", form("pages=1e1"), "amount_unknown"],
    ["leading zeros", form("pages=010"), "amount_unknown"],
    ["other digits", form(`pages=${encodeURIComponent("１")}`), "amount_unknown"],
    ["brackets", form("pages[]=50"), "ambiguous_request"],
    ["a place in brackets", form("pages[0]=50"), "ambiguous_request"],
    ["capitals beside it", form("pages=1&PAGES=50"), "ambiguous_request"],
    ["inside of another field", form("pages=1&options[pages]=50"), "ambiguous_request"],
    ["a dotted name", form("pages=1&options.pages=50"), "ambiguous_request"],
    ["a semicolon", form("pages=1;pages=50"), "ambiguous_request"],
    ["another method", form("pages=1&_method=put"), "ambiguous_request"],
    ["JSON", json({ pages: 1 }), "ambiguous_request"],
    ["multipart", { body: "x", type: "multipart/form-data; boundary=x" }, "ambiguous_request"],
    ["a query", { ...form("pages=1"), query: { pages: ["50"] } }, "ambiguous_request"],
  ])("%s", (_, asked, cost) => {
    expect(priceOf(vendor, asked)).toBe(cost);
  });
});

describe("a price times a number in the query", () => {
  const vendor = vendorOf(
    definitionWith({
      "GET /things": { price: { usd: 0.005, times: { query: "limit", max: 100, default: 10 } } },
    }),
  );
  test.each<Row>([
    ["a number", get({ limit: ["20"], q: ["x"] }), 100_000n],
    ["nothing", get({ q: ["x"] }), 50_000n],
    ["twice", get({ limit: ["1", "100"] }), "ambiguous_request"],
    ["one too many", get({ limit: ["101"] }), "amount_unknown"],
    ["a comma", get({ limit: ["1,100"] }), "amount_unknown"],
    ["no value", get({ limit: [""] }), "amount_unknown"],
    ["brackets", get({ "limit[]": ["100"] }), "ambiguous_request"],
    ["capitals", get({ limit: ["1"], LIMIT: ["100"] }), "ambiguous_request"],
    ["inside of another one", get({ limit: ["1"], "page[limit]": ["100"] }), "ambiguous_request"],
    ["a body", get({ limit: ["1"] }, { body: '{"limit": 100}' }), "ambiguous_request"],
    ["another method", get({ limit: ["1"], _method: ["POST"] }), "ambiguous_request"],
    ["another method as Google's APIs take it", get({ $httpMethod: ["POST"] }), "ambiguous_request"],
  ])("%s", (_, asked, cost) => {
    expect(priceOf(vendor, asked)).toBe(cost);
  });
});

describe("a price times the length of a list", () => {
  const inJson = withPrice({ usd: "0.0009", times: { json: "to", is: "list", max: 3 } });
  const inForm = withPrice({ usd: "0.0009", times: { form: "to", is: "list", max: 3 } });
  const within = withPrice({ usd: 1, times: { json: "mail.to", is: "list", max: 3, default: 1 } });
  test.each<Row>([
    ["two", json({ mail: { to: ["a", "b"] } }), 2_000_000n],
    ["none, by default one", json({ mail: {} }), 1_000_000n],
    ["in a text of JSON", json({ mail: '{"to": ["a", "b"]}' }), "amount_unknown"],
    ["in a list", json({ mail: [{ to: ["a", "b"] }] }), "ambiguous_request"],
    ["at the top", json({ to: ["a", "b"] }), "ambiguous_request"],
  ])("inside of another field: %s", (_, asked, cost) => {
    expect(priceOf(within, asked)).toBe(cost);
  });

  const bracketed = withPrice({ usd: "0.0009", times: { form: "to[]", is: "list", max: 3 } });
  test.each<Row>([
    ["one", json({ to: ["a"] }), 900n],
    ["three objects", json({ to: [{ to: "a" }, { to: "b" }, {}] }), 2_700n],
    ["four", json({ to: ["a", "b", "c", "d"] }), "amount_unknown"],
    ["none", json({ to: [] }), "amount_unknown"],
    ["no list", json({}), "amount_unknown"],
    ["a text", json({ to: "a,b,c,d" }), "amount_unknown"],
    ["an object of places", json({ to: { 0: "a", length: 1 } }), "amount_unknown"],
    ["a list in it", json({ to: [["a", "b", "c", "d"]] }), "amount_unknown"],
    ["null in it", json({ to: [null] }), "amount_unknown"],
    ["two in one text", json({ to: ["a@example.com,b@example.com"] }), "amount_unknown"],
    ["two in one text, by a semicolon", json({ to: ["a;b"] }), "amount_unknown"],
    ["two in one text, by a line break", json({ to: ["a\nb"] }), "amount_unknown"],
    ["two in a text of an object", json({ to: [{ email: "a,b" }] }), "amount_unknown"],
    ["a list in an object of it", json({ to: [{ email: ["a", "b"] }] }), "amount_unknown"],
    ["a name with a space", json({ to: ["Ann <a@example.com>"] }), 900n],
    ["another list of this name", json({ to: ["a"], cc: { to: ["b"] } }), "ambiguous_request"],
    ["in capitals too", json({ to: ["a"], To: ["b"] }), "ambiguous_request"],
  ])("in JSON: %s", (_, asked, cost) => {
    expect(priceOf(inJson, asked)).toBe(cost);
  });

  test.each<Row>([
    ["three", form("to=a&to=b&to=c"), 2_700n],
    ["four", form("to=a&to=b&to=c&to=d"), "amount_unknown"],
    ["none", form("x=1"), "amount_unknown"],
    ["with brackets", form("to[]=a"), "ambiguous_request"],
    ["with places", form("to[0]=a&to[1]=b"), "ambiguous_request"],
    ["once so and once so", form("to=a&to[]=b"), "ambiguous_request"],
    ["another field twice", form("to=a&x=1&x=2"), "ambiguous_request"],
    ["two in one text", form("to=a%2Cb"), "amount_unknown"],
  ])("in a form: %s", (_, asked, cost) => {
    expect(priceOf(inForm, asked)).toBe(cost);
  });

  test("entries that are texts may have commas where the definition says so", () => {
    const prompts = withPrice({
      usd: 1,
      times: { json: "prompts", is: "list", entries: "any", max: 3 },
    });

    expect(priceOf(prompts, json({ prompts: ["a, b", "c; d"] }))).toBe(2_000_000n);
    expect(priceOf(prompts, json({ prompts: [["a", "b"]] }))).toBe("amount_unknown");
  });

  test.each<Row>([
    ["three", form("to[]=a&to[]=b&to[]=c"), 2_700n],
    ["four", form("to[]=a&to[]=b&to[]=c&to[]=d"), "amount_unknown"],
    ["without brackets", form("to=a"), "ambiguous_request"],
    ["once so and once so", form("to[]=a&to=b"), "ambiguous_request"],
  ])("in a form with brackets: %s", (_, asked, cost) => {
    expect(priceOf(bracketed, asked)).toBe(cost);
  });
});

describe("an amount in the request", () => {
  const cents = withPrice(
    { amount: { json: "amount", unit: "cents", max_usd: 100 } },
    { values: { currency: ["usd"] } },
  );
  test.each<Row>([
    ["cents", json({ amount: 2_999, currency: "usd" }), 29_990_000n],
    ["the most", json({ amount: 10_000 }), 100_000_000n],
    ["a cent more", json({ amount: 10_001 }), "amount_unknown"],
    ["nothing", json({ amount: 0 }), "amount_unknown"],
    ["no amount", json({}), "amount_unknown"],
    ["below zero", json({ amount: -1 }), "amount_unknown"],
    ["a fraction", json({ amount: 10.5 }), "amount_unknown"],
    ["a text", json({ amount: "10" }), "amount_unknown"],
    ["another currency", json({ amount: 1, currency: "kwd" }), "endpoint_not_priced"],
    ["another currency in capitals", json({ amount: 1, Currency: "kwd" }), "ambiguous_request"],
    ["another currency elsewhere", json({ amount: 1, options: { currency: "kwd" } }), "ambiguous_request"],
    ["a list of currencies", json({ amount: 1, currency: ["usd"] }), "endpoint_not_priced"],
  ])("in cents: %s", (_, asked, cost) => {
    expect(priceOf(cents, asked)).toBe(cost);
  });

  const dollars = withPrice({ amount: { json: "total", unit: "dollars", as: "text" } });
  test.each<Row>([
    ["whole", json({ total: "12" }), 12_000_000n],
    ["with places", json({ total: "12.50" }), 12_500_000n],
    ["a millionth", json({ total: "0.000001" }), 1n],
    ["seven places", json({ total: "0.0000011" }), "amount_unknown"],
    ["a number", json({ total: 12.5 }), "amount_unknown"],
    ["a comma", json({ total: "1,000" }), "amount_unknown"],
    ["a sign", json({ total: "$1" }), "amount_unknown"],
    ["a space", json({ total: " 1" }), "amount_unknown"],
    ["a line", json({ total: "1\n" }), "amount_unknown"],
    ["an exponent", json({ total: "1e3" }), "amount_unknown"],
  ])("in dollars as text: %s", (_, asked, cost) => {
    expect(priceOf(dollars, asked)).toBe(cost);
  });

  test("its row says the amount as it was written, in dollars", () => {
    expect(quoted(cents, json({ amount: 2_999 }))).toMatchObject({ amountText: "2999", currency: "usd" });
  });
});

describe("a flat price, and none", () => {
  const lookup = vendorOf(exampleOf("lookup"));
  const company = (path: string, others: Asked = {}): Asked => get({}, { path, ...others });
  test.each<Row>([
    ["a lookup", company("/v2/companies/example.com"), 10_000n],
    ["with a query", company("/v2/companies/example", { query: { fields: ["a", "b"] } }), 10_000n],
    ["a form", { ...form("email=ann@example.com"), path: "/v2/people" }, 10_000n],
    ["JSON", { ...json({ email: "ann@example.com" }), path: "/v2/people" }, 10_000n],
    ["no body", { path: "/v2/people", type: null }, 10_000n],
    ["free", company("/v2/usage"), 0n],
    ["a GET with a body", company("/v2/usage", { body: "{}" }), "ambiguous_request"],
    ["the credential's parameter", company("/v2/usage", { query: { api_key: ["x"] } }), "ambiguous_request"],
    [
      "the credential's parameter otherwise",
      company("/v2/usage", { query: { "API-Key": ["x"] } }),
      "ambiguous_request",
    ],
    [
      "another type of body",
      { body: "<x/>", type: "application/xml", path: "/v2/people" },
      "ambiguous_request",
    ],
    [
      "multipart",
      { body: "x", type: "multipart/form-data; boundary=x", path: "/v2/people" },
      "ambiguous_request",
    ],
    [
      "a list of calls in one",
      { ...json([{ email: "a" }, { email: "b" }]), path: "/v2/people" },
      "ambiguous_request",
    ],
    [
      "a query beside a body",
      { ...json({ email: "a" }), path: "/v2/people", query: { include: ["x"] } },
      "ambiguous_request",
    ],
    ["another method by a field", { ...form("_method=DELETE"), path: "/v2/people" }, "ambiguous_request"],
    ["another method by JSON", { ...json({ _method: "DELETE" }), path: "/v2/people" }, "ambiguous_request"],
    [
      "compressed",
      { ...json({}), path: "/v2/people", headers: { "content-encoding": ["br"] } },
      "ambiguous_request",
    ],
  ])("%s", (_, asked, cost) => {
    expect(priceOf(lookup, asked)).toBe(cost);
  });
});

/** Guarantees that nothing is called that is not listed, and that no word is taken for an id. */
test.each([
  ["GET", "/v1/images"],
  ["DELETE", "/v1/images/img_1"],
  ["GET", "/v1/images/search"],
  ["GET", "/v1/images/img_1/raw"],
  ["GET", "/v1/Models"],
  ["GET", "/v1"],
  ["POST", "/v1/images/1"],
])("%s %s is not listed", (method, path) => {
  expect(() => quoted(images, { method, path, type: null })).toThrow("is not listed");
});

test("a placeholder that may be a word is none that another endpoint has, in any spelling", () => {
  const vendor = vendorOf(
    definitionWith({ "GET /t/{name}": "free", "GET /t/search": 1 }, { placeholders: { name: "any" } }),
  );
  const at = (path: string) => () => priceOf(vendor, get({}, { path }));

  expect(at("/t/search")()).toBe(1_000_000n);
  expect(at("/t/other")()).toBe(0n);
  for (const path of [
    "/t/Search",
    "/t/search.",
    "/t/SEARCH..",
    "/t/search:",
    "/t/search.json",
    "/t/search.v1",
  ])
    expect(at(path)).toThrow("is not listed");
});

/** Guarantees that one segment is one thing: no list of ids, and no other method of Google's APIs. */
test.each(["/t/1,2,3", "/t/1:run", "/t/a1:batchGet"])("%s is no id", (path) => {
  const vendor = vendorOf(definitionWith({ "GET /t/{id}": 1, "GET /t/v1/x": 1 }));

  expect(() => priceOf(vendor, get({}, { path }))).toThrow("is not listed");
  expect(priceOf(vendor, get({}, { path: "/t/v1.5" })), "a format ends a path").toBe(1_000_000n);
});

/** Guarantees that a refusal says what was got and what would be accepted. */
test.each<readonly [Asked, RegExp]>([
  [json({ n: 11 }), /^n: got 11; expected a whole number from 1 to 10, written in digits alone$/],
  [json({ n: "3" }), /^n: got a string; expected a number, without quotes$/],
  [
    json({ n: 1, size: 1 }),
    /^"size": unknown field; Keybrake cannot bound its cost; expected model, n, prompt$/,
  ],
])("%j is refused in words", (asked, message) => {
  const refused = quoted(images, image(asked));

  expect(refused).toBeInstanceOf(Problem);
  expect((refused as Problem).message).toMatch(message);
});
