import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import { ask, auditRows, costOf, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that keys, sums and runs are listed as they are: held against what was issued, against the simulated Stripe's
 * own books, and against the rows of the audit log.
 */

let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  run = await startOwn();
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(() => run.close());

type Row = Readonly<Record<string, unknown>>;
type Parameters = Readonly<Record<string, string>>;

const get = (path: string, parameters: Parameters = {}, token = run.apiKey) =>
  ask(run, "GET", `${path}?${new URLSearchParams(parameters)}`, { token });

/** All rows of a list, page by page. */
async function all(path: string, parameters: Parameters = {}, token = run.apiKey): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let cursor = ""; ; ) {
    const { status, json, text } = await get(path, { ...parameters, ...(cursor && { cursor }) }, token);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
    rows.push(...(listAt(json, "data") as readonly Row[]));
    const next = at(json, "next_cursor");
    if (typeof next !== "string") return rows;
    cursor = next;
  }
}

const idsOf = (rows: readonly Row[]) => rows.map(({ id }) => id);
const revoke = (key: Key) => ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });
const child = async (parent: Key, json: object): Promise<Key> => {
  const reply = await ask(run, "POST", "/vault/keys", { token: parent.token, json });
  return { id: textAt(reply.json, "id"), token: textAt(reply.json, "vault_key") };
};

describe("GET /vault/keys", () => {
  test("shows each key as GET /vault/keys/{id} does, newest first, by status", async () => {
    const label = "states/1";
    const keys = [];
    for (const cap of [1, 2, 3, 4])
      keys.push(await issue(run, { agent_run_label: label, daily_usd_cap: cap }));
    const [active, exhausted, revoked, expiring] = keys as [Key, Key, Key, Key];
    await pay(run, exhausted, 200);
    await revoke(revoked);
    await ask(run, "PATCH", `/vault/keys/${expiring.id}`, { token: run.apiKey, json: { expires_in: "1s" } });
    await run.drain();
    const endsAt = Date.now() + 1_100;
    const by = async (status: string) => idsOf(await all("/vault/keys", { agent_run_label: label, status }));
    await expect.poll(() => by("expired"), { timeout: 10_000 }).toEqual([expiring.id]);
    expect(Date.now()).toBeLessThan(endsAt + 10_000);

    expect(await by("active")).toEqual([active.id]);
    expect(await by("exhausted")).toEqual([exhausted.id]);
    expect(await by("revoked")).toEqual([revoked.id]);
    const listed = await all("/vault/keys", { agent_run_label: label });
    expect(idsOf(listed)).toEqual(idsOf(keys as never).toReversed());
    for (const each of listed) {
      const { expires_in_s: _, ...one } = (await get(`/vault/keys/${each["id"]}`)).json as Row;
      const { expires_in_s: __, ...listedOne } = each;
      expect(listedOne).toEqual(one);
    }
  });

  test("finds keys by vendor, by label, by the beginning of labels and by parent", async () => {
    const labels = ["find/a", "find/b", "find/grüße 😀", "finder/a", "find"];
    const keys = new Map<string, string>();
    for (const label of labels) keys.set(label, (await issue(run, { agent_run_label: label })).id);
    const twilio = await issue(run, { vendor: "twilio", agent_run_label: "find/a" });
    const parent = await issue(run, { agent_run_label: "find/parent" });
    const children = [];
    for (const label of ["find/child", "other/child", undefined])
      children.push(await child(parent, { daily_usd_cap: 1, ...(label && { agent_run_label: label }) }));
    const find = async (parameters: Parameters) => idsOf(await all("/vault/keys", parameters));
    const of = (...wanted: readonly string[]) => wanted.map((label) => keys.get(label));

    expect(await find({ agent_run_label: "find/a" })).toEqual([twilio.id, ...of("find/a")]);
    expect(await find({ agent_run_label: "find/a", vendor: "stripe" })).toEqual(of("find/a"));
    expect(await find({ agent_run_label: "find/grüße 😀" })).toEqual(of("find/grüße 😀"));
    expect(await find({ agent_run_label: "find/g*" })).toEqual(of("find/grüße 😀"));
    expect((await find({ agent_run_label: "find*" })).toSorted()).toEqual(
      [...keys.values(), twilio.id, parent.id, children[0]?.id, children[2]?.id].toSorted(),
    );
    expect(await find({ parent_id: parent.id })).toEqual(children.map(({ id }) => id).toReversed());
    expect(await find({ parent_id: parent.id, agent_run_label: "other/*" })).toEqual([children[1]?.id]);
    expect(await find({ parent_id: "key_none" })).toEqual([]);
    expect(await find({ vendor: "resend" })).toEqual([]);
  });

  test("gives pages of any size, with none missing or doubled while others are issued", async () => {
    const label = "pages/x";
    const before: string[] = [];
    for (let n = 0; n < 25; n++) before.push((await issue(run, { agent_run_label: label })).id);
    const seen: unknown[] = [];
    for (let cursor = ""; ; ) {
      await Promise.all([0, 1, 2].map(() => issue(run, { agent_run_label: label })));
      const { json } = await get("/vault/keys", {
        agent_run_label: label,
        limit: "4",
        ...(cursor && { cursor }),
      });
      seen.push(...idsOf(listAt(json, "data") as readonly Row[]));
      const next = at(json, "next_cursor");
      if (typeof next !== "string") break;
      cursor = next;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(`${id}`))).toEqual(before.toReversed());
  });

  test.each<[string, Parameters, RegExp]>([
    [
      "status",
      { status: "dead" },
      /^status: got "dead"; expected one of: active, exhausted, expired, revoked$/,
    ],
    ["vendor", { vendor: "nobody" }, /^vendor: got "nobody"; expected one of: /],
    ["limit", { limit: "101" }, /^limit: /],
    [
      "label",
      { label: "x" },
      /^label: unknown parameter; expected one of status, vendor, agent_run_label, parent_id/,
    ],
    ["cursor", { cursor: "x" }, /^cursor: got a cursor of another query/],
  ])("refuses a wrong %s by its name", async (field, parameters, message) => {
    const { status, json } = await get("/vault/keys", parameters);
    expect([status, at(json, "error", "field")]).toEqual([400, field]);
    expect(at(json, "error", "message")).toMatch(message);
  });

  test("refuses the cursor of another query", async () => {
    for (let n = 0; n < 2; n++) await issue(run, { agent_run_label: "cursor/1" });
    const { json } = await get("/vault/keys", { agent_run_label: "cursor/1", limit: "1" });
    const cursor = textAt(json, "next_cursor");
    expect((await get("/vault/keys", { agent_run_label: "cursor/1", limit: "50", cursor })).status).toBe(200);
    for (const other of [
      { agent_run_label: "cursor/*" },
      {},
      { agent_run_label: "cursor/1", status: "active" },
    ])
      expect((await get("/vault/keys", { ...other, cursor })).status).toBe(400);
  });
});

