import { Resend } from "resend";
import { afterEach, describe, expect, test, vi } from "vitest";
import { STATUS_BY_CODE } from "../../lambda/domain/problem.ts";
import type { VendorRequest } from "../../lambda/domain/vendor.ts";
import { resend } from "../../lambda/vendors/resend/resend.ts";
import { UNLIMITED } from "../support/unlimited.ts";
import { freeOf, known, ok, pricedOf, refusal, requestOf } from "./resend-harness.ts";

/** Guarantees what is free, which headers and recipients pass, and what comes back. */

describe("what is free", () => {
  const bare = (method: string, path: string, change: Partial<VendorRequest> = {}) =>
    refusal(
      freeOf(method, path).check({ ...requestOf(method, path, ""), headers: {}, ...change }, UNLIMITED),
    );
  const bytes = (text: string) => new TextEncoder().encode(text);

  test("a GET with parameters that only read, and the empty object of resend-python", () => {
    const query = { limit: ["10"], after: ["id-1"] };

    expect(bare("GET", "/emails", { query })).toBe("not refused");
    expect(bare("GET", "/emails/id-1", { body: bytes("{}") })).toBe("not refused");
    expect(bare("POST", "/emails/id-1/cancel", { body: bytes("{}") })).toBe("not refused");
  });

  test.each([
    ["GET", "/emails", { query: { _method: ["POST"] } }],
    ["GET", "/emails", { query: { limit: ["1", "2"] } }],
    ["GET", "/emails", { body: bytes('{"to":"a@b.co"}') }],
    ["POST", "/emails/id-1/cancel", { body: bytes('{"to":"a@b.co"}') }],
    ["POST", "/emails/id-1/cancel", { query: { limit: ["1"] } }],
  ])("%s %s is refused with more: %j", (method, path, change) => {
    expect(bare(method, path, change)).toMatch(/^ambiguous_request/);
  });

  const reschedule = (body: unknown) =>
    refusal(freeOf("PATCH", "/emails/id-1").check(requestOf("PATCH", "/emails/id-1", body), UNLIMITED));

  test("another time for a scheduled e-mail, with its id or without", () => {
    expect(reschedule({ scheduled_at: "in 1 hour" })).toBe("not refused");
    expect(reschedule({ id: "id-1", scheduled_at: "2026-12-24T00:00:00Z" })).toBe("not refused");
  });

  test.each([
    [{ scheduled_at: "in 1 hour", to: "x@y.zz" }, /^endpoint_not_priced: "to": unknown field/],
    [{ id: "id-2", scheduled_at: "in 1 hour" }, /^ambiguous_request: .*another e-mail/],
    [{ scheduled_at: 1_000 }, /^ambiguous_request: scheduled_at: expected a string/],
    [{}, /^ambiguous_request: scheduled_at: expected a string/],
    [[], /^ambiguous_request: the body must be a JSON object$/],
  ])("nothing else of it: %j", (body, message) => {
    expect(reschedule(body)).toMatch(message);
  });
});

describe("headers", () => {
  const refused = (headers: Record<string, string[]>) => refusal(resend.refuseHeaders(headers, UNLIMITED));

  test("pass as Resend's SDKs send them", () => {
    expect(refused({})).toBe("not refused");
    expect(refused({ "idempotency-key": ["k".repeat(256)], "x-batch-validation": ["permissive"] })).toBe(
      "not refused",
    );
    expect(refused({ "x-batch-validation": ["strict"] })).toBe("not refused");
  });

  test.each([
    ["idempotency-key", ["a", "b"]],
    ["idempotency-key", [""]],
    ["idempotency-key", [" "]],
    ["idempotency-key", ["k".repeat(257)]],
    ["x-batch-validation", ["strict", "permissive"]],
    ["x-batch-validation", ["Permissive"]],
    ["x-batch-validation", [""]],
  ])("%s: %j is refused", (name, values) => {
    expect(refused({ [name]: values })).toMatch(/^ambiguous_request/);
  });

  test("that reach Resend never hold the caller's credential", () => {
    expect(resend.forwardedHeaders).toEqual([
      "accept",
      "content-type",
      "idempotency-key",
      "user-agent",
      "x-batch-validation",
    ]);
  });

  test("of an answer name its request by cf-ray, where it has one", () => {
    expect(resend.requestId({ "cf-ray": ["8f1-FRA"] })).toBe("8f1-FRA");
    expect(resend.requestId({})).toBeNull();
  });
});

describe("the credential", () => {
  test("is sent as Bearer", () => {
    expect(resend.authorize("re_abc_123")).toEqual({ authorization: "Bearer re_abc_123" });
  });

  test.each(["", "re_", "sk_live_1", "re_abc 1", "re_abc\n", " re_abc", "re_abc\r\nX: 1", "re_ä"])(
    "cannot be %j",
    (secret) => {
      expect(resend.authorize(secret)).toBeNull();
    },
  );
});

