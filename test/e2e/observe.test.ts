import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, textAt } from "../support/json.ts";
import {
  ask,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  post,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";
import {
  headerOf,
  refusalOf,
  STRIPE_PACKAGES,
  type StripeObject,
  type StripePackage,
  stripeClient,
} from "../support/stripe-node.ts";

/** Guarantees that a key that only observes lets calls through and tells what it would have refused, and that a rate holds. */

let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(() => run.close());

const shown = async (key: Key): Promise<unknown> => {
  await run.drain?.();
  return (await ask(run, "GET", `/vault/keys/${key.id}`, { token: run.apiKey })).json;
};
const issued = (json: object): Promise<Reply> =>
  ask(run, "POST", "/vault/keys", {
    token: run.apiKey,
    json: { vendor: "stripe", daily_usd_cap: 5, ...json },
  });
const read = (key: Key) => ask(run, "GET", "/stripe/v1/customers", { token: key.token });
const clientOf = (name: StripePackage, key: Key) =>
  stripeClient(name, "fetch", run.baseUrl, key.token, { maxNetworkRetries: 2 });
const CHARGE = { amount: 400, currency: "usd" };

describe("when a key is issued", () => {
  test("mode and rate are shown with the key, and are enforce and none where they are left out", async () => {
    expect((await issued({})).json).toMatchObject({ mode: "enforce", max_calls_per_minute: null });
    expect((await issued({ mode: "enforce", max_calls_per_minute: null })).json).toMatchObject({
      mode: "enforce",
      max_calls_per_minute: null,
    });
    const { status, json } = await issued({ mode: "observe", max_calls_per_minute: 100_000 });
    expect([status, json]).toMatchObject([201, { mode: "observe", max_calls_per_minute: 100_000 }]);
    expect(await shown({ id: textAt(json, "id"), token: "" })).toMatchObject({
      mode: "observe",
      max_calls_per_minute: 100_000,
      exceeded_by_usd: 0,
      caps: { daily: { exceeded_by_usd: 0 } },
    });
  });

  test.each([
    ["mode", "watch"],
    ["mode", null],
    ["mode", true],
    ["max_calls_per_minute", 0],
    ["max_calls_per_minute", 100_001],
    ["max_calls_per_minute", 1.5],
    ["max_calls_per_minute", "10"],
  ])("%s: %j is refused by its name", async (field, value) => {
    const { status, json } = await issued({ [field]: value });
    expect([status, json]).toMatchObject([400, { error: { code: "invalid_request", field } }]);
    expect(at(json, "error")).toMatchObject({
      message: expect.stringContaining(field === "mode" ? '"observe"' : "from 1 to 100000"),
    });
  });

  test.each([{ mode: "observe" }, { max_calls_per_minute: 5 }])(
    "%j cannot be changed later",
    async (change) => {
      const key = await issue(run);
      const { status, json } = await ask(run, "PATCH", `/vault/keys/${key.id}`, {
        token: run.apiKey,
        json: change,
      });
      expect([status, json]).toMatchObject([400, { error: { code: "invalid_request" } }]);
    },
  );
});

describe("a key that only observes", () => {
  test("spends beyond its cap: Stripe's books, the key and the rows all say so", async () => {
    const key = await issue(run, { daily_usd_cap: 5, total_usd_cap: 20, mode: "observe" });
    const before = await stripe.spentCents();
    const replies = [await pay(run, key, 400), await pay(run, key, 400), await pay(run, key, 400)];

    expect(replies.map(({ status, headers }) => [status, headers["keybrake-would-deny"]])).toEqual([
      [200, undefined],
      [200, "spend_cap_exceeded"],
      [200, "spend_cap_exceeded"],
    ]);
    expect(replies.map(({ headers }) => headers["keybrake-remaining-usd"])).toEqual(["1", "0", "0"]);
    expect((await stripe.spentCents()) - before).toBe(1_200);
    expect(await shown(key)).toMatchObject({
      status: "active",
      spent_usd: 12,
      reserved_usd: 0,
      remaining_usd: 0,
      exceeded_by_usd: 7,
      caps: {
        daily: { spent_usd: 12, remaining_usd: 0, exceeded_by_usd: 7 },
        total: { spent_usd: 12, remaining_usd: 8, exceeded_by_usd: 0 },
      },
    });
    const rows = await callRows(run, key);
    expect(
      rows.map(({ decision, state, would_deny, remaining_usd }) => [
        decision,
        state,
        would_deny,
        remaining_usd,
      ]),
    ).toEqual([
      ["allowed", "settled", "spend_cap_exceeded", 0],
      ["allowed", "settled", "spend_cap_exceeded", 0],
      ["allowed", "settled", null, 1],
    ]);
  });

  test("lets parallel calls through, and as many are told as do not fit", async () => {
    const key = await issue(run, { daily_usd_cap: 5, mode: "observe" });
    const replies = await Promise.all(Array.from({ length: 20 }, () => pay(run, key, 100)));

    const told = replies.filter(({ headers }) => headers["keybrake-would-deny"] === "spend_cap_exceeded");
    expect(replies.every(({ status }) => status === 200)).toBe(true);
    expect(told).toHaveLength(15);
    expect(await shown(key)).toMatchObject({ spent_usd: 20, exceeded_by_usd: 15 });
  });

  test.each(STRIPE_PACKAGES)("gets Stripe's objects by %s, and a header beside", async (name) => {
    const key = await issue(run, { daily_usd_cap: 1, mode: "observe" });
    const intent: StripeObject = await clientOf(name, key).paymentIntents.create(CHARGE);

    expect(intent).toMatchObject({ object: "payment_intent", amount: 400 });
    expect(headerOf(intent, "keybrake-would-deny")).toBe("spend_cap_exceeded");
  });

  test("gets no endpoint that would hand out secrets, and stops when it is revoked", async () => {
    const key = await issue(run, { mode: "observe", allowed_endpoints: ["POST /v1/charges"] });
    const denied = await post(run, key, "/v1/ephemeral_keys", { customer: "cus_1" });
    expect([denied.status, denied.headers["keybrake-code"]]).toEqual([403, "endpoint_not_priced"]);
    expect(denied.headers["keybrake-would-deny"]).toBeUndefined();

    expect((await read(key)).headers["keybrake-would-deny"]).toBe("endpoint_not_allowed");
    await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });
    expect((await read(key)).status).toBe(401);
    expect((await callRows(run, key)).map(({ reason, would_deny }) => [reason, would_deny])).toEqual([
      ["key_revoked", null],
      [null, "endpoint_not_allowed"],
      ["endpoint_not_priced", null],
    ]);
  });
});