describe("an API key with limits", () => {
  const apiKey = async (json: object) => {
    const reply = await ask(run, "POST", "/vault/api-keys", { token: run.apiKey, json });
    return textAt(reply.json, "api_key");
  };

  test("lists only what it reaches, and no sum that is over more than that", async () => {
    const [stripes, twilios] = [
      await issue(run, { agent_run_label: "limits/1" }),
      await issue(run, { vendor: "twilio", agent_run_label: "limits/1" }),
    ];
    await pay(run, stripes, 100);
    await run.drain();
    const reads = await apiKey({ name: "reads", scopes: ["read"], allowed_vendors: ["stripe"] });
    const whole = await apiKey({ name: "whole", scopes: ["read"] });
    const issues = await apiKey({ name: "issues", scopes: ["issue"] });

    const listed = await all("/vault/keys", { agent_run_label: "limits/*" }, reads);
    expect(idsOf(listed)).toEqual([stripes.id]);
    expect(idsOf(await all("/vault/keys", { agent_run_label: "limits/*" }, whole))).toEqual([
      twilios.id,
      stripes.id,
    ]);
    const spend = (parameters: Parameters, token: string) => get("/vault/spend", parameters, token);
    for (const [parameters, status] of [
      [{ group_by: "vendor" }, 200],
      [{ group_by: "day" }, 200],
      [{ group_by: "day", vendor: "twilio" }, 403],
      [{ group_by: "agent_run_label" }, 403],
      [{ group_by: "label_group" }, 403],
      [{ group_by: "day", agent_run_label: "limits/1" }, 403],
      [{ group_by: "key_id", agent_run_label: "limits/1" }, 200],
      [{ group_by: "day", key_id: twilios.id }, 404],
      [{ group_by: "day", key_id: stripes.id }, 200],
    ] as const)
      expect((await spend(parameters, reads)).status, JSON.stringify(parameters)).toBe(status);
    const { json } = await spend({ group_by: "vendor" }, reads);
    expect(listAt(json, "data").map((row) => at(row, "group"))).toEqual(["stripe"]);
    expect((await get("/vault/runs", {}, reads)).status).toBe(403);
    expect((await get("/vault/runs", {}, whole)).status).toBe(200);
    for (const path of ["/vault/keys", "/vault/spend", "/vault/runs"])
      expect(at((await get(path, {}, issues)).json, "error", "code"), path).toBe("scope_missing");
  });
});