describe("recipients that a key allows", () => {
  const { allows, isEntry } = resend.recipients;

  test.each([
    ["example.com", "ann@example.com", true],
    ["Example.COM", "ann@example.com", true],
    ["example.com", "ann@EXAMPLE.com", true],
    ["example.com", "ann@mail.example.com", false],
    ["example.com", "ann@badexample.com", false],
    ["example.com", "example.com@evil.com", false],
    ["ann@example.com", "ann@example.com", true],
    ["ann@Example.com", "ann@example.com", true],
    ["ann@example.com", "Ann@example.com", false],
    ["ann@example.com", "bob@example.com", false],
    ["ann@example.com", "ann@example.com.evil.com", false],
    ["example.com", "ann@evil.com, bob@example.com", false],
  ])("%s lets %s through: %s", (entry, recipient, is) => {
    expect(allows(entry, recipient)).toBe(is);
  });

  test.each([
    "example.com",
    "mail.example.co.uk",
    "xn--exmple-cua.com",
    "ann@example.com",
    "a+b@example.com",
  ])("may be written as %s", (entry) => {
    expect(isEntry(entry)).toBe(true);
  });

  test.each([
    "",
    "*",
    "*.example.com",
    "@example.com",
    "example",
    "Ann <a@b.co>",
    "a@b.co,c@d.co",
    "exämple.com",
    ".com",
    "b.co ",
  ])("may not be written as %j", (entry) => {
    expect(isEntry(entry)).toBe(false);
  });
});

describe("a denial", () => {
  const codes = Object.entries(STATUS_BY_CODE) as [keyof typeof STATUS_BY_CODE, number][];
  const denial = (code: keyof typeof STATUS_BY_CODE) =>
    resend.denial({
      status: STATUS_BY_CODE[code],
      code,
      repeats: false,
      message: "the cap is reached",
      requestId: "req_1",
      charged: "no",
      details: { cap: "daily", statusCode: 200 },
    });

  test.each([
    ["spend_cap_exceeded", "daily_quota_exceeded"],
    ["key_unknown", "invalid_api_key"],
    ["key_expired", "invalid_api_key"],
    ["endpoint_not_allowed", "endpoint_not_allowed"],
    ["recipient_not_allowed", "recipient_not_allowed"],
    ["idempotency_key_in_use", "concurrent_idempotent_requests"],
    ["ambiguous_request", "validation_error"],
    ["payload_too_large", "validation_error"],
    ["vendor_timeout", "application_error"],
    ["credential_missing", "application_error"],
    ["internal", "application_error"],
    ["not_found", "not_found"],
  ] as const)("%s is named %s", (code, name) => {
    const { headers, body } = denial(code);

    expect(headers).toEqual({ "Request-Id": "req_1" });
    expect(JSON.parse(body)).toEqual({
      statusCode: STATUS_BY_CODE[code],
      name,
      message: "the cap is reached",
      code,
      keybrake_code: code,
      request_id: "req_1",
      charged: "no",
      cap: "daily",
    });
  });

  test.each(codes)("%s keeps its message in resend-python: no name replaces it", (code, status) => {
    const { name, statusCode } = JSON.parse(denial(code).body);

    expect(statusCode).toBe(status);
    expect(name).not.toBe("missing_api_key");
    if (status === 403) expect(name).not.toBe("invalid_api_key");
  });
});

describe("resend-node", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  /** What the SDK sends, as a request that reached us. */
  function recorded(answer: object): { requests: VendorRequest[]; client: Resend } {
    const requests: VendorRequest[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      const { pathname, searchParams } = new URL(url);
      const headers = Object.fromEntries(
        [...new Headers(init.headers)].map(([name, value]) => [name, [value]]),
      );
      const query = Object.fromEntries(
        [...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]),
      );
      const body = new TextEncoder().encode(typeof init.body === "string" ? init.body : "");
      requests.push({
        method: init.method ?? "GET",
        path: pathname.replace("/resend", ""),
        query,
        headers,
        body,
      });
      return new Response(JSON.stringify(answer), { status: 200 });
    });
    return { requests, client: new Resend("kb_1", { baseUrl: "https://keybrake.example.com/resend" }) };
  }

  test("sends e-mails and batches that can be priced", async () => {
    const { requests, client } = recorded({ id: "id-1", data: [] });
    const message = {
      from: "Acme <a@b.co>",
      to: ["Ann <a@b.co>"],
      cc: "c@b.co",
      subject: "Hi",
      html: "<p>Hi</p>",
      replyTo: "r@b.co",
    };
    await client.emails.send({
      ...message,
      scheduledAt: "in 1 hour",
      topicId: "t-1",
      tags: [{ name: "a", value: "b" }],
    });
    await client.emails.send({ to: "a@b.co", template: { id: "welcome", variables: { count: 3 } } });
    await client.batch.send([message, message], { batchValidation: "permissive", idempotencyKey: "k" });

    const amounts = requests.map((request) => ok(pricedOf(request.path).quote(request, known())).amount);
    expect(amounts).toEqual([20n, 10n, 40n]);
    for (const { headers } of requests) expect(resend.refuseHeaders(headers, UNLIMITED)).toBeNull();
  });

  test("reads, moves and cancels e-mails for nothing", async () => {
    const { requests, client } = recorded({ id: "id-1", data: [] });
    await client.emails.get("id-1");
    await client.emails.list({ limit: 5 });
    await client.emails.update({ id: "id-1", scheduledAt: "in 2 hours" });
    await client.emails.cancel("id-1");
    await client.emails.receiving.get("id-1", { html_format: "cid" });
    await client.emails.metrics({ startDate: "2026-01-01", metrics: ["sent"] });

    expect(requests).toHaveLength(6);
    for (const request of requests)
      expect(freeOf(request.method, request.path).check(request, UNLIMITED), request.path).toBeNull();
  });
});
