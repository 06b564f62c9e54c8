import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, auditRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that what happens is told outside: each event after its row, with what to do, and without any secret. */

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

type Event = Readonly<Record<string, unknown>>;

/** The events of this run about a key, oldest first. */
async function eventsOf(keyId: string): Promise<readonly Event[]> {
  await run.drain();
  const { json } = await ask(run, "GET", "/vault/events?limit=100", { token: run.apiKey });
  return (listAt(json, "data") as readonly Event[]).filter((event) => event["key_id"] === keyId).toReversed();
}

const told = (events: readonly Event[]) => events.map((event) => [event["type"], event["threshold_percent"]]);

describe("a cap", () => {
  test("is told of at 80 % and at 100 %, once", async () => {
    const key = await issue(run, { daily_usd_cap: 10, agent_run_label: "events/it's" });
    for (const cents of [700, 99]) await pay(run, key, cents);
    expect(await eventsOf(key.id)).toEqual([]);
    await pay(run, key, 1);
    await pay(run, key, 100);
    expect(told(await eventsOf(key.id))).toEqual([["cap.threshold", 80]]);
    await pay(run, key, 100);
    expect((await pay(run, key, 1)).status).toBe(429);

    const events = await eventsOf(key.id);
    expect(told(events)).toEqual([
      ["cap.threshold", 80],
      ["cap.threshold", 100],
    ]);
    expect(events[0]).toEqual({
      id: `cap.threshold#${key.id}#daily#0#10000000#80`,
      type: "cap.threshold",
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
      key_id: key.id,
      agent_run_label: "events/it's",
      label_group: "events",
      vendor: "stripe",
      cap: "daily",
      threshold_percent: 80,
      cap_usd: 10,
      taken_usd: 8,
      remaining_usd: 2,
      resets_at: expect.stringMatching(/\+00:00$/),
      text: expect.stringContaining(
        `key ${key.id} (events/it's) has reached 80 % of its daily cap: $8.00 of $10.00`,
      ),
      dashboard_url: `${run.baseUrl}/dashboard`,
      stop_command: `curl -sS -X POST '${run.baseUrl}/vault/stops' -H "Authorization: Bearer $KEYBRAKE_API_KEY" -H 'Content-Type: application/json' -d '{"agent_run_label":"events/*"}'`,
    });
  });
});

test("a run that spends more than $100 in a minute is told of once, with what stops all of it", async () => {
  const key = await issue(run, { daily_usd_cap: 1_000, agent_run_label: "dear/1" });
  await issue(run, { daily_usd_cap: 1_000, agent_run_label: "dearer/1" });
  await pay(run, key, 30_000);
  await run.tellOpen();
  await run.tellOpen();
  const { json } = await ask(run, "GET", "/vault/events?limit=100", { token: run.apiKey });
  const events = (listAt(json, "data") as readonly Event[]).filter(({ type }) => type === "spend.rate");
  expect(events).toEqual([
    expect.objectContaining({
      label_group: "dear",
      spent_usd: 300,
      calls: 1,
      threshold_usd_per_minute: 100,
      stop_command: expect.stringContaining('{"agent_run_label":"dear/*"}'),
    }),
  ]);
});

test("a key that was revoked is told of", async () => {
  const key = await issue(run);
  await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });
  const [event, ...others] = await eventsOf(key.id);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ type: "key.revoked", by: "admin", agent_run_label: null });
  expect(event?.["stop_command"]).toBe(
    `curl -sS -X POST '${run.baseUrl}/vault/keys/${key.id}/revoke' -H "Authorization: Bearer $KEYBRAKE_API_KEY"`,
  );
});

describe("GET /vault/events", () => {
  test("asks for an API key with the scope admin", async () => {
    expect((await ask(run, "GET", "/vault/events")).status).toBe(401);
    const reader = await ask(run, "POST", "/vault/api-keys", {
      token: run.apiKey,
      json: { name: "reader", scopes: ["read"] },
    });
    const refused = await ask(run, "GET", "/vault/events", { token: textAt(reader.json, "api_key") });
    expect([refused.status, at(at(refused.json, "error"), "code")]).toEqual([403, "scope_missing"]);
  });

  test("shows the newest first, as many as asked for", async () => {
    const key = await issue(run, { daily_usd_cap: 1 });
    await pay(run, key, 100);
    await auditRows(run);
    const reply = await ask(run, "GET", "/vault/events?limit=1", { token: run.apiKey });
    expect(told(listAt(reply.json, "data") as readonly Event[])).toEqual([["cap.threshold", 100]]);
    expect((await ask(run, "GET", "/vault/events?limit=0", { token: run.apiKey })).status).toBe(400);
    expect((await ask(run, "POST", "/vault/events", { token: run.apiKey })).status).toBe(404);
  });
});
