import { beforeEach, describe, expect, test } from "vitest";
import { recordOutcome } from "../../../lambda/app/proxy/record-outcome.ts";
import { resolveCalls } from "../../../lambda/app/resolve/resolve-calls.ts";
import { NOTHING_KNOWN } from "../../../lambda/domain/audit-fields.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import type { BalanceWrite } from "../../../lambda/domain/balance-write.ts";
import { unclaimed } from "../../../lambda/domain/call/record.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import type { DueCall } from "../../../lambda/ports/due-list.ts";
import { policyNamed } from "../../support/audit-events.ts";
import { MemoryDueList, MemoryEvidence } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { attemptOf, balanceOf, drawOf } from "../../support/vault-facts.ts";

/** Guarantees that the due list is worked off, however much of it there is, and that nothing on it stands in another's way. */

const AT_MS = 1_795_323_600_000;
const AFTER_MS = 300_000;
const RUN_MS = 60_000;

let nowMs: number;
let vault: MemoryVault;
let evidence: MemoryEvidence;
let dueList: MemoryDueList;
let fences: number;
let warned: string[];
let names: number;

beforeEach(() => {
  nowMs = AT_MS + 2 * AFTER_MS;
  vault = new MemoryVault();
  evidence = new MemoryEvidence();
  dueList = new MemoryDueList();
  fences = 0;
  warned = [];
  names = 0;
  isLost = () => false;
});

/** Milliseconds of each page, so that a run ends. */
const run = (msOfPage = 0) => {
  const balances = {
    ...vault.balances,
    fence: (keyId: string, atMs: number) => {
      fences++;
      return vault.balances.fence(keyId, atMs).finally(noteWrites);
    },
  };
  return resolveCalls(
    { afterMs: AFTER_MS, deadlineMs: nowMs + RUN_MS },
    {
      vault: { ...vault, policies: vault.policies, calls: vault.calls, balances },
      evidence,
      dueList: {
        put: (calls) => dueList.put(calls),
        move: (call, dueMs) => dueList.move(call, dueMs),
        remove: (call) => dueList.remove(call),
        due: (byMs, limit) => {
          nowMs += msOfPage;
          return dueList.due(byMs, limit);
        },
      },
      clock: { now: () => nowMs },
      ids: { random: () => `${names++}` },
      pause: async (ms) => {
        nowMs += ms;
      },
      warn: (message) => warned.push(message),
    },
  );
};

let isLost: (write: BalanceWrite) => boolean;
/** The stream tells what was written so far, but for what is lost. */
async function noteWrites(): Promise<void> {
  const writes = vault.state.changes.flatMap(({ change }) => change.written ?? []);
  await evidence.note(writes.filter((write) => !isLost(write)));
}

async function keyNamed(keyId: string): Promise<void> {
  const balance = balanceOf(keyId, {
    caps: { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED },
    issuedAtMs: AT_MS - 1,
    expiresAtMs: AT_MS + 10 ** 9,
  });
  await vault.policies.create(policyNamed(keyId, "run/1"), balance, null);
}

/** A call without idempotency key, whose process died after its draw, or before. */
async function dies(n: number, keyId: string, drew: boolean): Promise<void> {
  const attemptId = `att_${n}`;
  const draw = { ...drawOf(keyId, 100n), attemptId, issuedAtMs: AT_MS, nowMs: AT_MS, callId: `call_${n}` };
  if (drew) await vault.balances.draw(draw);
  const due: DueCall = {
    recordId: `call_${n}`,
    dueMs: nowMs - 1,
    sinceMs: nowMs - 1,
    draw: {
      keyId,
      attemptId,
      issuedAtMs: AT_MS,
      amount: microUsd(100n),
      method: "POST",
      path: "/v1/charges",
    },
  };
  await dueList.put([due]);
}

