import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCOPES, type Scope } from "../../lambda/domain/api-key.ts";
import { FAILED_LOGINS_MAX } from "../../lambda/domain/login.ts";
import { cookieName } from "../../lambda/http/own-page.ts";
import { MANAGING_ROUTES } from "../../lib/routes.ts";
import { at, numberAt, textAt } from "../support/json.ts";
import { ask, issue, type OwnRun, pay, type Reply, startOwn } from "../support/keybrake.ts";
import { NEEDED_SCOPES } from "../support/scopes.ts";

/**
 * Guarantees that a login of the dashboard may exactly what its API key may, on every route, for as long as both are on and from the
 * dashboard's own page alone.
 */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn({ stage: "prod" });
});
afterAll(() => run.close());

/** What a browser sends of itself with a request of the page's scripts. */
const PAGE = { "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty", "Keybrake-Dashboard": "1" };
const cookieOf = (reply: Reply): string => reply.headers["set-cookie"]?.[0] ?? "";
const pairOf = (reply: Reply): string => cookieOf(reply).split(";")[0] ?? "";

const signIn = (json: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> =>
  ask(run, "POST", "/dashboard/login", { json, headers: { ...PAGE, ...headers } });
async function signedIn(api_key: string = run.apiKey): Promise<string> {
  const reply = await signIn({ api_key });
  expect(reply.status, reply.text).toBe(200);
  return pairOf(reply);
}
const by = (
  Cookie: string,
  method: string,
  path: string,
  json?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> =>
  ask(run, method, path, { headers: { ...PAGE, Cookie, ...headers }, ...(json !== undefined && { json }) });

async function apiKey(body: Readonly<Record<string, unknown>>) {
  const json = { name: "a test", scopes: ["read"], ...body };
  const reply = await ask(run, "POST", "/vault/api-keys", { token: run.apiKey, json });
  expect(reply.status, reply.text).toBe(201);
  return { id: textAt(reply.json, "id"), token: textAt(reply.json, "api_key") };
}
const code = async (token: string = run.apiKey) => {
  const reply = await ask(run, "POST", "/dashboard/codes", { token });
  expect(reply.status, reply.text).toBe(201);
  return reply.json;
};

describe("signing in", () => {
  test("with the admin API key gives a cookie and says who it is", async () => {
    const reply = await signIn({ api_key: run.apiKey });
    expect(cookieOf(reply)).toMatch(
      /^__Host-keybrake_login_\d+_prod=[A-Za-z0-9]{43}; Max-Age=43200; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
    );
    expect(reply.headers["set-cookie"]).toHaveLength(1);
    expect(reply.headers["cache-control"]).toBe("no-store");
    expect(reply.json).toMatchObject({
      api_key_id: "admin",
      scopes: ["admin"],
      allowed_vendors: null,
      base_url: run.baseUrl,
      vendors: expect.arrayContaining([expect.objectContaining({ name: "stripe", title: "Stripe" })]),
    });
    expect(numberAt(reply.json, "ends_in_s")).toBeGreaterThan(43_190);
    expect(numberAt(reply.json, "ends_in_s")).toBeLessThanOrEqual(43_200);
    const who = await by(pairOf(reply), "GET", "/dashboard/login");
    expect(at(who.json, "ends_at")).toBe(at(reply.json, "ends_at"));
    expect(reply.text).not.toContain(run.apiKey);
  });

  test("with another API key gives its name, scopes and vendors", async () => {
    const { id, token } = await apiKey({ scopes: ["read", "revoke"], allowed_vendors: ["stripe"] });
    const who = await by(await signedIn(token), "GET", "/dashboard/login");
    expect(who.json).toMatchObject({
      api_key_id: id,
      name: "a test",
      scopes: ["read", "revoke"],
      allowed_vendors: ["stripe"],
    });
  });

  test("with a code works once, and the code is in the address where no server sees it", async () => {
    const made = await code();
    expect(made).toMatchObject({ expires_in_s: 60 });
    expect(textAt(made, "url")).toBe(`${run.baseUrl}/dashboard#code=${textAt(made, "code")}`);
    const first = await signIn({ code: textAt(made, "code") });
    expect(first.json).toMatchObject({ api_key_id: "admin" });
    const second = await signIn({ code: textAt(made, "code") });
    expect([second.status, at(second.json, "error", "code")]).toEqual([401, "code_invalid"]);
    expect(second.headers["set-cookie"]).toBeUndefined();
  });

  test("of many who use a code at once one is signed in", async () => {
    const made = textAt(await code(), "code");
    const replies = await Promise.all(Array.from({ length: 6 }, () => signIn({ code: made })));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test.each([
    ["no body", undefined, 400],
    ["no object", [], 400],
    ["nothing", {}, 400],
    ["both", { api_key: "x", code: "y" }, 400],
    ["another field", { api_key: "x", scope: "admin" }, 400],
    ["no text", { api_key: 5 }, 400],
    ["no characters", { api_key: "" }, 400],
    ["far too much", { api_key: "x".repeat(5_000) }, 400],
  ])("with %s is refused, and repeats nothing", async (_, json, status) => {
    const reply = await signIn(json);
    expect([reply.status, reply.headers["set-cookie"]]).toEqual([status, undefined]);
  });

  test("as a form is refused: another site can send one", async () => {
    const reply = await ask(run, "POST", "/dashboard/login", {
      form: { api_key: run.apiKey },
      headers: PAGE,
    });
    expect([reply.status, reply.headers["set-cookie"]]).toEqual([415, undefined]);
  });

  test.each([
    ["without the mark", { "Keybrake-Dashboard": "" }],
    ["from another site", { "Sec-Fetch-Site": "cross-site" }],
    ["from a sibling", { "Sec-Fetch-Site": "same-site" }],
  ])("%s is refused: nobody is signed in to what he did not choose", async (_, headers) => {
    const reply = await signIn({ api_key: run.apiKey }, headers);
    expect([reply.status, at(reply.json, "error", "code")]).toEqual([403, "cross_site"]);
    expect(reply.headers["set-cookie"]).toBeUndefined();
  });
});

describe("who is signed in", () => {
  const asked = (headers: Readonly<Record<string, string>>) =>
    ask(run, "GET", "/dashboard/login", { headers });

  test("is nobody for a page without a login, which is no error", async () => {
    const { status, json } = await asked(PAGE);
    expect([status, json]).toEqual([200, { signed_in: false }]);
  });

  test.each([
    ["a program without a key", {}, "api_key_invalid"],
    ["a page with a key that is wrong", { ...PAGE, Authorization: "Bearer a-guess" }, "api_key_invalid"],
    ["a page with a login that is over", { ...PAGE, Cookie: `<login>=${"A".repeat(43)}` }, "login_ended"],
  ])("%s gets 401", async (_, headers, code) => {
    const named = Object.entries<string>(headers).map(([name, value]) => [
      name,
      value.replace("<login>", cookieName(run.baseUrl)),
    ]);
    const { status, json } = await asked(Object.fromEntries(named));
    expect([status, at(json, "error", "code")]).toEqual([401, code]);
  });
});

describe("a login", () => {
  const withId = (path: string, id: string) => path.replace("{id}", id);
  const idFor = (path: string, key: string): string =>
    path.startsWith("/vault/keys/")
      ? key
      : path.startsWith("/vault/stops/")
        ? "stop_0000000000000AAAAAA"
        : path.startsWith("/vault/calls/")
          ? `call_${"0".repeat(40)}`
          : "ak_0000000000000000";

  test("meets the same on every route as a Bearer", async () => {
    expect(Object.keys(NEEDED_SCOPES).toSorted()).toEqual(
      MANAGING_ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
  });

  test.each(SCOPES)("with the scope %s is refused exactly what its key is refused", async (scope) => {
    const { token } = await apiKey({ scopes: [scope] });
    const cookie = await signedIn(token);
    const { id } = await issue(run);
    for (const { method, path } of MANAGING_ROUTES) {
      const json = method === "POST" || method === "PATCH" ? { vendor: 1 } : undefined;
      const target = withId(path, idFor(path, id));
      const asBearer = await ask(run, method, target, { token, ...(json !== undefined && { json }) });
      const asLogin = await by(cookie, method, target, json);
      const needed: Scope | undefined = NEEDED_SCOPES[`${method} ${path}`];
      const name = `${method} ${path}`;
      if (name === "POST /vault/api-keys" && scope === "admin") {
        // It would outlast the login.
        expect([asLogin.status, at(asLogin.json, "error", "code")]).toEqual([403, "cross_site"]);
        continue;
      }
      expect([name, asLogin.status], name).toEqual([name, asBearer.status]);
      expect(at(asLogin.json, "error", "code"), name).toEqual(at(asBearer.json, "error", "code"));
      expect(at(asLogin.json, "error", "code") === "scope_missing", name).toBe(
        scope !== "admin" && scope !== needed,
      );
    }
  });

  test.each(MANAGING_ROUTES.map(({ method, path }) => [method, path] as const))(
    "is refused from another page: %s %s",
    async (method, path) => {
      const cookie = await signedIn();
      const { id } = await issue(run);
      const target = withId(path, idFor(path, id));
      const json = method === "POST" || method === "PATCH" ? { daily_usd_cap: 1 } : undefined;
      for (const headers of [
        { "Sec-Fetch-Site": "cross-site" },
        { "Sec-Fetch-Site": "same-site" },
        { "Sec-Fetch-Site": "none" },
        ...(method === "GET" ? [] : [{ "Keybrake-Dashboard": "" }]),
      ]) {
        const { status, json: body } = await by(cookie, method, target, json, headers);
        expect([status, at(body, "error", "code")], JSON.stringify(headers)).toEqual([403, "cross_site"]);
      }
    },
  );

  test("does what its page asks: issues, changes, stops", async () => {
    const cookie = await signedIn();
    const made = await by(cookie, "POST", "/vault/keys", { vendor: "stripe", daily_usd_cap: 5 });
    expect([made.status, at(made.json, "issuer_id")]).toEqual([201, "admin"]);
    const key = { id: textAt(made.json, "id"), token: textAt(made.json, "vault_key") };
    expect((await pay(run, key, 100)).status).toBe(200);
    const changed = await by(cookie, "PATCH", `/vault/keys/${key.id}`, { daily_usd_cap: 9 });
    expect([changed.status, at(changed.json, "daily_usd_cap")]).toEqual([200, 9]);
    expect((await by(cookie, "POST", `/vault/keys/${key.id}/revoke`)).status).toBe(200);
    expect((await pay(run, key, 100)).status).toBe(401);
  });

  test("ends when somebody signs out, also for who copied its cookie", async () => {
    const cookie = await signedIn();
    const out = await by(cookie, "DELETE", "/dashboard/login");
    expect([out.status, out.json]).toEqual([200, { signed_in: false }]);
    expect(cookieOf(out)).toMatch(/^__Host-keybrake_login_\d+_prod=; Max-Age=0; /);
    for (const path of ["/vault/keys", "/dashboard/login"]) {
      const { status, json } = await by(cookie, "GET", path);
      expect([status, at(json, "error", "code")]).toEqual([401, "login_ended"]);
    }
    expect((await by(cookie, "DELETE", "/dashboard/login")).status).toBe(200);
  });

  test("ends when its key is revoked, on every route at once", async () => {
    const { id, token } = await apiKey({ scopes: ["admin"] });
    const cookie = await signedIn(token);
    expect((await by(cookie, "GET", "/vault/keys")).status).toBe(200);
    expect((await ask(run, "DELETE", `/vault/api-keys/${id}`, { token: run.apiKey })).status).toBe(200);
    for (const { method, path } of MANAGING_ROUTES) {
      const json = method === "POST" || method === "PATCH" ? { vendor: 1 } : undefined;
      const reply = await by(cookie, method, withId(path, idFor(path, "key_0000000000000000")), json);
      expect([reply.status, at(reply.json, "error", "code")], `${method} ${path}`).toEqual([
        401,
        "key_revoked",
      ]);
    }
  });

  test("ends when its browser signs in again", async () => {
    const former = await signedIn();
    const reply = await signIn({ api_key: run.apiKey }, { Cookie: former });
    expect(reply.status).toBe(200);
    expect((await by(former, "GET", "/vault/keys")).status).toBe(401);
    expect((await by(pairOf(reply), "GET", "/vault/keys")).status).toBe(200);
  });

  test("makes no codes: it would outlast its twelve hours", async () => {
    const reply = await by(await signedIn(), "POST", "/dashboard/codes");
    expect([reply.status, at(reply.json, "error", "code")]).toEqual([403, "cross_site"]);
  });

  test("is no vault key: a vendor is not called with it", async () => {
    const cookie = await signedIn();
    for (const path of ["/stripe/v1/customers", "/vault/keys/self"])
      expect((await by(cookie, "GET", path)).status, path).toBe(401);
  });

  test.each(["document", "iframe", "script", "image", "style", "serviceworker"])(
    "shares its origin with no vendor's answer: a browser that wants one as %s is refused before the call",
    async (destination) => {
      const { token } = await issue(run);
      const reply = await ask(run, "GET", "/stripe/v1/customers", {
        token,
        headers: { "Sec-Fetch-Dest": destination, "Sec-Fetch-Site": "cross-site" },
      });
      expect([reply.status, at(reply.json, "error", "code")]).toEqual([403, "cross_site"]);
    },
  );

  test("a vendor's answer that is shown all the same runs nothing", async () => {
    const { token } = await issue(run);
    const { status, headers } = await ask(run, "GET", "/stripe/v1/customers", { token });
    expect([status, headers["content-security-policy"], headers["x-content-type-options"]]).toEqual([
      200,
      "sandbox; default-src 'none'",
      "nosniff",
    ]);
  });
});

test("attempts that fail are bounded, and the refusal says for how long", async () => {
  const replies: Reply[] = [];
  // The window may end in between.
  while (replies.at(-1)?.status !== 429 && replies.length <= 2 * FAILED_LOGINS_MAX)
    replies.push(await signIn({ api_key: `guess-${replies.length}` }));
  const last = replies.at(-1);
  expect([last?.status, at(last?.json, "error", "code")]).toEqual([429, "too_many_logins"]);
  expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
  expect(new Set(replies.slice(0, -1).map(({ json }) => at(json, "error", "code")))).toEqual(
    new Set(["api_key_invalid"]),
  );
  // The command and every program go on.
  expect((await ask(run, "GET", "/vault/keys", { token: run.apiKey })).status).toBe(200);
});
