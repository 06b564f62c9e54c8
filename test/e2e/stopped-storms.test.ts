import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dynamoClients } from "../../lambda/adapters/dynamo-clients.ts";
import { DynamoVault } from "../../lambda/adapters/dynamo-vault.ts";
import { randomIds } from "../../lambda/adapters/random-ids.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { NO_CALLS } from "../../lambda/domain/call-rate.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { makeVaultKey } from "../../lambda/domain/vault-key.ts";
import { eventually } from "../support/eventually.ts";
import { at, numberAt, textAt } from "../support/json.ts";
import { ask, type OwnRun, pay, type Reply, startOwn } from "../support/keybrake.ts";
import { type OwnUpstream, startOwnUpstream } from "../support/own-upstream.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** Guarantees that a stop holds while a run does what it can: 200 issuers at once, a key for each call, thousands of keys. */

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
type Body = Readonly<Record<string, unknown>>;

const order = (body: Body): Promise<Reply> => ask(run, "POST", "/vault/stops", { ...admin(), json: body });

async function ordered(body: Body): Promise<string> {
  const reply = await order(body);
  expect([reply.status, reply.text]).toEqual([201, expect.stringContaining('"id"')]);
  return textAt(reply.json, "id");
}

const shown = async (id: string) => (await ask(run, "GET", `/vault/stops/${id}`, admin())).json;

const asks = (body: Body): Promise<Reply> =>
  ask(run, "POST", "/vault/keys", { ...admin(), json: { vendor: "stripe", daily_usd_cap: 50, ...body } });

const codeOf = async (reply: Reply | Promise<Reply>): Promise<string> => {
  const { status, json } = await reply;
  return status < 300 ? `${status}` : `${status} ${at(json, "error", "code")}`;
};

describe("while keys are issued", () => {
  /** Guarantees it for however the issuers and the stop interleave: 200 of them are at every step of their way. */
  test("nobody gets a secret after the stop was acknowledged, and those before are revoked", async () => {
    const group = "storm";
    const answers: { readonly reply: Reply; readonly askedMs: number; readonly answeredMs: number }[] = [];
    let isOver = false;
    const issuer = async (n: number) => {
      for (let turn = 0; !isOver; turn++) {
        const askedMs = performance.now();
        const reply = await asks({ agent_run_label: `${group}/${n}.${turn}` });
        answers.push({ reply, askedMs, answeredMs: performance.now() });
      }
    };
    const issuers = Promise.all(Array.from({ length: 200 }, (_, n) => issuer(n)));
    await eventually(() => expect(answers.length).toBeGreaterThan(150), 60_000);
    const { json } = await order({ agent_run_label: `${group}/*` });
    const stoppedMs = performance.now();
    const after = () => answers.filter(({ askedMs }) => askedMs > stoppedMs).length;
    await eventually(() => expect(after()).toBeGreaterThan(200), 60_000).finally(() => {
      isOver = true;
    });
    await issuers;
    await run.drain();

    const codes = new Set(await Promise.all(answers.map(({ reply }) => codeOf(reply))));
    expect([...codes].sort()).toEqual(["201", "403 run_stopped"]);
    const issued = answers.filter(({ reply }) => reply.status === 201);
    expect(issued.filter(({ askedMs }) => askedMs > stoppedMs)).toEqual([]);
    expect(issued.length).toBeGreaterThan(0);
    const used = await Promise.all(
      issued.slice(-40).map(({ reply }) => {
        const key = { id: textAt(reply.json, "id"), token: textAt(reply.json, "vault_key") };
        return codeOf(pay(run, key, 100));
      }),
    );
    expect(new Set(used)).toEqual(new Set(["401 key_revoked"]));
    const stop = await shown(textAt(json, "id"));
    expect(at(stop, "state")).toBe("in_force");
    expect(numberAt(stop, "keys_revoked")).toBeGreaterThanOrEqual(issued.length);
    expect(at((await order({ agent_run_label: `${group}/*`, dry_run: true })).json, "keys")).toBe(0);
  });

  test("a run that issues a key for every call makes none after the stop", async () => {
    const group = "percall";
    let isOver = false;
    const ends: string[] = [];
    const paid: number[] = [];
    const worker = async (n: number) => {
      while (!isOver) {
        const reply = await asks({ agent_run_label: `${group}/${n}` });
        if (reply.status !== 201) {
          ends.push(await codeOf(reply));
          // As a scheduler does: it tries again and again.
          await delay(5);
          continue;
        }
        const key = { id: textAt(reply.json, "id"), token: textAt(reply.json, "vault_key") };
        if ((await pay(run, key, 100)).status === 200) paid.push(performance.now());
      }
    };
    const workers = Promise.all(Array.from({ length: 20 }, (_, n) => worker(n)));
    await eventually(() => expect(paid.length).toBeGreaterThan(20), 60_000);
    const id = await ordered({ agent_run_label: `${group}/*` });
    await eventually(async () => {
      expect(await shown(id)).toMatchObject({ state: "in_force", in_flight: { calls: 0 } });
    }, 60_000);
    const sweptMs = performance.now();
    const seen = upstream.requests.length;
    const before = ends.length;
    await eventually(() => expect(ends.length).toBeGreaterThan(before + 60), 60_000).finally(() => {
      isOver = true;
    });
    await workers;

    expect(paid.filter((ms) => ms > sweptMs)).toEqual([]);
    expect(upstream.requests.length).toBe(seen);
    expect(new Set(ends)).toEqual(new Set(["403 run_stopped"]));
  });
});

