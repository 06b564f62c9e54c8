import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startBeforeUpstream } from "../support/before-upstream.ts";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy.ts";
import {
  ask,
  balanceOf,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  type Reply,
} from "../support/keybrake.ts";
import { answer, type OwnUpstream } from "../support/own-upstream.ts";

/**
 * Guarantees that what a fault leaves held is back, or listed as unresolved, once the resolver has run: with the real bundles,
 * the real stream, and faults between them and the engine.
 */

let run: OwnRun;
let upstream: OwnUpstream;
let database: FaultProxy;
beforeAll(async () => {
  ({ run, upstream } = await startBeforeUpstream(
    { stripe: "sk_test_resolver" },
    {
      resolveAfterS: 0,
      beforeDynamoDb: async (endpoint) => {
        database = await startFaultProxy(endpoint);
        return database.endpoint;
      },
    },
  ));
});
afterAll(async () => {
  await run.close();
  await database.close();
});

const held = (cents: number, cap = 5000) => ({ spent: 0, reserved: cents, remaining: cap - cents });
const spent = (cents: number, cap = 5000) => ({ spent: cents, reserved: 0, remaining: cap - cents });

/** What was sent, without questions about what became of others. */
const sent = () => upstream.requests.filter(({ method }) => method === "POST").length;

/** No send of a write comes through: what its process knew is gone, as if it had died. */
const DIES = { error: "ValidationException", status: 400 } as const;
const dies = (operation: string, where: string) => database.fail(operation, { ...DIES, where }, 1);
/** An outcome that counts an object is written in a transaction. */
const diesAtItsOutcome = () => dies("TransactWriteItems", "CALL#");

const intent = (amount: number) =>
  answer(200, {
    id: `pi_${amount}`,
    object: "payment_intent",
    amount,
    currency: "usd",
    status: "requires_capture",
  });

async function child(parent: Key, cents: number): Promise<Key> {
  return issue({ ...run, apiKey: parent.token }, { daily_usd_cap: cents / 100 });
}

const statesOf = async (key: Key) =>
  (await callRows(run, key)).map(({ state, reason, by, cost_usd }) => ({ state, reason, by, cost_usd }));

/** Lets time pass for the functions, which run in this process. */
function passMs(ms: number): void {
  const now = Date.now;
  Date.now = () => now() + ms;
  onTestFinished(() => {
    Date.now = now;
  });
}

const GIVE_BACK = '"op":{"S":"back"}';

const REPEATED = { "Idempotency-Key": "resolver-1" };

describe("an attempt whose outcome was never written", () => {
  test.each([
    ["without an idempotency key", {}],
    ["with one", { "Idempotency-Key": "resolver-lost" }],
  ])("%s may have been sent: it is unresolved and stays held", async (_, headers) => {
    const key = await issue(run);
    upstream.next(intent(300));
    diesAtItsOutcome();
    expect((await pay(run, key, 300, {}, headers)).status).toBe(200);

    await run.resolveCalls();

    expect(await balanceOf(run, key)).toEqual(held(300));
    expect(await statesOf(key)).toEqual([
      { state: "unresolved", reason: "no_outcome", by: null, cost_usd: 0 },
    ]);
  });

  test("is joined by a repeat afterwards, which needs no second budget and settles it", async () => {
    const key = await issue(run, { daily_usd_cap: 3 });
    upstream.next(intent(300), intent(300));
    diesAtItsOutcome();
    await pay(run, key, 300, {}, REPEATED);
    const early: Reply = await pay(run, key, 300, {}, REPEATED);
    await run.resolveCalls();

    const late = await pay(run, key, 300, {}, REPEATED);

    expect([early.status, late.status]).toEqual([409, 200]);
    expect(await balanceOf(run, key)).toEqual(spent(300, 300));
  });

  test("and lacks a draw of its chain was never sent: everything is back, on the whole chain", async () => {
    const parent = await issue(run);
    const key = await child(parent, 1000);
    dies("UpdateItem", `KEY#${parent.id}`);
    database.failAlso("PutItem", { ...DIES, where: "CALL#" });
    const before = sent();
    expect((await pay(run, key, 300)).status).toBe(503);

    await run.resolveCalls();

    expect(sent()).toBe(before);
    expect(await balanceOf(run, key)).toEqual(spent(0, 1000));
    expect(await balanceOf(run, parent)).toEqual(spent(0));
    expect(await statesOf(key)).toEqual([
      { state: "released", reason: "never_sent", by: "resolver", cost_usd: 0 },
    ]);
  });

  test("and is free has a row that ends, once its process cannot live any more", async () => {
    const key = await issue(run);
    upstream.next(answer(200, { id: "pi_1", object: "payment_intent" }));
    database.fail("PutItem", { ...DIES, where: "outcome" }, 1);
    await ask(run, "GET", "/stripe/v1/payment_intents/pi_1", { token: key.token });
    await run.tellOpen();
    expect(await statesOf(key)).toMatchObject([{ state: "open" }]);

    passMs(31_000);
    await run.resolveCalls();

    expect(await statesOf(key)).toEqual([{ state: "free", reason: "no_outcome", by: null, cost_usd: 0 }]);
  });
});

describe("a give-back", () => {
  test.each([
    ["that never arrived is sent again", { ...DIES, where: GIVE_BACK }],
    ["of which nobody knows is found out: it was lost", { lost: "never_arrives", where: GIVE_BACK }],
    ["of which nobody knows is found out: it had landed", { lost: "reply_lost", where: GIVE_BACK }],
  ] as const)("%s", async (_, fault) => {
    const key = await issue(run);
    upstream.next(intent(100));
    database.fail("UpdateItem", fault, 1);
    await pay(run, key, 300);

    await run.resolveCalls();
    await run.resolveCalls();

    expect(await balanceOf(run, key)).toEqual(spent(100));
  });
});

describe("a draw of which nobody knows whether it landed is denied, and comes back", () => {
  test.each(["reply_lost", "never_arrives"] as const)("%s", async (lost) => {
    const key = await issue(run);
    database.fail("UpdateItem", { lost, where: '"op":{"S":"draw"}' }, 1);
    // The question whether it landed fails too.
    database.failAlso("GetItem", { ...DIES, where: '"sk":{"S":"BALANCE"}' });
    expect((await pay(run, key, 300)).status).toBe(503);

    await run.resolveCalls();

    expect(await balanceOf(run, key)).toEqual(spent(0));
    expect(await statesOf(key)).toMatchObject([{ state: "denied" }]);
  });
});
