import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { at, listAt, textAt } from "../support/json.ts";
import {
  ask,
  balanceOf,
  callRows,
  countBy,
  issue,
  type Key,
  type OwnRun,
  startOwn,
} from "../support/keybrake.ts";
import {
  type Answered,
  fetchesDuring,
  hasIdempotencyKeys,
  isNewest,
  RESEND_PACKAGES,
  type ResendClient,
  resendClient,
  type Sent,
  sentTo,
} from "../support/resend-node.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/** Guarantees that programs with resend-node work, against a simulated Resend that keeps its own books. */

let run: OwnRun;
let resend: Simulator;
let origin: string;
const realNow = Date.now;
let aheadMs = 0;
beforeAll(async () => {
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
  run = await startOwn();
  ({ origin } = run.vendor("resend"));
  resend = simulatorAt(origin);
});
afterAll(async () => {
  await run.close();
  vi.restoreAllMocks();
});

const key = (body: Readonly<Record<string, unknown>> = {}): Promise<Key> =>
  issue(run, { vendor: "resend", ...body });

let people = 0;
/** Somebody that no other test writes to. */
const newPerson = (): string => `person${++people}@example.com`;

const email = (to: string | readonly string[], more: Readonly<Record<string, unknown>> = {}) => ({
  from: "Keybrake <robot@example.org>",
  to,
  subject: "100 % & more: ünïcode 👍",
  html: "<p>Hello</p>\n",
  ...more,
});

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

const microUsdOf = (sent: readonly Sent[]): number => sent.reduce((sum, { microUsd }) => sum + microUsd, 0);
const rowsMicroUsd = async (of: Key): Promise<number> =>
  Math.round((await callRows(run, of)).reduce((sum, { cost_usd }) => sum + Number(cost_usd ?? 0) * 1e6, 0));
const spentMicroUsd = async (of: Key): Promise<number> =>
  Math.round((await balanceOf(run, of)).spent * 10_000);
const reasons = async (of: Key): Promise<readonly unknown[]> =>
  (await callRows(run, of)).map(({ reason }) => reason);

/** The `id` of what was sent; fails with the error where nothing was. */
function idOf({ data, error }: Answered): string {
  expect(error).toBeNull();
  return textAt(data, "id");
}

/** The answer, once the call was made or refused for certain: a 503 asks to be repeated, and charged nothing. */
async function decided(send: () => Promise<Answered>): Promise<Answered> {
  for (;;) {
    const answered = await send();
    if (answered.error?.["statusCode"] !== 503) return answered;
    expect(answered.error).toMatchObject({ code: "ledger_unavailable", charged: "no" });
  }
}

/** The error, where the call was refused by one request. */
async function refusalOf(call: () => Promise<Answered>): Promise<Readonly<Record<string, unknown>>> {
  let answered: Answered | undefined;
  const origins = await fetchesDuring(async () => {
    answered = await call();
  });
  expect(origins).toEqual([new URL(run.baseUrl).origin]);
  expect(answered?.data).toBeNull();
  expect(answered?.error).not.toBeNull();
  return answered?.error ?? {};
}

const requireHere = createRequire(import.meta.url);

test("the versions are those of the vendors' page", () => {
  expect(
    RESEND_PACKAGES.map((name) => textAt(requireHere(`../../node_modules/${name}/package.json`), "version")),
  ).toEqual(["2.1.0", "4.8.0", "6.0.0", "6.38.0"]);
});