describe("in a chain", () => {
  const childOf = async (parent: Key, json: object): Promise<Key> => {
    const { status, json: made, text } = await ask(run, "POST", "/vault/keys", { token: parent.token, json });
    if (status !== 201) throw new Error(`no child was issued: ${status} ${text}`);
    return { id: textAt(made, "id"), token: textAt(made, "vault_key") };
  };
  const code = ({ headers }: Reply) =>
    headers["keybrake-code"] ?? `would ${headers["keybrake-would-deny"] ?? "not"}`;

  test("a child that observes keeps to what its parent enforces, and to the nearest one of several", async () => {
    const root = await issue(run, {
      daily_usd_cap: 10,
      allowed_endpoints: ["POST /v1/payment_intents", "GET /v1/customers", "GET /v1/products"],
    });
    const parent = await childOf(root, {
      daily_usd_cap: 6,
      allowed_endpoints: ["POST /v1/payment_intents", "GET /v1/customers"],
    });
    const child = await childOf(parent, {
      mode: "observe",
      daily_usd_cap: 2,
      allowed_endpoints: ["GET /v1/customers"],
    });
    const grandchild = await childOf(child, { mode: "observe", daily_usd_cap: 1 });

    for (const key of [child, grandchild]) {
      expect(code(await read(key))).toBe("would not");
      expect(code(await ask(run, "GET", "/stripe/v1/products", { token: key.token }))).toBe(
        "endpoint_not_allowed",
      );
    }
    expect(code(await pay(run, grandchild, 300))).toBe("would endpoint_not_allowed");
    expect(code(await pay(run, child, 200))).toBe("would endpoint_not_allowed");
    expect(code(await pay(run, child, 200))).toBe("spend_cap_exceeded");
    expect(await shown(child)).toMatchObject({ mode: "observe", spent_usd: 5, exceeded_by_usd: 3 });
    expect(await shown(parent)).toMatchObject({ mode: "enforce", spent_usd: 5, remaining_usd: 1 });
  });

  test("a child of a key that observes may enforce, and refuses by itself", async () => {
    const parent = await issue(run, { daily_usd_cap: 5, mode: "observe" });
    const child = await childOf(parent, { daily_usd_cap: 4 });

    expect(await shown(child)).toMatchObject({ mode: "enforce", max_calls_per_minute: null });
    expect(code(await pay(run, child, 300))).toBe("would not");
    expect(code(await pay(run, child, 300))).toBe("spend_cap_exceeded");
    expect(code(await pay(run, parent, 300))).toBe("would spend_cap_exceeded");
    expect(await shown(parent)).toMatchObject({ spent_usd: 6, remaining_usd: 0, exceeded_by_usd: 1 });
  });

  test("the rate of a parent counts the calls of all its children, whatever theirs is", async () => {
    const parent = await issue(run, { max_calls_per_minute: 4 });
    const children = [
      await childOf(parent, { max_calls_per_minute: 100 }),
      await childOf(parent, { mode: "observe" }),
    ];
    const replies = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((index) => {
        const child = children[index % 2] ?? parent;
        return index < 3 ? pay(run, child, 100) : read(child);
      }),
    );

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(4);
    for (const reply of replies.filter(({ status }) => status !== 200)) {
      expect(code(reply)).toBe("rate_limited");
      expect(at(reply.json, "error", "message")).toContain(`vault key ${parent.id} allows 4 calls a minute`);
    }
  });

  test.each([
    { allowed_endpoints: ["GET /v1/customers"] },
    { max_daily_usd_cap: 5 },
    { max_total_usd_cap: 5 },
    { max_per_call_usd_cap: 5 },
  ])(
    "an API key with ceilings (%j) issues none that only observes, and one with caps of its own may",
    async (ceiling) => {
      const apiKey = async (json: object) => {
        const made = await ask(run, "POST", "/vault/api-keys", {
          token: run.apiKey,
          json: { name: "observers", scopes: ["issue"], ...json },
        });
        return textAt(made.json, "api_key");
      };
      const observing = {
        vendor: "stripe",
        total_usd_cap: 5,
        daily_usd_cap: 5,
        per_call_usd_cap: 5,
        mode: "observe",
      };
      const issuedWith = (token: string) => ask(run, "POST", "/vault/keys", { token, json: observing });

      const { status, json } = await issuedWith(await apiKey(ceiling));
      expect([status, at(json, "error")]).toMatchObject([403, { code: "wider_than_issuer", field: "mode" }]);
      expect((await issuedWith(await apiKey({ total_usd_cap: 20 }))).status).toBe(201);
    },
  );
});

