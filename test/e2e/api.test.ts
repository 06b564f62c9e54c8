import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import {
  type Asked,
  ask,
  auditRows,
  balanceOf,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  type Reply,
  type Row,
  startOwn,
} from "../support/keybrake.ts";

/** Guarantees that our own API names the wrong field of every bad request, and loses nothing. */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

const admin = (method: string, path: string, asked: Asked = {}): Promise<Reply> =>
  ask(run, method, path, { token: run.apiKey, ...asked });
const view = async (key: Key): Promise<unknown> => (await admin("GET", `/vault/keys/${key.id}`)).json;

const VALID = { vendor: "stripe", daily_usd_cap: 50 };
const UNKNOWN_ID = "key_0000000000000000";
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+00:00$/;

/** Everything that an error of our own API has; the message is checked by whoever calls. */
function expectError(reply: Reply, status: number, code: string): string {
  expect([reply.status, at(reply.json, "error", "code")], reply.text).toEqual([status, code]);
  expect(reply.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
  expect(at(reply.json, "error")).toMatchObject({
    type: expect.stringMatching(/_error$/),
    charged: "no",
    request_id: reply.headers["request-id"],
  });
  return textAt(reply.json, "error", "message");
}

describe("POST /vault/keys refuses, and names the field and what is accepted", () => {
  const long = (length: number) => "x".repeat(length);
  const bodies: readonly (readonly [field: string, body: unknown])[] = [
    ["vendor", {}],
    ["vendor", { daily_usd_cap: 5 }],
    ["vendor", { ...VALID, vendor: 1 }],
    ["vendor", { ...VALID, vendor: "" }],
    ["vendor", { ...VALID, vendor: "Stripe" }],
    ["vendor", { ...VALID, vendor: "paypal" }],
    ["vendor", { ...VALID, vendor: "constructor" }],
    ["credential", { ...VALID, credential: "live" }],
    ["credential", { ...VALID, credential: 5 }],
    ["daily_usd_cap", { vendor: "stripe" }],
    ["daily_usd_cap", { vendor: "stripe", daily_usd_cap: null }],
    ["daily_usd_cap", { vendor: "stripe", per_call_usd_cap: 5 }],
    ...[
      -1,
      -0.01,
      "-1",
      "abc",
      "",
      " 5",
      "1e3",
      "5 USD",
      "$5",
      "0x5",
      "1,000",
      "50.1234567",
      1e11,
      "1000000001",
      true,
      [],
      {},
    ].map((daily_usd_cap) => ["daily_usd_cap", { ...VALID, daily_usd_cap }] as const),
    ["total_usd_cap", { ...VALID, total_usd_cap: "a lot" }],
    ["per_call_usd_cap", { ...VALID, per_call_usd_cap: -5 }],
    ["daily_cap_usd", { ...VALID, daily_cap_usd: 5 }],
    ["Daily_usd_cap", { ...VALID, Daily_usd_cap: 5 }],
    ["allowed_endpoints", { ...VALID, allowed_endpoints: [] }],
    ["allowed_endpoints", { ...VALID, allowed_endpoints: "POST /v1/payment_intents" }],
    ...[
      "post /v1/charges",
      "POST v1/charges",
      "/v1/charges",
      "POST",
      "POST /v1//charges",
      "POST /v1/../charges",
      "POST /v1/**/x",
      "POST /v1/a*",
      "GET  /v1/x",
      "POST /v1/%63harges",
      "* /v1/x",
      5,
    ].map((entry) => ["allowed_endpoints.0", { ...VALID, allowed_endpoints: [entry] }] as const),
    ["allowed_endpoints.1", { ...VALID, allowed_endpoints: ["GET /v1/x", "nonsense"] }],
    ["allowed_endpoints", { ...VALID, allowed_endpoints: Array.from({ length: 51 }, () => "GET /v1/x") }],
    ...[60, "5", "0s", "31d", "721h", "1w", "", "-5m", "5 m", "1.5h", "5M", "m", null].map(
      (expires_in) => ["expires_in", { ...VALID, expires_in }] as const,
    ),
    ...["", long(257), "a*", "a\nb", "a\u0000", 5, {}].map(
      (agent_run_label) => ["agent_run_label", { ...VALID, agent_run_label }] as const,
    ),
    ["metadata", { ...VALID, metadata: "a" }],
    ["metadata.a", { ...VALID, metadata: { a: 1 } }],
    ["metadata", { ...VALID, metadata: { a: long(1024) } }],
    ["__proto__", JSON.parse('{"vendor":"stripe","daily_usd_cap":5,"__proto__":{"x":1}}')],
    ["vendor", []],
    ["body", null],
    ["body", "text"],
  ];

  test.each(bodies)("%s in %j", async (field, json) => {
    const message = expectError(await admin("POST", "/vault/keys", { json }), 400, "invalid_request");

    expect(message).toMatch(new RegExp(`^${field.replaceAll(".", "\\.")}: `));
    expect(message).toMatch(/accepted|expected|missing|leave it out/);
  });

  test.each([
    ["POST /stripe/v1/payment_intents", /expected "POST \/v1\/payment_intents"$/],
    ["POST /emails", /it is an endpoint of resend, and this key is for stripe; expected /],
    [
      "POST /v1/payment_links",
      /its page takes payments .*; expected an entry such as "POST \/v1\/payment_intents"/,
    ],
  ])("an entry that can never match, with the one that was probably meant: %s", async (entry, said) => {
    const json = { ...VALID, allowed_endpoints: ["GET /v1/**", entry] };
    const message = expectError(await admin("POST", "/vault/keys", { json }), 400, "invalid_request");
    expect(message).toMatch(/^allowed_endpoints\.1: got "/);
    expect(message).toMatch(said);
  });

  const HEX = "0123456789abcdef0123456789abcdef";
  test.each([
    ["agent_run_label", { agent_run_label: "run/sk_org_live_51Habc" }],
    ["agent_run_label", { agent_run_label: `run/${Buffer.from("sk_live_51Habcdef:").toString("base64")}` }],
    ["agent_run_label", { agent_run_label: "sk%5Flive%5F51Habc" }],
    ["metadata", { metadata: { rk_live_51Habc: "name" } }],
    ["metadata.stripe", { metadata: { stripe: "SK_LIVE_51HABC" } }],
    ["metadata.twilio_auth_token", { metadata: { twilio_auth_token: HEX } }],
    ["metadata.twilio", { metadata: { twilio: `AC${HEX}:${HEX}` } }],
    ["metadata.resend", { metadata: { resend: "re_AbCdEf12_AbCdEf1234567890AbCdEf12" } }],
    ["metadata.header", { metadata: { header: "Bearer Abcdefgh12345678" } }],
    ["allowed_endpoints", { allowed_endpoints: ["GET /v1/customers/whsec_abcdefgh"] }],
    ["credential", { credential: "ek_live_51Habc" }],
  ])("a secret in %s, which is never repeated: %j", async (field, change) => {
    const reply = await admin("POST", "/vault/keys", { json: { ...VALID, ...change } });
    const message = expectError(reply, 400, "invalid_request");
    expect(message).toMatch(new RegExp(`^${field.replaceAll(".", "\\.")}: contains `));
    expect(reply.text).not.toMatch(/51Habc|51HABC|0123456789abcdef|AbCdEf12|c2tfbGl2ZV|Abcdefgh|abcdefgh/);
  });

  test("the caller's own API key, with and without what stands before it", async () => {
    for (const text of [run.apiKey, run.apiKey.replace(/^kb_/, ""), `x${run.apiKey.replace(/^kb_/, "")}`]) {
      const reply = await admin("POST", "/vault/keys", { json: { ...VALID, metadata: { note: text } } });
      expect(expectError(reply, 400, "invalid_request")).toMatch(/^metadata\.note: contains an API key/);
      expect(reply.text).not.toContain(text);
    }
  });

  const BODY = '"vendor":"stripe","daily_usd_cap":5';
  test.each([
    ["daily_usd_cap", `{${BODY},"daily_usd_cap":5000}`],
    ["daily_usd_cap", `{${BODY},"daily_usd_cap":5}`],
    ["daily_usd_cap", `{${BODY},"\\u0064aily_usd_cap":5000}`],
    ["metadata.a", `{${BODY},"metadata":{"a":"1","b":"2","\\u0061":"3"}}`],
    ["metadata", `{${BODY},"metadata":{},"metadata":{"a":"b"}}`],
    ["limits.1.a", `{${BODY},"limits":[{"a":1},{"a":1,"a":2}]}`],
    ["__proto__", `{${BODY},"__proto__":null}`],
    ["metadata.__proto__", `{${BODY},"metadata":{"__proto__":"x"}}`],
    ["metadata.constructor", `{${BODY},"metadata":{"constructor":"x"}}`],
    ["metadata.prototype", `{${BODY},"metadata":{"prototype":"x"}}`],
    ["metadata.", `{${BODY},"metadata":{"":"x"}}`],
    ["toString", `{${BODY},"toString":1}`],
    ["constructor", `{${BODY},"constructor":1}`],
    ["agent_run_label", `{${BODY},"agent_run_label":"a\\ud800b"}`],
    ["agent_run_label", `{${BODY},"agent_run_label":"a\\udc00\\ud800"}`],
    ["metadata.a", `{${BODY},"metadata":{"a":"\\ud83d"}}`],
    ["metadata", `{${BODY},"metadata":{"\\ud83d":"a"}}`],
    ["allowed_endpoints.0", `{${BODY},"allowed_endpoints":["GET /v1/\\ud800"]}`],
    ["vendor", '{"vendor":"\\ud800","daily_usd_cap":5}'],
  ])("what could be read in two ways, or is lost: %s in %s", async (field, text) => {
    const reply = await admin("POST", "/vault/keys", { text });
    const message = expectError(reply, 400, "invalid_request");
    expect(message).toMatch(new RegExp(`^${field.replaceAll(".", "\\.")}: `));
    expect(at(reply.json, "error", "field")).toBe(field);
  });

  test("a repeated name in a change, and a secret that is one", async () => {
    const { id } = await issue(run);
    const twice = await admin("PATCH", `/vault/keys/${id}`, {
      text: '{"daily_usd_cap":1,"daily_usd_cap":9}',
    });
    expect(expectError(twice, 400, "invalid_request")).toMatch(
      /^daily_usd_cap: the body names a field twice/,
    );
    const secret = await admin("POST", "/vault/keys", { text: '{"sk_live_51Habc":1,"sk_live_51Habc":2}' });
    expect(secret.status).toBe(400);
    expect(secret.text).not.toContain("51Habc");
  });

  test("two headers where one is meant", async () => {
    const { id } = await issue(run);
    for (const headers of [{ Authorization: "Bearer a" }, { "content-type": "text/plain" }]) {
      const second = {
        ...headers,
        ...("Authorization" in headers
          ? { authorization: "Bearer b" }
          : { "Content-Type": "application/json" }),
      };
      const reply = await ask(run, "PATCH", `/vault/keys/${id}`, {
        ...("Authorization" in headers ? {} : { token: run.apiKey }),
        text: '{"daily_usd_cap":1}',
        headers: second,
      });
      expect(expectError(reply, 400, "invalid_request")).toMatch(/: got 2 headers; expected one/);
    }
  });

  test("a body that is not JSON", async () => {
    for (const text of ["{", "vendor=stripe", "{'vendor': 'stripe'}", "\u0000", "{}x"]) {
      const reply = await admin("POST", "/vault/keys", { text });
      expect(expectError(reply, 400, "invalid_request")).toMatch(
        /^body: is not JSON, or has text after the value; expected an object/,
      );
    }
  });

  test("a form, with what would be accepted", async () => {
    for (const type of ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const reply = await admin("POST", "/vault/keys", {
        form: { vendor: "stripe" },
        headers: { "Content-Type": type },
      });
      expect(expectError(reply, 415, "unsupported_media_type")).toMatch(
        /^Content-Type: got a form; expected application\/json .*"daily_usd_cap": 50/,
      );
    }
  });

  test("two idempotency keys, an empty one and one that is too long", async () => {
    for (const value of ["", "k".repeat(256)]) {
      const reply = await admin("POST", "/vault/keys", {
        json: VALID,
        headers: { "Idempotency-Key": value },
      });
      expect(expectError(reply, 400, "invalid_request")).toMatch(/^Idempotency-Key: /);
    }
    const two = { "Idempotency-Key": "a", "idempotency-key": "b" };
    const reply = await admin("POST", "/vault/keys", { json: VALID, headers: two });
    expect(expectError(reply, 400, "invalid_request")).toMatch(/^Idempotency-Key: got 2 headers/);
  });
});

describe("an issued key", () => {
  test("is shown with its secret once, its policy as stored, and times that every Python reads", async () => {
    const policy = {
      vendor: "stripe",
      daily_usd_cap: 50,
      total_usd_cap: 200,
      per_call_usd_cap: 29.99,
      allowed_endpoints: ["POST /v1/payment_intents", "GET /v1/customers/*", "GET /v1/**"],
      agent_run_label: "modal-billing/cus_1",
      metadata: { team: "a", über: "🙂" },
    };

    const issued = await admin("POST", "/vault/keys", { json: { ...policy, expires_in: "4h" } });

    expect(issued.status).toBe(201);
    expect(issued.json).toMatchObject({
      ...policy,
      id: expect.stringMatching(/^key_[A-Za-z0-9]{16}$/),
      vault_key: expect.stringMatching(/^kbvk[A-Za-z0-9]{54}$/),
      base_url: `${run.baseUrl}/stripe`,
      credential: "default",
      status: "active",
      issuer_id: "admin",
      parent_id: null,
      expires_in_s: 14_400,
      spent_usd: 0,
      reserved_usd: 0,
      remaining_usd: 50,
    });
    for (const name of ["issued_at", "expires_at", "resets_at"])
      expect(textAt(issued.json, name)).toMatch(TIME);
    const day = Date.parse(textAt(issued.json, "resets_at")) - Date.parse(textAt(issued.json, "issued_at"));
    expect(day).toBe(86_400_000);

    const { vault_key: _secret, ...shown } = Object.fromEntries(Object.entries(issued.json ?? {}));
    const { expires_in_s: left, ...seen } = Object.fromEntries(
      Object.entries((await view({ id: textAt(issued.json, "id"), token: "" })) ?? {}),
    );
    expect({ ...seen, expires_in_s: 14_400 }).toEqual(shown);
    expect(left).toBeGreaterThan(14_380);
  });

  test("keeps metadata of every other name, on its row too", async () => {
    const metadata = Object.fromEntries(
      "toString valueOf hasOwnProperty toJSON length then __defineGetter__ __proto constructor_ a.b a[b] 💶"
        .split(" ")
        .map((name) => [name, name]),
    );
    const issued = await admin("POST", "/vault/keys", { json: { ...VALID, metadata } });
    expect(at(issued.json, "metadata")).toEqual(metadata);
    const id = textAt(issued.json, "id");
    expect(at(await view({ id, token: "" }), "metadata")).toEqual(metadata);
    await run.drain();
    expect((await auditRows(run, { key_id: id })).map((row) => row["metadata"])).toEqual([metadata]);
  });

  test("lives an hour unless told otherwise, at most thirty days", async () => {
    const lifeOf = async (json: unknown) =>
      numberAt((await admin("POST", "/vault/keys", { json })).json, "expires_in_s");

    expect(await lifeOf(VALID)).toBe(3600);
    expect(await lifeOf({ ...VALID, expires_in: "30s" })).toBe(30);
    expect(await lifeOf({ ...VALID, expires_in: "30d" })).toBe(2_592_000);
    expect(await lifeOf({ ...VALID, expires_in: "720h" })).toBe(2_592_000);
  });

  test("has the cap that was meant: a float's noise is rounded, a text is exact, less than a millionth is nothing", async () => {
    const capOf = async (daily_usd_cap: unknown) =>
      numberAt(
        (await admin("POST", "/vault/keys", { json: { ...VALID, daily_usd_cap } })).json,
        "daily_usd_cap",
      );

    expect(await capOf(0.1 + 0.2)).toBe(0.3);
    expect(await capOf("29.99")).toBe(29.99);
    expect(await capOf(0.0000019)).toBe(0.000001);
    expect(await capOf(1e9)).toBe(1e9);
    expect(await capOf(0)).toBe(0);
  });

  test("is issued once for one Idempotency-Key, also of requests at once, and a repeat is told which", async () => {
    const headers = { "Idempotency-Key": "job-17" };

    const replies = await Promise.all(
      Array.from({ length: 6 }, () => admin("POST", "/vault/keys", { json: VALID, headers })),
    );

    const [issued, ...more] = replies.filter(({ status }) => status === 201);
    expect(more).toEqual([]);
    const id = textAt(issued?.json, "id");
    for (const reply of [
      ...replies.filter(({ status }) => status !== 201),
      await admin("POST", "/vault/keys", { json: { ...VALID, daily_usd_cap: 1 }, headers }),
    ]) {
      expect(expectError(reply, 409, "already_issued")).toContain(id);
      expect(at(reply.json, "error", "id")).toBe(id);
      expect(reply.text).not.toContain("kbvk");
    }
    await run.drain();
    const rows = await auditRows(run, { key_id: id });
    expect(rows.map(({ type, by }) => [type, by])).toEqual([["key.issued", "admin"]]);
  });
});

describe("PATCH /vault/keys/{id} refuses, and names the field", () => {
  const bodies: readonly (readonly [field: string, body: unknown])[] = [
    ["body", {}],
    ["body", []],
    ["daily_usd_cap", { daily_usd_cap: "much" }],
    ["daily_usd_cap", { daily_usd_cap: null }],
    ["total_usd_cap", { total_usd_cap: -1 }],
    ["per_call_usd_cap", { per_call_usd_cap: "1e3" }],
    ["expires_in", { expires_in: "31d" }],
    ["expires_in", { expires_in: null }],
    ["expires_at", { expires_at: "2030-01-01" }],
    ["vendor", { vendor: "stripe" }],
    ["allowed_endpoints", { allowed_endpoints: ["GET /v1/**"] }],
    ["agent_run_label", { agent_run_label: "other" }],
  ];

  test.each(bodies)("%s in %j", async (field, json) => {
    const key = await issue(run);
    const before = await view(key);

    const reply = await admin("PATCH", `/vault/keys/${key.id}`, { json });

    expect(expectError(reply, 400, "invalid_request")).toMatch(new RegExp(`^${field}: `));
    expect({ ...Object(await view(key)), expires_in_s: 0 }).toEqual({ ...Object(before), expires_in_s: 0 });
  });

  test("a cap can be taken off while another one stays", async () => {
    const key = await issue(run, { daily_usd_cap: 5, total_usd_cap: 9 });

    const changed = await admin("PATCH", `/vault/keys/${key.id}`, { json: { daily_usd_cap: null } });

    expect(changed.json).toMatchObject({
      daily_usd_cap: null,
      total_usd_cap: 9,
      remaining_usd: 9,
      resets_at: null,
    });
    expect((await pay(run, key, 900)).status).toBe(200);
    expect((await pay(run, key, 1)).status).toBe(429);
  });
});

test("an id that is unknown, not an id at all or somebody else's gets the same words from every method", async () => {
  const words = new Set<string>();
  for (const id of [UNKNOWN_ID, "key_", "nonsense", "self2", "key_..%2F..", "vk_1"])
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/revoke"],
    ] as const) {
      const json = method === "PATCH" ? { json: { daily_usd_cap: 5 } } : {};
      const reply = await admin(method, `/vault/keys/${id}${path}`, json);
      words.add(expectError(reply, 404, "not_found"));
    }
  expect([...words]).toEqual(["there is no such vault key, or it is not yours"]);
});