describe.each(RESEND_PACKAGES)("%s", (name) => {
  const clientOf = ({ token }: Pick<Key, "token">): ResendClient => resendClient(name, run, token);

  test("sends an e-mail as it is, and every recipient in to, cc and bcc counts", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 1 });

    const id = idOf(
      await clientOf(capped).emails.send(
        email([to, "b@example.com"], {
          cc: "c@example.com",
          bcc: ["d@example.com", "e@example.com"],
          headers: { "X-Entity-Ref-ID": "1" },
          tags: [{ name: "kind", value: "test" }],
          attachments: [{ filename: "a.txt", content: "aGVsbG8=" }],
        }),
      ),
    );

    expect(await sentTo(origin, to)).toEqual([
      {
        id,
        to: [to, "b@example.com", "c@example.com", "d@example.com", "e@example.com"],
        count: 5,
        microUsd: 4_500,
        status: "sent",
      },
    ]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.45, reserved: 0, remaining: 99.55 });
    expect(await callRows(run, capped)).toMatchObject([
      {
        vendor: "resend",
        state: "settled",
        method: "POST",
        path: "/emails",
        cost_usd: 0.0045,
        vendor_object_id: id,
        vendor_request_id: expect.stringMatching(/^[0-9a-f]{16}-IAD$/),
        user_agent: expect.stringMatching(/^resend-node:/),
      },
    ]);
  });

  test("reads, moves and cancels a scheduled e-mail for nothing, which counts from when it was made", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 1 });
    const client = clientOf(capped);
    const scheduledAt = new Date(Date.now() + 3_600_000).toISOString();
    // Version 2 can only read: it knows nothing of schedules.
    const sent =
      name === "resend-2"
        ? await ask(run, "POST", "/resend/emails", {
            token: capped.token,
            json: email(to, { scheduled_at: scheduledAt }),
          })
        : null;
    const id =
      sent === null ? idOf(await client.emails.send(email(to, { scheduledAt }))) : textAt(sent.json, "id");

    const read = await client.emails.get(id);
    expect(read.data).toMatchObject({ id, last_event: "scheduled" });
    if (name !== "resend-2") {
      const later = new Date(Date.now() + 7_200_000).toISOString();
      expect((await client.emails.update({ id, scheduledAt: later })).error).toBeNull();
      expect((await client.emails.cancel(id)).error).toBeNull();
      expect((await sentTo(origin, to)).map(({ status }) => status)).toEqual(["canceled"]);
    }
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.09, reserved: 0, remaining: 99.91 });
  });

  test("sends a strict batch whole, and nothing of one that has something wrong in it", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 1 });
    const { batch } = clientOf(capped);

    const { data } = await batch.send([
      email(to),
      email([to, "b@example.com"]),
      email(to, { bcc: "c@example.com" }),
    ]);
    expect(listAt(data, "data")).toHaveLength(3);
    expect(await spentMicroUsd(capped)).toBe(4_500);

    const { subject: _, ...wrong } = email(to);
    const refusal = await refusalOf(() => batch.send([email(to), wrong]));
    expect(refusal).toMatchObject({ statusCode: 422, name: "missing_required_field" });
    expect(microUsdOf(await sentTo(origin, to))).toBe(4_500);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.45, reserved: 0, remaining: 99.55 });
    expect((await callRows(run, capped)).map(({ state, vendor_status }) => [state, vendor_status])).toEqual([
      ["released", 422],
      ["settled", 200],
    ]);
  });

  test("gets an error and no exception on an exceeded cap, which says everything", async () => {
    const capped = await key({ daily_usd_cap: 0.001 });
    const client = clientOf(capped);
    idOf(await client.emails.send(email(newPerson())));
    await run.drain();
    const to = newPerson();

    const error = await refusalOf(() => client.emails.send(email(to)));

    expect(error).toMatchObject({
      statusCode: 429,
      name: "daily_quota_exceeded",
      code: "spend_cap_exceeded",
      charged: "no",
    });
    for (const part of [
      capped.id,
      "daily cap $0.001",
      "spent $0.0009",
      "remaining $0.0001",
      "this call needs $0.0009",
      "not retryable until the cap is raised",
      "nothing was charged",
    ])
      expect(error["message"]).toContain(part);
    expect(await sentTo(origin, to)).toEqual([]);
    expect(await reasons(capped)).toEqual(["spend_cap_exceeded", null]);
  });

  test("gets an error and no exception on a key that is unknown, revoked or expired, and sees none of it", async () => {
    const [revoked, expired] = await Promise.all([key(), key({ expires_in: "30s" })]);
    await ask(run, "POST", `/vault/keys/${revoked.id}/revoke`, { token: run.apiKey });
    aheadMs += 31_000;

    for (const [token, part] of [
      [`${revoked.token.slice(0, -1)}_`, "a vault key that is mistyped or cut short"],
      ["re_123456789", "this is not a vault key"],
      [revoked.token, `vault key ${revoked.id} was revoked at 20`],
      [expired.token, `vault key ${expired.id} expired at 20`],
    ] as const) {
      const error = await refusalOf(() => clientOf({ token }).emails.send(email(newPerson())));
      expect(error).toMatchObject({ statusCode: 401, name: "invalid_api_key" });
      expect(error["message"]).toContain(part);
      expect(JSON.stringify(error)).not.toContain(token);
    }
    expect(await reasons(revoked)).toEqual(["key_revoked"]);
    expect(await reasons(expired)).toEqual(["key_expired"]);
  });

  test("gets an error and no exception on what its key does not allow, and on keys of the account", async () => {
    const narrow = await key({ allowed_endpoints: ["POST /emails/batch"] });
    const wide = await key();
    const before = (await resend.requests()).length;
    const client = clientOf(wide);

    expect(await refusalOf(() => clientOf(narrow).emails.send(email(newPerson())))).toMatchObject({
      statusCode: 403,
      name: "endpoint_not_allowed",
      message: expect.stringContaining("does not allow POST /emails; it allows POST /emails/batch"),
    });
    for (const [call, part] of [
      [() => client.apiKeys.create({ name: "mine" }), "it creates or changes credentials of this account"],
      [() => client.apiKeys.list(), "it creates or changes credentials of this account"],
      [
        () => client.domains.create({ name: "example.com" }),
        "a domain decides which senders this account may use",
      ],
    ] as const) {
      expect(await refusalOf(call)).toMatchObject({
        statusCode: 403,
        name: "endpoint_not_priced",
        code: "endpoint_not_priced",
        charged: "no",
        message: expect.stringContaining(part),
      });
    }
    expect((await resend.requests()).length).toBe(before);
    expect(await reasons(narrow)).toEqual(["endpoint_not_allowed"]);
    expect(await reasons(wide)).toEqual(Array(3).fill("endpoint_not_priced"));
  });

  test("gets an error and no exception on broadcasts, which go to who knows how many", async () => {
    // Version 2.1 has none.
    if (name === "resend-2") return expect(clientOf(await key())).not.toHaveProperty("broadcasts");
    const wide = await key();
    const client = clientOf(wide);
    const before = (await resend.requests()).length;

    for (const call of [
      () => client.broadcasts.create({ audienceId: "aud_1", from: "a@example.org", subject: "x", html: "x" }),
      () => client.broadcasts.send("559ac32e-9ef5-46fb-82a1-b76b840c0f7b"),
    ])
      expect(await refusalOf(call)).toMatchObject({
        statusCode: 403,
        name: "endpoint_not_priced",
        message: expect.stringContaining("a broadcast goes to a whole segment"),
      });
    expect((await resend.requests()).length).toBe(before);
  });

  test("gets an error and no exception on a request that can be read in two ways", async () => {
    const wide = await key();
    const client = clientOf(wide);
    const before = (await resend.requests()).length;

    for (const [fields, status, code, part] of [
      [
        { to: "a@example.com, b@example.com" },
        400,
        "ambiguous_request",
        'to: got "a@example.com, b@example.com"',
      ],
      [{ headers: { Bcc: "b@example.com" } }, 400, "ambiguous_request", 'headers: got "Bcc"'],
      [{ to: [] }, 400, "amount_unknown", "to: got 0 addresses"],
    ] as const) {
      const error = await refusalOf(() => client.emails.send(email("a@example.com", fields)));
      expect(error).toMatchObject({ statusCode: status, name: "validation_error", code });
      expect(error["message"]).toContain(part);
    }
    expect((await resend.requests()).length).toBe(before);
    expect(await reasons(wide)).toEqual(["amount_unknown", "ambiguous_request", "ambiguous_request"]);
  });

  test("gets Resend's own error as it is, and the budget is back", async () => {
    const capped = await key({ daily_usd_cap: 1 });
    const { subject: _, ...wrong } = email(newPerson());

    const error = await refusalOf(() => clientOf(capped).emails.send(wrong));

    expect(error).toEqual({
      statusCode: 422,
      name: "missing_required_field",
      message: "Missing `subject` field.",
    });
    expect(await balanceOf(run, capped)).toEqual({ spent: 0, reserved: 0, remaining: 100 });
    expect(await callRows(run, capped)).toMatchObject([
      { state: "released", vendor_status: 422, cost_usd: 0 },
    ]);
  });

  test("gets an error and no exception where Resend's answer is lost; the budget is held and nothing is sent again", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.001 });
    await resend.fault({ kind: "break_after", method: "POST", path: "/emails" });

    const error = await refusalOf(() => clientOf(capped).emails.send(email(to)));

    expect(error).toMatchObject({ statusCode: 502, name: "application_error", charged: "unknown" });
    expect(await sentTo(origin, to)).toHaveLength(1);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0, reserved: 0.09, remaining: 0.01 });
    expect(await callRows(run, capped)).toMatchObject([{ state: "unresolved" }]);
    expect((await clientOf(capped).emails.send(email(to))).error).toMatchObject({ statusCode: 429 });
  });

  test("of 50 e-mails at once exactly those that fit the cap are sent, and three accounts agree on them", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.05 });
    const client = clientOf(capped);

    // Two recipients each, $0.0018: 27 of them are $0.0486.
    const answers = await times(50, () => decided(() => client.emails.send(email([to, "b@example.com"]))));

    expect(countBy(answers.map(({ error }) => error?.["statusCode"] ?? 200))).toEqual(
      new Map<unknown, number>([
        [200, 27],
        [429, 23],
      ]),
    );
    const sent = await sentTo(origin, to);
    expect(sent).toHaveLength(27);
    expect(microUsdOf(sent)).toBe(48_600);
    expect(await balanceOf(run, capped)).toEqual({ spent: 4.86, reserved: 0, remaining: 0.14 });
    expect(await rowsMicroUsd(capped)).toBe(48_600);
  });
});