describe("a key with a rate", () => {
  test("is refused beyond it, whatever it calls, with the seconds to the end of its minute", async () => {
    const key = await issue(run, { max_calls_per_minute: 3 });
    const once = { "Idempotency-Key": `rate-${key.id}` };
    const passed = [await pay(run, key, 100, {}, once), await pay(run, key, 100, {}, once), await read(key)];
    expect(passed.map(({ status }) => status)).toEqual([200, 200, 200]);

    const refused = [await pay(run, key, 100), await read(key), await pay(run, key, 100, {}, once)];
    for (const { status, headers, json } of refused) {
      expect(status).toBe(429);
      expect(headers["keybrake-code"]).toBe("rate_limited");
      const seconds = Number(headers["retry-after"]);
      expect([seconds >= 1, seconds <= 60]).toEqual([true, true]);
      expect(at(json, "error")).toMatchObject({
        code: "rate_limited",
        message: expect.stringContaining(`vault key ${key.id} allows 3 calls a minute`),
      });
    }
    expect(await shown(key)).toMatchObject({ spent_usd: 1, reserved_usd: 0, remaining_usd: 49 });
    expect((await callRows(run, key)).map(({ reason }) => reason)).toEqual([
      "rate_limited",
      "rate_limited",
      "rate_limited",
      null,
      "joined",
      null,
    ]);
  });

  test("of parallel calls as many pass as it may have", async () => {
    const key = await issue(run, { max_calls_per_minute: 10 });
    const replies = await Promise.all(
      Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? read(key) : pay(run, key, 100))),
    );

    expect(replies.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(replies.filter(({ headers }) => headers["keybrake-code"] === "rate_limited")).toHaveLength(20);
  });

  test.each(STRIPE_PACKAGES)("makes %s raise its exception for a rate, once", async (name) => {
    const key = await issue(run, { max_calls_per_minute: 1 });
    const client = clientOf(name, key);
    await client.paymentIntents.create(CHARGE);

    const error = await refusalOf(client.paymentIntents.create(CHARGE));
    expect(error).toMatchObject({ class: "StripeRateLimitError", statusCode: 429, code: "rate_limited" });
    expect(error.message).toContain(`vault key ${key.id} allows 1 call a minute`);
    expect((await callRows(run, key)).map(({ reason }) => reason)).toEqual(["rate_limited", null]);
  });
});
