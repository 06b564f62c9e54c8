import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Problem } from "../../lambda/domain/problem.ts";
import type { VendorRequest } from "../../lambda/domain/vendor.ts";
import { readJson } from "../../lambda/vendors/json-body.ts";

/** Guarantees that a JSON body that two parsers could read differently is refused. */

const requestOf = (body: string | Uint8Array, change: Partial<VendorRequest> = {}): VendorRequest => ({
  method: "POST",
  path: "/emails",
  query: {},
  headers: { "content-type": ["application/json"] },
  body: typeof body === "string" ? new TextEncoder().encode(body) : body,
  ...change,
});

const read = (body: string | Uint8Array, change: Partial<VendorRequest> = {}): unknown => {
  const json = readJson(requestOf(body, change));
  return json instanceof Problem ? json.message.replace(/^.*one way: /g, "") : json.value;
};

const typed = (...types: string[]) => ({ headers: { "content-type": types } });

describe("a body that can be read in one way only", () => {
  test("is read as it is written", () => {
    expect(read(' {"to":["a@b.c"],"deep":{"yes":true,"no":null}}\n')).toEqual({
      to: ["a@b.c"],
      deep: { yes: true, no: null },
    });
  });

  test.each(["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])(
    "may be declared as %s",
    (type) => {
      expect(read("[]", typed(type))).toEqual([]);
    },
  );

  test("may have colons, brackets and quotes in its strings", () => {
    expect(read(String.raw`{"a:{[":"\":{[\\","b":"}:"}`)).toEqual({ "a:{[": '":{[\\', b: "}:" });
  });

  test("is read like JSON.parse reads it, where no name is repeated", () => {
    const anything = fc.jsonValue({ maxDepth: 5, noUnicodeString: false });
    fc.assert(
      fc.property(anything, (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        expect(JSON.stringify(read(text))).toBe(text);
      }),
    );
  });
});

describe("a body that could be read in two ways is refused", () => {
  const TWICE = "the body names a field twice";
  test.each([
    ["with other values", '{"to":"a@b.c","to":"x@y.z"}'],
    ["with the same value", '{"to":"a@b.c","to":"a@b.c"}'],
    ["written with an escape", String.raw`{"to":"a@b.c","\u0074o":"a@b.c"}`],
    ["once as an array and once as an object of places", '{"to":{"0":"a@b.c"},"to":["a@b.c"]}'],
    ["once as an empty object and once as an empty array", '{"to":{},"to":[]}'],
    ["deep inside", '[{"template":{"variables":{"a":1,"a":1}}}]'],
    ["as __proto__", '{"__proto__":1,"__proto__":1}'],
  ])("a repeated name, %s", (_, body) => {
    expect(read(body)).toBe(TWICE);
  });

  test("any repeated name, with any values", () => {
    const value = fc.jsonValue({ maxDepth: 3 }).map((inner) => JSON.stringify(inner));
    fc.assert(
      fc.property(fc.string(), value, value, (name, first, second) => {
        const written = JSON.stringify(name);
        expect(read(`{"x":[{${written}:${first},${written}:${second}}]}`)).toBe(TWICE);
      }),
    );
  });

  test.each([
    ["__proto__ at the top", '{"__proto__":{"to":"x@y.z"}}'],
    ["__proto__ deep inside", '[{"a":{"__proto__":[]}}]'],
  ])("%s", (_, body) => {
    expect(read(body)).toBe('the body names "__proto__"');
  });

  const NO_JSON = "the body is not JSON, or has text after the value";
  test.each([
    ["nothing", ""],
    ["text after the value", '{"a":1}{"a":2}'],
    ["a NUL after the value", "{}\u0000"],
    ["a trailing comma", '{"a":1,}'],
    ["a comment", '{"a":1/*,"b":2*/}'],
    ["single quotes", "{'a':1}"],
    ["a name without quotes", "{a:1}"],
    ["a bare line break in a string", '{"a":"\n"}'],
    ["a leading zero", '{"a":01}'],
    ["a malformed number", '{"a":NaN}'],
    ["a half escape", String.raw`{"a":"\u12"}`],
  ])("what is not JSON: %s", (_, body) => {
    expect(read(body)).toBe(NO_JSON);
  });

  test("what is nested deeper than any call", () => {
    const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

    expect(read(nested(20))).toBeInstanceOf(Array);
    expect(read(nested(21))).toBe("the body is nested more than 20 levels deep");
    expect(read("[".repeat(4_000_000))).toBe("the body is nested more than 20 levels deep");
    expect(read('{"a":'.repeat(1_000_000))).toBe("the body is nested more than 20 levels deep");
  });

  test("a byte order mark, and what is not UTF-8", () => {
    expect(read("\uFEFF{}")).toBe("the body begins with a byte order mark");
    expect(read(Uint8Array.from([0x22, 0xff, 0x22]))).toBe("the body is not UTF-8");
    expect(read(Uint8Array.from([0x7b, 0x00, 0x7d, 0x00]))).toBe(NO_JSON);
  });

  const NOT_DECLARED = "the body is not declared as JSON; send Content-Type: application/json";
  test.each([
    ["none", []],
    ["two", ["application/json", "application/json"]],
    ["a form", ["application/x-www-form-urlencoded"]],
    ["text", ["text/plain"]],
    ["another charset", ["application/json; charset=utf-16"]],
    ["another kind of JSON", ["application/json-seq"]],
    ["two in one header", ["application/json, text/plain"]],
  ])("a wrong content type: %s", (_, types) => {
    expect(read("{}", typed(...types))).toBe(NOT_DECLARED);
  });

  test("a compressed body, and a query beside it", () => {
    const compressed = { headers: { "content-type": ["application/json"], "content-encoding": ["gzip"] } };

    expect(read("{}", compressed)).toBe("the body is compressed; send it uncompressed");
    expect(read("{}", { query: { to: ["x@y.z"] } })).toBe(
      "it has a query string as well as a body; send every parameter in the body",
    );
  });
});

test("a body of the largest size is read within a second or two", () => {
  const body = JSON.stringify({ attachments: [{ content: "A".repeat(4_000_000) }] });
  const startedAtMs = Date.now();

  expect(read(body)).toBeTypeOf("object");
  expect(Date.now() - startedAtMs).toBeLessThan(2_000);
});
