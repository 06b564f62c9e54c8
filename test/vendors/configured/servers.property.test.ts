import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sourceAt } from "../../../lambda/vendors/configured/json-source.ts";
import { type Asked, definitionWith, priceOf, reading, vendorOf } from "./harness.ts";

/**
 * Servers that read the same bytes as we do, each in the way of some parser or framework. Whichever of them stands behind a
 * definition, an honest bill of it is never above what was quoted.
 */

/** What a server makes of one value: how many it bills. */
const countIn = (value: unknown): number => {
  if (Array.isArray(value)) return value.length === 1 ? countIn(value[0]) : value.length;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "number" && typeof value !== "string") return 0;
  const count = Math.ceil(Number(value));
  return Number.isFinite(count) && count > 0 ? count : 0;
};

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];

/** Every value that a server could find under a name, which it compares as `same` does. */
const found = (value: unknown, same: (name: string) => boolean): readonly unknown[] =>
  entriesOf(value).flatMap(([name, inner]) => [...(same(name) ? [inner] : []), ...found(inner, same)]);

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

type Server = (asked: Required<Pick<Asked, "query">> & { readonly body: string }) => readonly unknown[];

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body.replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
};

const SERVERS: Readonly<Record<string, Server>> = {
  "reads the field of JSON": ({ body }) =>
    entriesOf(jsonOf(body)).flatMap(([name, value]) => (name === "count" ? [value] : [])),
  "ignores case and separators": ({ body }) =>
    entriesOf(jsonOf(body)).flatMap(([name, value]) => (plain(name) === "count" ? [value] : [])),
  "looks inside of other fields": ({ body }) => found(jsonOf(body), (name) => plain(name) === "count"),
  "takes the first of two": ({ body }) => [/"count"\s*:\s*("?[^,}\]]*)/.exec(body)?.[1]?.replace(/"/g, "")],
  "reads the query first": ({ query }) =>
    Object.entries(query).flatMap(([name, values]) => (plain(name) === "count" ? values : [])),
  "reads a form": ({ body }) =>
    [...new URLSearchParams(body)].flatMap(([name, value]) => (plain(name) === "count" ? [value] : [])),
  "reads a form with semicolons": ({ body }) =>
    body.split(/[&;]/).flatMap((pair) => (/^count(\[\d*\])?=/i.test(pair) ? [pair.split("=")[1]] : [])),
};

const MAX = 5;
const name = fc.oneof(
  { weight: 8, arbitrary: fc.constant("count") },
  { weight: 6, arbitrary: fc.constantFrom("x", "items", "options") },
  fc.constantFrom(
    "Count",
    "COUNT",
    "co_unt",
    "count ",
    "count[]",
    "count[0]",
    "options",
    "items",
    "x",
    "\\u0063ount",
    "options.count",
  ),
);
const scalar = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 0, max: 6 }).map(String) },
  fc.constantFrom(
    "1.0",
    "1e0",
    "1E1",
    "2.5",
    '"3"',
    '"9"',
    "null",
    "true",
    "[1,2,3]",
    "[9]",
    "1.00000000000000000001",
    "0",
    "-0",
    "01",
  ),
);
/** The text of an object, with names that may repeat. */
const { object: text } = fc.letrec<{ object: string; value: string }>((tie) => ({
  object: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 4 })
    .map((members) => `{${members.map(([key, value]) => `"${key}": ${value}`).join(", ")}}`),
  value: fc.oneof({ maxDepth: 3, depthSize: "small" }, { weight: 3, arbitrary: scalar }, tie("object")),
}));
const form = fc
  .array(fc.tuple(name, fc.constantFrom("1", "2", "5", "6", "9", "-1", "1.5", "1e1", "", " 3", "03")), {
    maxLength: 4,
  })
  .chain((pairs) => fc.constantFrom("&", ";").map((sign) => pairs.map((pair) => pair.join("=")).join(sign)));
const query = fc.dictionary(
  fc.constantFrom("count", "Count", "q", "count[]"),
  fc.array(fc.constantFrom("1", "5", "9"), { minLength: 1, maxLength: 2 }),
  { maxKeys: 2 },
);
const type = fc.constantFrom(
  "application/json",
  "application/json; charset=utf-8",
  "application/x-www-form-urlencoded",
  "text/plain",
);
const odd = fc.record({
  body: fc.oneof(
    text,
    form,
    text.map((body) => `\ufeff${body}`),
    text.map((body) => body + body),
  ),
  type,
  query: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, query),
});
const asItShould = (place: "json" | "form") =>
  fc.record({
    body: place === "json" ? text : form,
    type: fc.constant(place === "json" ? "application/json" : "application/x-www-form-urlencoded"),
    query: fc.constant({}),
  });

describe.each(["json", "form"] as const)("a number in %s", (place) => {
  const vendor = vendorOf(
    definitionWith({
      "POST /things": { price: { usd: "0.000001", times: { [place]: "count", max: MAX, default: 1 } } },
    }),
  );

  /** Guarantees that what is forwarded is billed by no server above its quote, nor settled above its reservation. */
  test("is billed by no server above its quote", () => {
    let quotedTimes = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 3, arbitrary: asItShould(place) }, odd), (request) => {
        const quote = priceOf(vendor, request);
        if (typeof quote !== "bigint") return;
        quotedTimes++;
        expect(quote).toBeGreaterThanOrEqual(1n);
        expect(quote).toBeLessThanOrEqual(BigInt(MAX));
        for (const [server, read] of Object.entries(SERVERS)) {
          const bill = Math.max(0, ...read(request).map(countIn));
          expect(BigInt(bill), `a server that ${server}`).toBeLessThanOrEqual(quote);
        }
        for (const status of [200, 201, 400, 404, 500])
          expect(reading(vendor, request, status, '{"id": 1}').price).toBeLessThanOrEqual(quote);
      }),
      { numRuns: 3_000 },
    );
    expect(quotedTimes).toBeGreaterThan(100);
  });
});

/** Guarantees that the text of a value is found wherever it stands: it is what the parser would make of that text. */
test("the source of a value is what it is parsed from", () => {
  const pathsIn = (value: unknown): readonly (readonly string[])[] => [
    [],
    ...entriesOf(value).flatMap(([key, inner]) => pathsIn(inner).map((path) => [key, ...path])),
  ];
  const at = (value: unknown, path: readonly string[]): unknown =>
    path.reduce((inner, key) => (inner as Readonly<Record<string, unknown>>)[key], value);
  fc.assert(
    fc.property(
      fc.jsonValue({ depthSize: "small" }),
      fc.constantFrom(undefined, 2, "\t"),
      (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        const parsed: unknown = JSON.parse(written);
        for (const path of pathsIn(parsed))
          expect(JSON.parse(sourceAt(written, path) ?? "undefined")).toEqual(at(parsed, path));
        expect(sourceAt(written, ["no such name\u0000", "0"])).toBeNull();
      },
    ),
  );
});
