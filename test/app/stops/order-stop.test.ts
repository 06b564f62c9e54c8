import { expect, test } from "vitest";
import { ADMIN, type Caller } from "../../../lambda/app/keys/caller.ts";
import { orderStop } from "../../../lambda/app/stops/order-stop.ts";
import { UNCAPPED } from "../../../lambda/domain/balance.ts";
import { STOPS_MAX, type StopMatcher } from "../../../lambda/domain/stop.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { START_MS } from "../../support/vault-facts.ts";

/** Guarantees that nobody can keep the admin from stopping a run. */

const RUN: StopMatcher = {
  label: { kind: "exact", text: "billing/1" },
  vendor: null,
  parentId: null,
  apiKeyId: null,
  vendors: null,
  credentials: null,
};

function ordering() {
  const vault = new MemoryVault();
  let names = 0;
  const ids = { random: (length: number) => `${++names}`.padStart(length, "A") };
  return (caller: Caller) =>
    orderStop({ matcher: RUN, stopForS: 86_400, reason: null }, caller, {
      vault,
      ids,
      clock: { now: () => START_MS },
    });
}

test("stops that an API key ordered leave room for those of the admin", async () => {
  const order = ordering();
  const CAPS = { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED };
  const holder: Caller = {
    id: "ak_1",
    apiKey: {
      apiKeyId: "ak_1",
      name: "a test",
      secretHash: "",
      scopes: ["revoke"],
      vendors: ["stripe"],
      credentials: null,
      ceilings: { caps: CAPS, endpoints: null, expiresInS: null },
      caps: CAPS,
      issuerId: "admin",
      above: [],
      issuedAtMs: START_MS,
    },
  };
  let ordered = 0;
  const all = async (caller: Caller) => {
    for (; ; ordered++) await order(caller);
  };
  await expect(all(holder)).rejects.toMatchObject({ code: "too_many_stops" });
  expect(ordered).toBeLessThanOrEqual(STOPS_MAX - 10);
  await expect(all(ADMIN)).rejects.toMatchObject({ code: "too_many_stops" });
  expect(ordered).toBe(STOPS_MAX);
});