describe("sums and runs", () => {
  /** What three runs do: some calls are paid, some are above their caps. */
  const paidCents = new Map<string, number>();
  const denied = new Map<string, number>();
  let keys: readonly Key[];
  let batch: Key;
  let chargedBefore: number;

  beforeAll(async () => {
    await run.drain();
    chargedBefore = await stripe.spentCents();
    const one = await issue(run, { agent_run_label: "spend/a", daily_usd_cap: 10 });
    const two = await issue(run, { agent_run_label: "spend/b", daily_usd_cap: 1 });
    batch = await issue(run, { agent_run_label: "nested:batch", daily_usd_cap: 15 });
    const [first, second] = [
      await child(batch, { agent_run_label: "nested:1", daily_usd_cap: 12 }),
      await child(batch, { agent_run_label: "nested:2", daily_usd_cap: 12 }),
    ];
    keys = [one, two, first, second];
    const labels = ["spend/a", "spend/b", "nested:1", "nested:2"];
    for (const [index, cents] of [
      [0, 300],
      [0, 250],
      [1, 90],
      [1, 90],
      [1, 5],
      [2, 700],
      [3, 700],
      [3, 700],
    ] as const) {
      const key = keys[index];
      if (key === undefined) throw new Error("four keys");
      const { status } = await pay(run, key, cents);
      const label = labels[index] ?? "";
      if (status === 200) paidCents.set(label, (paidCents.get(label) ?? 0) + cents);
      else denied.set(label, (denied.get(label) ?? 0) + 1);
    }
    await run.drain();
  });

  const centsIn = (row: unknown) => Math.round(numberAt(row, "spent_usd") * 100);
  const rowsBy = async (parameters: Parameters) =>
    new Map((await all("/vault/spend", parameters)).map((row) => [`${row["group"]}`, row]));

  test("add up to what the vendor's own books have, by each grouping", async () => {
    const charged = await stripe.spentCents();
    const rows = await auditRows(run, { vendor: "stripe" });
    expect(costOf(rows)).toBe(charged);
    for (const group_by of ["vendor", "day"]) {
      const { json } = await get("/vault/spend", { group_by });
      expect(centsIn(at(json, "total")), group_by).toBe(charged);
      expect(listAt(json, "data").reduce<number>((sum, row) => sum + centsIn(row), 0)).toBe(charged);
      const calls = rows.filter(({ type }) => type === "call");
      expect(numberAt(json, "total", "allowed_calls")).toBe(
        calls.filter((row) => row["decision"] === "allowed").length,
      );
      expect(numberAt(json, "total", "denied_calls")).toBe(
        calls.filter((row) => row["decision"] === "denied").length,
      );
    }
    const mine = [...paidCents.values()].reduce((sum, cents) => sum + cents, 0);
    expect(charged - chargedBefore).toBe(mine);

    const labels = await rowsBy({ group_by: "agent_run_label", agent_run_label: "*" });
    for (const [label, cents] of paidCents) expect(centsIn(labels.get(label)), label).toBe(cents);
    for (const [label, calls] of denied) expect(labels.get(label)?.["denied_calls"], label).toBe(calls);
    const groups = await rowsBy({ group_by: "label_group" });
    expect(centsIn(groups.get("spend"))).toBe(
      (paidCents.get("spend/a") ?? 0) + (paidCents.get("spend/b") ?? 0),
    );
    const ids = await rowsBy({ group_by: "key_id", agent_run_label: "spend/*" });
    expect([...ids.keys()]).toEqual([keys[1]?.id, keys[0]?.id]);
    expect(centsIn(ids.get(keys[0]?.id ?? ""))).toBe(paidCents.get("spend/a"));
    const nested = await rowsBy({ group_by: "key_id", key_id: batch.id });
    expect(centsIn(nested.get(batch.id))).toBe(
      (paidCents.get("nested:1") ?? 0) + (paidCents.get("nested:2") ?? 0),
    );
  });

  test.each(["agent_run_label", "label_group", "key_id", "vendor"])(
    "by %s come page by page",
    async (group_by) => {
      const whole = await all("/vault/spend", { group_by, limit: "100" });
      expect(whole.length).toBeGreaterThan(0);
      expect(await all("/vault/spend", { group_by, limit: "1" })).toEqual(whole);
    },
  );

  test("are of the days that are asked for", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const past = { from: "2026-01-01", to: "2026-02-01" };
    for (const group_by of ["day", "vendor", "agent_run_label", "label_group", "key_id"])
      expect(await all("/vault/spend", { group_by, ...past }), group_by).toEqual([]);
    const [row] = await all("/vault/spend", { agent_run_label: "spend/a" });
    expect([row?.["group"], centsIn(row)]).toEqual([today, paidCents.get("spend/a")]);
  });

  test.each<[Parameters, string]>([
    [{ group_by: "hour" }, "group_by"],
    [{ from: "2026-13-01" }, "from"],
    [{ from: "2026-02-30" }, "from"],
    [{ from: "2026-11-02T00:00:00Z" }, "from"],
    [{ from: "2026-11-02", to: "2026-11-02" }, "from"],
    [{ from: "2026-01-01", to: "2026-11-02" }, "from"],
    [{ group_by: "vendor", agent_run_label: "a" }, "agent_run_label"],
    [{ group_by: "label_group", vendor: "stripe" }, "vendor"],
    [{ group_by: "day", vendor: "stripe", agent_run_label: "a" }, "agent_run_label"],
    [{ group_by: "day", agent_run_label: "a*" }, "agent_run_label"],
    [{ cursor: "e30" }, "cursor"],
  ])("refuse %j by the name of the field", async (parameters, field) => {
    const { status, json } = await get("/vault/spend", parameters);
    expect([status, at(json, "error", "field")]).toEqual([400, field]);
  });

  test("show runs worst first, with what they may still spend", async () => {
    const { json } = await get("/vault/runs", { limit: "100" });
    expect(at(json, "complete")).toBe(true);
    const rows = listAt(json, "data") as readonly Row[];
    const dollars = rows.map((row) => numberAt(row, "spent_usd_5m"));
    expect(dollars).toEqual(dollars.toSorted((one, other) => other - one));
    const of = (group: string, label: string | null) =>
      rows.find((row) => row["label_group"] === group && row["agent_run_label"] === label);

    expect(of("spend", "spend/a")).toMatchObject({
      calls_5m: 2,
      spent_usd_5m: 5.5,
      spent_usd: 5.5,
      exposure_usd: 4.5,
      exposure_complete: true,
      live_keys: 1,
      denied_calls: 0,
    });
    expect(of("spend", "spend/b")).toMatchObject({ calls_5m: 3, denied_calls: 1, exposure_usd: 0.05 });
    expect(of("spend", null)).toMatchObject({ calls_5m: 5, exposure_usd: 4.55, live_keys: 2 });
    // The batch key has a dollar left, so its children have no more together, whatever their own caps leave.
    expect(of("nested", null)).toMatchObject({
      spent_usd: 14,
      exposure_usd: 1,
      live_keys: 3,
      denied_calls: 1,
    });
    expect(of("nested", "nested:2")).toMatchObject({ exposure_usd: 1, live_keys: 1 });
    expect(`${of("spend", null)?.["stop_command"]}`).toContain('{"agent_run_label":"spend/*"}');
    expect(`${of("nested", null)?.["stop_command"]}`).toContain('{"agent_run_label":"nested:*"}');
    expect(Date.parse(`${of("spend", "spend/a")?.["last_call_at"]}`)).toBeGreaterThan(Date.now() - 600_000);

    const one = await get("/vault/runs", { label_group: "spend", limit: "2" });
    expect(listAt(one.json, "data").map((row) => at(row, "agent_run_label"))).toEqual([null, "spend/a"]);
    expect((await get("/vault/runs", { group: "spend" })).status).toBe(400);
  });

  test("show the worst labels of each group where a group has many, and add all up", async () => {
    const all = await get("/vault/runs", { limit: "100" });
    const few = await get("/vault/runs", { labels: "1", limit: "100" });
    const namesIn = (answer: typeof few) =>
      listAt(answer.json, "data").map((row) => [at(row, "label_group"), at(row, "agent_run_label")]);
    const first = new Set<unknown>();
    const expected = namesIn(all).filter(([group, label]) => {
      if (label === null) return true;
      const isFirst = !first.has(group);
      first.add(group);
      return isFirst;
    });

    expect(namesIn(few)).toEqual(expected);
    expect(namesIn(few).length).toBeLessThan(namesIn(all).length);
    const groups = (listAt(all.json, "data") as readonly Row[]).filter(
      (row) => row["agent_run_label"] === null,
    );
    expect(groups.find((row) => row["label_group"] === "spend")).toMatchObject({
      labels: 2,
      stop_label: "spend/*",
    });
    expect(at(few.json, "total", "calls_5m")).toBe(
      groups.reduce((sum, row) => sum + numberAt(row, "calls_5m"), 0),
    );
    expect(at((await get("/vault/runs", { labels: "0", limit: "1" })).json, "total")).toEqual(
      at(all.json, "total"),
    );
    expect((await get("/vault/runs", { labels: "101" })).status).toBe(400);
  });

  test("show that a revoked key has nothing left to spend", async () => {
    await revoke(batch);
    const { json } = await get("/vault/runs", { label_group: "nested" });
    for (const row of listAt(json, "data") as readonly Row[])
      expect([row["exposure_usd"], row["live_keys"], row["exposure_complete"]]).toEqual([0, 0, true]);
  });
});
