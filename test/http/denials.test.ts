import { expect, test } from "vitest";
import { Problem } from "../../lambda/domain/problem.ts";
import { problemAnswer } from "../../lambda/http/answers.ts";
import { denialAnswer } from "../../lambda/http/proxy-answer.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";

const vendors = vendorRegistry();
const SECRET = "sk_live_abcdefghijklmnop1234";
const problem = new Problem("record_full", `${SECRET} was changed too often`, {
  details: { object_id: SECRET, cap_usd: 5 },
});

/** Guarantees that no part of an error repeats a secret: neither its message nor what is shown beside it. */
test.each([
  ["our own API", problemAnswer(problem, "req_1", vendors.secrets).body],
  ...[...vendors.names, null].map((spoken) => [
    `the SDK of ${spoken ?? "nobody we know"}`,
    denialAnswer(problem, { facts: null, requestId: "req_1", spoken }, vendors).body,
  ]),
])("an error for %s repeats no secret", (_, body) => {
  expect(body).not.toContain("abcdefghijklmnop");
  expect(body).toContain("changed too often");
});
