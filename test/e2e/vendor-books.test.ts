import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  balanceOf,
  callRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  startOwn,
} from "../support/keybrake.ts";
import { simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that a call whose answer was lost closes itself by what its vendor's books tell, and that one which was never
 * executed stays unresolved until somebody closes it: with the real bundles, their stream and their schedule.
 */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn({ resolveAfterS: 0 });
});
afterAll(() => run.close());

const simulated = (vendor: string) => simulatorAt(run.vendor(vendor).origin);

/** Lets time pass for the functions, which run in this process. */
function passMs(ms: number): void {
  const now = Date.now;
  Date.now = () => now() + ms;
  onTestFinished(() => {
    Date.now = now;
  });
}

const rowsOf = async (key: Key) =>
  (await callRows(run, key)).map(({ state, by, reason, cost_usd }) => ({ state, by, reason, cost_usd }));
const byBooks = (cost_usd: number) => ({
  state: "settled",
  by: "vendor_books",
  reason: "resolved_by_books",
  cost_usd,
});

test("Stripe's events close a payment whose answer was lost, and count its PaymentIntent", async () => {
  const key = await issue(run);
  await simulated("stripe").fault({ kind: "break_after", method: "POST" });
  const lost = await pay(run, key, 1_500, {}, { "Idempotency-Key": "books-e2e" });
  expect([lost.status, await balanceOf(run, key)]).toEqual([
    502,
    { spent: 0, reserved: 1_500, remaining: 3_500 },
  ]);

  await run.resolveCalls();

  expect(await rowsOf(key)).toEqual([byBooks(15)]);
  expect(await balanceOf(run, key)).toEqual({ spent: 1_500, reserved: 0, remaining: 3_500 });
  const [row] = await callRows(run, key);
  const intent = `${row?.["vendor_object_id"]}`;
  expect(intent).toMatch(/^pi_/);

  // A repeat is the same call, and a later step of the object costs nothing more.
  expect((await pay(run, key, 1_500, {}, { "Idempotency-Key": "books-e2e" })).status).toBe(200);
  const confirmed = await ask(run, "POST", `/stripe/v1/payment_intents/${intent}/confirm`, {
    token: key.token,
    form: { payment_method: "pm_card_visa", return_url: "https://example.com" },
  });
  expect(confirmed.status).toBe(200);
  expect(await balanceOf(run, key)).toEqual({ spent: 1_500, reserved: 0, remaining: 3_500 });
});

test("what was never executed stays held however often the books are asked, until its command", async () => {
  const key = await issue(run);
  await simulated("stripe").fault({ kind: "break_before", method: "POST" });
  const lost = await pay(run, key, 700, {}, { "Idempotency-Key": "books-never" });
  const callId = `${lost.headers["keybrake-call-id"]}`;
  const questions = async () =>
    (await simulated("stripe").requests()).filter((request) => JSON.stringify(request).includes("/v1/events"))
      .length;
  const before = await questions();

  await run.resolveCalls();
  const first = await questions();
  expect(first).toBeGreaterThan(before);
  passMs(120_000);
  await run.resolveCalls();
  expect(await questions()).toBeGreaterThan(first);

  expect(await rowsOf(key)).toMatchObject([{ state: "unresolved", by: null }]);
  expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 700, remaining: 4_300 });
  expect((await auditRows(run, { state: "unresolved" })).map((row) => row["call_id"])).toEqual([callId]);

  const json = { charged: false };
  const closed = await ask(run, "POST", `/vault/calls/${callId}/resolve`, { token: run.apiKey, json });
  expect(closed.status).toBe(200);
  expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 5_000 });
});

test("Twilio's list closes a message that nobody repeated, once it shows whose it is", async () => {
  const key = await issue(run, { vendor: "twilio" });
  const send = (Body: string, To: string) =>
    ask(run, "POST", `/twilio/2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json`, {
      token: key.token,
      form: { From: "+15005550006", To, Body },
    });
  await simulated("twilio").fault({ kind: "break_after", method: "POST" });
  expect((await send("one", "+14155551001")).status).toBe(502);
  // The same again, which got its answer: its message is not the one that is looked for.
  const again = await send("one", "+14155551001");
  await run.drain();

  await run.resolveCalls();

  const rows = await callRows(run, key);
  expect(rows.map(({ state, by }) => [state, by])).toEqual([
    ["settled", null],
    ["settled", "vendor_books"],
  ]);
  expect(rows[0]?.["vendor_object_id"]).toBe(textAt(again.json, "sid"));
  expect(rows[1]?.["vendor_object_id"]).toMatch(/^SM/);
  expect(rows[1]?.["vendor_object_id"]).not.toBe(rows[0]?.["vendor_object_id"]);
});