describe("a key in the wrong place is a 401 that says what it looks like and repeats none of it", () => {
  const STRIPE_SECRET = "sk_live_51HxkLmTopSecretOfSomebody";
  const places = [
    ["GET", "/vault/keys"],
    ["GET", `/vault/keys/${UNKNOWN_ID}`],
    ["PATCH", `/vault/keys/${UNKNOWN_ID}`],
    ["DELETE", `/vault/keys/${UNKNOWN_ID}`],
    ["POST", `/vault/keys/${UNKNOWN_ID}/revoke`],
    ["GET", "/vault/audit"],
    ["GET", "/vault/spend"],
    ["GET", "/vault/runs"],
    ["GET", "/vault/stops"],
    ["POST", "/vault/stops"],
    ["GET", "/vault/api-keys"],
    ["POST", "/vault/api-keys"],
  ] as const;

  test.each(places)("%s %s", async (method, path) => {
    const key = await issue(run);
    const cases = [
      [undefined, "missing API key"],
      [STRIPE_SECRET, "a secret key of Stripe"],
      [key.token, "a vault key"],
      [`${run.apiKey}x`, "an API key of Keybrake"],
      ["re_abcdefgh12345678", "an API key of Resend"],
      [`AC${"0".repeat(32)}`, "SID of Twilio"],
      ["nonsense", "an unknown kind of key"],
    ] as const;
    for (const [token, kind] of cases) {
      const reply = await ask(run, method, path, token === undefined ? {} : { token });
      expect(expectError(reply, 401, "api_key_invalid")).toContain(kind);
      if (token !== undefined) expect(reply.text + JSON.stringify(reply.rawHeaders)).not.toContain(token);
    }
  });

  test("on the proxy, at both of its addresses, and on a key's own pages", async () => {
    for (const [method, path] of [
      ["POST", "/stripe/v1/payment_intents"],
      ["GET", "/v1/customers"],
      ["GET", "/vault/keys/self"],
      ["POST", "/vault/keys/self/revoke"],
    ] as const)
      for (const [token, kind] of [
        [run.apiKey, "an API key of Keybrake"],
        [STRIPE_SECRET, "a secret key of Stripe"],
        ["rk_test_1234567890", "a secret key of Stripe"],
        ["pk_test_1234567890", "a publishable key of Stripe"],
        ["vk_short", "a vault key that is mistyped or cut short"],
      ] as const) {
        const reply = await ask(run, method, path, { token });
        expect([reply.status, at(reply.json, "error", "type"), at(reply.json, "error", "code")]).toEqual([
          401,
          "authentication_error",
          "key_unknown",
        ]);
        expect(textAt(reply.json, "error", "message")).toContain(kind);
        expect(reply.text + JSON.stringify(reply.rawHeaders)).not.toContain(token);
      }
  });
});

