import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { gate } from "../local/gate.ts";
import { eventually } from "../support/eventually.ts";
import { at, textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  balanceOf,
  callRows,
  costOf,
  issue,
  type Keybrake,
  pay,
} from "../support/keybrake.ts";
import { type OwnUpstream, onceOpened, paymentIntent, startOwnUpstream } from "../support/own-upstream.ts";
import { simulatorAt } from "../support/simulator.ts";
import { killAllStarted, type Started, start } from "../support/start.ts";
import { headerOf, stripeClient } from "../support/stripe-node.ts";

/**
 * Guarantees that nothing is lost when the process ends in any way, with calls in progress, and starts again on the
 * same file.
 */

let folder: string;
let upstream: OwnUpstream;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-restart-"));
  upstream = await startOwnUpstream();
});
afterEach(async () => {
  await killAllStarted();
  upstream.forget();
});
afterAll(async () => {
  await upstream.close();
  await rm(folder, { recursive: true });
});

/** Waits until the audit log has as many rows of calls as were made, and none is missing an outcome that has come. */
const settledRows = (run: Keybrake, key: { readonly id: string; readonly token: string }, count: number) =>
  eventually(async () => {
    const rows = await callRows(run, key);
    expect(rows).toHaveLength(count);
    return rows;
  });

const named = (name: string) => ({ "Idempotency-Key": name });

describe.each([
  ["at the root", {}],
  ["under a stage", { KEYBRAKE_STAGE: "prod" }],
] as const)("%s", (where, stage: Readonly<Record<string, string>>) => {
  const environment = (name: string) => ({
    KEYBRAKE_DATA: join(folder, `${name} ${where}`),
    KEYBRAKE_STRIPE_ORIGIN: upstream.origin,
    KEYBRAKE_RESOLVE_AFTER_S: "1",
    ...stage,
  });

  test("killed with calls under way and started again: balances, rows and keys are those of before, and a repeat charges nothing new", async () => {
    const settings = environment("killed");
    const first = await start(settings);
    const port = new URL(first.baseUrl).port;
    const key = await issue(first, { daily_usd_cap: 10, agent_run_label: "restart/1" });
    for (const index of [0, 1, 2]) await pay(first, key, 100, {}, named(`done-${index}`));
    expect((await pay(first, key, 900)).status).toBe(429);

    const door = gate();
    upstream.next(onceOpened(door.passed), onceOpened(door.passed));
    const cut = [3, 4].map((index) => pay(first, key, 100, {}, named(`cut-${index}`)).catch(() => "cut off"));
    await eventually(() => expect(upstream.requests).toHaveLength(5));
    expect(await first.kill("SIGKILL")).toBeNull();
    door.open();
    expect(await Promise.all(cut)).toEqual(["cut off", "cut off"]);

    const second = await start({ ...settings, PORT: port });
    expect(second.baseUrl).toBe(first.baseUrl);

    const rows = await settledRows(second, key, 6);
    expect([...rows].reverse().map(({ state }) => state)).toEqual([
      "settled",
      "settled",
      "settled",
      "denied",
      "open",
      "open",
    ]);
    // What is reserved and what is spent is told apart by the audit log, which follows by a moment.
    await eventually(async () =>
      expect(await balanceOf(second, key)).toEqual({ spent: 300, reserved: 200, remaining: 500 }),
    );

    for (const index of [0, 1, 2]) {
      upstream.next(paymentIntent({ "Idempotent-Replayed": "true" }));
      expect((await pay(second, key, 100, {}, named(`done-${index}`))).status).toBe(200);
    }
    // Of these nobody knows the outcome: as long as their process could live, a repeat has to wait.
    for (const index of [3, 4]) {
      const early = await pay(second, key, 100, {}, named(`cut-${index}`));
      expect([early.status, at(early.json, "error", "code")]).toEqual([409, "idempotency_key_in_use"]);
    }
    expect(upstream.requests).toHaveLength(8);
    expect((await balanceOf(second, key)).remaining).toBe(500);
    expect((await pay(second, key, 501)).status).toBe(429);
    expect((await pay(second, key, 500)).status).toBe(200);
    await settledRows(second, key, 13);
    expect(await auditRows(second, { agent_run_label: "restart/1" })).toHaveLength(14);
  });
});

test("stopped in good order with calls under way: they are finished first, and nothing is open afterwards", async () => {
  const settings = { KEYBRAKE_DATA: join(folder, "stopped"), KEYBRAKE_STRIPE_ORIGIN: upstream.origin };
  const first = await start(settings);
  const key = await issue(first, { daily_usd_cap: 10 });
  const door = gate();
  upstream.next(onceOpened(door.passed));
  const underWay = pay(first, key, 700);
  await eventually(() => expect(upstream.requests).toHaveLength(1));

  const ended = first.kill("SIGTERM");
  door.open();

  expect((await underWay).status).toBe(200);
  expect(await ended).toBe(0);
  const second = await start(settings);
  await eventually(async () =>
    expect(await balanceOf(second, key)).toEqual({ spent: 700, reserved: 0, remaining: 300 }),
  );
  expect((await callRows(second, key)).map(({ state }) => state)).toEqual(["settled"]);
  expect(await second.kill("SIGINT")).toBe(0);
});

