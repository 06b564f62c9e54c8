import { describe, expect, test } from "vitest";
import { canonicalPath, matchesPattern, parseEndpointPattern } from "../../lambda/domain/endpoint.ts";

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
    "",
  ])("%s is refused", (raw) => {
    expect(canonicalPath(raw)).toMatchObject({ kind: "ambiguous" });
  });

  test("a plain path stays as it is, in its own case", () => {
    expect(canonicalPath("v1/Payment_intents/pi_3N-x.y~z")).toEqual({
      kind: "path",
      path: "/v1/Payment_intents/pi_3N-x.y~z",
    });
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
