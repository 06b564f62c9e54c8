import { beforeEach, expect, test } from "vitest";
import { wakeResolver } from "../../../lambda/app/resolve/wake-resolver.ts";
import { MemoryDueList } from "../../support/memory-audit.ts";

/** Guarantees that the resolver runs where a call is due, and only there. */

const NOW_MS = 1_795_323_600_000;

let dueList: MemoryDueList;
let wakes: number;
beforeEach(() => {
  dueList = new MemoryDueList();
  wakes = 0;
});

const wake = (put: number) =>
  wakeResolver(put, {
    dueList,
    clock: { now: () => NOW_MS },
    wake: async () => {
      wakes++;
    },
  });
const isDueIn = (ms: number) =>
  dueList.put([{ recordId: "call_1", dueMs: NOW_MS + ms, sinceMs: NOW_MS, draw: null }]);

test.each([
  ["nothing is on the list", null, 0, false],
  ["what is on it is due later", 1, 0, false],
  ["something is due", 0, 0, true],
  ["something has been due for a week", -7 * 86_400_000, 0, true],
  ["something was just put on it, which a look need not show", null, 1, true],
])("%s", async (_, dueInMs, put, isWoken) => {
  if (dueInMs !== null) await isDueIn(dueInMs);

  expect(await wake(put)).toBe(isWoken);

  expect(wakes).toBe(isWoken ? 1 : 0);
});

test("a look or a wake that fails is said, so that an alarm rings", async () => {
  const clock = { now: () => NOW_MS };
  const lost = () => Promise.reject(new Error("lost"));
  await expect(wakeResolver(0, { dueList: { isAnyDue: lost }, clock, wake: lost })).rejects.toThrow("lost");
  await expect(wakeResolver(1, { dueList, clock, wake: lost })).rejects.toThrow("lost");
});
