import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { gate } from "../local/gate.ts";
import { eventually } from "../support/eventually.ts";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import {
  ask,
  auditRows,
  issue,
  type Key,
  type OwnRun,
  pay,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { broken, type OwnUpstream, onceOpened, startOwnUpstream } from "../support/own-upstream.ts";

/**
 * Guarantees that a run can be stopped: from the stop on no key of it is issued, those that exist are revoked, and
 * everybody whom it refuses is told who stopped it and why.
 */

let run: OwnRun;
let upstream: OwnUpstream;
beforeAll(async () => {
  upstream = await startOwnUpstream();
  run = await startOwn({
    vendors: { stripe: { kind: "upstream", origin: upstream.origin, credential: "sk_test_x" } },
  });
});
afterEach(async () => {
  // A stop that a test left in force would stop those after it.
  for (const { id } of await stops()) await ask(run, "DELETE", `/vault/stops/${id}`, admin());
});
afterAll(async () => {
  await run.close();
  await upstream.close();
});

const admin = () => ({ token: run.apiKey });
type Body = Readonly<Record<string, unknown>>;

const order = (body: Body): Promise<Reply> => ask(run, "POST", "/vault/stops", { ...admin(), json: body });

async function ordered(body: Body): Promise<string> {
  const reply = await order(body);
  expect([reply.status, reply.text]).toEqual([201, expect.stringContaining('"id"')]);
  return textAt(reply.json, "id");
}

const shown = async (id: string) => (await ask(run, "GET", `/vault/stops/${id}`, admin())).json;

/** Those in force. */
async function stops(): Promise<readonly { readonly id: string }[]> {
  const { json } = await ask(run, "GET", "/vault/stops?limit=100", admin());
  return listAt(json, "data")
    .filter((stop) => ["revoking", "in_force"].includes(textAt(stop, "state")))
    .map((stop) => ({ id: textAt(stop, "id") }));
}

const asks = (body: Body): Promise<Reply> =>
  ask(run, "POST", "/vault/keys", { ...admin(), json: { vendor: "stripe", daily_usd_cap: 50, ...body } });

const codeOf = async (reply: Reply | Promise<Reply>): Promise<string> => {
  const { status, json } = await reply;
  return status < 300 ? `${status}` : `${status} ${at(json, "error", "code")}`;
};

let made = 0;
/** A label that no other test has. */
const label = (name: string): string => `${name}${made++}/cus`;

describe("a stop", () => {
  test("refuses new keys of its run and revokes the old ones, and no other", async () => {
    const name = label("billing");
    const [key, other] = [await issue(run, { agent_run_label: name }), await issue(run)];
    const id = await ordered({ agent_run_label: name, reason: "charges twice" });

    expect(await codeOf(asks({ agent_run_label: name }))).toBe("403 run_stopped");
    expect(await codeOf(asks({ agent_run_label: `${name}/9` }))).toBe("201");
    expect(await codeOf(asks({}))).toBe("201");
    await run.drain();
    expect(await codeOf(pay(run, key, 100))).toBe("401 key_revoked");
    expect(await codeOf(pay(run, other, 100))).toBe("200");
    expect(await shown(id)).toMatchObject({ state: "in_force", keys_revoked: 1, by: "admin" });
  });

  test("is told with who, why and until when in everything that it refuses", async () => {
    const name = label("told");
    const key = await issue(run, { agent_run_label: name });
    const { json } = await order({ agent_run_label: name, reason: "lädt doppelt ab 🛑", stop_for: "2h" });
    const [id, until] = [textAt(json, "id"), textAt(json, "until")];
    await run.drain();

    const refused = await asks({ agent_run_label: name });
    expect(at(refused.json, "error", "message")).toBe(
      `${id} stops this run: admin ordered it at ${textAt(json, "at")} for agent_run_label "${name}" ("lädt doppelt ab 🛑"); ` +
        `no key is issued until ${until}, or until the stop is lifted with DELETE /vault/stops/${id}`,
    );
    expect(refused.json).toMatchObject({
      error: { stop_id: id, stopped_by: "admin", stop_reason: "lädt doppelt ab 🛑", until },
    });
    const paid = await pay(run, key, 100);
    expect(textAt(paid.json, "error", "message")).toMatch(
      `: admin stopped this run by ${id} ("lädt doppelt ab 🛑"); no key for it is issued until the stop ends or is lifted; nothing was charged`,
    );
    const self = await ask(run, "GET", "/vault/keys/self", { token: key.token });
    expect(self.json).toMatchObject({
      error: { code: "key_revoked", stop_id: id, stopped_by: "admin", stop_reason: "lädt doppelt ab 🛑" },
    });
    const free = await ask(run, "GET", "/stripe/v1/payment_intents/pi_1", { token: key.token });
    expect(textAt(free.json, "error", "message")).toContain(id);
  });

  test("is lifted, and what it revoked stays revoked; a second time changes nothing", async () => {
    const name = label("lifted");
    const key = await issue(run, { agent_run_label: name });
    const id = await ordered({ agent_run_label: name });
    await run.drain();
    const lifted = await ask(run, "DELETE", `/vault/stops/${id}`, admin());
    expect([lifted.status, lifted.json]).toEqual([
      200,
      expect.objectContaining({ state: "lifted", lifted_by: "admin", keys_revoked: 1 }),
    ]);

    expect(await codeOf(asks({ agent_run_label: name }))).toBe("201");
    expect(await codeOf(pay(run, key, 100))).toBe("401 key_revoked");
    const again = await ask(run, "DELETE", `/vault/stops/${id}`, admin());
    expect([again.status, textAt(again.json, "lifted_at")]).toEqual([200, textAt(lifted.json, "lifted_at")]);
  });

  test("ends with its time, to the second, whether anybody took it off or not", async () => {
    const name = label("ends");
    const id = await ordered({ agent_run_label: name, stop_for: "1s" });
    expect(await codeOf(asks({ agent_run_label: name }))).toBe("403 run_stopped");
    await eventually(async () => {
      expect(await codeOf(asks({ agent_run_label: name }))).toBe("201");
    });
    expect(await shown(id)).toMatchObject({ state: "ended", lifted_at: null });
    await run.applyStops();
    expect(await shown(id)).toMatchObject({ state: "ended", lifted_at: null });
  });

  test("is on the audit log with who, why and what for, and so is its end", async () => {
    const group = label("rows").replace("/cus", "");
    const key = await issue(run, { agent_run_label: `${group}/1` });
    const body = { agent_run_label: `${group}/*`, reason: "charges twice", stop_for: "1h" };
    const { json } = await order(body);
    const id = textAt(json, "id");
    await run.drain();
    await ask(run, "DELETE", `/vault/stops/${id}`, admin());
    const common = {
      key_id: id,
      by: "admin",
      reason: "charges twice",
      agent_run_label: `${group}/*`,
      label_group: group,
      metadata: { agent_run_label: `${group}/*`, until: textAt(json, "until") },
      state: null,
    };
    const [resumed, stopped, ...others] = await auditRows(run, { key_id: id });
    expect(others).toEqual([]);
    expect(stopped).toMatchObject({ ...common, type: "run.stopped", at: textAt(json, "at") });
    expect(resumed).toMatchObject({ ...common, type: "run.resumed" });
    const rows = await auditRows(run, { agent_run_label: `${group}/*` });
    expect(rows.map(({ type }) => type)).toEqual(["run.resumed", "key.revoked", "run.stopped", "key.issued"]);
    expect(rows[1]).toMatchObject({ key_id: key.id, by: "admin", reason: `${id}: charges twice` });

    const short = await ordered({ agent_run_label: `${group}/2`, stop_for: "1s" });
    await eventually(async () => {
      await run.applyStops();
      const [ended] = await auditRows(run, { key_id: short });
      expect(ended).toMatchObject({ type: "run.resumed", by: "time" });
    });
  });

  test("is for a key that had expired, as soon as somebody gives it more time", async () => {
    const name = label("expired");
    const key = await issue(run, { agent_run_label: name, expires_in: "1s" });
    await eventually(async () => expect(await codeOf(pay(run, key, 100))).toBe("401 api_key_expired"));
    const id = await ordered({ agent_run_label: name });
    await run.drain();
    expect(await shown(id)).toMatchObject({ state: "in_force", keys_revoked: 0 });

    const extend = ask(run, "PATCH", `/vault/keys/${key.id}`, { ...admin(), json: { expires_in: "1h" } });
    expect(await codeOf(extend)).toBe("403 run_stopped");
    expect(await codeOf(pay(run, key, 100))).toBe("401 key_revoked");
  });

  test.each<[string, (group: string) => Body, (group: string) => Body, (group: string) => Body]>([
    [
      "a beginning of labels",
      (group) => ({ agent_run_label: `${group}/*` }),
      (group) => ({ agent_run_label: `${group}/cus_1` }),
      (group) => ({ agent_run_label: `${group}-2/cus_1` }),
    ],
    [
      "a beginning inside a group's name",
      (group) => ({ agent_run_label: `${group.slice(0, -1)}*` }),
      (group) => ({ agent_run_label: `${group}/cus_1` }),
      (group) => ({ agent_run_label: `x${group}` }),
    ],
    [
      "a unicode label, spelled in one way",
      (group) => ({ agent_run_label: `${group}/größe/東京 🗼*` }),
      (group) => ({ agent_run_label: `${group}/größe/東京 🗼/1` }),
      (group) => ({ agent_run_label: `${group}/gro\u0308ße/東京 🗼/1` }),
    ],
    [
      "a vendor and a label",
      (group) => ({ vendor: "twilio", agent_run_label: group }),
      (group) => ({ vendor: "twilio", agent_run_label: group }),
      (group) => ({ vendor: "stripe", agent_run_label: group }),
    ],
    [
      "a vendor",
      () => ({ vendor: "resend" }),
      () => ({ vendor: "resend", credential: "default" }),
      () => ({ vendor: "twilio" }),
    ],
  ])("is for %s, and for no other key", async (_, stopOf, inside, outside) => {
    const group = label("match").replace("/cus", "");
    const keys = [await issue(run, inside(group)), await issue(run, outside(group))];
    const dry = await order({ ...stopOf(group), dry_run: true });
    expect(dry.json).toMatchObject({ dry_run: true, complete: true });
    expect(numberAt(dry.json, "keys")).toBeGreaterThanOrEqual(1);

    const id = await ordered(stopOf(group));
    expect(await codeOf(asks(inside(group)))).toBe("403 run_stopped");
    expect(await codeOf(asks(outside(group)))).toBe("201");
    await run.drain();
    const states = await Promise.all(
      keys.map(async ({ id: keyId }) =>
        textAt((await ask(run, "GET", `/vault/keys/${keyId}`, admin())).json, "status"),
      ),
    );
    expect(states).toEqual(["revoked", "active"]);
    expect(numberAt(await shown(id), "keys_revoked")).toBe(numberAt(dry.json, "keys"));
  });

  test("is for all keys, those of tomorrow too", async () => {
    const key = await issue(run);
    const id = await ordered({ all: true, stop_for: "30d" });
    expect(await codeOf(asks({ agent_run_label: label("any") }))).toBe("403 run_stopped");
    expect(await codeOf(asks({ vendor: "twilio" }))).toBe("403 run_stopped");
    await run.drain();
    expect(await codeOf(pay(run, key, 100))).toBe("401 key_revoked");
    expect(at(await shown(id), "all")).toBe(true);
  });

  test("is listed with the others, newest first, page by page", async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push(await ordered({ agent_run_label: label("listed") }));
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null && seen.length < ids.length; ) {
      const { json } = await ask(run, "GET", `/vault/stops?limit=2${cursor && `&cursor=${cursor}`}`, admin());
      seen.push(...listAt(json, "data").map((stop) => textAt(stop, "id")));
      const next: unknown = at(json, "next_cursor");
      cursor = typeof next === "string" ? next : null;
    }
    expect(seen.slice(0, ids.length)).toEqual(ids.toReversed());
  });
});