describe("a vault key about itself", () => {
  test("sees what is left of it, and nothing that its holder should not know", async () => {
    const key = await issue(run, { agent_run_label: "self/1" });
    await pay(run, key, 1234);
    await run.drain();

    const { status, json, text } = await ask(run, "GET", "/vault/keys/self", { token: key.token });

    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: key.id,
      spent_usd: 12.34,
      remaining_usd: 37.66,
      agent_run_label: "self/1",
    });
    expect(text).not.toMatch(/vault_key|secret|hash/);
  });

  test("revokes itself, at once and for good; doing so again is no error", async () => {
    const key = await issue(run);
    const revoke = () => ask(run, "POST", "/vault/keys/self/revoke", { token: key.token });

    const revoked = await revoke();
    expect([revoked.status, at(revoked.json, "status")]).toEqual([200, "revoked"]);
    expect(textAt(revoked.json, "revoked_at")).toMatch(TIME);
    for (const refused of [
      await pay(run, key, 1),
      await post(run, key, "/v1/payment_links"),
      await post(run, key, "/v1/../payouts"),
      await ask(run, "GET", "/stripe/v1/customers", { token: key.token }),
      await ask(run, "GET", "/vault/keys/self", { token: key.token }),
    ]) {
      expect([refused.status, at(refused.json, "error", "code")]).toEqual([401, "key_revoked"]);
      expect(textAt(refused.json, "error", "message")).toContain(key.id);
    }
    expect((await revoke()).status).toBe(200);
    expect((await admin("DELETE", `/vault/keys/${key.id}`)).status).toBe(200);
    await run.drain();
    const rows = await auditRows(run, { key_id: key.id });
    expect(rows.filter(({ type }) => type === "key.revoked").map(({ by }) => by)).toEqual([key.id]);
    expect(
      (await admin("PATCH", `/vault/keys/${key.id}`, { json: { daily_usd_cap: 5 } })).status,
    ).toBeGreaterThanOrEqual(400);
  });

  test("a revocation by the API key holds on the very next call", async () => {
    const key = await issue(run);
    for (const [method, path] of [
      ["POST", `/vault/keys/${key.id}/revoke`],
      ["DELETE", `/vault/keys/${key.id}`],
    ] as const) {
      expect((await admin(method, path)).json).toMatchObject({ id: key.id, status: "revoked" });
      expect((await pay(run, key, 1)).status).toBe(401);
    }
  });
});