test("killed many times in the middle of parallel calls: what was charged never passes what is counted, nor that the cap", async () => {
  const settings = { KEYBRAKE_DATA: join(folder, "many"), KEYBRAKE_STRIPE_ORIGIN: upstream.origin };
  let run: Started = await start(settings);
  const key = await issue(run, { total_usd_cap: 30 });
  let answered = 0;
  for (let round = 0; round < 2; round++) {
    const calls = Array.from({ length: 25 }, () =>
      pay(run, key, 100).then(
        ({ status }) => {
          if (status === 200 || status === 429) answered += 1;
        },
        () => {},
      ),
    );
    await Promise.race(calls);
    await run.kill("SIGKILL");
    await Promise.all(calls);
    run = await start(settings);
  }

  const charged = upstream.requests.length * 100;
  const { remaining } = await balanceOf(run, key);
  expect(charged).toBeLessThanOrEqual(3000 - remaining);
  expect(charged).toBeLessThanOrEqual(3000);
  await eventually(async () => {
    const rows = await callRows(run, key);
    expect(rows.length).toBeGreaterThanOrEqual(answered);
    expect(costOf(rows)).toBeLessThanOrEqual(charged);
    const balance = await balanceOf(run, key);
    expect(balance.spent).toBe(costOf(rows));
    expect(balance.spent + balance.reserved + balance.remaining).toBe(3000);
  });
});

test("a second start on the same data is refused clearly while the first one goes on", async () => {
  const settings = { KEYBRAKE_DATA: join(folder, "twice"), KEYBRAKE_STRIPE_ORIGIN: upstream.origin };
  const first = await start(settings);

  await expect(start(settings)).rejects.toThrow(
    /ended with 1: keybrake cannot start: .*twice is in use by process \d+/,
  );

  expect((await pay(first, await issue(first), 100)).status).toBe(200);
});

test("a run without a data file begins anew, and a key of before is unknown to it", async () => {
  const first = await start();
  const key = await issue(first);
  await first.kill("SIGTERM");

  const second = await start();

  const { status, json } = await pay(second, key, 100);
  expect([status, at(json, "error", "code")]).toEqual([401, "key_unknown"]);
});

describe("under KEYBRAKE_STAGE=prod", () => {
  let run: Started;
  const begin = async () => {
    run = await start({ KEYBRAKE_STAGE: "prod" });
    expect(run.baseUrl).toMatch(/\/prod$/);
  };

  test("a key's base_url has the stage in it, stripe-node works behind it, and its cap holds", async () => {
    await begin();
    const issued = await ask(run, "POST", "/vault/keys", {
      token: run.apiKey,
      json: { vendor: "stripe", daily_usd_cap: 5 },
    });
    expect(textAt(issued.json, "base_url")).toBe(`${run.baseUrl}/stripe`);
    const client = stripeClient("stripe", "prefix", run.baseUrl, textAt(issued.json, "vault_key"));

    const intent = await client.paymentIntents.create({ amount: 500, currency: "usd" });
    expect(headerOf(intent, "keybrake-remaining-usd")).toBe("0");
    await expect(client.paymentIntents.create({ amount: 1, currency: "usd" })).rejects.toMatchObject({
      type: "StripeRateLimitError",
      code: "spend_cap_exceeded",
    });
    expect(await simulatorAt(run.simulatorOrigin ?? "").spentCents()).toBe(500);
  });

  test("what is not under the stage is Forbidden, as a deployed API has it, and reaches nobody", async () => {
    await begin();
    const key = await issue(run);
    const outside: Keybrake = { ...run, baseUrl: new URL(run.baseUrl).origin };

    for (const path of [
      "/stripe/v1/payment_intents",
      "/v1/payment_intents",
      "/production/v1/payment_intents",
      "/PROD/v1/payment_intents",
      "/",
    ]) {
      const reply = await ask(outside, "POST", path, {
        token: key.token,
        form: { amount: "100", currency: "usd" },
      });
      expect([path, reply.status, reply.json]).toEqual([path, 403, { message: "Forbidden" }]);
    }
    const inside = await ask(run, "POST", "/v1/payment_intents", {
      token: key.token,
      form: { amount: "100", currency: "usd" },
    });
    expect(inside.status).toBe(200);
    expect(await simulatorAt(run.simulatorOrigin ?? "").spentCents()).toBe(100);
  });
});
