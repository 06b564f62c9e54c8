import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SecretFinder } from "../../../lambda/app/proxy/repeats-secret.ts";

/** Guarantees that a secret in an answer is found in every form that it can have. */

const SECRET = "sk_live_Recognisable+Credential/0001";
const finder = new SecretFinder([SECRET]);
const isFound = (text: string | Uint8Array) => finder.inBytes(Buffer.from(text));

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, "0");
const each = (write: (character: string, code: number) => string) =>
  [...SECRET].map((character) => write(character, character.charCodeAt(0))).join("");
const base64 = (text: string) => Buffer.from(text).toString("base64");

const SPELLINGS: readonly (readonly [string, string])[] = [
  ["as it is", SECRET],
  ["with one escape of JSON", SECRET.replace("s", "\\u0073")],
  ["with nothing but escapes of JSON", each((_, code) => `\\u${hex(code, 4)}`)],
  ["with an escaped slash", SECRET.replace("/", "\\/")],
  ["with escapes of JavaScript", each((_, code) => `\\x${hex(code, 2)}`)],
  ["with escapes of JavaScript in braces", each((_, code) => `\\u{${hex(code, 1)}}`)],
  ["as JSON in a text of JSON", JSON.stringify({ a: JSON.stringify({ b: SECRET.replace("_", "\\u005f") }) })],
  ["percent-encoded", encodeURIComponent(SECRET)],
  ["percent-encoded whole", each((_, code) => `%${hex(code, 2)}`)],
  ["percent-encoded twice", encodeURIComponent(each((_, code) => `%${hex(code, 2)}`))],
  ["with entities", each((_, code) => `&#${code};`)],
  ["with entities in hexadecimal", each((_, code) => `&#x${hex(code, 2)};`)],
  [
    "with entities that have no end",
    each((character, code) => (/[a-z]/i.test(character) ? `&#${code}` : character)),
  ],
  ["with named entities", SECRET.replaceAll("_", "&lowbar;").replace("+", "&plus;").replace("/", "&sol;")],
  ["in base64", base64(SECRET)],
  ["in base64 behind a user", base64(`someone:${SECRET}`)],
  ["in base64 one character later", base64(`a${SECRET}b`)],
  ["in base64 two characters later", base64(`ab${SECRET}bc`)],
  ["in base64 for addresses", Buffer.from(`a:${SECRET}:`).toString("base64url")],
  ["in base64 of several lines", base64(`---${SECRET}---`).replace(/(.{10})/g, "$1\r\n")],
  ["in base64 of several lines in JSON", JSON.stringify(base64(`-${SECRET}-`).replace(/(.{10})/g, "$1\n"))],
  ["in base64 that is percent-encoded", encodeURIComponent(base64(`x${SECRET}`))],
  ["in hexadecimal", Buffer.from(SECRET).toString("hex")],
  ["in hexadecimal, in capitals", Buffer.from(SECRET).toString("hex").toUpperCase()],
];

describe("a secret is found", () => {
  test.each(SPELLINGS)("%s", (_, spelling) => {
    for (const text of [spelling, `{"note": "before ${spelling} after"}`]) {
      expect(isFound(text)).toBe(true);
      expect(finder.inHeaders([["X-Debug", text]])).toBe(true);
    }
  });

  test("percent-encoded with digits in small letters", () => {
    expect(isFound(SECRET.replace("+", "%2b").replace("/", "%2f"))).toBe(true);
  });

  test.each(["utf16le", "utf16be", "utf32"])("in %s, declared or not", (charset) => {
    const wide = Buffer.from(`x ${SECRET} x`, "utf16le");
    const four = Buffer.from([...`x ${SECRET} x`].flatMap((character) => [0, 0, 0, character.charCodeAt(0)]));
    expect(isFound(charset === "utf32" ? four : charset === "utf16be" ? wide.swap16() : wide)).toBe(true);
  });

  test("in the name of a header", () => {
    expect(finder.inHeaders([[SECRET, "1"]])).toBe(true);
  });

  test("whatever it holds that looks like an escape itself", () => {
    for (const secret of ["a%41bcdef", "a\\u0041bcd", "&#65;bcdefg", "100%25off!"]) {
      const own = new SecretFinder([secret]);
      for (const spelling of [
        secret,
        encodeURIComponent(secret),
        JSON.stringify(secret),
        base64(`ab${secret}`),
      ])
        expect(own.inBytes(Buffer.from(spelling)), spelling).toBe(true);
    }
  });

  test("wherever it stands in base64, and with any escapes", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.array(fc.nat(4)), (before, after, kinds) => {
        expect(isFound(base64(`${before}${SECRET}${after}`))).toBe(true);
        const mixed = [...SECRET]
          .map((character, index) => {
            const code = hex(character.charCodeAt(0), 4);
            return [character, `\\u${code}`, `%${code.slice(2)}`, `&#x${code};`, character][
              kinds[index] ?? 0
            ];
          })
          .join("");
        expect(isFound(`"${mixed}"`)).toBe(true);
      }),
    );
  });
});

describe("nothing is found", () => {
  test.each([
    "",
    "{}",
    SECRET.slice(0, -1),
    SECRET.slice(1),
    "sk_live_Recognisable",
    base64(SECRET.slice(0, -3)),
    '{"url":"https:\\/\\/example.com\\/a?b=%20c"}',
    "\\u",
    "&#99999999;&#x110000;%",
  ])("in %j", (text) => {
    expect(isFound(text)).toBe(false);
  });

  test("of a secret too short for its base64 to mean something", () => {
    expect(new SecretFinder(["abc"]).inBytes(Buffer.from("YWJj 616263"))).toBe(false);
    expect(new SecretFinder(["abc"]).inBytes(Buffer.from("xabcx"))).toBe(true);
  });
});