describe("a dry run", () => {
  test("says what a stop would reach, and changes nothing", async () => {
    const group = label("dry").replace("/cus", "");
    const keys: Key[] = [];
    for (const agent_run_label of [`${group}/1`, `${group}/1`, `${group}/2`])
      keys.push(await issue(run, { agent_run_label, daily_usd_cap: 10 }));
    await pay(run, keys[0] as Key, 400);
    await issue(run, { agent_run_label: `${group}/3`, total_usd_cap: 7 });
    const revoked = await issue(run, { agent_run_label: `${group}/4` });
    await ask(run, "POST", `/vault/keys/${revoked.id}/revoke`, admin());

    const reply = await order({ agent_run_label: `${group}/*`, dry_run: true });
    expect([reply.status, reply.json]).toEqual([
      200,
      {
        dry_run: true,
        keys: 4,
        runs: 3,
        exposure_usd: 33,
        in_flight: { calls: 0, usd: 0 },
        complete: true,
      },
    ]);
    expect(await codeOf(asks({ agent_run_label: `${group}/1` }))).toBe("201");
    expect(await codeOf(pay(run, keys[1] as Key, 100))).toBe("200");
  });
});

describe("a request", () => {
  test.each<[string, Body, string]>([
    ["without a criterion", {}, "agent_run_label: missing"],
    ["for all and for a vendor", { all: true, vendor: "stripe" }, "all: got true beside other criteria"],
    ["with all: false", { all: false }, "all: expected true"],
    ["with a misspelt criterion", { agent_run_lable: "x" }, "agent_run_lable: unknown field"],
    ["for every label", { agent_run_label: "*" }, "agent_run_label: expected a label"],
    ["with a star inside", { agent_run_label: "a*b" }, "agent_run_label: expected a label"],
    ["for too long", { all: true, stop_for: "31d" }, "stop_for: got"],
    ["with a long reason", { all: true, reason: "x".repeat(201) }, "reason: expected text"],
    ["with an empty reason", { all: true, reason: "" }, "reason: expected text"],
    ["with a secret as reason", { all: true, reason: "sk_live_abcdefghijklmnop1234" }, "reason: contains"],
    ["for an unknown vendor", { vendor: "stirpe" }, "vendor: got"],
    ["for a key that is none", { parent_id: "key_1" }, "parent_id: expected the id"],
    [
      "for a key that is not there",
      { parent_id: "key_AAAAAAAAAAAAAAAA" },
      "parent_id: expected an id that exists",
    ],
  ])("%s is refused", async (_, body, message) => {
    const reply = await order(body);
    expect(await codeOf(reply)).toBe("400 invalid_request");
    expect(textAt(reply.json, "error", "message")).toContain(message);
  });

  test("for a stop that is not there is 404, by every method; without the API key 401", async () => {
    for (const path of ["/vault/stops/stop_1795862444389AAAAAA", "/vault/stops/nonsense"])
      for (const method of ["GET", "DELETE"])
        expect(await codeOf(ask(run, method, path, admin())), path).toBe("404 not_found");
    const { token } = await issue(run);
    expect(await codeOf(ask(run, "POST", "/vault/stops", { token, json: { all: true } }))).toBe(
      "401 api_key_invalid",
    );
    expect(await codeOf(ask(run, "GET", "/vault/stops?state=x", admin()))).toBe("400 invalid_request");
  });

  test("for one stop too many is refused: every key that is issued reads them all", async () => {
    const group = label("many").replace("/cus", "");
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, n) => ordered({ agent_run_label: `${group}/${n}` })),
    );
    expect(await codeOf(order({ agent_run_label: `${group}/50` }))).toBe("409 too_many_stops");
    await ask(run, "DELETE", `/vault/stops/${ids[0]}`, admin());
    expect(await codeOf(order({ agent_run_label: `${group}/50` }))).toBe("201");
  });
});