describe("thousands of keys", () => {
  const KEYS = 2_000;

  test("are revoked, and how many is told meanwhile", async () => {
    const group = "thousands";
    const saved = process.env["AWS_ENDPOINT_URL_DYNAMODB"];
    process.env["AWS_ENDPOINT_URL_DYNAMODB"] = run.dynamodbEndpoint;
    const vault = new DynamoVault(dynamoClients(10_000), "keybrake-vault", () => {});
    process.env["AWS_ENDPOINT_URL_DYNAMODB"] = saved;
    const keyIds: string[] = [];
    const caps = { daily: microUsd(1_000_000n), total: UNCAPPED, perCall: UNCAPPED };
    const create = async (n: number) => {
      const { keyId, secretHash } = makeVaultKey(randomIds.random(16), randomIds.random(32));
      const issuedAtMs = Date.now();
      const expiresAtMs = issuedAtMs + 3_600_000;
      const policy = {
        keyId,
        secretHash,
        vendor: "stripe",
        credential: "default",
        allowedEndpoints: null,
        limits: UNLIMITED,
        label: `${group}/${n}`,
        metadata: {},
        chain: [{ keyId, issuedAtMs }],
        issuerId: "admin",
        issuedAtMs,
        issuedWith: { caps, expiresAtMs },
      };
      const balance = {
        keyId,
        issuedAtMs,
        caps,
        leftByWindow: {},
        leftInTotal: UNCAPPED,
        expiresAtMs,
        revokedAtMs: null,
        fenceMs: 0,
        minuteCalls: NO_CALLS,
        writes: 0,
      };
      await vault.policies.create(policy, balance, null);
      keyIds.push(keyId);
    };
    for (let start = 0; start < KEYS; start += 100)
      await Promise.all(Array.from({ length: 100 }, (_, n) => create(start + n)));

    const id = await ordered({ agent_run_label: `${group}/*` });
    const counts: number[] = [];
    await eventually(async () => {
      const stop = await shown(id);
      counts.push(numberAt(stop, "keys_revoked"));
      expect(at(stop, "state")).toBe("in_force");
    }, 60_000);

    expect(counts.at(-1)).toBe(KEYS);
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    for (let start = 0; start < KEYS; start += 100) {
      const balances = await vault.balances.read(keyIds.slice(start, start + 100));
      expect(balances.filter((balance) => balance?.stoppedBy?.stopId !== id)).toEqual([]);
    }
    await run.drain();
    expect(run.announced).toEqual([]);
  });
});
