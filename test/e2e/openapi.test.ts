import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OPENAPI_FILE } from "../../bin/openapi.ts";
import { cookieName } from "../../lambda/http/own-page.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import { at, textAt } from "../support/json.ts";
import { type Asked, ask, type OwnRun, pay, post, type Reply, startOwn } from "../support/keybrake.ts";
import { OpenApi } from "../support/openapi.ts";
import { simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that the OpenAPI document that is served says what is answered: each status, code, header and field of an answer is in
 * it, and it promises none that no answer has. The tests run in their order; the last one asks what was never seen.
 */

let run: OwnRun;
let database: FaultProxy;
let secrets: FaultProxy;
const openApi = new OpenApi(JSON.parse(readFileSync(OPENAPI_FILE, "utf8")));

beforeAll(async () => {
  run = await startOwn({
    rateCard: { rates: { eur: "1.1" } },
    beforeDynamoDb: async (endpoint) => {
      database = await startFaultProxy(endpoint);
      return database.endpoint;
    },
    beforeSecretsManager: async (endpoint) => {
      secrets = await startFaultProxy(endpoint);
      return secrets.endpoint;
    },
  });
});
afterAll(async () => {
  await run.close();
  await database.close();
  await secrets.close();
});

interface Call extends Asked {
  /** In place of `{id}`. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
}

/** What the dashboard's page sends with each request, for the operations that ask for it. */
const PAGE = { "Keybrake-Dashboard": "1" };
const ofPage = (id: string, called: Call): Call =>
  id === "signIn" || id === "signOut" ? { ...called, headers: { ...PAGE, ...called.headers } } : called;

/** Calls an operation, with the admin API key unless told, and holds the answer against the document. */
async function call(id: string, called: Call = {}): Promise<Reply> {
  const { key = "", query = {}, ...asked } = ofPage(id, called);
  const { method, path } = openApi.find(id);
  const search = new URLSearchParams(query).toString();
  const target = path.replace("{id}", key) + (search && `?${search}`);
  const reply = await ask(run, method, target, { token: run.apiKey, ...asked });
  expect(openApi.undocumented(id, reply)).toEqual([]);
  return reply;
}

/** The same where it succeeds. */
async function success(id: string, called: Call = {}): Promise<unknown> {
  const { status, json, text } = await call(id, called);
  expect(status, text).toBeLessThan(300);
  return json;
}

const UNKNOWN_IDS: Readonly<Record<string, string>> = {
  "/vault/keys/{id}": "key_0000000000000000",
  "/vault/keys/{id}/revoke": "key_0000000000000000",
  "/vault/api-keys/{id}": "ak_0000000000000000",
  "/vault/stops/{id}": "stop_0000000000000AAAAAA",
  "/vault/calls/{id}/resolve": "call_00000000000000000000",
};
/** A key of the documents: well-formed, and known to no deployment. */
const UNKNOWN_KEY = "kbvklfZWyPTEPuKBj0h6GtRZyeyVO6Nzo468ll2fbf4VfNXOkltXkv10gz";

/** A body for each operation that takes one. */
const BODIES: Readonly<Record<string, unknown>> = {
  issueKey: { vendor: "stripe", daily_usd_cap: 50 },
  changeKey: { daily_usd_cap: 40 },
  createApiKey: { name: "jobs", scopes: ["issue"] },
  orderStop: { agent_run_label: "documents/stopped" },
  resolveCall: { charged: true },
  signIn: { code: "x" },
};

const isVaultKeys = (id: string): boolean =>
  JSON.stringify(at(openApi.find(id).operation, "security")) === '[{"vaultKey":[]}]';

/** What is right with a call but for an object that does not exist. */
const plain = (id: string): Call => ({
  key: UNKNOWN_IDS[openApi.find(id).path] ?? "",
  ...(id in BODIES && { json: BODIES[id] }),
  ...(isVaultKeys(id) && { token: UNKNOWN_KEY }),
});

/** Every operation that promises this error gives it. `called`: what brings it about. */
async function eachRefuses(code: string, called: (id: string) => Call | Promise<Call>): Promise<void> {
  const promising = openApi.operations.filter(({ id }) => openApi.codesOf(id).includes(code));
  expect(promising.length).toBeGreaterThan(0);
  for (const { id } of promising) {
    const { json, text } = await call(id, { ...plain(id), ...(await called(id)) });
    expect(at(json, "error", "code"), `${id}: ${text}`).toBe(code);
  }
}

const vaultKey = async (body: Readonly<Record<string, unknown>> = {}, token = run.apiKey) => {
  const json = await success("issueKey", { token, json: { vendor: "stripe", daily_usd_cap: 50, ...body } });
  return { id: textAt(json, "id"), token: textAt(json, "vault_key") };
};
const apiKey = async (body: Readonly<Record<string, unknown>>, token = run.apiKey) => {
  const json = await success("createApiKey", { token, json: { name: "jobs", scopes: ["issue"], ...body } });
  return { id: textAt(json, "id"), token: textAt(json, "api_key") };
};

const BROKEN = { error: "ValidationException", status: 400 };
const DOWN = { error: "InternalServerError", status: 500 };

test("a ledger that cannot be read", async () => {
  // What a function learns of the layout of its tables it keeps, so this comes first.
  database.failAll(BROKEN);
  await eachRefuses("ledger_unavailable", () => ({}));
  database.failAll(null);
});

test("Secrets Manager does not answer, and what was read of it is too old", async () => {
  const now = Date.now;
  Date.now = () => now() + 61 * 60_000;
  secrets.failAll(DOWN);
  await eachRefuses("secrets_unavailable", (id) =>
    id === "signIn" ? { json: { api_key: run.apiKey } } : {},
  ).finally(() => {
    Date.now = now;
    secrets.failAll(null);
  });
});

test("the document is served without a key, with the deployment as its server", async () => {
  const { status, json } = await ask(run, "GET", "/vault/openapi.json");
  const { openapi, info, ...rest } = JSON.parse(readFileSync(OPENAPI_FILE, "utf8"));
  expect([status, json]).toEqual([200, { openapi, info, servers: [{ url: run.baseUrl }], ...rest }]);
  await success("getOpenApi", { headers: {} });
  await success("getHealth", { headers: {} });
});

test("keys that are unknown, revoked, expired or without the scope", async () => {
  await eachRefuses("api_key_invalid", (id) =>
    id === "signIn" ? { json: { api_key: "nonsense" } } : { token: "nonsense" },
  );
  await eachRefuses("key_unknown", () => ({ token: UNKNOWN_KEY }));

  const revoked = await apiKey({ scopes: ["admin"] });
  await success("revokeApiKey", { key: revoked.id });
  const own = await vaultKey();
  await success("revokeOwnKey", { token: own.token });
  await eachRefuses("key_revoked", (id) =>
    id === "signIn"
      ? { json: { api_key: revoked.token } }
      : { token: isVaultKeys(id) ? own.token : revoked.token },
  );

  const short = await vaultKey({ expires_in: "1s" });
  await eventually(async () => {
    expect((await call("getOwnKey", { token: short.token })).status).toBe(401);
  });
  await eachRefuses("key_expired", () => ({ token: short.token }));

  const issues = await apiKey({ scopes: ["issue"] });
  const reads = await apiKey({ scopes: ["read"] });
  const scopeOf = (id: string) =>
    /scope `(\w+)`/.exec(`${at(openApi.find(id).operation, "description")}`)?.[1];
  await eachRefuses("scope_missing", (id) => ({
    token: scopeOf(id) === "issue" ? reads.token : issues.token,
  }));
});

test("requests that are wrong", async () => {
  await eachRefuses("invalid_request", (id) =>
    id === "signIn" ? { json: {} } : { headers: { authorization: "Bearer twice" } },
  );
  await eachRefuses("unsupported_media_type", () => ({ json: undefined, form: { vendor: "stripe" } }));
  await eachRefuses("not_found", () => ({}));
  for (const [id, called] of [
    ["issueKey", { json: { vendor: "stripe" } }],
    ["issueKey", { text: "{" }],
    ["issueKey", { json: BODIES["issueKey"], headers: { "Idempotency-Key": "" } }],
    ["changeKey", { key: (await vaultKey()).id, json: { daily_usd_cap: null } }],
    ["queryAudit", { query: { limit: "0" } }],
  ] as const)
    expect((await call(id, called)).status).toBe(400);
});

test("what an issuer may not give", async () => {
  const issuer = await apiKey({ max_daily_usd_cap: 20 });
  const reads = await apiKey({ scopes: ["read"], allowed_vendors: ["stripe"] });
  await eachRefuses("wider_than_issuer", async (id) => {
    if (id === "querySpend" || id === "listRuns")
      return { token: reads.token, query: id === "querySpend" ? { group_by: "label_group" } : {} };
    if (id === "issueKey") return { token: issuer.token };
    return { token: issuer.token, key: (await vaultKey({ daily_usd_cap: 5 }, issuer.token)).id };
  });
  const { id: key } = await vaultKey();
  expect((await call("changeKey", { token: issuer.token, key, json: { daily_usd_cap: 1 } })).status).toBe(
    403,
  );

  let lowest = await vaultKey();
  for (let depth = 2; depth <= 4; depth++) lowest = await vaultKey({}, lowest.token);
  let lowestApiKey = await apiKey({ scopes: ["admin"] });
  for (let depth = 2; depth <= 4; depth++)
    lowestApiKey = await apiKey({ scopes: ["admin"] }, lowestApiKey.token);
  await eachRefuses("chain_too_long", (id) => ({
    token: id === "issueKey" ? lowest.token : lowestApiKey.token,
  }));
});

test("what comes too late", async () => {
  const headers = { "Idempotency-Key": "once" };
  await success("issueKey", { json: BODIES["issueKey"], headers });
  await eachRefuses("already_issued", () => ({ headers }));

  const { id: key } = await vaultKey();
  await success("deleteKey", { key });
  await eachRefuses("key_not_changeable", () => ({ key }));

  const other = await vaultKey();
  const refused = { error: "ConditionalCheckFailedException", status: 400 };
  await eachRefuses("key_changed_meanwhile", async (id) => {
    if (id === "liftStop") {
      const stop = await success("orderStop", { json: BODIES["orderStop"] });
      database.fail("PutItem", { ...refused, where: "STOP#" }, 1_000);
      return { key: textAt(stop, "id") };
    }
    database.fail("UpdateItem", { ...refused, where: ":was_daily" }, 10);
    return { key: other.id };
  });
  database.failEach("PutItem", []);
});

test("keys with all that a key can have", async () => {
  const body = {
    total_usd_cap: 100,
    per_call_usd_cap: 20,
    allowed_endpoints: ["POST /v1/payment_intents"],
    allowed_accounts: ["acct_1032D82eZvKYlo2C"],
    allowed_currencies: ["usd", "eur"],
    max_calls_per_minute: 600,
    agent_run_label: "documents/1",
    metadata: { ticket: "1" },
  };
  const parent = await vaultKey(body);
  const child = await vaultKey({ daily_usd_cap: 5 }, parent.token);
  const email = await vaultKey({ vendor: "resend", allowed_recipients: ["example.com"], max_recipients: 3 });
  for (const { id: key } of [parent, child, email]) await success("getKey", { key });
  await success("getOwnKey", { token: child.token });
  await success("changeKey", { key: parent.id, json: { daily_usd_cap: 60, expires_in: "2h" } });
  await success("revokeKey", { key: child.id });
});

test("stops", async () => {
  const stopped = await vaultKey({ agent_run_label: "documents/3" });
  const issuer = await apiKey({ scopes: ["issue"] });
  await success("orderStop", { json: { all: true, dry_run: true } });
  const json = {
    agent_run_label: "documents/3",
    vendor: "stripe",
    parent_id: (await vaultKey()).id,
    api_key_id: issuer.id,
    reason: "charges twice",
    stop_for: "1h",
  };
  await success("orderStop", { json });
  const stop = await success("orderStop", {
    json: { agent_run_label: "documents/3*", reason: "charges twice" },
  });
  const key = textAt(stop, "id");
  await eachRefuses("run_stopped", () => ({
    json: { vendor: "stripe", daily_usd_cap: 5, agent_run_label: "documents/3" },
  }));
  await eventually(async () => {
    expect(await success("getStop", { key })).toMatchObject({ state: "in_force" });
  });
  expect((await call("getOwnKey", { token: stopped.token })).status).toBe(401);
  await success("liftStop", { key });

  await eachRefuses("too_many_stops", async () => {
    for (let free = true; free; )
      free = (await call("orderStop", { json: { agent_run_label: "documents/full" } })).status === 201;
    return {};
  });
  await success("listStops", { query: { limit: "1" } });
  await success("listStops", { query: { limit: "100" } });
});

test("calls whose outcome nobody knows", async () => {
  const key = await vaultKey();
  const headers = { "Idempotency-Key": "documents-unresolved" };
  const fault = { "metadata[keybrake_fault]": "break_after" };
  const lost = await pay(run, key, 500, fault, headers);
  const callId = `${lost.headers["keybrake-call-id"]}`;

  const stripe = simulatorAt(run.vendor("stripe").origin);
  const before = (await stripe.requests()).length;
  await stripe.fault({ kind: "slow", ms: 4_000 });
  const repeat = pay(run, key, 500, fault, headers);
  await eventually(async () => expect((await stripe.requests()).length).toBeGreaterThan(before));
  await eachRefuses("call_in_flight", () => ({ key: callId }));
  expect((await repeat).status).toBe(200);
  await eachRefuses("nothing_unresolved", () => ({ key: callId, json: { charged: false } }));

  for (const json of [{ charged: true, amount_usd: 4.5 }, { charged: false }]) {
    const other = await pay(run, key, 500, fault);
    await success("resolveCall", { key: `${other.headers["keybrake-call-id"]}`, json });
  }
});

test("API keys with all that an API key can have", async () => {
  const made = await apiKey({
    scopes: ["issue", "read", "revoke"],
    allowed_vendors: ["stripe"],
    allowed_credentials: ["default"],
    allowed_endpoints: ["POST /v1/payment_intents"],
    max_daily_usd_cap: 20,
    max_total_usd_cap: 50,
    max_per_call_usd_cap: 5,
    max_expires_in: "4h",
    daily_usd_cap: 30,
    total_usd_cap: 300,
  });
  await success("getApiKey", { key: made.id });
  const page = await success("listApiKeys", { query: { limit: "1" } });
  await success("listApiKeys", { query: { limit: "1", cursor: textAt(page, "next_cursor") } });
  await success("listApiKeys", { query: { limit: "100" } });
  await success("revokeApiKey", { key: made.id });
});

test("rows of the audit log with every column", async () => {
  const parent = await vaultKey({
    agent_run_label: "documents/2",
    metadata: { ticket: "2" },
    total_usd_cap: 90,
  });
  const key = await vaultKey({ per_call_usd_cap: 20 }, parent.token);
  const headers = { "Keybrake-Label": "step-1", "Idempotency-Key": "order-1", "User-Agent": "documents" };
  const customer = await post(run, key, "/v1/customers", { name: "A" });
  const fields = { currency: "eur", customer: textAt(customer.json, "id") };
  expect((await pay(run, key, 500, fields, headers)).status).toBe(200);
  expect((await pay(run, key, 5_000, {}, { "User-Agent": "documents" })).status).toBe(429);
  const observing = await vaultKey({ mode: "observe", daily_usd_cap: 1 });
  expect((await pay(run, observing, 500)).status).toBe(200);
  await success("changeKey", { key: key.id, json: { daily_usd_cap: 10 } });
  await run.drain();

  const first = await success("queryAudit", { query: { limit: "1", events: "true" } });
  await success("queryAudit", {
    query: { limit: "1", events: "true", cursor: textAt(first, "next_cursor") },
  });
  await success("queryAudit", { query: { events: "true", limit: "100" } });
  for (const Accept of ["text/csv", "application/x-ndjson"])
    await success("queryAudit", { query: { limit: "2" }, headers: { Accept } });
});

test("logins of the dashboard", async () => {
  const { json } = await call("createLoginCode");
  const signed = await call("signIn", { json: { code: textAt(json, "code") } });
  expect(signed.status).toBe(200);
  const reader = await apiKey({
    scopes: ["read"],
    allowed_vendors: ["stripe"],
    allowed_credentials: ["default"],
  });
  await success("signIn", { json: { api_key: reader.token } });
  await success("getLogin", { token: reader.token });
  const Cookie = signed.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const login = await ask(run, "GET", "/dashboard/login", { headers: { ...PAGE, Cookie } });
  expect(openApi.undocumented("getLogin", login)).toEqual([]);
  await success("signOut", { headers: { Cookie } });
  const nobody = await ask(run, "GET", "/dashboard/login", { headers: PAGE });
  expect([nobody.status, openApi.undocumented("getLogin", nobody)]).toEqual([200, []]);

  await eachRefuses("cross_site", () => ({ headers: { "Sec-Fetch-Site": "cross-site" } }));
  await eachRefuses("code_invalid", () => ({ json: { code: "x" } }));
  await eachRefuses("too_many_logins", async (id) => {
    const json = { api_key: "a-guess" };
    for (let status = 401; status === 401; ) ({ status } = await call(id, { json }));
    return { json };
  });
});

test("lists of keys, sums and runs", async () => {
  const key = await vaultKey({ agent_run_label: "documents/4", daily_usd_cap: 5 });
  expect((await pay(run, key, 500)).status).toBe(200);
  await run.drain();
  const first = await success("listKeys", { query: { limit: "1" } });
  await success("listKeys", { query: { limit: "1", cursor: textAt(first, "next_cursor") } });
  await success("listKeys", { query: { limit: "100" } });
  expect(await success("listKeys", { query: { status: "exhausted" } })).toMatchObject({
    data: [{ id: key.id }],
  });
  await success("querySpend");
  for (const group_by of ["vendor", "label_group", "agent_run_label", "key_id"])
    await success("querySpend", { query: { group_by, limit: "1" } });
  const some = await success("querySpend", { query: { group_by: "key_id", agent_run_label: "documents/*" } });
  expect(at(some, "total")).toBeNull();
  await success("listRuns");
});

test.each([
  ["does not answer", "ledger_unavailable", DOWN],
  ["turns us away", "internal", BROKEN],
])("a database that %s", async (_, code, failure) => {
  const reader = await apiKey({ scopes: ["read"] });
  await success("getLogin", { token: reader.token });
  database.failAll(failure);
  await eachRefuses(code, (id) => {
    if (id === "issueKey") return { token: UNKNOWN_KEY };
    if (id === "getLogin") return { token: reader.token };
    if (id === "signIn") return { json: { api_key: "a-guess-that-is-counted" } };
    return id === "signOut" ? { headers: { Cookie: `${cookieName(run.baseUrl)}=${"A".repeat(43)}` } } : {};
  });
  database.failAll(null);
});

test("the document promises nothing that no answer had", () => {
  expect(openApi.unseen()).toEqual([]);
});
