import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { balanceOf, callRows, issue, type Key, type OwnRun } from "../support/keybrake.ts";
import { answer, type OwnUpstream, type Recorded } from "../support/own-upstream.ts";
import { type RawAnswer, type RawRequest, requestBytes, sendBytes } from "../support/raw-tcp.ts";

/**
 * Guarantees that requests reach Twilio and Resend byte for byte, except the key, and that their answers come back in
 * the same way.
 */

const REAL_SID = "ACdeadbeefdeadbeefdeadbeefdeadbeef";
const PLACEHOLDER_SID = "AC00000000000000000000000000000000";
const AUTH_TOKEN = "auth.token-of_the~account!";
const RESEND_KEY = "re_Ups7reamOwnCredential";

const MESSAGES = `/2010-04-01/Accounts/${PLACEHOLDER_SID}/Messages.json`;
const REAL_MESSAGES = `/2010-04-01/Accounts/${REAL_SID}/Messages.json`;

let upstream: OwnUpstream;
let run: OwnRun;
beforeAll(async () => {
  ({ run, upstream } = await startBeforeUpstream({
    twilio: `${REAL_SID}:${AUTH_TOKEN}`,
    resend: RESEND_KEY,
  }));
});
afterAll(() => run.close());
beforeEach(() => upstream.forget());

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

const pairsOf = (raw: readonly string[]): [string, string][] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [
    raw[2 * index]?.toLowerCase() ?? "",
    raw[2 * index + 1] ?? "",
  ]);

/** The one request that reached the vendor. */
function reached(): Recorded {
  const [first, ...more] = upstream.requests;
  expect(more).toEqual([]);
  if (first === undefined) throw new Error("nothing reached the vendor");
  return first;
}

/** Nothing of the key, as it is or encoded, stands in what reached the vendor. */
function expectNoTraceOf(key: Key, { method, target, rawHeaders, body }: Recorded): void {
  const seen = [method, target, ...rawHeaders, body.toString("latin1")].join("\n");
  for (const secret of [key.token, key.token.slice(3, 40), key.id]) expect(seen).not.toContain(secret);
  for (const value of rawHeaders) {
    const decoded = Buffer.from(value.replace(/^Basic /, ""), "base64").toString("latin1");
    expect(decoded).not.toContain(key.token.slice(3, 40));
  }
}

const JSON_TYPE = "application/json";
/** A query is sent with no body, as clients do. */
const GET: RawRequest = { method: "GET", body: "", length: null, type: null };

