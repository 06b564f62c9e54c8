import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gate } from "../local/gate.ts";
import { cli, variablesOf } from "../support/cli.ts";
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
  startOwn,
} from "../support/keybrake.ts";
import { answer, broken, type OwnUpstream, onceOpened, startOwnUpstream } from "../support/own-upstream.ts";

/**
 * Guarantees that a call whose outcome nobody knows is closed by whoever has looked it up, and by nobody else: at the price
 * that they name, once, with their name on its row.
 */

let run: OwnRun;
let upstream: OwnUpstream;
beforeAll(async () => {
  upstream = await startOwnUpstream();
  run = await startOwn({
    vendors: { stripe: { kind: "upstream", origin: upstream.origin, credential: "sk_test_x" } },
  });
});
afterAll(async () => {
  await run.close();
  await upstream.close();
});

const admin = () => ({ token: run.apiKey });

const resolve = (callId: string, json: unknown, token = run.apiKey): Promise<Reply> =>
  ask(run, "POST", `/vault/calls/${callId}/resolve`, { token, json });

const codeOf = ({ status, json }: Reply): string =>
  status < 300 ? `${status}` : `${status} ${at(json, "error", "code")}`;

/** A call of $10 whose connection broke after it was sent. */
async function unresolved(
  headers: Readonly<Record<string, string>> = {},
): Promise<{ key: Key; callId: string }> {
  const key = await issue(run);
  upstream.next(broken(false));
  const reply = await pay(run, key, 1000, {}, headers);
  expect(codeOf(reply)).toBe("502 vendor_connection_broken");
  expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 1000, remaining: 4000 });
  return { key, callId: `${reply.headers["keybrake-call-id"]}` };
}

describe("an unresolved call", () => {
  test.each([
    [
      "charged, at what was reserved",
      { charged: true },
      "settled",
      10,
      { spent: 1000, reserved: 0, remaining: 4000 },
    ],
    [
      "charged for less",
      { charged: true, amount_usd: 7.5 },
      "settled",
      7.5,
      { spent: 750, reserved: 0, remaining: 4250 },
    ],
    [
      "charged for more",
      { charged: true, amount_usd: "12.50" },
      "settled",
      12.5,
      { spent: 1250, reserved: 0, remaining: 3750 },
    ],
    [
      "charged for nothing",
      { charged: true, amount_usd: 0 },
      "settled",
      0,
      { spent: 0, reserved: 0, remaining: 5000 },
    ],
    ["not charged", { charged: false }, "released", 0, { spent: 0, reserved: 0, remaining: 5000 }],
  ])("is closed by hand: %s; the same word again changes nothing", async (_, body, state, cost, balance) => {
    const { key, callId } = await unresolved();

    const reply = await resolve(callId, body);
    expect([reply.status, reply.json]).toEqual([
      200,
      { call_id: callId, state, reserved_usd: 10, cost_usd: cost, by: "admin" },
    ]);
    expect(await balanceOf(run, key)).toEqual(balance);
    expect((await resolve(callId, body)).json).toEqual(reply.json);
    expect(await balanceOf(run, key)).toEqual(balance);
    expect(await callRows(run, key)).toMatchObject([
      {
        state,
        cost_usd: cost,
        overrun: cost > 10,
        by: "admin",
        reason: "resolved_by_hand",
        reserved_usd: 10,
      },
    ]);
    const other = body.charged ? { charged: false } : { charged: true };
    expect(codeOf(await resolve(callId, other))).toBe("409 nothing_unresolved");
  });

  test("is closed once by many at the same time", async () => {
    const { key, callId } = await unresolved();
    const replies = await Promise.all(Array.from({ length: 8 }, () => resolve(callId, { charged: false })));

    expect(new Set(replies.map(codeOf))).toEqual(new Set(["200"]));
    expect(await balanceOf(run, key)).toEqual({ spent: 0, reserved: 0, remaining: 5000 });
  });

  test("is not closed while a repeat of it is in flight, whose answer tells", async () => {
    const { key, callId } = await unresolved({ "Idempotency-Key": "by-hand-1" });
    const arrived = gate();
    const opened = gate();
    upstream.next(async (response, request) => {
      arrived.open();
      await onceOpened(opened.passed)(response, request);
    });
    const repeat = pay(run, key, 1000, {}, { "Idempotency-Key": "by-hand-1" });
    await arrived.passed;

    expect(codeOf(await resolve(callId, { charged: false }))).toBe("409 call_in_flight");
    opened.open();
    expect((await repeat).status).toBe(200);
    const late = await resolve(callId, { charged: false });
    expect(codeOf(late)).toBe("409 nothing_unresolved");
    expect(textAt(late.json, "error", "message")).toContain("it is settled at $10.00");
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 0, remaining: 4000 });
  });

  test("that was called not charged is counted when a repeat shows that it was", async () => {
    const { key, callId } = await unresolved({ "Idempotency-Key": "by-hand-2" });
    expect((await resolve(callId, { charged: false })).status).toBe(200);
    upstream.next(
      answer(
        200,
        { id: "pi_late", object: "payment_intent", amount: 1000, currency: "usd" },
        { "Idempotent-Replayed": "true" },
      ),
    );

    expect((await pay(run, key, 1000, {}, { "Idempotency-Key": "by-hand-2" })).status).toBe(200);
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 0, remaining: 4000 });
  });

  test("counts for the object that its path names, so that it is not counted twice", async () => {
    const key = await issue(run);
    const intent = { id: "pi_elsewhere", object: "payment_intent", amount: 1000, currency: "usd" };
    upstream.next(answer(200, intent), broken(false));
    const reply = await post(run, key, "/v1/payment_intents/pi_elsewhere/confirm");
    expect(codeOf(reply)).toBe("502 vendor_connection_broken");
    await resolve(`${reply.headers["keybrake-call-id"]}`, { charged: true });

    upstream.next(answer(200, intent), answer(200, { ...intent, amount_received: 1000 }));
    await post(run, key, "/v1/payment_intents/pi_elsewhere/capture");
    expect(await balanceOf(run, key)).toEqual({ spent: 1000, reserved: 0, remaining: 4000 });
  });
});

