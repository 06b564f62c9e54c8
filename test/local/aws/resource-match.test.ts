import { expect, test } from "vitest";
import { resourceMatcher } from "../../../local/aws/resource-match.ts";
import { ROUTES } from "../../support/routes.ts";

const match = resourceMatcher(ROUTES);

test.each([
  ["POST", "/vault/keys", "issue-key", "/vault/keys", null],
  ["GET", "/vault/keys/self", "own-key", "/vault/keys/self", null],
  ["GET", "/vault/keys/key_1", "manage-key", "/vault/keys/{id}", { id: "key_1" }],
  ["GET", "/vault/keys/a%2Fb", "manage-key", "/vault/keys/{id}", { id: "a%2Fb" }],
  ["POST", "/vault/keys/key_1/revoke", "manage-key", "/vault/keys/{id}/revoke", { id: "key_1" }],
  ["POST", "/vault/keys/self/revoke", "own-key", "/vault/keys/self/revoke", null],
  ["GET", "/vault/audit", "query-audit", "/vault/audit", null],
  ["GET", "/healthz", "health", "/healthz", null],
  ["DELETE", "/stripe/v1/x", "proxy-call", "/stripe/{proxy+}", { proxy: "v1/x" }],
  ["POST", "/v1/payment_intents", "proxy-call", "/{proxy+}", { proxy: "v1/payment_intents" }],
  ["POST", "/v1//x", "proxy-call", "/{proxy+}", { proxy: "v1//x" }],
  ["GET", "/v1/x/", "proxy-call", "/{proxy+}", { proxy: "v1/x" }],
  ["GET", "/vault/unknown", "proxy-call", "/{proxy+}", { proxy: "vault/unknown" }],
] as const)("%s %s goes to %s", (method, path, name, resource, pathParameters) => {
  expect(match(method, path)).toEqual({ function: name, resource, pathParameters });
});

/** Guarantees that what AWS passes on to a wider resource is passed on here too, where our own functions have to refuse it. */
test.each([
  ["PUT", "/vault/keys", "proxy-call", "/{proxy+}", { proxy: "vault/keys" }],
  ["OPTIONS", "/vault/keys", "proxy-call", "/{proxy+}", { proxy: "vault/keys" }],
  ["DELETE", "/vault/keys/self", "manage-key", "/vault/keys/{id}", { id: "self" }],
  ["GET", "/vault/keys/key_1/revoke", "proxy-call", "/{proxy+}", { proxy: "vault/keys/key_1/revoke" }],
  ["GET", "/vault", "proxy-call", "/{proxy+}", { proxy: "vault" }],
  ["GET", "/stripe", "proxy-call", "/{proxy+}", { proxy: "stripe" }],
] as const)(
  "%s %s, which its resource lacks, goes to %s by a wider one",
  (method, path, name, resource, pathParameters) => {
    expect(match(method, path)).toEqual({ function: name, resource, pathParameters });
  },
);

test("the root answers a GET, and nothing else", () => {
  expect(match("GET", "/")).toEqual({ resource: "/", function: "health", pathParameters: null });
  for (const method of ["POST", "PUT", "DELETE"]) expect(match(method, "/"), method).toBeUndefined();
});
