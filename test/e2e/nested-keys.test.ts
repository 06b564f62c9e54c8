import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCOPES } from "../../lambda/domain/api-key.ts";
import { MANAGING_ROUTES } from "../../lib/routes.ts";
import { at, listAt, textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  balanceOf,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { NEEDED_SCOPES } from "../support/scopes.ts";

/** Guarantees that no key spends beyond those above it, that what ends a key ends those below it, and that API keys keep their scopes. */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

const childOf = (parent: Key, json: object = {}): Promise<Reply> =>
  ask(run, "POST", "/vault/keys", { token: parent.token, json });

async function child(parent: Key, json: object = {}): Promise<Key> {
  const { status, json: made, text } = await childOf(parent, json);
  if (status !== 201) throw new Error(`no child was issued: ${status} ${text}`);
  return { id: textAt(made, "id"), token: textAt(made, "vault_key") };
}

const confirmed = { confirm: "true", payment_method: "pm_card_visa" };

describe("a child key", () => {
  test("is shown with what it has of its parent, which issued it", async () => {
    const parent = await issue(run, {
      total_usd_cap: 150,
      agent_run_label: "batch/1",
      allowed_endpoints: ["POST /v1/payment_intents"],
      allowed_currencies: ["usd"],
    });
    const { json } = await childOf(parent, { daily_usd_cap: 35 });
    expect(json).toMatchObject({
      vendor: "stripe",
      credential: "default",
      agent_run_label: "batch/1",
      issuer_id: parent.id,
      parent_id: parent.id,
      allowed_endpoints: ["POST /v1/payment_intents"],
      allowed_currencies: ["usd"],
      daily_usd_cap: 35,
      total_usd_cap: 150,
    });
    const { json: above } = await ask(run, "GET", `/vault/keys/${parent.id}`, { token: run.apiKey });
    expect(at(json, "expires_at")).toBe(at(above, "expires_at"));
  });

  test.each<[field: string, json: object]>([
    ["vendor", { vendor: "twilio" }],
    ["daily_usd_cap", { daily_usd_cap: 50.01 }],
    ["allowed_endpoints.0", { allowed_endpoints: ["GET /v1/**"] }],
    ["expires_in", { expires_in: "2h" }],
    ["allowed_accounts", { allowed_accounts: ["acct_1032D82eZvKYlo2C"] }],
  ])("that is wider is refused by its %s", async (field, json) => {
    const parent = await issue(run, { allowed_endpoints: ["POST /v1/payment_intents"] });
    const refused = await childOf(parent, json);
    expect(refused.status).toBe(403);
    expect(refused.json).toMatchObject({ error: { code: "wider_than_issuer", field, issuer_id: parent.id } });
  });

  test("has three keys above it and not more", async () => {
    let key = await issue(run);
    for (const _ of [1, 2, 3]) key = await child(key);
    const refused = await childOf(key);
    expect([refused.status, at(refused.json, "error", "code")]).toEqual([400, "chain_too_long"]);
    expect((await pay(run, key, 100, confirmed)).status).toBe(200);
  });

  test("cannot be made wider later than its parent is", async () => {
    const parent = await issue(run);
    const key = await child(parent, { daily_usd_cap: 5 });
    const change = (json: object) => ask(run, "PATCH", `/vault/keys/${key.id}`, { token: run.apiKey, json });
    expect((await change({ daily_usd_cap: 51 })).json).toMatchObject({
      error: { code: "wider_than_issuer", field: "daily_usd_cap" },
    });
    expect((await change({ expires_in: "3h" })).json).toMatchObject({
      error: { code: "wider_than_issuer", field: "expires_in" },
    });
    expect((await change({ daily_usd_cap: 50 })).status).toBe(200);
  });

  test("is refused by the key above it that has no room, by its name, and takes nothing", async () => {
    const parent = await issue(run, { daily_usd_cap: 10 });
    const [first, second] = [await child(parent), await child(parent)];
    expect((await pay(run, first, 700, confirmed)).status).toBe(200);

    const refused = await pay(run, second, 400, confirmed);
    expect(refused.status).toBe(429);
    expect(refused.json).toMatchObject({
      error: { key_id: parent.id, cap_usd: 10, remaining_usd: 3, requested_usd: 4 },
    });
    expect(textAt(refused.json, "error", "message")).toContain(`vault key ${parent.id} spend cap exceeded`);
    expect((await balanceOf(run, second)).remaining).toBe(1_000);
    expect((await balanceOf(run, parent)).remaining).toBe(300);
    const [row] = await callRows(run, second);
    expect(row).toMatchObject({
      parent_ids: [parent.id],
      issuer_id: parent.id,
      reason: "spend_cap_exceeded",
    });
  });

  test("ends with the first key above it that ends, on the next call", async () => {
    const root = await issue(run);
    const middle = await child(root);
    const leaf = await child(middle);
    expect((await pay(run, leaf, 100, confirmed)).status).toBe(200);

    await ask(run, "DELETE", `/vault/keys/${middle.id}`, { token: run.apiKey });
    const paid = await pay(run, leaf, 100, confirmed);
    expect(paid.json).toMatchObject({ error: { code: "key_revoked", key_id: middle.id } });
    const read = await ask(run, "GET", "/stripe/v1/customers", { token: leaf.token });
    expect(read.json).toMatchObject({ error: { code: "key_revoked", key_id: middle.id } });
    expect((await childOf(leaf)).json).toMatchObject({ error: { code: "key_revoked", key_id: middle.id } });
    const shown = await ask(run, "GET", `/vault/keys/${leaf.id}`, { token: run.apiKey });
    expect(shown.json).toMatchObject({ status: "revoked", revoked_at: null });
    const query = `parent_id=${middle.id}`;
    for (const [status, ids] of [
      ["active", []],
      ["revoked", [leaf.id]],
    ] as const) {
      const { json } = await ask(run, "GET", `/vault/keys?${query}&status=${status}`, { token: run.apiKey });
      expect(listAt(json, "data").map((key) => at(key, "id"))).toEqual(ids);
    }
    const self = await ask(run, "GET", "/vault/keys/self", { token: leaf.token });
    expect(self.json).toMatchObject({ error: { code: "key_revoked", key_id: middle.id } });
    expect((await pay(run, root, 100, confirmed)).status).toBe(200);
  });

  test("that repeats a call of its sibling is charged once, and the batch too", async () => {
    const parent = await issue(run);
    const [first, second] = [await child(parent), await child(parent)];
    const headers = { "Idempotency-Key": `sibling-${parent.id}` };
    const answers = [
      await pay(run, first, 1_000, confirmed, headers),
      await pay(run, second, 1_000, confirmed, headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(at(answers[0]?.json, "id")).toBe(at(answers[1]?.json, "id"));
    expect((await balanceOf(run, parent)).spent).toBe(1_000);
  });
});

describe("an API key", () => {
  const create = (json: object): Promise<Reply> =>
    ask(run, "POST", "/vault/api-keys", { token: run.apiKey, json: { name: "a test", ...json } });
  const made = async (json: object): Promise<{ readonly id: string; readonly token: string }> => {
    const reply = await create(json);
    expect(reply.status, reply.text).toBe(201);
    return { id: textAt(reply.json, "id"), token: textAt(reply.json, "api_key") };
  };
  const issuedBy = (token: string, json: object = {}): Promise<Reply> =>
    ask(run, "POST", "/vault/keys", { token, json: { vendor: "stripe", daily_usd_cap: 5, ...json } });

  const REQUESTS = Object.entries(NEEDED_SCOPES).map(([route, needed]) => {
    const [method = "", path = ""] = route.split(" ");
    const id = path.startsWith("/vault/stops") ? "stop_0000000000000AAAAAA" : "ak_0000000000000000";
    return [needed, method, path.replace("{id}", path.startsWith("/vault/keys") ? "KEY" : id)] as const;
  });

  test("has a scope for every route that an API key may ask", () => {
    expect(Object.keys(NEEDED_SCOPES).toSorted()).toEqual(
      MANAGING_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
  });

  test.each(SCOPES)("with the scope %s is refused exactly what needs another one", async (scope) => {
    const { token } = await made({ scopes: [scope] });
    const { id } = await issue(run);
    for (const [needed, method, path] of REQUESTS) {
      const body = method === "POST" || method === "PATCH" ? { json: { vendor: 1 } } : {};
      const { status, json } = await ask(run, method, path.replace("KEY", id), { token, ...body });
      const passes = scope === "admin" || scope === needed;
      const refusal = at(json, "error", "code");
      expect([path, refusal === "scope_missing"], `${method} ${path}`).toEqual([path, !passes]);
      if (!passes) {
        expect(status).toBe(403);
        expect(textAt(json, "error", "message")).toContain(`lacks the scope "${needed}"`);
      }
    }
  });

  test("issues within its ceilings, and what is left out is cut to them", async () => {
    const { id, token } = await made({
      scopes: ["issue"],
      allowed_vendors: ["stripe"],
      allowed_endpoints: ["GET /v1/**"],
      max_daily_usd_cap: 20,
      max_expires_in: "10m",
    });
    const { json } = await issuedBy(token);
    expect(json).toMatchObject({
      issuer_id: id,
      parent_id: null,
      allowed_endpoints: ["GET /v1/**"],
      expires_in_s: 600,
    });
    for (const [field, wider] of [
      ["vendor", { vendor: "resend" }],
      ["daily_usd_cap", { daily_usd_cap: 21 }],
      ["allowed_endpoints.0", { allowed_endpoints: ["POST /v1/charges"] }],
      ["expires_in", { expires_in: "11m" }],
    ] as const)
      expect((await issuedBy(token, wider)).json, field).toMatchObject({
        error: { code: "wider_than_issuer", field, issuer_id: id },
      });
  });

  test("caps what all its keys spend together, children included", async () => {
    const { id, token } = await made({ scopes: ["issue"], total_usd_cap: 10 });
    const first = await issuedBy(token, { daily_usd_cap: 8 });
    const key = { id: textAt(first.json, "id"), token: textAt(first.json, "vault_key") };
    expect((await pay(run, await child(key), 700, confirmed)).status).toBe(200);
    const second = await issuedBy(token, { daily_usd_cap: 8 });
    const other = { id: textAt(second.json, "id"), token: textAt(second.json, "vault_key") };
    const refused = await pay(run, other, 400, confirmed);
    expect(refused.json).toMatchObject({
      error: { code: "spend_cap_exceeded", key_id: id, remaining_usd: 3 },
    });
    await run.drain();
    const { json } = await ask(run, "GET", `/vault/api-keys/${id}`, { token: run.apiKey });
    expect(json).toMatchObject({ caps: { total: { spent_usd: 7, reserved_usd: 0, remaining_usd: 3 } } });
  });

  test.each([{}, { daily_usd_cap: 100 }])(
    "with the caps %j that is revoked is refused, and so is the next call of what it issued",
    async (caps) => {
      const { id, token } = await made({ scopes: ["issue"], ...caps });
      const { json } = await issuedBy(token);
      const key = { id: textAt(json, "id"), token: textAt(json, "vault_key") };
      const below = await child(key);
      expect((await pay(run, below, 100, confirmed)).status).toBe(200);

      const revoked = await ask(run, "DELETE", `/vault/api-keys/${id}`, { token: run.apiKey });
      expect(revoked.json).toMatchObject({ id, status: "revoked" });
      for (const each of [key, below]) {
        const paid = await pay(run, each, 100, confirmed);
        expect(paid.json).toMatchObject({ error: { code: "key_revoked", key_id: id } });
        const read = await ask(run, "GET", "/stripe/v1/customers", { token: each.token });
        expect(read.json).toMatchObject({ error: { code: "key_revoked", key_id: id } });
        expect((await balanceOf(run, each)).reserved).toBe(0);
      }
      expect((await issuedBy(token)).json).toMatchObject({ error: { code: "key_revoked", key_id: id } });
      const rows = await auditRows(run, { key_id: id });
      expect(rows.map(({ type }) => type)).toEqual(["api_key.revoked", "api_key.issued"]);
    },
  );

  test("sees and revokes keys of its vendors alone, and changes what it issued alone", async () => {
    const { token } = await made({ scopes: ["read", "revoke", "issue"], allowed_vendors: ["stripe"] });
    const mail = await ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "resend", daily_usd_cap: 1 },
    });
    const path = `/vault/keys/${textAt(mail.json, "id")}`;
    for (const [method, target] of [
      ["GET", path],
      ["DELETE", path],
    ] as const)
      expect((await ask(run, method, target, { token })).json).toMatchObject({
        error: { code: "not_found" },
      });
    const { id } = await issue(run);
    expect((await ask(run, "GET", `/vault/keys/${id}`, { token })).status).toBe(200);
    const changed = await ask(run, "PATCH", `/vault/keys/${id}`, { token, json: { daily_usd_cap: 60 } });
    expect(changed.json).toMatchObject({ error: { code: "wider_than_issuer", key_id: id } });
    await run.drain();
    const { json } = await ask(run, "GET", "/vault/audit?limit=100", { token });
    const vendors = (at(json, "data") as readonly { readonly vendor: string }[]).map(({ vendor }) => vendor);
    expect(new Set(vendors)).toEqual(new Set(["stripe"]));
  });

  test("is listed without its secret, newest first, page by page", async () => {
    for (const name of ["one", "two", "three"]) await made({ name, scopes: ["read"] });
    const names: string[] = [];
    for (let cursor: unknown = ""; cursor !== null; ) {
      const query = new URLSearchParams({ limit: "2", ...(cursor === "" ? {} : { cursor: `${cursor}` }) });
      const { json, text } = await ask(run, "GET", `/vault/api-keys?${query}`, { token: run.apiKey });
      expect(text).not.toMatch(/kbak|secret/);
      names.push(...(at(json, "data") as readonly { readonly name: string }[]).map(({ name }) => name));
      cursor = at(json, "next_cursor");
    }
    expect(names.slice(0, 3)).toEqual(["three", "two", "one"]);
  });

  test.each<[field: string, json: object]>([
    ["name", { name: "", scopes: ["read"] }],
    ["name", { name: `a kbvk${"A".repeat(48)}`, scopes: ["read"] }],
    ["scopes", { scopes: [] }],
    ["scopes.0", { scopes: ["write"] }],
    ["allowed_vendors", { scopes: ["issue"], allowed_vendors: ["paypal"] }],
    ["max_daily_cap", { scopes: ["issue"], max_daily_cap: 5 }],
    ["daily_usd_cap", { scopes: ["issue"], daily_usd_cap: -1 }],
    ["allowed_endpoints", { scopes: ["issue"], allowed_endpoints: ["everything"] }],
  ])("is refused for its %s", async (field, json) => {
    expect((await create(json)).json).toMatchObject({ error: { code: "invalid_request", field } });
  });

  test("is no vault key, and the proxy says so", async () => {
    const { id, token } = await made({ scopes: ["issue"] });
    const { status, text } = await pay(run, { id, token }, 100);
    expect(status).toBe(401);
    expect(text).toContain("it looks like an API key of Keybrake");
    expect(text).not.toContain(token);
  });
});