describe("refused is", () => {
  test.each([
    ["an unknown call", "call_00000000000000000000", { charged: true }, "404 not_found"],
    ["what is no id of a call", "key_1", { charged: true }, "404 not_found"],
    ["a body without `charged`", "call_1", {}, "400 invalid_request"],
    ["`charged` that is no boolean", "call_1", { charged: "yes" }, "400 invalid_request"],
    ["an amount of what was not charged", "call_1", { charged: false, amount_usd: 1 }, "400 invalid_request"],
    ["an amount below zero", "call_1", { charged: true, amount_usd: -1 }, "400 invalid_request"],
    ["a field that there is not", "call_1", { charged: true, amount: 1 }, "400 invalid_request"],
  ])("%s", async (_, callId, body, expected) => {
    expect(codeOf(await resolve(callId, body))).toBe(expected);
  });

  test("a call that was settled by its own answer", async () => {
    const key = await issue(run);
    const paid = await pay(run, key, 500);
    expect(codeOf(await resolve(`${paid.headers["keybrake-call-id"]}`, { charged: true }))).toBe(
      "409 nothing_unresolved",
    );
  });

  test("an API key without the scope; one with it stands on the row", async () => {
    const made = async (scopes: readonly string[]) =>
      (await ask(run, "POST", "/vault/api-keys", { ...admin(), json: { name: "x", scopes } })).json;
    const [reading, closing] = [await made(["read", "revoke", "issue"]), await made(["admin"])];
    const { key, callId } = await unresolved();

    const refused = await resolve(callId, { charged: true }, textAt(reading, "api_key"));
    expect(codeOf(refused)).toBe("403 scope_missing");
    const closed = await resolve(callId, { charged: false }, textAt(closing, "api_key"));
    expect(closed.json).toMatchObject({ state: "released", by: textAt(closing, "id") });
    expect(await callRows(run, key)).toMatchObject([{ by: textAt(closing, "id") }]);
  });
});

test("an operator lists what is left, page by page, and closes each from the command line", async () => {
  const key = await issue(run, { agent_run_label: "left/1" });
  const ids: string[] = [];
  for (const [index, cents] of [100, 200, 300, 400, 500].entries()) {
    if (index % 2 === 0) upstream.next(broken(false));
    const reply = await pay(run, key, cents);
    if (index % 2 === 0) ids.push(`${reply.headers["keybrake-call-id"]}`);
  }
  const left = async () =>
    (await auditRows(run, { state: "unresolved", limit: "1" })).map((row) => row["call_id"]);
  expect(await left()).toEqual(ids.toReversed());

  const environment = variablesOf(run);
  const listed = await cli(["audit", "--state", "unresolved", "--json"], environment);
  for (const id of ids) expect(listed.stdout).toContain(id);
  const [first = "", second = "", third = ""] = ids;
  expect(await cli(["resolve", first, "--charged"], environment)).toMatchObject({
    code: 0,
    stdout: `${first} settled: $1.00 of $1.00 that were held\n`,
  });
  expect(await cli(["resolve", second, "--charged", "--amount", "2.5"], environment)).toMatchObject({
    code: 0,
    stdout: `${second} settled: $2.50 of $3.00 that were held\n`,
  });
  expect(await cli(["resolve", third, "--not-charged"], environment)).toMatchObject({
    code: 0,
    stdout: `${third} released: $5.00 went back\n`,
  });
  expect(await cli(["resolve", third, "--charged"], environment)).toMatchObject({ code: 3 });
  for (const wrong of [[], ["--charged", "--not-charged"], ["--not-charged", "--amount", "1"]])
    expect(await cli(["resolve", third, ...wrong], environment)).toMatchObject({ code: 2 });

  expect(await left()).toEqual([]);
  expect(await balanceOf(run, key)).toEqual({ spent: 950, reserved: 0, remaining: 4050 });
});