test("an expired key is a 401 that says so on every path, and can be given more time", async () => {
  const key = await issue(run, { expires_in: "1s" });

  const refused = await eventually(async () => {
    const reply = await ask(run, "GET", "/stripe/v1/customers", { token: key.token });
    expect(reply.status).toBe(401);
    return reply;
  }, 5_000);

  const error = { type: "authentication_error", code: "api_key_expired", key_id: key.id, charged: "no" };
  for (const reply of [refused, await pay(run, key, 100)]) {
    expect(at(reply.json, "error")).toMatchObject(error);
    expect(textAt(reply.json, "error", "message")).toMatch(
      new RegExp(
        `^vault key ${key.id} expired at 20.*extend it with PATCH /vault/keys/${key.id}; nothing was charged$`,
      ),
    );
  }
  expect(await view(key)).toMatchObject({ status: "expired", expires_in_s: 0 });
  expect(at((await ask(run, "GET", "/vault/keys/self", { token: key.token })).json, "error", "code")).toBe(
    "key_expired",
  );

  await admin("PATCH", `/vault/keys/${key.id}`, { json: { expires_in: "5m" } });
  expect((await pay(run, key, 100)).status).toBe(200);
});

describe("GET /vault/audit", () => {
  const cases: readonly (readonly [field: string, query: string])[] = [
    ["limit", "limit=0"],
    ["limit", "limit=101"],
    ["limit", "limit=ten"],
    ["limit", "limit=-1"],
    ["limit", "limit=1.5"],
    ["limit", "limit="],
    ["limit", "limit=5&limit=6"],
    ["cursor", "cursor=nonsense"],
    ["cursor", `cursor=${Buffer.from("{}").toString("base64url")}`],
    ["from", "from=yesterday"],
    ["from", "from=2026-13-01"],
    ["from", "from=2026-11-22T05:00:00"],
    ["from", "from=1700000000"],
    ["to", "to=2026-11-22T25:00:00Z"],
    ["state", "state=done"],
    ["decision", "decision=maybe"],
    ["vendor", "vendor=paypal"],
    ["events", "events=1"],
    ["label", "label=x"],
    ["key", "key=x"],
    ["Limit", "Limit=5"],
    ["agent_run_label", "agent_run_label="],
  ];

  test.each(cases)("refuses %s in ?%s, by its name and with what is accepted", async (field, query) => {
    const message = expectError(await admin("GET", `/vault/audit?${query}`), 400, "invalid_request");

    expect(message).toMatch(new RegExp(`^${field}: .*expected`));
  });

  test("gives each row once and in order, three at a time, while new ones arrive", async () => {
    const key = await issue(run, { agent_run_label: "paging/1" });
    for (let cents = 1; cents <= 10; cents++) await pay(run, key, cents);
    const all = await auditRows(run, { key_id: key.id });
    expect(all.map(({ amount }) => amount)).toEqual([
      ...Array.from({ length: 10 }, (_, index) => `${10 - index}`),
      null,
    ]);

    for (const filter of [
      `key_id=${key.id}`,
      "agent_run_label=paging%2F1",
      "agent_run_label=paging%2F*",
      "vendor=stripe",
    ]) {
      const seen: Row[] = [];
      for (let cursor: unknown = null, pages = 0; pages === 0 || cursor !== null; pages++) {
        const page = await admin(
          "GET",
          `/vault/audit?limit=3&${filter}${cursor === null ? "" : `&cursor=${cursor}`}`,
        );
        const rows = listAt(page.json, "data") as readonly Row[];
        expect(rows.length).toBeLessThanOrEqual(3);
        seen.push(...rows);
        cursor = at(page.json, "next_cursor");
        if (pages === 1) {
          await pay(run, key, 99);
          await run.drain();
        }
      }
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
      expect(seen.map((row) => `${row["at"]}`)).toEqual(
        seen
          .map((row) => `${row["at"]}`)
          .sort()
          .reverse(),
      );
      expect(seen.filter((row) => row["key_id"] === key.id && row["amount"] !== "99")).toEqual(all);
    }
  });

  test("refuses a cursor that belongs to another query", async () => {
    const key = await issue(run);
    for (let cents = 1; cents <= 3; cents++) await pay(run, key, cents);
    await run.drain();
    const page = await admin("GET", `/vault/audit?limit=1&key_id=${key.id}`);
    const cursor = textAt(page.json, "next_cursor");

    const other = await admin(
      "GET",
      `/vault/audit?limit=1&key_id=${key.id}&decision=denied&cursor=${cursor}`,
    );

    expect(expectError(other, 400, "invalid_request")).toMatch(/^cursor: got a cursor of another query/);
    expect((await admin("GET", `/vault/audit?limit=2&key_id=${key.id}&cursor=${cursor}`)).status).toBe(200);
  });

  test("finds rows by label, by the beginning of labels, by decision, state and call, and no others", async () => {
    const [a1, a2, ab, none] = await Promise.all([
      issue(run, { agent_run_label: "flow:a/1" }),
      issue(run, { agent_run_label: "flow:a/2" }),
      issue(run, { agent_run_label: "flowers" }),
      issue(run),
    ]);
    for (const key of [a1, a2, ab, none]) {
      await pay(run, key, 100);
      await pay(run, key, 100_000);
    }
    await run.drain();
    const keysOf = async (parameters: Record<string, string>) =>
      new Set((await auditRows(run, parameters)).map((row) => row["key_id"]));

    expect(await keysOf({ agent_run_label: "flow:a/1" })).toEqual(new Set([a1.id]));
    expect(await keysOf({ agent_run_label: "flow:a/*" })).toEqual(new Set([a1.id, a2.id]));
    expect(await keysOf({ agent_run_label: "flow*" })).toEqual(new Set([a1.id, a2.id, ab.id]));
    expect(await keysOf({ agent_run_label: "nobody*" })).toEqual(new Set());
    const denied = await auditRows(run, { agent_run_label: "flow:a/*", decision: "denied" });
    expect(denied.map(({ reason }) => reason)).toEqual(["spend_cap_exceeded", "spend_cap_exceeded"]);
    const [settled, ...more] = await auditRows(run, { key_id: a1.id, state: "settled" });
    expect(more).toEqual([]);
    expect(settled).toMatchObject({ label_group: "flow", cost_usd: 1, vendor_status: 200 });
    expect(await auditRows(run, { call_id: `${settled?.["call_id"]}` })).toEqual([settled]);
  });

  test("takes from and to as the start of calls, from included and to excluded", async () => {
    const key = await issue(run);
    for (let cents = 1; cents <= 3; cents++) await pay(run, key, cents);
    const [third, second, first] = await callRows(run, key);
    const between = async (from: unknown, to: unknown) =>
      (await auditRows(run, { key_id: key.id, from: `${from}`, to: `${to}` })).map(({ amount }) => amount);

    expect(await between(second?.["at"], third?.["at"])).toEqual(["2"]);
    expect(await between(first?.["at"], third?.["at"])).toEqual(["2", "1"]);
    const zulu = `${second?.["at"]}`.replace("+00:00", "Z");
    expect(await between(zulu, zulu)).toEqual([]);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    expect(await between(first?.["at"], tomorrow)).toEqual(["3", "2", "1"]);
  });

  test("exports CSV that a spreadsheet cannot be tricked by, and NDJSON, with the cursor in a header", async () => {
    const label = '=1+1,"x"';
    const key = await issue(run, { agent_run_label: label });
    await pay(run, key, 2999, {}, { "Keybrake-Label": "@step" });
    await run.drain();
    const query = `/vault/audit?agent_run_label=${encodeURIComponent(label)}`;

    const csv = await admin("GET", `${query}&limit=1`, { headers: { Accept: "text/csv" } });
    const [names = "", row = "", rest] = csv.text.split("\r\n");
    expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
    expect(names).toMatch(/^id,at,type,key_id,/);
    expect(row).toContain(`,"'=1+1,""x""",`);
    expect(row).toContain(",'@step,");
    expect(row).toContain(",29.99,");
    expect(rest).toBe("");
    const cursor = csv.headers["keybrake-next-cursor"];
    expect(cursor).toEqual(expect.any(String));

    const lines = await admin("GET", `${query}&cursor=${cursor}`, {
      headers: { Accept: "application/x-ndjson" },
    });
    expect(lines.headers["content-type"]).toBe("application/x-ndjson");
    expect(lines.headers["keybrake-next-cursor"]).toBeUndefined();
    expect(
      lines.text
        .trimEnd()
        .split("\n")
        .map((line) => at(JSON.parse(line), "type")),
    ).toEqual(["key.issued"]);
  });

  test("shows the events under a row where it is asked to", async () => {
    const key = await issue(run);
    await pay(run, key, 100);

    const [row] = (await auditRows(run, { key_id: key.id, events: "true" })).filter(
      ({ type }) => type === "call",
    );

    expect(listAt(row, "events").map((event) => at(event, "event"))).toEqual(["settled"]);
  });
});

