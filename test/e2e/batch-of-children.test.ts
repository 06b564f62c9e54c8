import { afterAll, beforeAll, expect, test } from "vitest";
import { textAt } from "../support/json.ts";
import { ask, balanceOf, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { simulatorAt } from "../support/simulator.ts";

/** Guarantees that a batch stops at the cap of its key, however many children are made of it. */

const confirmed = { confirm: "true", payment_method: "pm_card_visa" };

let run: OwnRun;
beforeAll(async () => {
  run = await startOwn();
});
afterAll(() => run.close());

test("a thousand children of one batch key in parallel spend what the batch has, and not a cent more", async () => {
  const CHILDREN = 1_000;
  const AT_ONCE = 50;
  const upstream = simulatorAt(run.vendor("stripe").origin);
  const before = await upstream.spentCents();
  const batch = await issue(run, { daily_usd_cap: 150 });
  const statuses: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next++ < CHILDREN) {
      const json = { daily_usd_cap: 35 };
      const child = await ask(run, "POST", "/vault/keys", { token: batch.token, json });
      const key = { id: textAt(child.json, "id"), token: textAt(child.json, "vault_key") };
      statuses.push((await pay(run, key, 100, confirmed)).status);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));

  expect(statuses.filter((status) => status === 200)).toHaveLength(150);
  expect(statuses.filter((status) => status === 429)).toHaveLength(CHILDREN - 150);
  expect((await upstream.spentCents()) - before).toBe(15_000);
  expect(await balanceOf(run, batch)).toEqual({ spent: 15_000, reserved: 0, remaining: 0 });
});