describe("Twilio", () => {
  const newKey = (body: Readonly<Record<string, unknown>> = {}): Promise<Key> =>
    issue(run, { vendor: "twilio", ...body });
  const sent = (key: Key, request: RawRequest): Promise<RawAnswer> =>
    sendBytes(
      run.baseUrl,
      requestBytes(key.token, { authorization: basic(PLACEHOLDER_SID, key.token), ...request }),
    );
  const SMS = "To=%2B14155550100&From=%2B15005550006&Body=Hello";

  test.each<{ name: string; request: RawRequest; method?: string; target: string; body?: string }>([
    {
      name: "a text message",
      request: { target: `/twilio${MESSAGES}`, body: SMS },
      target: REAL_MESSAGES,
    },
    {
      name: "the host written before the path",
      request: { target: `/twilio/api${MESSAGES}`, body: SMS },
      target: REAL_MESSAGES,
    },
    {
      name: "the credential's own account",
      request: { target: `/twilio${REAL_MESSAGES}`, body: SMS },
      target: REAL_MESSAGES,
    },
    {
      name: "fields in an order and an encoding of their own",
      request: {
        target: `/twilio${MESSAGES}`,
        body: "Body=a+b%20c%2B%26%3D%25&MediaUrl=https%3a%2F%2Fexample.com/1&To=%2b14155550100&MediaUrl=https://example.com/2&From=%2B15005550006",
      },
      target: REAL_MESSAGES,
    },
    {
      name: "a text of many letters, written in UTF-8 without escapes",
      request: { target: `/twilio${MESSAGES}`, body: "To=%2B14155550100&From=X&Body=ünïcode 👍 ¼" },
      target: REAL_MESSAGES,
    },
    {
      name: "a call",
      request: {
        target: `/twilio/2010-04-01/Accounts/${PLACEHOLDER_SID}/Calls.json`,
        body: "To=%2B14155550100&From=%2B15005550006&TimeLimit=60&Twiml=%3CResponse%3E%3CSay%3EHi%3C%2FSay%3E%3C%2FResponse%3E",
      },
      target: `/2010-04-01/Accounts/${REAL_SID}/Calls.json`,
    },
    {
      name: "a message that is read",
      request: {
        ...GET,
        target: `/twilio/2010-04-01/Accounts/${PLACEHOLDER_SID}/Messages/SM0123456789abcdef0123456789abcdef.json`,
      },
      target: `/2010-04-01/Accounts/${REAL_SID}/Messages/SM0123456789abcdef0123456789abcdef.json`,
    },
    {
      name: "a message that is deleted",
      request: {
        ...GET,
        method: "DELETE",
        target: `/twilio/2010-04-01/Accounts/${PLACEHOLDER_SID}/Messages/SM0123456789abcdef0123456789abcdef.json`,
      },
      target: `/2010-04-01/Accounts/${REAL_SID}/Messages/SM0123456789abcdef0123456789abcdef.json`,
    },
    {
      name: "a number with its plus sign in a path of another host",
      request: { ...GET, target: "/twilio/lookups/v2/PhoneNumbers/+14155550100" },
      target: "/lookups/v2/PhoneNumbers/+14155550100",
    },
    ...["v2/PhoneNumbers/%2B14155550100", "v1/PhoneNumbers/%2b14155550100"].map((path) => ({
      name: `a number whose plus sign is encoded (${path})`,
      request: { ...GET, target: `/twilio/lookups/${path}` },
      target: `/lookups/${path}`,
    })),
    {
      name: "a message of an account whose path is written with its host",
      request: { ...GET, target: `/twilio/api${MESSAGES}?To=%2B14155550100` },
      target: `${REAL_MESSAGES}?To=%2B14155550100`,
    },
    {
      name: "a verification by an encoded address",
      request: {
        ...GET,
        target:
          "/twilio/verify/v2/Services/VA0123456789abcdef0123456789abcdef/Verifications/ann%2B1%40example.com",
      },
      target: "/verify/v2/Services/VA0123456789abcdef0123456789abcdef/Verifications/ann%2B1%40example.com",
    },
    {
      name: "a verification",
      request: {
        target: "/twilio/verify/v2/Services/VA0123456789abcdef0123456789abcdef/Verifications",
        body: "To=%2B14155550100&Channel=sms",
      },
      target: "/verify/v2/Services/VA0123456789abcdef0123456789abcdef/Verifications",
    },
  ])("$name reaches it with the same method, path and body", async ({ request, target }) => {
    const key = await newKey();
    upstream.next(answer(200, { sid: "SM0123456789abcdef0123456789abcdef" }));

    const { status } = await sent(key, request);

    expect(status).toBe(200);
    const seen = reached();
    expect([seen.method, seen.target]).toEqual([request.method ?? "POST", target]);
    expect(seen.body).toEqual(Buffer.from(request.body ?? ""));
    expectNoTraceOf(key, seen);
    expect(Object.fromEntries(pairsOf(seen.rawHeaders))["authorization"]).toBe(basic(REAL_SID, AUTH_TOKEN));
  });

  test("a query is written anew and means the same, name for name and value for value", async () => {
    const key = await newKey();

    await sent(key, {
      ...GET,
      target: `/twilio${MESSAGES}?PageSize=50&DateSent%3E=2026-11-22&To=%2B14155550100&From=whatsapp%3A+x%26y%3D%25&PageToken=PA%C3%BC`,
    });

    const [path, query = ""] = reached().target.split("?");
    expect(path).toBe(REAL_MESSAGES);
    expect([...new URLSearchParams(query)].sort()).toEqual([
      ["DateSent>", "2026-11-22"],
      ["From", "whatsapp: x&y=%"],
      ["PageSize", "50"],
      ["PageToken", "PAü"],
      ["To", "+14155550100"],
    ]);
    expect(query).toMatch(/^[A-Za-z0-9_.~%&=-]*$/);
  });

  test("of the headers only those that Twilio knows go on, with the credential in the key's place", async () => {
    const key = await newKey();
    upstream.next(answer(201, { sid: "SM0123456789abcdef0123456789abcdef", num_segments: "1" }));

    await sent(key, {
      target: `/twilio${MESSAGES}`,
      body: SMS,
      headers: [
        "Accept: application/json",
        "Accept-Charset: utf-8",
        "Accept-Encoding: gzip, compress, deflate, br",
        "User-Agent: twilio-node/6.2.0",
        "X-Twilio-Client: python-9.11.0",
        "I-Twilio-Idempotency-Token: 1",
        "Idempotency-Key: mine",
        "Cookie: session=1",
        "Keybrake-Label: step/1",
        "X-Twilio-Signature: x",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Host: evil.example",
        "Via: 1.1 evil",
        "Proxy-Authorization: Bearer x",
      ],
    });

    expect(Object.fromEntries(pairsOf(reached().rawHeaders))).toEqual({
      accept: "application/json",
      "accept-charset": "utf-8",
      "accept-encoding": "identity",
      authorization: basic(REAL_SID, AUTH_TOKEN),
      connection: "keep-alive",
      "content-length": `${SMS.length}`,
      "content-type": "application/x-www-form-urlencoded",
      host: new URL(upstream.origin).host,
      "user-agent": "twilio-node/6.2.0",
      "x-twilio-client": "python-9.11.0",
    });
    expect(await callRows(run, key)).toMatchObject([
      { call_label: "step/1", user_agent: "twilio-node/6.2.0" },
    ]);
  });

  test.each([
    [201, '{"sid":"SM0123456789abcdef0123456789abcdef",  "num_segments":"1", "price" : null}\n'],
    [200, '{"sid":"SM0123456789abcdef0123456789abcdef","num_media":"0","body":"\\u00fc \\/ ü 👍"}'],
    [400, '{"code":21211,"message":"The \'To\' number is not valid","more_info":"https://x","status":400}'],
    [429, '{"code":20429,"message":"Too Many Requests","status":429}'],
    [500, "<html>an error page</html>"],
    [503, ""],
    [200, "\u0000\u0001 no JSON"],
  ])("an answer of %i comes back as it is, to the byte", async (status, body) => {
    const key = await newKey();
    upstream.next(
      answer(status, body, { "Twilio-Request-Id": "RQ1", "X-Home-Region": "us1", "Content-Type": "x/y" }),
    );

    const answered = await sent(key, { target: `/twilio${MESSAGES}`, body: SMS });

    expect([answered.status, answered.body]).toEqual([status, Buffer.from(body).toString("latin1")]);
    expect(answered.headers).toMatchObject({
      "content-type": "x/y",
      "twilio-request-id": "RQ1",
      "x-home-region": "us1",
    });
  });

  test("links to further pages lead back here, and every other byte of the list is as it was", async () => {
    const key = await newKey();
    const meta = (base: string) =>
      `{ "services":[{"url":"https://verify.twilio.com/v2/Services/VA1","friendly_name":"\\"meta\\":{\\"url\\""}],\n "meta" : {"next_page_url":"${base}/v2/Services?Page=1&PageToken=PAx", "previous_page_url":null, "key":"services"} }`;
    upstream.next(answer(200, meta("https://verify.twilio.com")));

    const answered = await sent(key, { ...GET, target: "/twilio/verify/v2/Services?PageSize=1" });

    expect(answered.body).toBe(meta(`${run.baseUrl}/twilio/verify`));
    upstream.forget();
    const { pathname, search } = new URL(`${run.baseUrl}/twilio/verify/v2/Services?Page=1&PageToken=PAx`);
    await sent(key, { ...GET, target: pathname + search });
    expect(reached().target).toBe("/verify/v2/Services?Page=1&PageToken=PAx");
  });

  test("an answer that repeats the credential is withheld, and what it cost is counted", async () => {
    const key = await newKey({ daily_usd_cap: 1 });
    upstream.next(answer(201, { sid: "SM0123456789abcdef0123456789abcdef", note: AUTH_TOKEN }));

    const answered = await sent(key, { target: `/twilio${MESSAGES}`, body: SMS });

    expect(answered.status).toBe(502);
    expect(answered.body).not.toContain(AUTH_TOKEN);
    expect(answered.body).toContain("vendor_answer_withheld");
    expect(await balanceOf(run, key)).toEqual({ spent: 1.45, reserved: 0, remaining: 98.55 });
  });

  test("whatever path reaches it is under the credential's own account, or of a host that has none", async () => {
    const key = await newKey({ daily_usd_cap: 1_000 });
    const piece = fc.constantFrom(
      "2010-04-01",
      "2010-04-01",
      "Accounts",
      "Accounts",
      PLACEHOLDER_SID,
      PLACEHOLDER_SID,
      REAL_SID,
      "AC11111111111111111111111111111111",
      "Messages.json",
      "Messages",
      "Calls.json",
      "Balance.json",
      "Keys.json",
      "api",
      "verify",
      "v2",
      "Services",
      "..",
      "",
      "%2e%2e",
      "%2F",
      "twilio",
    );
    const usual = fc
      .tuple(
        fc.constantFrom("", "/api", "/verify", "//"),
        fc.constantFrom(
          PLACEHOLDER_SID,
          REAL_SID,
          "AC11111111111111111111111111111111",
          PLACEHOLDER_SID.toLowerCase(),
        ),
        fc.constantFrom("Messages.json", "Calls.json", "Balance.json", "Keys.json", "Messages", "..", "%2e"),
      )
      .map(([host, account, name]) => `/twilio${host}/2010-04-01/Accounts/${account}/${name}`);
    const odd = fc
      .array(piece, { minLength: 1, maxLength: 6 })
      .map((pieces) => `/twilio/${pieces.join("/")}`);

    let passed = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof({ arbitrary: usual, weight: 3 }, odd), async (target) => {
        upstream.forget();
        upstream.next(answer(200, {}));
        const { status } = await sent(key, { ...GET, target });
        const [seen] = upstream.requests;
        if (seen === undefined) {
          expect([400, 403, 404]).toContain(status);
          return;
        }
        passed += 1;
        expect(seen.target).toMatch(
          new RegExp(
            `^/2010-04-01/Accounts/${REAL_SID}/(Messages|Calls|Balance)\\.json$|^/verify/v2/Services$`,
          ),
        );
      }),
      { numRuns: 120 },
    );
    expect(passed).toBeGreaterThan(0);
  }, 60_000);
});

