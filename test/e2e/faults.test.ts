import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../../local/listen.ts";
import { gate } from "../local/gate.ts";
import { open } from "../local/http-client.ts";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { eventually } from "../support/eventually.ts";
import { at, textAt } from "../support/json.ts";
import {
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
import {
  answer,
  broken,
  type OwnUpstream,
  onceOpened,
  paymentIntent,
  type Script,
} from "../support/own-upstream.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that with broken or slow vendors, and clients that give up, an unknown outcome stays held and a known one
 * is told.
 */

let run: OwnRun;

const outcomes = (rows: readonly Row[]) =>
  [...rows].reverse().map(({ state, cost_usd, replayed }) => [state, cost_usd, replayed ?? null]);
const held = (cents: number, cap = 5000) => ({ spent: 0, reserved: cents, remaining: cap - cents });
const spent = (cents: number, cap = 5000) => ({ spent: cents, reserved: 0, remaining: cap - cents });

function expectFault(reply: Reply, status: number, code: string, charged: string): string {
  expect(
    [reply.status, at(reply.json, "error", "code"), at(reply.json, "error", "charged")],
    reply.text,
  ).toEqual([status, code, charged]);
  expect(reply.headers["keybrake-charged"]).toBe(charged);
  expect(at(reply.json, "error", "type")).toBe("api_error");
  expect(at(reply.json, "error", "call_id")).toBe(reply.headers["keybrake-call-id"]);
  return textAt(reply.json, "error", "message");
}

/** Asks to pay and hangs up after `ms`. */
async function payAndGiveUp(
  key: Key,
  cents: number,
  ms: number,
  headers: readonly string[] = [],
): Promise<void> {
  const body = `amount=${cents}&currency=usd`;
  const rawHeaders = [
    "Authorization",
    `Bearer ${key.token}`,
    "Content-Type",
    "application/x-www-form-urlencoded",
    ...headers,
  ];
  const outgoing = open(run.baseUrl, {
    method: "POST",
    path: "/stripe/v1/payment_intents",
    rawHeaders: [...rawHeaders, "Content-Length", `${body.length}`],
  });
  const gone = new Promise<void>((resolve) => outgoing.on("close", resolve));
  outgoing.on("error", () => {});
  outgoing.end(body);
  setTimeout(() => outgoing.destroy(), ms);
  await gone;
}

describe("against a Stripe that keeps idempotency keys", () => {
  let stripe: Simulator;
  let hanging: Promise<{ readonly key: Key; readonly reply: Reply; readonly ms: number }>;
  beforeAll(async () => {
    run = await startOwn();
    stripe = simulatorAt(run.vendor("stripe").origin);
    // Goes on beside the other tests, since it takes as long as a vendor is waited for.
    hanging = hang();
  });
  afterAll(() => run.close());

  const HANG = { "Idempotency-Key": "that-hangs" };

  async function hang() {
    await stripe.fault({ kind: "hang", idempotencyKey: HANG["Idempotency-Key"] });
    const key = await issue(run, { daily_usd_cap: 10 });
    const beganMs = Date.now();
    const reply = await pay(run, key, 1000, {}, HANG);
    return { key, reply, ms: Date.now() - beganMs };
  }

  test("a call whose client gave up goes on, is settled and is a row", async () => {
    const key = await issue(run);
    await stripe.fault({ kind: "slow", ms: 900, idempotencyKey: "client-gone" });

    await payAndGiveUp(key, 700, 300, ["Idempotency-Key", "client-gone"]);

    // The balance alone looks the same from the reservation on.
    await eventually(async () => expect(outcomes(await callRows(run, key))).toEqual([["settled", 7, false]]));
    expect(await balanceOf(run, key)).toEqual(spent(700));
    const retried = await pay(run, key, 700, {}, { "Idempotency-Key": "client-gone" });
    expect([retried.status, retried.headers["idempotent-replayed"]]).toEqual([200, "true"]);
    expect(await balanceOf(run, key)).toEqual(spent(700));
  });

  test("a client that gives up and repeats at once is told to wait, then gets the one charge there was", async () => {
    const key = await issue(run, { daily_usd_cap: 7 });
    await stripe.fault({ kind: "slow", ms: 900, idempotencyKey: "impatient" });

    await payAndGiveUp(key, 700, 300, ["Idempotency-Key", "impatient"]);
    const early = await pay(run, key, 700, {}, { "Idempotency-Key": "impatient" });

    expect([early.status, at(early.json, "error", "code")]).toEqual([409, "idempotency_key_in_use"]);
    const late = await eventually(async () => {
      const reply = await pay(run, key, 700, {}, { "Idempotency-Key": "impatient" });
      expect(reply.status).toBe(200);
      return reply;
    });
    expect(at(late.json, "amount")).toBe(700);
    expect(await balanceOf(run, key)).toEqual(spent(700, 700));
  });

  test.each(["break_after", "break_before"])(
    "a connection that ends without an answer (%s) is a 502 whose budget is held; the retry joins it and settles",
    async (kind) => {
      const key = await issue(run, { daily_usd_cap: 10 });
      const headers = { "Idempotency-Key": `${key.id}-${kind}` };
      const before = await stripe.spentCents();
      await stripe.fault({ kind, idempotencyKey: headers["Idempotency-Key"] });

      const message = expectFault(
        await pay(run, key, 1000, {}, headers),
        502,
        "vendor_connection_broken",
        "unknown",
      );
      expect(message).toContain("repeat the call with the same Idempotency-Key to learn its outcome");
      expect(await balanceOf(run, key)).toEqual(held(1000, 1000));
      expect(outcomes(await callRows(run, key))).toEqual([["unresolved", 0, false]]);
      expect((await pay(run, key, 1)).status).toBe(429);

      const retried = await pay(run, key, 1000, {}, headers);
      expect(retried.status).toBe(200);
      expect(await balanceOf(run, key)).toEqual(spent(1000, 1000));
      expect((await stripe.spentCents()) - before).toBe(1000);
      expect(outcomes(await callRows(run, key))).toEqual([
        ["settled", 10, false],
        ["denied", 0, false],
        ["settled", 0, kind === "break_after"],
      ]);
    },
  );

  test("a 502 lets the SDK's own retry happen, since that is safe", async () => {
    const key = await issue(run);
    await stripe.fault({ kind: "break_before", idempotencyKey: "sdk-may" });

    const { headers } = await pay(run, key, 100, {}, { "Idempotency-Key": "sdk-may" });

    expect(headers["stripe-should-retry"]).toBeUndefined();
  });

  test.each(["500_before", "500_after"])(
    "a failure of Stripe's own (%s) passes as it is, and is held as long as nobody knows",
    async (kind) => {
      const key = await issue(run);
      const headers = { "Idempotency-Key": `${key.id}-${kind}` };
      await stripe.fault({ kind, idempotencyKey: headers["Idempotency-Key"] });

      for (const replayed of [undefined, "true"]) {
        const reply = await pay(run, key, 900, {}, headers);
        expect([reply.status, at(reply.json, "error", "type"), reply.headers["keybrake-charged"]]).toEqual([
          500,
          "api_error",
          "unknown",
        ]);
        expect(reply.headers["idempotent-replayed"]).toBe(replayed);
        expect(await balanceOf(run, key)).toEqual(held(900));
      }
      expect((await callRows(run, key)).at(-1)).toMatchObject({
        state: "unresolved",
        vendor_status: 500,
        reserved_usd: 9,
      });
    },
  );

  test("Stripe's own 429 passes untouched and releases", async () => {
    const key = await issue(run);
    await stripe.fault({ kind: "429", idempotencyKey: "limited" });

    const limited = await pay(run, key, 900, {}, { "Idempotency-Key": "limited" });

    expect([limited.status, at(limited.json, "error", "code"), limited.headers["keybrake-charged"]]).toEqual([
      429,
      "rate_limit",
      "no",
    ]);
    expect(textAt(limited.json, "error", "message")).not.toContain("vault key");
    expect(await balanceOf(run, key)).toEqual(held(0));
    expect(outcomes(await callRows(run, key))).toEqual([["released", 0, false]]);
    expect((await pay(run, key, 900, {}, { "Idempotency-Key": "limited" })).status).toBe(200);
  });

  test("many calls through a Stripe that fails in every way never pass the cap, and none is lost", async () => {
    const key = await issue(run, { daily_usd_cap: 20 });
    const before = await stripe.spentCents();
    const kinds = ["429", "500_before", "500_after", "break_before", "break_after", "slow"];
    for (const [index, kind] of kinds.entries())
      for (let call = index; call < 40; call += 8)
        await stripe.fault({ kind, ms: 50, idempotencyKey: `${key.id}-${call}` });

    const wave = () =>
      Promise.all(
        Array.from({ length: 40 }, (_, call) =>
          pay(run, key, 100, {}, { "Idempotency-Key": `${key.id}-${call}` }),
        ),
      );
    const replies = [...(await wave()), ...(await wave())];

    const { spent: counted, reserved, remaining } = await balanceOf(run, key);
    const charged = (await stripe.spentCents()) - before;
    expect(charged).toBeLessThanOrEqual(counted + reserved);
    expect(counted).toBeLessThanOrEqual(charged);
    expect(counted + reserved + remaining).toBe(2000);
    expect(await callRows(run, key)).toHaveLength(replies.length);
    expect(replies.every(({ json }) => json !== undefined)).toBe(true);
  });

  test("a vendor that says nothing is a 504 within the gateway's time; the budget is held until the retry tells", async () => {
    const { key, reply, ms } = await hanging;

    expect(expectFault(reply, 504, "vendor_timeout", "unknown")).toContain("its budget stays held");
    expect(ms).toBeGreaterThan(20_000);
    expect(ms).toBeLessThan(28_000);
    expect(await balanceOf(run, key)).toEqual(held(1000, 1000));
    expect(outcomes(await callRows(run, key))).toEqual([["unresolved", 0, false]]);

    expect((await pay(run, key, 1000, {}, HANG)).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual(spent(1000, 1000));
  }, 60_000);
});

describe("against an upstream that does as it is told", () => {
  const CREDENTIAL = "sk_test_recognisableCredential";
  let upstream: OwnUpstream;
  beforeAll(async () => {
    ({ run, upstream } = await startBeforeUpstream({ stripe: CREDENTIAL }, { resolveAfterS: 0 }));
  });
  afterAll(() => run.close());

  const intent = (amount: number) => ({
    id: `pi_${amount}`,
    object: "payment_intent",
    amount,
    currency: "usd",
    status: "requires_capture",
  });

  test("an answer that breaks off in its middle is a 502, unknown and held", async () => {
    const key = await issue(run);
    upstream.next(broken(true));

    expectFault(await pay(run, key, 300), 502, "vendor_connection_broken", "unknown");

    expect(await balanceOf(run, key)).toEqual(held(300));
    expect(outcomes(await callRows(run, key))).toEqual([["unresolved", 0, false]]);
  });

  test("two calls under one idempotency key: while the first is under way the second is refused, not sent", async () => {
    upstream.forget();
    const key = await issue(run);
    const door = gate();
    upstream.next(onceOpened(door.passed));
    const first = pay(run, key, 300, {}, { "Idempotency-Key": "under-way" });
    await eventually(() => expect(upstream.requests).toHaveLength(1));

    const second = await pay(run, key, 300, {}, { "Idempotency-Key": "under-way" });
    door.open();

    expect([second.status, at(second.json, "error", "code")]).toEqual([409, "idempotency_key_in_use"]);
    expect(second.headers["stripe-should-retry"]).toBeUndefined();
    expect((await first).status).toBe(200);
    expect(upstream.requests).toHaveLength(1);
    expect(await balanceOf(run, key)).toEqual(spent(300));
  });

  test("budget is held before a byte leaves, and shown as reserved until the answer is there", async () => {
    upstream.forget();
    const key = await issue(run, { daily_usd_cap: 10 });
    const door = gate();
    upstream.next(onceOpened(door.passed));
    const first = pay(run, key, 900);
    await eventually(() => expect(upstream.requests).toHaveLength(1));

    await eventually(async () => expect(await balanceOf(run, key)).toEqual(held(900, 1000)));
    expect(await callRows(run, key)).toEqual([]);
    await run.tellOpen();
    expect(await callRows(run, key)).toMatchObject([{ state: "open", reserved_usd: 9 }]);
    const refused = await pay(run, key, 200);
    expect(textAt(refused.json, "error", "message")).toContain(
      "spent $0.00, reserved $9.00, remaining $1.00",
    );
    door.open();
    await first;
    expect(await balanceOf(run, key)).toEqual(spent(900, 1000));
  });

  test("a redirect is handed on and not followed: nobody knows what it did, so it is held", async () => {
    upstream.forget();
    const key = await issue(run);
    upstream.next(answer(307, { redirected: true }, { Location: `${upstream.origin}/v1/payouts` }));

    const reply = await pay(run, key, 300);

    expect([reply.status, reply.headers["keybrake-charged"]]).toEqual([307, "unknown"]);
    expect(upstream.requests).toHaveLength(1);
    expect(await balanceOf(run, key)).toEqual(held(300));
  });

  test("a price above what was asked for is counted all the same and marked; one below gives the rest back", async () => {
    const key = await issue(run, { daily_usd_cap: 10 });
    upstream.next(answer(200, intent(700)), answer(200, intent(100)));

    await pay(run, key, 600);
    expect(await balanceOf(run, key)).toEqual(spent(700, 1000));
    await pay(run, key, 300);
    expect(await balanceOf(run, key)).toEqual(spent(800, 1000));
    expect((await callRows(run, key)).map(({ cost_usd, overrun }) => [cost_usd, overrun])).toEqual([
      [1, false],
      [7, true],
    ]);
  });

  test.each([
    ["no JSON", "made, thank you"],
    ["JSON that is not an object", "[1]"],
    ["an amount that is not a number", { ...intent(1), amount: "1" }],
    ["an amount below nothing", { ...intent(1), amount: -5 }],
    ["a fraction", { ...intent(1), amount: 0.5 }],
    ["nothing", ""],
  ])("a success that says %s costs what was asked for", async (_, body) => {
    const key = await issue(run);
    upstream.next(answer(200, body));

    const reply = await pay(run, key, 300);

    expect([reply.status, reply.headers["keybrake-charged"]]).toEqual([200, "yes"]);
    expect(reply.text).toBe(typeof body === "string" ? body : JSON.stringify(body));
    expect(await balanceOf(run, key)).toEqual(spent(300));
  });

  test.each<[string, (text: string) => Buffer]>([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["deflate", deflateSync],
    ["zstd", zstdCompressSync],
    ["gzip, br", (text) => brotliCompressSync(gzipSync(text))],
  ])("an answer in %s is read decoded, and its object is remembered", async (coding, encode) => {
    const key = await issue(run);
    const { id, ...rest } = intent(100);
    const bytes = encode(JSON.stringify({ ...rest, id }));
    upstream.next((response) => {
      response.writeHead(200, { "Content-Encoding": coding }).end(bytes);
    });

    const reply = await pay(run, key, 300);
    expect([reply.status, reply.headers["content-encoding"]]).toEqual([200, coding]);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(await balanceOf(run, key)).toEqual(spent(100));
    expect(await callRows(run, key)).toMatchObject([{ vendor_object_id: id, cost_usd: 1 }]);

    // What another object's end says gives nothing back, whether or not the object was asked about before.
    const ended = { ...intent(100), status: "canceled", amount_received: 0 };
    const end: Script = (response, request) =>
      answer(200, request.method === "GET" ? intent(100) : { ...ended, id: "pi_another" })(response, request);
    upstream.next(end, end);
    expect((await post(run, key, `/v1/payment_intents/${id}/cancel`)).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual(spent(100));
    upstream.forget();
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["an unknown coding", { "Content-Encoding": "compress" }],
    ["a coding that it does not have", { "Content-Encoding": "gzip" }],
    ["a charset in which ASCII is not ASCII", { "Content-Type": "application/json; charset=utf-7" }],
  ])("an answer in %s is withheld and costs what was asked for", async (_, headers) => {
    const key = await issue(run);
    upstream.next(answer(200, intent(100), headers));

    const message = expectFault(await pay(run, key, 300), 502, "vendor_answer_withheld", "yes");

    expect(message).toContain("came in an encoding that Keybrake cannot read");
    expect(await balanceOf(run, key)).toEqual(spent(300));
  });

  test("an answer passes byte for byte: compressed, with its headers, the repeated and the strangely named too", async () => {
    const key = await issue(run);
    const bytes = gzipSync(JSON.stringify(intent(300)));
    upstream.next((response) => {
      response.writeHead(
        200,
        [
          ["Content-Type", "application/json"],
          ["Content-Encoding", "gzip"],
          ["Set-Cookie", "a=1"],
          ["Set-Cookie", "b=2"],
          ["constructor", "x"],
          ["__proto__", "y"],
          ["Request-Id", "req_theirs"],
          ["X-Stripe-Routing", "here"],
        ].flat(),
      );
      response.end(bytes);
    });

    const reply = await pay(run, key, 300);

    expect(reply.status).toBe(200);
    expect(reply.body.equals(bytes)).toBe(true);
    expect(reply.headers).toMatchObject({
      "content-encoding": "gzip",
      "request-id": "req_theirs",
      "x-stripe-routing": "here",
    });
    expect(reply.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(reply.rawHeaders).toContain("constructor");
    expect(await balanceOf(run, key)).toEqual(spent(300));
    expect(await callRows(run, key)).toMatchObject([{ vendor_request_id: "req_theirs" }]);
  });

  test.each([
    [
      "in the body of a refusal",
      answer(401, { error: { message: `Invalid API Key provided: ${CREDENTIAL}` } }),
      "no",
      held(0),
    ],
    ["in the body of a success", answer(200, { ...intent(300), secret: CREDENTIAL }), "yes", spent(300)],
    ["in a header", answer(200, intent(300), { "X-Echo": `Bearer ${CREDENTIAL}` }), "yes", spent(300)],
    ["in the body of a failure", answer(500, `trace: authorization=${CREDENTIAL}`), "unknown", held(300)],
  ] as const)(
    "an answer that shows the credential %s is withheld, though what it says of the money counts",
    async (_, script, charged, balance) => {
      const key = await issue(run);
      upstream.next(script);

      const reply = await pay(run, key, 300);

      expectFault(reply, 502, "vendor_answer_withheld", charged);
      expect(reply.text + JSON.stringify(reply.rawHeaders)).not.toContain(CREDENTIAL);
      expect(await balanceOf(run, key)).toEqual(balance);
    },
  );

  test.each([
    ["customer", answer(200, { ...intent(300), customer: CREDENTIAL })],
    ["request id", answer(200, intent(300), { "Request-Id": CREDENTIAL })],
    ["id", answer(200, { ...intent(300), id: CREDENTIAL })],
    ["currency", answer(200, { ...intent(300), currency: CREDENTIAL })],
  ])("an answer that gives the credential out as its %s leaves none of it on the row", async (_, script) => {
    const key = await issue(run);
    upstream.next(script);

    await pay(run, key, 300);

    expect(JSON.stringify(await callRows(run, key))).not.toContain(CREDENTIAL);
  });

  test("a read that shows the credential is withheld too", async () => {
    const key = await issue(run);
    upstream.next(answer(200, { data: [{ id: "x", key: CREDENTIAL }] }));

    const reply = await ask(run, "GET", "/stripe/v1/customers", { token: key.token });

    expectFault(reply, 502, "vendor_answer_withheld", "no");
    expect(reply.text).not.toContain(CREDENTIAL);
  });

  test("the vendor's 401 passes, releases, and is sent once: the credential has not changed", async () => {
    upstream.forget();
    const key = await issue(run);
    upstream.next(answer(401, { error: { type: "invalid_request_error", message: "Invalid API Key" } }));

    const reply = await pay(run, key, 300);

    expect([reply.status, reply.headers["keybrake-charged"]]).toEqual([401, "no"]);
    expect(upstream.requests).toHaveLength(1);
    expect(await balanceOf(run, key)).toEqual(held(0));
  });

  test("a broken read is a 502 that charged nothing, and a row", async () => {
    const key = await issue(run);
    upstream.next(broken(false));

    const reply = await ask(run, "GET", "/stripe/v1/customers", { token: key.token });

    expectFault(reply, 502, "vendor_connection_broken", "no");
    expect(outcomes(await callRows(run, key))).toEqual([["free", 0, false]]);
  });

  test("a call whose key is revoked while it is under way is settled; the next one is refused", async () => {
    upstream.forget();
    const key = await issue(run);
    const door = gate();
    upstream.next(onceOpened(door.passed, paymentIntent()));
    const first = pay(run, key, 300);
    await eventually(() => expect(upstream.requests).toHaveLength(1));

    await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });
    const second = await post(run, key, "/v1/payment_intents", { amount: "1", currency: "usd" });
    door.open();

    expect(second.status).toBe(401);
    expect((await first).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual(spent(300));
  });

  test("a retry of an unresolved call is refused once its key is revoked", async () => {
    upstream.forget();
    const key = await issue(run);
    upstream.next(broken(true));
    await pay(run, key, 300, {}, { "Idempotency-Key": "revoked-later" });
    await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });

    const retried = await pay(run, key, 300, {}, { "Idempotency-Key": "revoked-later" });

    expect([retried.status, at(retried.json, "error", "code")]).toEqual([401, "key_revoked"]);
    expect(upstream.requests).toHaveLength(1);
  });

  test("nothing threw, and nothing is open", async () => {
    expect(run.announced).toEqual([]);
    expect(await auditRows(run, { state: "open" })).toEqual([]);
  });
});

describe("against nobody", () => {
  beforeAll(async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    run = await startOwn({ vendors: { stripe: { kind: "upstream", origin, credential: "sk_test_x" } } });
  });
  afterAll(() => run.close());

  test("a vendor that cannot be reached is a 502 that charged nothing; the budget is back at once", async () => {
    const key = await issue(run);

    const message = expectFault(await pay(run, key, 300), 502, "vendor_unreachable", "no");

    expect(message).toBe("the vendor could not be reached; nothing was charged");
    expect(await balanceOf(run, key)).toEqual(held(0));
    expect(outcomes(await callRows(run, key))).toEqual([["released", 0, false]]);
  });

  test("forty calls at once to a vendor that is gone leave the whole cap, and forty rows", async () => {
    const key = await issue(run, { daily_usd_cap: 10 });

    const replies = await Promise.all(Array.from({ length: 40 }, () => pay(run, key, 100)));

    expect(new Set(replies.map(({ status }) => status))).toEqual(
      replies.some(({ status }) => status === 429) ? new Set([502, 429]) : new Set([502]),
    );
    expect(await balanceOf(run, key)).toEqual(held(0, 1000));
    expect(await callRows(run, key)).toHaveLength(40);
  });
});