test("the label of a call is on its row and does not reach the vendor", async () => {
  const key = await issue(run, { agent_run_label: "flow/9" });

  await pay(run, key, 100, {}, { "Keybrake-Label": "step charge #3" });

  expect(await callRows(run, key)).toMatchObject([
    { call_label: "step charge #3", agent_run_label: "flow/9" },
  ]);
  const requests: unknown = await (await fetch(`${run.vendor("stripe").origin}/requests`)).json();
  expect(JSON.stringify(requests)).not.toMatch(/step charge|keybrake-label/i);
});

test("an allowlist holds for one segment by a star and for the rest by two, and for no other method", async () => {
  const key = await issue(run, { allowed_endpoints: ["GET /v1/customers/*", "GET /v1/payment_intents/**"] });
  const asked = async (method: string, path: string) => {
    const { status, json } = await ask(run, method, `/stripe${path}`, { token: key.token });
    return status === 403 && at(json, "error", "code") === "endpoint_not_allowed" ? "refused" : "allowed";
  };

  expect(await asked("GET", "/v1/customers/cus_1")).toBe("allowed");
  expect(await asked("GET", "/v1/customers")).toBe("refused");
  expect(await asked("GET", "/v1/customers/cus_1/payment_methods")).toBe("refused");
  expect(await asked("DELETE", "/v1/customers/cus_1")).toBe("refused");
  expect(await asked("GET", "/v1/payment_intents/pi_1")).toBe("allowed");
  expect(await asked("GET", "/v1/payment_intents")).toBe("refused");
  expect(await asked("POST", "/v1/payment_intents/pi_1/cancel")).toBe("refused");
});

