import { describe, expect, test } from "vitest";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { type ApplyPorts, applyStops } from "../../../lambda/app/stops/apply-stops.ts";
import { liftStop } from "../../../lambda/app/stops/lift-stop.ts";
import { orderStop } from "../../../lambda/app/stops/order-stop.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { labelMatchOf } from "../../../lambda/domain/label-match.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import type { StopMatcher } from "../../../lambda/domain/stop.ts";
import type { Policy } from "../../../lambda/domain/vault-key.ts";
import { MemoryVault } from "../../support/memory-vault.ts";

/**
 * Guarantees that every key of a stop is revoked and counted once, however the runs that revoke them die, fail, meet or run
 * out of time.
 */

const START = 1_795_323_600_000;
const KEYS = 350;

function world() {
  const vault = new MemoryVault();
  let nowMs = START;
  const clock = { now: () => nowMs };
  let random = 0;
  const ids = { random: (length: number) => `${random++}`.padStart(length, "A") };
  const ports: ApplyPorts = { vault, clock, vendors: ["stripe", "twilio"], warn: () => {} };

  const create = async (label: string | null, change: Partial<Policy> = {}, expiresAtMs = START + 1e6) => {
    const issuedAtMs = START - 1_000 + vault.state.policies.size;
    const keyId = `key_${vault.state.balances.size}`;
    const caps = { daily: microUsd(10n), total: UNCAPPED, perCall: UNCAPPED };
    const policy = {
      keyId,
      secretHash: "h",
      vendor: "stripe",
      credential: "default",
      allowedEndpoints: null,
      limits: { accounts: null, currencies: null, recipients: null, maxRecipients: null },
      mode: "enforce",
      maxCallsPerMinute: null,
      label,
      metadata: {},
      chain: [{ keyId, issuedAtMs }],
      issuerId: "admin",
      issuedAtMs,
      issuedWith: { caps, expiresAtMs },
      ...change,
    } as Policy;
    const balance = {
      keyId,
      issuedAtMs,
      caps,
      leftByWindow: {},
      leftInTotal: UNCAPPED,
      expiresAtMs,
      revokedAtMs: null,
      minuteCalls: null,
      fenceMs: 0,
      writes: 0,
    };
    await vault.policies.create(policy, balance, null);
    return keyId;
  };
  const matcher = (change: Partial<StopMatcher>): StopMatcher => ({
    label: null,
    vendor: null,
    parentId: null,
    apiKeyId: null,
    vendors: null,
    credentials: null,
    ...change,
  });
  const order = (change: Partial<StopMatcher>, reason: string | null = null) =>
    orderStop({ matcher: matcher(change), stopForS: 3_600, reason }, ADMIN, { vault, clock, ids });
  const revoked = () =>
    [...vault.state.balances.values()]
      .filter(({ revokedAtMs }) => revokedAtMs !== null)
      .map(({ keyId }) => keyId);
  const record = (id: string) => vault.state.stopRecords.get(id);
  return { vault, clock, ports, create, order, revoked, record, pass: (ms: number) => (nowMs += ms) };
}

const LATER = START + 1e9;
const RUN = { label: labelMatchOf("run/*") };