describe("Resend", () => {
  const newKey = (body: Readonly<Record<string, unknown>> = {}): Promise<Key> =>
    issue(run, { vendor: "resend", ...body });
  const sent = (key: Key, request: RawRequest): Promise<RawAnswer> =>
    sendBytes(run.baseUrl, requestBytes(key.token, { type: JSON_TYPE, ...request }));
  const EMAIL = '{"from":"a@example.org","to":"b@example.com","subject":"x","text":"y"}';
  const ID = "4ef9a417-02e9-4d39-ad75-9611e0fcc33c";

  test.each<{ name: string; request: RawRequest; target: string }>([
    { name: "an e-mail", request: { target: "/resend/emails", body: EMAIL }, target: "/emails" },
    {
      name: "an e-mail in a layout and with escapes of its own",
      request: {
        target: "/resend/emails",
        body: ' {\n\t"to" : ["B <b@example.com>"], "from":"a@example.org",\r\n "subject":"\\u00fc \\/ ü 👍","html":"<b>\\n</b>" , "tags":[] } ',
      },
      target: "/emails",
    },
    {
      name: "a batch",
      request: { target: "/resend/emails/batch", body: `[${EMAIL} , ${EMAIL}]` },
      target: "/emails/batch",
    },
    {
      name: "JSON that says its charset",
      request: { target: "/resend/emails", body: EMAIL, type: "application/json; charset=utf-8" },
      target: "/emails",
    },
    {
      name: "an e-mail that is read",
      request: { ...GET, target: `/resend/emails/${ID}` },
      target: `/emails/${ID}`,
    },
    {
      name: "an e-mail that is moved",
      request: { method: "PATCH", target: `/resend/emails/${ID}`, body: '{"scheduled_at":"in 1 hour"}' },
      target: `/emails/${ID}`,
    },
    {
      name: "an e-mail that is cancelled",
      request: { method: "POST", target: `/resend/emails/${ID}/cancel`, body: "", type: null },
      target: `/emails/${ID}/cancel`,
    },
    {
      name: "a contact by its address",
      request: { ...GET, target: "/resend/contacts/ann+1@example.com" },
      target: "/contacts/ann+1@example.com",
    },
  ])("$name reaches it with the same method, path and body", async ({ request, target }) => {
    const key = await newKey();
    upstream.next(answer(200, { id: ID }));

    const { status, body } = await sent(key, request);

    expect([status, body]).toEqual([200, `{"id":"${ID}"}`]);
    const seen = reached();
    expect([seen.method, seen.target]).toEqual([request.method ?? "POST", target]);
    expect(seen.body).toEqual(Buffer.from(request.body ?? ""));
    expectNoTraceOf(key, seen);
    expect(Object.fromEntries(pairsOf(seen.rawHeaders))["authorization"]).toBe(`Bearer ${RESEND_KEY}`);
  });

  test("a query is written anew and means the same, name for name and value for value", async () => {
    const key = await newKey();

    await sent(key, { ...GET, target: "/resend/emails?limit=3&after=a+b%26c%3D%25%C3%BC" });

    const [path, query = ""] = reached().target.split("?");
    expect(path).toBe("/emails");
    expect([...new URLSearchParams(query)].sort()).toEqual([
      ["after", "a b&c=%ü"],
      ["limit", "3"],
    ]);
  });

  test("of the headers only those that Resend knows go on, with the credential in the key's place", async () => {
    const key = await newKey();
    upstream.next(answer(200, { data: [{ id: ID }] }));

    const { status, body } = await sent(key, {
      target: "/resend/emails/batch",
      body: `[${EMAIL}]`,
      headers: [
        "Accept: */*",
        "Accept-Encoding: gzip, br",
        "Accept-Language: *",
        "Sec-Fetch-Mode: cors",
        "User-Agent: resend-node:6.38.0",
        "Idempotency-Key: mine",
        "x-batch-validation: permissive",
        "Cookie: session=1",
        "Keybrake-Label: step/1",
        "X-Forwarded-For: 10.0.0.1",
        "X-Resend-Anything: else",
      ],
    });

    expect(status, body).toBe(200);
    expect(Object.fromEntries(pairsOf(reached().rawHeaders))).toEqual({
      accept: "*/*",
      "accept-encoding": "identity",
      authorization: `Bearer ${RESEND_KEY}`,
      connection: "keep-alive",
      "content-length": `${EMAIL.length + 2}`,
      "content-type": "application/json",
      host: new URL(upstream.origin).host,
      "idempotency-key": "mine",
      "user-agent": "resend-node:6.38.0",
      "x-batch-validation": "permissive",
    });
    expect(await callRows(run, key)).toMatchObject([{ call_label: "step/1", idempotency_key: "mine" }]);
  });

  test.each([
    [200, `{ "id" : "${ID}" }\n`],
    [422, '{"statusCode":422,"message":"Missing `to` field.","name":"missing_required_field"}'],
    [429, '{"statusCode":429,"name":"rate_limit_exceeded","message":"Too many requests."}'],
    [500, "<html>an error page</html>"],
    [200, "no JSON"],
  ])("an answer of %i comes back as it is, to the byte", async (status, body) => {
    const key = await newKey();
    upstream.next(answer(status, body, { "cf-ray": "8c-IAD", "ratelimit-limit": "2", etag: 'W/"1"' }));

    const answered = await sent(key, { target: "/resend/emails", body: EMAIL });

    expect([answered.status, answered.body]).toEqual([status, Buffer.from(body).toString("latin1")]);
    expect(answered.headers).toMatchObject({
      "content-type": "application/json",
      "cf-ray": "8c-IAD",
      "ratelimit-limit": "2",
      etag: 'W/"1"',
    });
  });

  test("an answer that repeats the credential is withheld, and what it cost is counted", async () => {
    const key = await newKey({ daily_usd_cap: 1 });
    upstream.next(answer(200, { id: ID, key: RESEND_KEY }));

    const answered = await sent(key, { target: "/resend/emails", body: EMAIL });

    expect(answered.status).toBe(502);
    expect(answered.body).not.toContain(RESEND_KEY);
    expect(await balanceOf(run, key)).toEqual({ spent: 0.09, reserved: 0, remaining: 99.91 });
  });
});