test("a secret in a label, a path, a user agent or an idempotency key is on no row, in any spelling", async () => {
  const key = await issue(run);
  const secrets = [
    "sk_org_live_51HabcDEF",
    "rk%5Flive%5F51HabcDEF",
    Buffer.from("sk_test_51HabcDEF:").toString("base64"),
    key.token,
  ];
  for (const secret of secrets) {
    const headers = {
      "Keybrake-Label": `step ${secret}`,
      "User-Agent": `agent/1 ${secret}`,
      "Idempotency-Key": `job-${secret}`,
    };
    await ask(run, "POST", `/stripe/v1/payment_intents/${secret}/confirm`, {
      token: key.token,
      form: {},
      headers,
    });
  }
  await run.drain();
  const rows = await callRows(run, key);
  expect(rows.length).toBe(secrets.length);
  for (const secret of secrets) expect(JSON.stringify(rows)).not.toContain(secret.slice(4));
  for (const row of rows) {
    for (const field of ["call_label", "user_agent", "idempotency_key", "path"])
      expect(row[field], field).toContain("[redacted]");
  }
});

test("a wrong base address is answered with the right one", async () => {
  const key = await issue(run);
  for (const base of ["/strip", "/STRIPE", "/stripe/v1", "/prod/prod", "/v1"]) {
    const path = `${base}/v1/payment_intents`;
    const reply = await ask(run, "POST", path, { token: key.token, form: { amount: "1" } });
    expect(reply.text, base).toContain(
      "the base URL ends in /stripe, so you probably mean POST /stripe/v1/payment_intents",
    );
  }
});

