import { expect, test } from "vitest";
import { parseApiKeyBody } from "../../lambda/http/api-key-bodies.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";

/** Guarantees that no limit is stored that would not hold, and no secret in any text. */

const { secrets } = vendorRegistry();
const TOKEN = "abcDEF0123456789abcDEF0123456789";
const parse = (body: object) =>
  parseApiKeyBody(
    { name: "a test", scopes: ["issue"], ...body },
    { credentials: { stripe: ["default"] }, secrets, token: TOKEN },
  );

test.each<[field: string, limit: object]>([
  ["allowed_vendors", { allowed_vendors: ["stripe"] }],
  ["allowed_credentials", { allowed_credentials: ["default"] }],
  ["allowed_endpoints", { allowed_endpoints: ["GET /v1/**"] }],
  ["max_daily_usd_cap", { max_daily_usd_cap: 0 }],
  ["max_expires_in", { max_expires_in: "1h" }],
  ["total_usd_cap", { total_usd_cap: 100 }],
])("%s is refused beside the scope admin, whose holder makes API keys without it", (field, limit) => {
  expect(() => parse({ ...limit, scopes: ["read", "admin"] })).toThrow(
    expect.objectContaining({ code: "invalid_request", details: { field } }),
  );
  expect(parse(limit).scopes).toEqual(["issue"]);
});

const VAULT_KEY = `kbvk${"A1".repeat(24)}`;
test.each<[field: string, body: object]>([
  ["name", { name: `of ${TOKEN}` }],
  ["name", { name: VAULT_KEY }],
  ["allowed_endpoints", { allowed_endpoints: [`GET /v1/${VAULT_KEY}`] }],
  ["allowed_vendors", { allowed_vendors: [VAULT_KEY] }],
  ["allowed_credentials", { allowed_credentials: [TOKEN] }],
])("a secret in %s is refused and not repeated", (field, body) => {
  let message = "";
  try {
    parse(body);
  } catch (error) {
    message = String(error);
    expect(error).toMatchObject({ code: "invalid_request", details: { field } });
  }
  expect(message).toContain("must not contain a secret");
  expect(message).not.toMatch(/A1A1|abcDEF/);
});
