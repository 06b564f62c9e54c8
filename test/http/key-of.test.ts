import { expect, test } from "vitest";
import { makeVaultKey } from "../../lambda/domain/vault-key.ts";
import { keyOf } from "../../lambda/http/request.ts";
import { definitionWith, vendorOf } from "../vendors/configured/harness.ts";

const KEY = makeVaultKey("A".repeat(16), "b".repeat(32)).token;
const OTHER = makeVaultKey("C".repeat(16), "d".repeat(32)).token;

const usual = vendorOf(definitionWith({ "GET /x": "free" }, { credential: { send: "basic" } }));
const inHeader = vendorOf(
  definitionWith({ "GET /x": "free" }, { credential: { send: "header", name: "X-Api-Key" } }),
);
const prefixed = vendorOf(
  definitionWith(
    { "GET /x": "free" },
    { credential: { send: "header", name: "Authorization", prefix: "Token " } },
  ),
);
const inQuery = vendorOf(
  definitionWith({ "GET /x": "free" }, { credential: { send: "query", name: "api_key" } }),
);
const oddlyNamed = vendorOf(
  definitionWith({ "GET /x": "free" }, { credential: { send: "query", name: "valueOf" } }),
);
const bearer = { authorization: [`Bearer ${KEY}`] };

/** Guarantees that a client of an API works unmodified: the vault key is found where the client puts a credential. */
test.each([
  ["as Bearer", [usual], { headers: bearer, query: {} }, KEY, {}],
  ["as Bearer, of a vendor that takes another header", [inHeader], { headers: bearer, query: {} }, KEY, {}],
  ["in the API's own header", [inHeader], { headers: { "x-api-key": [KEY] }, query: {} }, KEY, {}],
  ["behind its prefix", [prefixed], { headers: { authorization: [`Token ${KEY}`] }, query: {} }, KEY, {}],
  [
    "in the query, which is without it",
    [inQuery],
    { headers: {}, query: { api_key: [KEY], q: ["x"] } },
    KEY,
    { q: ["x"] },
  ],
  [
    "at the root, where the vendor is not known",
    [usual, inHeader, inQuery],
    { headers: { "x-api-key": [KEY] }, query: {} },
    KEY,
    {},
  ],
  [
    "in its own place before the usual one",
    [inHeader],
    { headers: { ...bearer, "x-api-key": [OTHER] }, query: {} },
    OTHER,
    {},
  ],
  [
    "where its own place holds something else",
    [inQuery],
    { headers: bearer, query: { api_key: ["x"] } },
    KEY,
    { api_key: ["x"] },
  ],
  ["nowhere", [inHeader, inQuery], { headers: {}, query: { q: ["x"] } }, null, { q: ["x"] }],
  ["twice in one header", [inHeader], { headers: { "x-api-key": [KEY, KEY] }, query: {} }, null, {}],
  [
    "twice in the query",
    [inQuery],
    { headers: {}, query: { api_key: [KEY, OTHER] } },
    null,
    { api_key: [KEY, OTHER] },
  ],
  [
    "nowhere, where the parameter has a name that every object has",
    [oddlyNamed],
    { headers: {}, query: { q: ["x"] } },
    null,
    { q: ["x"] },
  ],
  ["in another vendor's header", [usual], { headers: { "x-api-key": [KEY] }, query: {} }, null, {}],
  [
    "as a credential that is not a vault key",
    [inHeader],
    { headers: { "x-api-key": ["secret"] }, query: {} },
    "secret",
    {},
  ],
] as const)("a key stands %s", (_, vendors, sent, token, query) => {
  expect(keyOf(sent, vendors)).toEqual({ token, query });
});