test("an allowlist opens no endpoint that has no price", async () => {
  const key = await issue(run, { allowed_endpoints: ["POST /v1/**"] });

  const refused = await post(run, key, "/v1/payment_links", { amount: "100", currency: "usd" });

  expect([refused.status, at(refused.json, "error", "code")]).toEqual([403, "endpoint_not_priced"]);
});

test("a path that is nobody's is told what there is, in a shape that no SDK takes for a success", async () => {
  const key = await issue(run);
  for (const [method, path] of [
    ["GET", "/vault"],
    ["GET", "/vault/nonsense"],
    ["PUT", "/vault/keys"],
    ["GET", "/vault/keys/self/revoke"],
    ["GET", "/stripe"],
    ["POST", "/twilio/2010-04-01/Accounts.json"],
    ["GET", "/index.html"],
  ] as const) {
    const reply = await ask(run, method, path, { token: key.token });
    expect([method, path, reply.status]).toEqual([
      method,
      path,
      expect.toSatisfy((status: number) => status === 403 || status === 404),
    ]);
    expect(textAt(reply.json, "error", "message")).toMatch(/nothing was charged$/);
  }
});

test("nothing that was refused here has touched a balance or thrown", async () => {
  const key = await issue(run);
  expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 5000 });
  expect(run.announced).toEqual([]);
  expect((await ask(run, "GET", "/healthz")).status).toBe(200);
});