describe("10,000 calls that died at once", () => {
  test.each([
    ["of one key", 1],
    ["of 1,000 keys", 1_000],
  ])(
    "%s are all finished, with one fence for each key at most",
    async (_, keys) => {
      for (let key = 0; key < keys; key++) await keyNamed(`key_${key}`);
      for (let n = 0; n < 10_000; n++) await dies(n, `key_${n % keys}`, true);
      await noteWrites();

      expect(await run()).toEqual({ finished: 0, unresolved: 10_000, waiting: 0, blocked: 0 });

      expect(fences).toBeLessThanOrEqual(keys);
      expect(await dueList.due(Infinity, 1)).toEqual([]);
      const states = [...vault.state.calls.values()].flatMap(({ attempts }) => Object.values(attempts));
      expect(states).toHaveLength(10_000);
      expect(states.every(({ state }) => state === "unresolved")).toBe(true);
    },
    60_000,
  );

  test("are worked off by run after run, where one has no time for all", async () => {
    await keyNamed("key_0");
    for (let n = 0; n < 1_000; n++) await dies(n, "key_0", true);
    await noteWrites();

    let runs = 0;
    while ((await dueList.due(Infinity, 1)).length > 0) {
      await run(20_000);
      runs++;
    }

    expect(runs).toBe(5);
  });
});

describe("a key whose stream is not told", () => {
  test("holds its own calls and no other's, is waited for once, and is said to be blocked in the end", async () => {
    isLost = ({ keyId, number }) => keyId === "key_lost" && number === 2;
    await keyNamed("key_lost");
    await keyNamed("key_told");
    for (let n = 0; n < 250; n++) await dies(n, "key_lost", true);
    await dies(1_000, "key_told", true);
    await noteWrites();

    const before = nowMs;
    const first = await run();
    expect(first).toEqual({ finished: 0, unresolved: 1, waiting: 250, blocked: 0 });
    expect(nowMs - before).toBeLessThan(10_000);

    nowMs += 1_000_000;
    expect(await run()).toMatchObject({ waiting: 250, blocked: 250 });
    isLost = () => false;
    await noteWrites();
    nowMs += 1_000_000;
    expect(await run()).toMatchObject({ waiting: 0, unresolved: 250, blocked: 0 });
    expect(warned).toEqual([]);
  });
});

test.each([
  [47, 0],
  [48, 1],
])(
  "a draw without a record is decided after %i hours, or counts as blocked once: %i",
  async (hours, blocked) => {
    await keyNamed("key_0");
    await dies(0, "key_0", true);
    await noteWrites();
    nowMs = AT_MS + hours * 3_600_000 - 1;

    expect(await run()).toEqual({ finished: blocked, unresolved: 1 - blocked, waiting: 0, blocked });

    expect(await dueList.due(Infinity, 1)).toEqual([]);
    expect(warned).toEqual(blocked === 0 ? [] : [expect.stringContaining("it stays held")]);
  },
);

test("a slow process whose call the resolver has on record by now puts back what it knows of the request", async () => {
  isLost = () => true;
  await keyNamed("key_0");
  await dies(0, "key_0", true);
  expect(await run()).toMatchObject({ waiting: 1 });

  const own = {
    ...attemptOf({
      attemptId: "att_0",
      amount: microUsd(100n),
      windows: [{ keyId: "key_0", window: 0 }],
      issuedAtMs: AT_MS,
      outcome: null,
    }),
    sought: { to: "+14155550100" },
  };
  const end = {
    record: unclaimed("call_0", own),
    attemptId: "att_0",
    result: { kind: "unknown" } as const,
    facts: () => NOTHING_KNOWN,
    effect: () => null,
    rerunsFailures: false,
  };
  const { record } = await recordOutcome(end, { vault, clock: { now: () => nowMs } });

  expect(record).toMatchObject({ version: 2, status: "unresolved" });
  expect(record.attempts["att_0"]).toMatchObject({ request: own.request, sought: own.sought });
});
