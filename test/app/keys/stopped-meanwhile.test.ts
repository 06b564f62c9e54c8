import { describe, expect, test } from "vitest";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { issueKey } from "../../../lambda/app/keys/issue-key.ts";
import { changeKey } from "../../../lambda/app/keys/manage-key.ts";
import { applyStops } from "../../../lambda/app/stops/apply-stops.ts";
import { orderStop } from "../../../lambda/app/stops/order-stop.ts";
import { standing } from "../../../lambda/domain/balance.ts";
import { labelMatchOf } from "../../../lambda/domain/label-match.ts";
import { fromUsdCents } from "../../../lambda/domain/money.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { UNLIMITED } from "../../support/unlimited.ts";
import { balanceOf, HOUR_MS, policyOf, START_MS } from "../../support/vault-facts.ts";

/**
 * Guarantees that a stop which is ordered at any moment of an issue or a change, and swept at once, leaves no key of its run that can
 * be used.
 */

const ISSUER = { kind: "admin", id: "admin" } as const;
const NO_SPENDING = { spent: async () => ({ window: fromUsdCents(0n), total: fromUsdCents(0n) }) };
const REQUEST = {
  vendor: "stripe",
  credential: "default",
  caps: { daily: fromUsdCents(5_000n) },
  allowedEndpoints: null,
  limits: UNLIMITED,
  mode: "enforce",
  maxCallsPerMinute: null,
  expiresInS: null,
  label: "run/1",
  metadata: {},
} as const;

/** A vault that does something before the request to it with this number, and counts the requests. */
function interrupted(before: number, act: (vault: MemoryVault) => Promise<unknown>) {
  const vault = new MemoryVault();
  const acting = new MemoryVault(vault.state);
  let requests = 0;
  const watched = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...given: unknown[]) => {
          if (requests++ === before) await act(acting);
          return method.apply(target, given);
        };
      },
    });
  const { policies, balances, stops } = vault;
  const ports = { policies: watched(policies), balances: watched(balances), stops: watched(stops) };
  return { vault: Object.assign(new MemoryVault(vault.state), ports), requests: () => requests };
}

function world(before: number) {
  const clock = { now: () => START_MS };
  let random = 0;
  const ids = { random: (length: number) => `${random++}`.padStart(length, "A") };
  const matcher = {
    label: labelMatchOf("run/*"),
    vendor: null,
    parentId: null,
    apiKeyId: null,
    vendors: null,
    credentials: null,
  };
  const stopAndSweep = async (vault: MemoryVault) => {
    await orderStop({ matcher, stopForS: 3_600, reason: null }, ADMIN, { vault, clock, ids });
    await applyStops(START_MS + HOUR_MS, { vault, clock, vendors: ["stripe"], warn: () => undefined });
  };
  const { vault, requests } = interrupted(before, stopAndSweep);
  const usable = () =>
    [...vault.state.policies.keys()].filter(
      (keyId) => standing(vault.state.balances.get(keyId) ?? null, START_MS) === "active",
    );
  return { vault, requests, usable, ports: { vault, clock, ids, spending: NO_SPENDING } };
}

/** Requests to the vault while a key is issued or changed without any stop. */
const NEVER = 1_000;
const ISSUE = (before: number) => {
  const it = world(before);
  const done = issueKey(REQUEST, ISSUER, null, { ...it.ports, recipientsOf: () => () => false });
  return { ...it, done };
};
const CHANGE = (before: number) => {
  const it = world(before);
  const expired = { issuedAtMs: START_MS - HOUR_MS, expiresAtMs: START_MS - 1 };
  it.vault.state.putBalance(balanceOf("key_1", expired));
  const policy = policyOf("key_1", { label: "run/1", issuedAtMs: expired.issuedAtMs });
  it.vault.state.putListed(policy, expired.expiresAtMs);
  it.vault.state.putPolicy(policy, null);
  const caps = { daily: undefined, total: undefined, perCall: undefined };
  const done = changeKey("key_1", { caps, expiresInS: 60 }, ADMIN, it.ports);
  return { ...it, done };
};

describe.each([
  ["a key is issued", ISSUE],
  ["an expired key gets more time", CHANGE],
])("while %s", async (_, begin) => {
  const quiet = begin(NEVER);
  await quiet.done;
  const moments = Array.from({ length: quiet.requests() }, (_each, moment) => moment);

  test("nothing is refused without a stop", () => {
    expect(moments.length).toBeGreaterThan(2);
    expect(quiet.usable()).toHaveLength(1);
  });

  test.each(moments)("a stop before its request %i leaves no key that can be used", async (moment) => {
    const it = begin(moment);
    const code = await it.done.then(
      () => null,
      (error: { readonly code?: string }) => error.code,
    );
    expect(it.usable()).toEqual([]);
    // Nobody gets the secret of a new key after the stop.
    if (begin === ISSUE) expect(code).toBe("run_stopped");
  });
});