describe("the keys of a stop", () => {
  test("are revoked with who and why, and those of other runs, that ended, or that are being issued are not", async () => {
    const { vault, ports, create, order, revoked, record } = world();
    const [one, other] = [await create("run/1"), await create("run/2", { vendor: "twilio" })];
    await create("other/1");
    await create(null);
    await create("run/3", {}, START - 1);
    const own = await create("run/4");
    await vault.balances.revoke({ keyId: own, by: "me", nowMs: START - 5 });
    const half = await create("run/5");
    vault.state.policies.delete(half);

    const { stop } = await order(RUN, "charges twice");
    expect(await applyStops(LATER, ports)).toBe(true);

    expect(revoked().sort()).toEqual([one, other, own].sort());
    expect(vault.state.balances.get(one)?.stoppedBy).toEqual({
      stopId: stop.id,
      by: "admin",
      reason: "charges twice",
    });
    expect(vault.state.balances.get(own)?.stoppedBy).toBeUndefined();
    expect(record(stop.id)).toMatchObject({ keysRevoked: 2, place: null, revokedAtMs: START });
  });

  test("are those below a key, however far, and not that key", async () => {
    const { ports, create, order, revoked } = world();
    const root = await create("run/1");
    const chain = (...keyIds: readonly string[]) => keyIds.map((keyId) => ({ keyId, issuedAtMs: START }));
    const child = await create("run/1", { chain: chain(root, "key_1"), issuerId: root });
    const below = await create("other", { chain: chain(root, child, "key_2"), issuerId: child });
    await order({ parentId: root });
    await applyStops(LATER, ports);
    expect(revoked().sort()).toEqual([child, below].sort());
  });

  test("are all revoked and counted once, whichever write a run dies at", async () => {
    for (let deadAt = 1; deadAt < KEYS; deadAt += 37) {
      const { vault, ports, create, order, revoked, record } = world();
      for (let n = 0; n < KEYS; n++) await create(`run/${n}`);
      const { stop } = await order(RUN);
      let writes = 0;
      const dies =
        <Arguments extends readonly unknown[], T>(write: (...args: Arguments) => Promise<T>) =>
        async (...args: Arguments): Promise<T> => {
          writes += 1;
          if (writes >= deadAt) throw new Error("the process died");
          return write(...args);
        };
      const dying = {
        ...ports,
        vault: {
          ...vault,
          balances: { ...vault.balances, revoke: dies(vault.balances.revoke) },
          stopRecords: { ...vault.stopRecords, save: dies(vault.stopRecords.save) },
        },
      };
      await expect(applyStops(LATER, dying)).rejects.toThrow("the process died");
      expect(revoked().length).toBeLessThan(KEYS);
      expect(record(stop.id)?.revokedAtMs).toBeNull();

      expect(await applyStops(LATER, ports)).toBe(true);
      expect(revoked()).toHaveLength(KEYS);
      expect(record(stop.id)).toMatchObject({ keysRevoked: KEYS, revokedAtMs: START });
    }
  });

  test("are counted once by runs that meet", async () => {
    const { ports, create, order, revoked, record } = world();
    for (let n = 0; n < KEYS; n++) await create(`run/${n}`);
    const { stop } = await order(RUN);
    await Promise.all([applyStops(LATER, ports), applyStops(LATER, ports), applyStops(LATER, ports)]);
    expect(revoked()).toHaveLength(KEYS);
    expect(record(stop.id)?.keysRevoked).toBe(KEYS);
  });

  test("are taken up by the next run where there was no time, which is called at once", async () => {
    const { vault, ports, create, order, revoked, record, pass } = world();
    for (let n = 0; n < KEYS; n++) await create(`run/${n}`);
    const { stop } = await order(RUN);
    const slow = {
      ...vault,
      balances: {
        ...vault.balances,
        revoke: async (...args: Parameters<typeof vault.balances.revoke>) => {
          pass(10);
          return vault.balances.revoke(...args);
        },
      },
    };
    expect(await applyStops(START + 500, { ...ports, vault: slow })).toBe(false);
    const done = record(stop.id)?.keysRevoked ?? 0;
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(KEYS);
    expect(revoked()).toHaveLength(done);
    expect(vault.state.lastStopsWrite?.by).toBe("time");
    expect(await applyStops(LATER, ports)).toBe(true);
    expect(record(stop.id)).toMatchObject({ keysRevoked: KEYS });
  });

  test("of the stop that was ordered last are revoked first, and one that fails holds up no other", async () => {
    const { vault, ports, create, order, revoked, pass } = world();
    const [first, second] = [await create("run/1"), await create("else/1")];
    await order(RUN);
    pass(1);
    await order({ label: labelMatchOf("else/*") });
    const failing = {
      ...vault,
      balances: {
        ...vault.balances,
        revoke: async (revocation: Parameters<typeof vault.balances.revoke>[0]) => {
          if (revocation.keyId === second) throw new Error("throttled");
          return vault.balances.revoke(revocation);
        },
      },
    };
    await expect(applyStops(LATER, { ...ports, vault: failing })).rejects.toThrow("throttled");
    expect(revoked()).toEqual([first]);
    await applyStops(LATER, ports);
    expect(revoked().sort()).toEqual([first, second].sort());
  });
});

describe("a stop that is over", () => {
  test("is taken off, and revokes nothing any more", async () => {
    const { vault, ports, create, order, revoked, pass } = world();
    await create("run/1", {}, START + 1e9);
    await order(RUN);
    pass(3_600_000);
    await applyStops(START + 1e10, ports);
    expect(vault.state.stops.size).toBe(0);
    expect(revoked()).toEqual([]);
  });

  test("by hand is noted as lifted by who took it off", async () => {
    const { vault, ports, order, record } = world();
    const { stop } = await order(RUN);
    await applyStops(LATER, ports);
    await vault.stops.lift({ stopId: stop.id, by: "aws-cli", nowMs: START + 5 });
    await applyStops(LATER, ports);
    expect(record(stop.id)?.lifted).toEqual({ by: "aws-cli", atMs: START });
  });

  test("while its keys are revoked leaves the rest as they are", async () => {
    const { vault, clock, ports, create, order, revoked, record } = world();
    for (let n = 0; n < KEYS; n++) await create(`run/${n}`);
    const { stop } = await order(RUN);
    let revocations = 0;
    const lifting = {
      ...vault,
      balances: {
        ...vault.balances,
        revoke: async (revocation: Parameters<typeof vault.balances.revoke>[0]) => {
          revocations += 1;
          if (revocations === 20)
            await liftStop(stop.id, { by: "admin", isTheirs: () => true }, { vault, clock });
          return vault.balances.revoke(revocation);
        },
      },
    };
    await applyStops(LATER, { ...ports, vault: lifting });
    expect(revoked().length).toBeGreaterThanOrEqual(20);
    expect(revoked().length).toBeLessThan(KEYS);
    expect(record(stop.id)).toMatchObject({ lifted: { by: "admin" }, revokedAtMs: null });
  });
});