describe.each(RESEND_PACKAGES.filter(hasIdempotencyKeys))("%s with an idempotency key", (name) => {
  const clientOf = ({ token }: Pick<Key, "token">): ResendClient => resendClient(name, run, token);

  test("in sequence sends once and counts once, though the budget is spent", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.0009 });
    const { emails } = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-again` };

    const first = idOf(await emails.send(email(to), options));
    const again = idOf(await emails.send(email(to), options));

    expect(again).toBe(first);
    expect(await sentTo(origin, to)).toHaveLength(1);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.09, reserved: 0, remaining: 0 });
    const rows = await callRows(run, capped);
    expect(rows.map(({ cost_usd, idempotency_key }) => [cost_usd, idempotency_key])).toEqual([
      [0, options.idempotencyKey],
      [0.0009, options.idempotencyKey],
    ]);
    expect(new Set(rows.map(({ call_id }) => call_id)).size).toBe(1);
  });

  test("at once sends once and counts once; the others get that answer or are told that it is under way", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.0009 });
    const { emails } = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-at-once` };

    const answers = await times(10, () => emails.send(email(to), options));

    const sent = await sentTo(origin, to);
    expect(sent).toHaveLength(1);
    for (const { data, error } of answers)
      if (error === null) expect(data?.["id"]).toBe(sent[0]?.id);
      else expect(error).toMatchObject({ statusCode: 409, name: "concurrent_idempotent_requests" });
    expect(answers.some(({ error }) => error === null)).toBe(true);
    expect(await spentMicroUsd(capped)).toBe(900);
    expect(await rowsMicroUsd(capped)).toBe(900);
  });

  test("and another body gets Resend's 409, and its budget is back", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 1 });
    const { emails } = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-other` };
    idOf(await emails.send(email(to), options));

    const error = await refusalOf(() => emails.send(email([to, "b@example.com"]), options));

    expect(error).toMatchObject({ statusCode: 409, name: "invalid_idempotent_request" });
    expect(await sentTo(origin, to)).toHaveLength(1);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.09, reserved: 0, remaining: 99.91 });
    expect((await callRows(run, capped)).map(({ state }) => state)).toEqual(["released", "settled"]);
  });

  test("on single e-mails and on a batch is two calls, and the second does not use the budget of the first", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.0009 });
    const client = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-two-paths` };
    idOf(await client.emails.send(email(to), options));

    const error = await refusalOf(() => client.batch.send([email(to)], options));

    expect(error).toMatchObject({ statusCode: 429, code: "spend_cap_exceeded" });
    expect(await sentTo(origin, to)).toHaveLength(1);
    expect(new Set((await callRows(run, capped)).map(({ call_id }) => call_id)).size).toBe(2);
  });

  test("settles by its repeat what a lost answer left open", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.0009 });
    const { emails } = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-lost` };
    await resend.fault({ kind: "break_after", idempotencyKey: options.idempotencyKey });
    const lost = await emails.send(email(to), options);
    expect(lost.error).toMatchObject({ statusCode: 502, charged: "unknown" });
    expect(await balanceOf(run, capped)).toEqual({ spent: 0, reserved: 0.09, remaining: 0 });

    const id = idOf(await emails.send(email(to), options));

    expect(await sentTo(origin, to)).toMatchObject([{ id }]);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.09, reserved: 0, remaining: 0 });
  });

  test("repeats a batch without a second e-mail", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.0018 });
    const { batch } = clientOf(capped);
    const options = { idempotencyKey: `${capped.id}-batch` };

    const first = await batch.send([email(to), email(to)], options);
    const again = await batch.send([email(to), email(to)], options);

    expect(again.data).toEqual(first.data);
    expect(await sentTo(origin, to)).toHaveLength(2);
    expect(await spentMicroUsd(capped)).toBe(1_800);
  });
});

describe.each(RESEND_PACKAGES.filter(isNewest))("%s with a permissive batch", (name) => {
  test("sends what can be sent; what failed is taken for the e-mails with the fewest recipients, so the books are never above", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.01 });
    const { subject: _, ...wrong } = email([to, "b@example.com", "c@example.com", "d@example.com"]);

    const { data, error } = await resendClient(name, run, capped.token).batch.send(
      [email(to), wrong, email([to, "b@example.com"])],
      { batchValidation: "permissive" },
    );

    expect(error).toBeNull();
    expect(listAt(data, "data")).toHaveLength(2);
    expect(listAt(data, "errors").map((each) => at(each, "index"))).toEqual([1]);
    expect(microUsdOf(await sentTo(origin, to))).toBe(2_700);
    // Four and two recipients are counted where one and two were written to.
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.54, reserved: 0, remaining: 0.46 });
    expect(await callRows(run, capped)).toMatchObject([
      { state: "settled", reserved_usd: 0.0063, cost_usd: 0.0054 },
    ]);
  });

  test("counts what the books say where all e-mails have as many recipients", async () => {
    const to = newPerson();
    const capped = await key({ daily_usd_cap: 0.01 });
    const { subject: _, ...wrong } = email([to, "b@example.com"]);

    const { error } = await resendClient(name, run, capped.token).batch.send(
      [wrong, email([to, "b@example.com"]), email([to, "b@example.com"]), wrong],
      { batchValidation: "permissive" },
    );

    expect(error).toBeNull();
    expect(microUsdOf(await sentTo(origin, to))).toBe(3_600);
    expect(await balanceOf(run, capped)).toEqual({ spent: 0.36, reserved: 0, remaining: 0.64 });
  });

  test("by the environment alone reaches Keybrake too", async () => {
    vi.stubEnv("RESEND_BASE_URL", `${run.baseUrl}/resend`);
    const capped = await key();
    const { Resend } = requireHere("resend") as {
      readonly Resend: new (token: string) => ResendClient;
    };

    idOf(await new Resend(capped.token).emails.send(email(newPerson())));

    vi.unstubAllEnvs();
    expect(await spentMicroUsd(capped)).toBe(900);
  });
});

test("single e-mails and batches of all versions at once never pass the cap, and every e-mail is in three accounts", async () => {
  const to = newPerson();
  const capped = await key({ total_usd_cap: 0.03 });
  const clients = RESEND_PACKAGES.map((name) => resendClient(name, run, capped.token));

  await Promise.all(
    clients.flatMap(({ emails, batch }) => [
      times(6, () => decided(() => emails.send(email(to, { bcc: "b@example.com" })))),
      times(3, () => decided(() => batch.send([email(to), email([to, to]), email(to)]))),
    ]),
  );

  const sent = await sentTo(origin, to);
  const charged = microUsdOf(sent);
  expect(sent.reduce((sum, { count }) => sum + count, 0) * 900).toBe(charged);
  expect(charged).toBeLessThanOrEqual(30_000);
  expect(charged).toBeGreaterThan(30_000 - 3_600);
  expect(await spentMicroUsd(capped)).toBe(charged);
  expect(await rowsMicroUsd(capped)).toBe(charged);
  expect((await balanceOf(run, capped)).reserved).toBe(0);
});

test("nothing went wrong that was not meant to", () => {
  expect(run.announced).toEqual([]);
});
