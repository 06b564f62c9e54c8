import { Resend } from "resend";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ResendSimulator, startResendSimulator } from "../../../local/simulators/resend/server.ts";
import { ownSideOf, until } from "./own-side.ts";

/** Guarantees that the simulated Resend behaves as Resend documents it. */

const API_KEY = "re_simulator_0123456789";
const START_MS = 1_795_000_000_000;
const HOUR_MS = 3_600_000;

let nowMs = START_MS;
let simulator: ResendSimulator;
let resend: Resend;

beforeEach(async () => {
  nowMs = START_MS;
  simulator = await startResendSimulator({ apiKey: API_KEY, now: () => nowMs });
  resend = new Resend(API_KEY, { baseUrl: simulator.origin });
});

afterEach(() => simulator.close());

interface Books {
  object: string;
  spent_micro_usd: number;
  entries: Record<string, unknown>[];
}

const { books, fault } = ownSideOf<Books>(() => simulator.origin);

const spent = async (): Promise<number> => (await books()).spent_micro_usd;

/** A request without the SDK, since it hides headers and mends what it is given. */
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(simulator.origin + path, {
    method,
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: JSON.parse(text) };
}

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask("POST", path, body, headers);

const EMAIL = { from: "Acme <hello@example.com>", to: "a@example.com", subject: "Hi", text: "Hello" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("e-mails", () => {
  test("one counts once for every recipient, the same address twice too", async () => {
    const { data } = await resend.emails.send({
      ...EMAIL,
      to: ["a@example.com", "a@example.com"],
      cc: "Bea <b@example.com>",
      bcc: ["c@example.com", "d@example.com"],
    });

    expect(data?.id).toMatch(UUID);
    expect(await books()).toEqual({
      object: "books",
      spent_micro_usd: 4500,
      breaches: [],
      entries: [
        {
          id: data?.id,
          kind: "email",
          to: ["a@example.com", "a@example.com", "Bea <b@example.com>", "c@example.com", "d@example.com"],
          count: 5,
          cost_micro_usd: 4500,
          final: true,
          created_ms: START_MS,
          status: "sent",
          idempotency_key: null,
        },
      ],
    });
  });

  test("the answer is an id alone, with the headers that Resend sends", async () => {
    const answer = await post("/emails", EMAIL);

    expect(answer.status).toBe(200);
    expect(Object.keys(answer.json)).toEqual(["id"]);
    expect(answer.headers.get("ratelimit-limit")).toBe("2");
    expect(answer.headers.get("ratelimit-policy")).toBe("2;w=1");
    expect(answer.headers.get("cf-ray")).toMatch(/^[0-9a-f]{16}-IAD$/);
  });

  test("one can be read, alone and in the list", async () => {
    const first = await resend.emails.send({ ...EMAIL, subject: "First" });
    const second = await resend.emails.send({ ...EMAIL, subject: "Second" });

    const read = await resend.emails.get(first.data?.id ?? "");
    const page = await ask("GET", "/emails?limit=1");
    const rest = await ask("GET", `/emails?after=${second.data?.id}`);

    expect(read.data).toMatchObject({
      object: "email",
      to: ["a@example.com"],
      subject: "First",
      text: "Hello",
      html: null,
      last_event: "delivered",
      scheduled_at: null,
    });
    expect(page.json).toMatchObject({ object: "list", has_more: true, data: [{ subject: "Second" }] });
    expect(rest.json).toMatchObject({ has_more: false, data: [{ subject: "First" }] });
  });

  test("a template needs neither a subject nor a body", async () => {
    const answer = await post("/emails", {
      from: EMAIL.from,
      to: EMAIL.to,
      template: { id: "order-confirmation" },
    });

    expect(answer.status).toBe(200);
    expect(await spent()).toBe(900);
  });

  test("50 recipients in to are sent, 51 are refused, and cc does not count towards them", async () => {
    const fifty = Array.from({ length: 50 }, (_, index) => `a${index}@example.com`);

    const sent = await resend.emails.send({ ...EMAIL, to: fifty, cc: ["b@example.com"] });
    const refused = await resend.emails.send({ ...EMAIL, to: [...fifty, "b@example.com"] });

    expect(sent.error).toBeNull();
    expect(refused.error).toMatchObject({ name: "validation_error", statusCode: 422 });
    expect(await spent()).toBe(45_900);
  });

  test.each([
    ["from", "missing_required_field", "Missing `from` field."],
    ["to", "missing_required_field", "Missing `to` field."],
    ["subject", "missing_required_field", "Missing `subject` field."],
    ["text", "missing_required_field", "Missing `html` or `text` field."],
  ])("one without %s is refused, and costs nothing", async (field, name, message) => {
    const answer = await post("/emails", { ...EMAIL, [field]: undefined });

    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({ statusCode: 422, message, name });
    expect(await spent()).toBe(0);
  });

  test("an address that is none is refused wherever it stands", async () => {
    for (const field of ["from", "to", "cc", "bcc", "reply_to"]) {
      const { status, json } = await post("/emails", { ...EMAIL, [field]: "no address" });
      expect({ status, name: json.name }).toEqual({ status: 422, name: "validation_error" });
      expect(json.message).toContain(`Invalid \`${field}\` field.`);
    }
    expect(await spent()).toBe(0);
  });

  test("a scheduled one counts at once, can be moved, and costs nothing once cancelled", async () => {
    const { data } = await resend.emails.send({ ...EMAIL, scheduledAt: "in 5 min" });
    const id = data?.id ?? "";
    expect(await books()).toMatchObject({
      spent_micro_usd: 900,
      entries: [{ status: "scheduled", final: false }],
    });

    const moved = await resend.emails.update({ id, scheduledAt: new Date(START_MS + HOUR_MS).toISOString() });
    nowMs += HOUR_MS - 1;
    expect((await resend.emails.get(id)).data).toMatchObject({ last_event: "scheduled" });
    const canceled = await resend.emails.cancel(id);
    const again = await resend.emails.cancel(id);

    expect(moved.data).toEqual({ object: "email", id });
    expect(canceled.data).toEqual({ object: "email", id });
    expect(again.error).toMatchObject({ statusCode: 422, name: "validation_error" });
    expect((await resend.emails.get(id)).data).toMatchObject({ last_event: "canceled" });
    expect(await books()).toMatchObject({
      spent_micro_usd: 0,
      entries: [{ id, status: "canceled", count: 0, final: true }],
    });
  });

  test("once its time has come a scheduled one is sent, and cannot be cancelled", async () => {
    const { data } = await resend.emails.send({ ...EMAIL, scheduledAt: "in 5 min" });

    nowMs += 300_000;
    const { error } = await resend.emails.cancel(data?.id ?? "");

    expect(error).toMatchObject({ statusCode: 422 });
    expect(await books()).toMatchObject({
      spent_micro_usd: 900,
      entries: [{ status: "sent", final: true }],
    });
  });
});

describe("batches", () => {
  test("a batch sends every e-mail in it", async () => {
    const { data } = await resend.batch.send([EMAIL, { ...EMAIL, to: ["b@example.com", "c@example.com"] }]);

    expect(data?.data).toHaveLength(2);
    const { spent_micro_usd, entries } = await books();
    expect(spent_micro_usd).toBe(2700);
    expect(entries.map(({ id }) => ({ id }))).toEqual(data?.data);
  });

  test("by default one e-mail that is wrong stops all of them", async () => {
    const answer = await post("/emails/batch", [EMAIL, { ...EMAIL, to: [] }]);

    expect(answer.status).toBe(422);
    expect(answer.json).toEqual({
      statusCode: 422,
      message: "Missing `to` field.",
      name: "missing_required_field",
    });
    expect(await spent()).toBe(0);
  });

  test("a permissive batch sends those that are right, and tells the places of the others", async () => {
    const batch = [EMAIL, { ...EMAIL, to: [] }, { ...EMAIL, to: ["b@example.com", "c@example.com"] }];

    const { data } = await resend.batch.send(batch, { batchValidation: "permissive" });

    expect(data).toEqual({
      data: [{ id: expect.stringMatching(UUID) }, { id: expect.stringMatching(UUID) }],
      errors: [{ index: 1, message: "Missing `to` field." }],
    });
    expect(await spent()).toBe(2700);
  });

  test("100 e-mails are a batch; 101, none, or anything but an array are refused", async () => {
    const hundred = Array.from({ length: 100 }, () => EMAIL);

    expect((await post("/emails/batch", hundred)).json.data).toHaveLength(100);
    for (const body of [[...hundred, EMAIL], [], EMAIL])
      expect(await post("/emails/batch", body)).toMatchObject({ status: 422 });
    expect(await spent()).toBe(90_000);
  });
});

describe("idempotency", () => {
  const KEY = { "idempotency-key": "k" };

  test("a repeat gets the same id, sends nothing, and nothing marks it", async () => {
    const first = await post("/emails", EMAIL, KEY);
    const { text: _text, ...others } = EMAIL;
    const second = await post("/emails", { text: "Hello", ...others }, KEY);

    expect(second.text).toBe(first.text);
    expect([...second.headers.keys()]).toEqual([...first.headers.keys()]);
    expect(await books()).toMatchObject({ spent_micro_usd: 900, entries: [{ idempotency_key: "k" }] });
  });

  test("the SDK's repeat of a batch gets the same ids", async () => {
    const first = await resend.batch.send([EMAIL, EMAIL], { idempotencyKey: "k" });
    const second = await resend.batch.send([EMAIL, EMAIL], { idempotencyKey: "k" });

    expect(second.data).toEqual(first.data);
    expect(await spent()).toBe(1800);
  });

  test("another e-mail or another endpoint with the same key is a 409", async () => {
    await post("/emails", EMAIL, KEY);

    const other = await resend.emails.send({ ...EMAIL, to: "b@example.com" }, { idempotencyKey: "k" });
    const batch = await post("/emails/batch", [EMAIL], KEY);

    expect(other.error).toMatchObject({ statusCode: 409, name: "invalid_idempotent_request" });
    expect(batch).toMatchObject({ status: 409, json: { name: "invalid_idempotent_request" } });
    expect(await spent()).toBe(900);
  });

  test("a repeat while the first still runs is a 409, and afterwards a replay", async () => {
    await fault({ kind: "slow", ms: 400 });
    const slow = post("/emails", EMAIL, KEY);
    await until(async () => (await (await fetch(`${simulator.origin}/requests`)).text()) !== "[]");

    const early = await post("/emails", EMAIL, KEY);
    expect(await spent()).toBe(0);
    const first = await slow;
    const late = await post("/emails", EMAIL, KEY);

    expect(early).toMatchObject({ status: 409, json: { name: "concurrent_idempotent_requests" } });
    expect(first.status).toBe(200);
    expect(late.text).toBe(first.text);
    expect(await spent()).toBe(900);
  });

  test("a key is forgotten after 24 hours, not before", async () => {
    await post("/emails", EMAIL, KEY);

    nowMs += 24 * HOUR_MS - 1;
    await post("/emails", EMAIL, KEY);
    expect(await spent()).toBe(900);

    nowMs += 1;
    await post("/emails", EMAIL, KEY);
    expect(await spent()).toBe(1800);
  });

  test("a key of 256 characters is taken, a longer one is a 400", async () => {
    const taken = await post("/emails", EMAIL, { "idempotency-key": "k".repeat(256) });
    const refused = await post("/emails", EMAIL, { "idempotency-key": "k".repeat(257) });

    expect(taken.status).toBe(200);
    expect(refused).toMatchObject({ status: 400, json: { name: "invalid_idempotency_key" } });
    expect(await spent()).toBe(900);
  });

  test("a refused request leaves its key free", async () => {
    expect(await post("/emails", { ...EMAIL, to: [] }, KEY)).toMatchObject({ status: 422 });
    expect(await post("/emails", EMAIL, KEY)).toMatchObject({ status: 200 });
    expect(await spent()).toBe(900);
  });
});

describe("other endpoints and refusals", () => {
  test("no key and a wrong key are refused as Resend does it", async () => {
    const wrong = await new Resend("re_other", { baseUrl: simulator.origin }).emails.send(EMAIL);
    const none = await post("/emails", EMAIL, { authorization: "" });

    expect(wrong.error).toMatchObject({ statusCode: 403, name: "invalid_api_key" });
    expect(none).toMatchObject({
      status: 401,
      json: { statusCode: 401, name: "missing_api_key", message: "Missing API Key" },
    });
    expect(await spent()).toBe(0);
  });

  test("without an expected key any will do", async () => {
    const open = await startResendSimulator();
    try {
      const { error } = await new Resend("re_any", { baseUrl: open.origin }).emails.send(EMAIL);
      expect(error).toBeNull();
    } finally {
      await open.close();
    }
  });

  test("a path that is not served is a 404, a wrong method a 405, a body that is not JSON a 400", async () => {
    const lacked = expect.stringContaining("This is Keybrake's simulator of Resend");
    expect(await ask("GET", "/nothing")).toMatchObject({
      status: 404,
      json: { name: "not_found", message: lacked },
    });
    expect(await ask("DELETE", "/emails")).toMatchObject({
      status: 405,
      json: { name: "method_not_allowed", message: lacked },
    });
    expect(await post("/emails", "{")).toMatchObject({ status: 400, json: { name: "validation_error" } });
    expect((await resend.emails.get("7a8bd4d5-9a1c-4b53-8e0a-3ad1a7ef0b8a")).error).toMatchObject({
      statusCode: 404,
      name: "not_found",
    });
  });

  test("a base URL that ends in a slash is forgiven", async () => {
    const { error } = await new Resend(API_KEY, { baseUrl: `${simulator.origin}/` }).emails.send(EMAIL);

    expect(error).toBeNull();
  });

  test("there is one domain, and it is verified", async () => {
    expect((await resend.domains.list()).data).toMatchObject({
      data: [{ name: "example.com", status: "verified" }],
    });
  });

  test("what hands out a key, or costs what nobody said, shows in the books when it went through", async () => {
    const calls = [
      await resend.apiKeys.create({ name: "mine" }),
      await resend.broadcasts.create({
        segmentId: "s",
        from: EMAIL.from,
        subject: "News",
        text: "Hello all",
      }),
      await resend.broadcasts.send("559ac32e-9ef5-46fb-82a1-b76b840c0f7b"),
    ];

    expect(calls.map(({ error }) => error?.statusCode)).toEqual([404, 404, 404]);
    expect(await books()).toMatchObject({
      spent_micro_usd: 0,
      entries: [],
      breaches: ["/api-keys", "/broadcasts", "/broadcasts/559ac32e-9ef5-46fb-82a1-b76b840c0f7b/send"].map(
        (path) => ({ method: "POST", path }),
      ),
    });
  });
});

describe("faults and log", () => {
  const KEY = { idempotencyKey: "k" };

  test("429 sends nothing, and says so in Resend's words", async () => {
    await fault({ kind: "429" });

    const { error } = await resend.emails.send(EMAIL);

    expect(error).toMatchObject({ statusCode: 429, name: "rate_limit_exceeded" });
    expect(await spent()).toBe(0);
  });

  test.each([
    ["500_before", 0],
    ["500_after", 900],
  ])("%s is a 500, having cost %i, and a retry with its key ends with one e-mail", async (kind, cost) => {
    await fault({ kind });

    const { error } = await resend.emails.send(EMAIL, KEY);
    expect(error).toMatchObject({ statusCode: 500, name: "application_error" });
    expect(await spent()).toBe(cost);

    const { data } = await resend.emails.send(EMAIL, KEY);
    expect(await books()).toMatchObject({ spent_micro_usd: 900, entries: [{ id: data?.id }] });
  });

  test.each([
    ["break_before", 0],
    ["break_after", 900],
  ])("%s closes the connection, having cost %i, and a retry ends with one e-mail", async (kind, cost) => {
    await fault({ kind });

    await expect(post("/emails", EMAIL, { "idempotency-key": "k" })).rejects.toThrow("fetch failed");
    expect(await spent()).toBe(cost);

    await resend.emails.send(EMAIL, KEY);
    expect(await spent()).toBe(900);
  });

  test.each([
    ["hang", 0],
    ["hang_after", 900],
  ])("%s never answers, having cost %i, until the simulator is closed", async (kind, cost) => {
    const other = await startResendSimulator();
    const read = async (path: string) => (await fetch(other.origin + path)).json();
    await fetch(`${other.origin}/faults`, { method: "POST", body: JSON.stringify({ kind }) });

    const refused = expect(
      fetch(`${other.origin}/emails`, {
        method: "POST",
        headers: { authorization: "Bearer any" },
        body: JSON.stringify(EMAIL),
      }),
    ).rejects.toThrow("fetch failed");
    await until(async () => JSON.stringify(await read("/faults")) === "[]");

    expect(await read("/books")).toMatchObject({ spent_micro_usd: cost });
    await other.close();
    await refused;
  });

  test("the log shows requests as they came, and no key", async () => {
    await post("/emails/batch?a=%62", [EMAIL], { "x-batch-validation": "strict", "idempotency-key": "k" });

    const text = await (await fetch(`${simulator.origin}/requests`)).text();

    expect(JSON.parse(text)).toMatchObject([
      {
        method: "POST",
        path: "/emails/batch?a=%62",
        idempotency_key: "k",
        batch_validation: "strict",
        content_type: "application/json",
        body: JSON.stringify([EMAIL]),
      },
    ]);
    expect(text).not.toContain(API_KEY);
    await fetch(`${simulator.origin}/requests`, { method: "DELETE" });
    expect(await (await fetch(`${simulator.origin}/requests`)).text()).toBe("[]");
  });

  test("500 parallel calls over 50 keys send 50 e-mails", async () => {
    const calls = Array.from({ length: 500 }, (_, index) =>
      resend.emails.send(EMAIL, { idempotencyKey: `k${index % 50}` }),
    );

    const ids = new Set((await Promise.all(calls)).map(({ data }) => data?.id));

    expect(ids.size).toBe(50);
    expect(await spent()).toBe(45_000);
  });
});
