import { expect, test } from "vitest";
import type { DefinitionInput } from "../../../lambda/vendors/configured/definition.ts";
import { definitionWith, exampleOf, vendorOf } from "./harness.ts";

const SECRET = "secret-of-the-tests";
const sending = (credential: DefinitionInput["credential"]) =>
  vendorOf(definitionWith({ "GET /x": "free" }, { credential }));
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

/** Guarantees that a credential is sent as its API takes it, and that the secret part of it is known for what it is. */
test.each<readonly [DefinitionInput["credential"], string, object, object | null, readonly string[]]>([
  [{ send: "bearer" }, SECRET, { authorization: `Bearer ${SECRET}` }, null, [SECRET]],
  [{ send: "basic" }, `user:${SECRET}`, basic(`user:${SECRET}`), null, [SECRET]],
  [{ send: "basic" }, `user:${SECRET}:x`, basic(`user:${SECRET}:x`), null, [`${SECRET}:x`]],
  [{ send: "basic" }, SECRET, basic(`${SECRET}:`), null, [SECRET]],
  [{ send: "basic", user: "api" }, SECRET, basic(`api:${SECRET}`), null, [SECRET]],
  [{ send: "header", name: "X-Api-Key" }, SECRET, { "x-api-key": SECRET }, null, [SECRET]],
  [
    { send: "header", name: "Authorization", prefix: "Token " },
    SECRET,
    { authorization: `Token ${SECRET}` },
    null,
    [SECRET],
  ],
  [{ send: "query", name: "api_key" }, SECRET, {}, { api_key: SECRET }, [SECRET]],
])("%j sends its secret", (credential, secret, headers, query, secrets) => {
  const vendor = sending(credential);

  expect(vendor.authorize(secret)).toEqual(headers);
  expect(vendor.authorizeQuery?.(secret) ?? null).toEqual(query);
  expect(vendor.secretsOf(secret)).toEqual(secrets);
});

test.each([
  ["short", { send: "bearer" }],
  ["with a space", { send: "bearer" }],
  ["with\nline", { send: "bearer" }],
  ["user:short", { send: "basic" }],
  ["geheimnis-für-alle", { send: "query", name: "key" }],
] as const)("%j is no credential", (secret, credential) => {
  expect(sending(credential).authorize(secret)).toBeNull();
});

/** Guarantees that of the caller's headers only those reach the API that it needs and that its definition names. */
test("headers are forwarded by name alone", () => {
  const vendor = vendorOf(exampleOf("letters"));
  expect(vendor.forwardedHeaders).toEqual(["accept", "content-type", "user-agent", "x-request-key"]);
  expect(vendor.idempotencyHeader).toBe("x-request-key");
  const own = vendorOf(definitionWith({ "GET /x": "free" }, { forwarded_headers: ["X-Version"] }));
  expect(own.forwardedHeaders).toEqual(["accept", "content-type", "user-agent", "x-version"]);
  expect(own.accountHeaders).toEqual(["x-version"]);
});

const LIMITS = { accounts: null, currencies: null, recipients: null, maxRecipients: null };

test.each([
  [{ "content-type": ["a", "b"] }, "ambiguous_request"],
  [{ "x-request-key": ["a", "b"] }, "ambiguous_request"],
  [{ "x-request-key": [""] }, "ambiguous_request"],
  [{ "x-request-key": [" a"] }, "ambiguous_request"],
  [{ "x-request-key": ["a".repeat(256)] }, "ambiguous_request"],
  [{ "x-request-key": ["a".repeat(255)] }, null],
  [{ accept: ["a", "b"], "user-agent": ["a", "b"] }, null],
  [{ "idempotency-key": ["a", "b"] }, null],
])("headers %j: %s", (headers, code) => {
  expect(vendorOf(exampleOf("letters")).refuseHeaders(headers, LIMITS)?.code ?? null).toBe(code);
});

test("the window of an idempotency key is the API's, and only of endpoints that honour one", () => {
  const rules = vendorOf(exampleOf("letters")).catalog.map(({ method, path, rule }) => [
    `${method} ${path}`,
    rule.kind === "priced" ? (rule.idempotency?.windowMs ?? null) : rule.kind,
  ]);
  expect(Object.fromEntries(rules)).toEqual({
    "POST /letters": 48 * 3_600_000,
    "GET /letters": "free",
    "GET /letters/{id}": "free",
    "DELETE /letters/{id}": "free",
  });
});

test("a denial is one plain shape with its status", () => {
  const { headers, body } = vendorOf(exampleOf("images")).denial({
    status: 429,
    code: "spend_cap_exceeded",
    repeats: false,
    message: "the cap is reached",
    requestId: "req_1",
    charged: "no",
    details: { remaining_usd: 0 },
  });

  expect(headers).toEqual({ "Request-Id": "req_1" });
  expect(JSON.parse(body)).toEqual({
    error: {
      code: "spend_cap_exceeded",
      message: "the cap is reached",
      status: 429,
      request_id: "req_1",
      charged: "no",
      remaining_usd: 0,
    },
  });
});