describe("a key of one vendor", () => {
  test.each([
    ["twilio", "/resend/emails"],
    ["twilio", "/stripe/v1/payment_intents"],
    ["resend", `/twilio${MESSAGES}`],
    ["stripe", "/resend/emails"],
    ["stripe", `/twilio${MESSAGES}`],
  ])("of %s reaches nothing at %s", async (vendor, target) => {
    const key = await issue(run, { vendor });

    const { status, body } = await sendBytes(run.baseUrl, requestBytes(key.token, { target }));

    expect(status).toBe(403);
    expect(body).toContain(`is for ${vendor}; this path belongs to ${target.split("/")[1]}; use `);
    expect(upstream.requests).toEqual([]);
    expect(await callRows(run, key)).toMatchObject([{ reason: "endpoint_not_allowed", vendor }]);
  });

  test("finds its own vendor at the root of the address", async () => {
    const [twilio, resend] = await Promise.all([
      issue(run, { vendor: "twilio" }),
      issue(run, { vendor: "resend" }),
    ]);
    upstream.next(answer(200, {}), answer(200, {}));

    await sendBytes(run.baseUrl, requestBytes(twilio.token, { ...GET, target: MESSAGES }));
    await sendBytes(run.baseUrl, requestBytes(resend.token, { ...GET, target: "/emails" }));

    expect(upstream.requests.map(({ target }) => target)).toEqual([REAL_MESSAGES, "/emails"]);
  });
});
