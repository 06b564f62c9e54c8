import { expect, test } from "vitest";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { issueKey } from "../../../lambda/app/keys/issue-key.ts";
import { listKeys } from "../../../lambda/app/keys/list-keys.ts";
import type { KeyStatus } from "../../../lambda/domain/key-status.ts";
import { fromUsdCents } from "../../../lambda/domain/money.ts";
import { UNLIMITED } from "../../support/unlimited.ts";
import { deployment } from "./deployment.ts";

const REQUEST = {
  vendor: "stripe",
  credential: "default",
  caps: { daily: fromUsdCents(5_000n) },
  allowedEndpoints: null,
  limits: UNLIMITED,
  mode: "enforce",
  maxCallsPerMinute: null,
  label: "run/1",
  metadata: {},
} as const;

/** Guarantees that a fan-out with thousands of expired keys does not make the list of those that can be used dear. */
test.each<readonly [KeyStatus | null, number, number]>([
  ["active", 2, 2],
  ["exhausted", 0, 2],
  ["expired", 6, 8],
  [null, 8, 8],
])("a list of keys that are %s has %d, and reads %d balances", async (status, listed, read) => {
  const { now, ports } = deployment();
  const issue = async (count: number, expiresInS: number) => {
    for (let n = 0; n < count; n++)
      await issueKey({ ...REQUEST, expiresInS }, { kind: "admin", id: "admin" }, null, ports);
  };
  await issue(6, 60);
  now.ms += 3_600_000;
  await issue(2, 60);
  const balances: string[] = [];
  const { vault } = ports;
  const watched = {
    ...vault.balances,
    read: (ids: readonly string[]) => {
      balances.push(...ids);
      return vault.balances.read(ids);
    },
  };
  const query = { status, vendor: null, label: null, parentId: null, limit: 50, before: null };
  const { keys, next } = await listKeys(
    query,
    { vendors: ["stripe"], caller: ADMIN },
    { ...ports, vault: { ...vault, balances: watched } },
  );
  expect([keys.length, next, balances.length]).toEqual([listed, null, read]);
});
