import { expect, test } from "vitest";
import { Problem } from "../../lambda/domain/problem.ts";
import { jsonAnswer, problemAnswer } from "../../lambda/http/answers.ts";
import { denialAnswer } from "../../lambda/http/proxy-answer.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { GATEWAY_RESPONSE_TYPES, gatewayResponseOf } from "../../lib/gateway-responses.ts";

const vendors = vendorRegistry();
const PROBLEM = new Problem("key_unknown", "this is not a vault key");

const OURS: readonly (readonly [name: string, body: string])[] = [
  ["an answer of our own API", jsonAnswer(200, { status: "ok" }, "id").body],
  ["an error of our own API", problemAnswer(PROBLEM, "id", vendors.secrets).body],
  ...["stripe", "twilio", "resend", null].map(
    (vendor) =>
      [
        `a denial at ${vendor ?? "the root"}`,
        denialAnswer(PROBLEM, { facts: null, requestId: "id", spoken: vendor }, vendors).body,
      ] as const,
  ),
  ...GATEWAY_RESPONSE_TYPES.map((type) => [type, gatewayResponseOf(type).template] as const),
];

/** Guarantees that a shell's prompt starts on a line of its own after any answer that is ours. */
test.each(OURS)("%s is one line of JSON with its end", (_, body) => {
  expect(() => JSON.parse(body)).not.toThrow();
  expect(body).toMatch(/^[^\n]+\n$/);
});
