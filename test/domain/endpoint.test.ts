import { describe, expect, test } from "vitest";
import {
  canonicalPath,
  coversEntry,
  matchesPattern,
  parseEndpointPattern,
} from "../../lambda/domain/endpoint.ts";

/** Guarantees that a path has one reading, and that allowlist patterns match what they name. */

describe("a path that a vendor might read otherwise", () => {
  test.each([
    "v1//charges",
    "/v1/charges",
    "v1/charges/",
    "v1/./charges",
    "v1/payment_intents/../payouts",
    "v1/%2e%2e/payouts",
    "v1%2Fpayouts",
    "v1/charges;x=1",
    "v1\\payouts",
    "v1/cafe\u0301",
    ..."00 01 09 0A 0D 1F 22 23 25 2A 2D 2E 2F 2f 30 3B 3C 3E 3F 41 5B 5C 5c 5D 5E 5F 60 61 7B 7C 7D 7E 7F 80 C0 FF"
      .split(" ")
      .map((code) => `v1/x%${code}y`),
    "v1/%2e%2e/payouts",
    "v1/.%2E/payouts",
    "v1/x%2",
    "v1/x%",
    "v1/x%zz",
    "v1/x%2Bx%",
    "v1/%C0%AF",
    "v1/%C3%A9",
    "v1/%E2%80%AE",
    "v1/%252B",
    "v1/%2%2BF",
    "v1/%%2B2F",
    "v1/x%u002F",
    "",
  ])("%s is refused", (raw) => {
    expect(canonicalPath(raw)).toMatchObject({ kind: "ambiguous" });
  });

  test("a plain path stays as it is, in its own case", () => {
    expect(canonicalPath("v1/Payment_intents/pi_3N-x.y~z")).toEqual({
      kind: "path",
      path: "/v1/Payment_intents/pi_3N-x.y~z",
      sent: "/v1/Payment_intents/pi_3N-x.y~z",
    });
  });

  test.each([
    ["v2/PhoneNumbers/%2B14155550100", "/v2/PhoneNumbers/+14155550100"],
    ["contacts/ann%2b1%40example.com", "/contacts/ann+1@example.com"],
    ["v1/plans/gold%20plan%3A1", "/v1/plans/gold plan:1"],
    ["v1/%21%24%26%27%28%29%2C%3D", "/v1/!$&'(),="],
  ])("characters of an id are read, and kept as they came: %s", (raw, path) => {
    expect(canonicalPath(raw)).toEqual({ kind: "path", path, sent: `/${raw}` });
  });
});

describe("an allowlist entry", () => {
  test.each([
    ["POST /v1/payment_intents", "POST", "/v1/payment_intents", true],
    ["POST /v1/payment_intents", "GET", "/v1/payment_intents", false],
    ["POST /v1/payment_intents", "POST", "/v1/payment_intents/pi_1", false],
    ["POST /v1/payment_intents/*", "POST", "/v1/payment_intents/pi_1", true],
    ["POST /v1/payment_intents/*", "POST", "/v1/payment_intents", false],
    ["POST /v1/payment_intents/*", "POST", "/v1/payment_intents/pi_1/confirm", false],
    ["POST /v1/payment_intents/*/confirm", "POST", "/v1/payment_intents/pi_1/confirm", true],
    ["GET /v1/**", "GET", "/v1/customers/cus_1", true],
    ["GET /v1/**", "GET", "/v1", false],
    ["GET /**", "GET", "/v1", true],
  ])("%s decides on %s %s: %s", (entry, method, path, allowed) => {
    const pattern = parseEndpointPattern(entry);
    expect("refused" in pattern ? null : matchesPattern(pattern, method, path)).toBe(allowed);
  });

  test.each([
    "payment_intents.create",
    "post /v1/charges",
    "POST v1/charges",
    "POST /v1/**/confirm",
    "POST /v1/pi_*",
    "POST /v1//charges",
    "POST /v1/../charges",
    "POST  /v1",
    "ANY /v1",
    "",
  ])("%s is refused with what would be accepted", (entry) => {
    expect(parseEndpointPattern(entry)).toMatchObject({
      refused: expect.stringContaining("POST /v1/payment_intents"),
    });
  });
});

describe("an entry covers another one where it matches all that the other matches", () => {
  test.each([
    ["GET /v1/a", "GET /v1/a", true],
    ["GET /v1/a", "POST /v1/a", false],
    ["GET /v1/a", "GET /v1/b", false],
    ["GET /v1/*", "GET /v1/a", true],
    ["GET /v1/*", "GET /v1/*", true],
    ["GET /v1/a", "GET /v1/*", false],
    ["GET /v1/*", "GET /v1/**", false],
    ["GET /v1/*", "GET /v1/a/b", false],
    ["GET /v1/**", "GET /v1/a/b", true],
    ["GET /v1/**", "GET /v1/**", true],
    ["GET /v1/**", "GET /v1/a/**", true],
    ["GET /v1/**", "GET /v1", false],
    ["GET /v1/a/**", "GET /v1/**", false],
    ["GET /v1/*/b", "GET /v1/**", false],
    ["GET /*/**", "GET /v1/**", true],
    ["GET /*/a", "GET /v1/a", true],
    ["GET /**", "GET /**", true],
    ["nonsense", "nonsense", false],
    ["GET /v1/**", "nonsense", false],
  ])("%s covers %s: %s", (wide, narrow, covered) => {
    expect(coversEntry(wide, narrow)).toBe(covered);
  });
});
