import { expect, test } from "vitest";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";

/** Written out from AWS's list of gateway response types and from what each means for money. */
const EXPECTED = [
  ["ACCESS_DENIED", 403, "no", "false"],
  ["API_CONFIGURATION_ERROR", 500, "unknown", undefined],
  ["AUTHORIZER_CONFIGURATION_ERROR", 500, "no", undefined],
  ["AUTHORIZER_FAILURE", 500, "no", undefined],
  ["BAD_REQUEST_BODY", 400, "no", "false"],
  ["BAD_REQUEST_PARAMETERS", 400, "no", "false"],
  ["DEFAULT_4XX", 400, "no", "false"],
  ["DEFAULT_5XX", 502, "unknown", undefined],
  ["EXPIRED_TOKEN", 403, "no", "false"],
  ["INTEGRATION_FAILURE", 504, "unknown", undefined],
  ["INTEGRATION_TIMEOUT", 504, "unknown", undefined],
  ["INVALID_API_KEY", 403, "no", "false"],
  ["INVALID_SIGNATURE", 403, "no", "false"],
  ["MISSING_AUTHENTICATION_TOKEN", 403, "no", "false"],
  ["QUOTA_EXCEEDED", 429, "no", "false"],
  ["REQUEST_TOO_LARGE", 413, "no", "false"],
  ["RESOURCE_NOT_FOUND", 404, "no", "false"],
  ["THROTTLED", 429, "no", "true"],
  ["UNAUTHORIZED", 401, "no", "false"],
  ["UNSUPPORTED_MEDIA_TYPE", 415, "no", "false"],
  ["WAF_FILTERED", 403, "no", "false"],
] as const;

test("all 21 types have a body", () => {
  expect(GATEWAY_RESPONSE_TYPES).toEqual(EXPECTED.map(([type]) => type));
});

/** Guarantees that each body makes every vendor's SDK throw, and tells an agent whether it was charged. */
test.each(EXPECTED)("%s is a %i with charged %s and retry %s", (type, status, charged, retry) => {
  const { template, headers, ...response } = gatewayResponseOf(type);

  expect(JSON.parse(template)).toMatchObject({
    error: {
      type: expect.stringMatching(/_error$/),
      code: `gateway_${type.toLowerCase()}`,
      message: expect.stringMatching(/./),
      request_id: "$context.requestId",
      charged,
    },
    statusCode: status,
    status,
    code: expect.any(Number),
    keybrake_code: `gateway_${type.toLowerCase()}`,
    more_info: expect.stringMatching(/^https:/),
    name: expect.stringMatching(/^[a-z0-9_]+$/),
    message: expect.stringMatching(/./),
  });
  expect(headers["Keybrake-Code"]).toBe(`gateway_${type.toLowerCase()}`);
  expect(headers["Keybrake-Charged"]).toBe(charged);
  expect(headers["Retry-After"]).toBeUndefined();
  expect(headers["Request-Id"]).toBe("$context.requestId");
  expect(headers["Cache-Control"]).toBe("no-store");
  expect(headers["Stripe-Should-Retry"]).toBe(retry);
  expect(response).toEqual({ status, setsStatus: !type.startsWith("DEFAULT_") });
});