describe("the calls of a stopped run", () => {
  test("that are at the vendor are told with their dollars until they have ended", async () => {
    const name = label("flying");
    const [first, second] = [gate(), gate()];
    upstream.next(onceOpened(first.passed), onceOpened(second.passed));
    const keys = [await issue(run, { agent_run_label: name }), await issue(run, { agent_run_label: name })];
    const calls = [pay(run, keys[0] as Key, 1000), pay(run, keys[1] as Key, 250)];
    await eventually(async () => {
      const dry = await order({ agent_run_label: name, dry_run: true });
      expect(dry.json).toMatchObject({ keys: 2, in_flight: { calls: 2, usd: 12.5 } });
    });

    const id = await ordered({ agent_run_label: name });
    await eventually(async () => {
      expect(await shown(id)).toMatchObject({
        state: "in_force",
        calls_since: 0,
        in_flight: { calls: 2, usd: 12.5 },
      });
    });
    first.open();
    expect(await codeOf(calls[0] as Promise<Reply>)).toBe("200");
    await eventually(async () => {
      expect(at(await shown(id), "in_flight")).toEqual({ calls: 1, usd: 2.5 });
    });
    second.open();
    expect(await codeOf(calls[1] as Promise<Reply>)).toBe("200");
    await eventually(async () => {
      expect(await shown(id)).toMatchObject({ calls_since: 0, in_flight: { calls: 0, usd: 0 } });
    });
  });

  test("that end without a known outcome stay there as unresolved", async () => {
    const name = label("unresolved");
    upstream.next(broken(true));
    const key = await issue(run, { agent_run_label: name });
    expect(await codeOf(pay(run, key, 700))).toBe("502 vendor_connection_broken");
    const id = await ordered({ agent_run_label: name });
    await run.drain();
    expect(await shown(id)).toMatchObject({
      in_flight: { calls: 0, usd: 0 },
      unresolved: { calls: 1, usd: 7 },
    });
  });
});
