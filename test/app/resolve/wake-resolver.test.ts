import { beforeEach, expect, test } from "vitest";
import { wakeResolver } from "../../../lambda/app/resolve/wake-resolver.ts";
import { MemoryDueList } from "../../support/memory-audit.ts";

/** Guarantees that the resolver runs where a call is due, and only there, and that somebody hears where it does not. */

const NOW_MS = 1_795_323_600_000;
const clock = { now: () => NOW_MS };

let dueList: MemoryDueList;
let wakes: number;
beforeEach(() => {
  dueList = new MemoryDueList();
  wakes = 0;
});

const woken = () =>
  wakeResolver({
    dueList,
    clock,
    wake: async () => {
      wakes++;
    },
  });
const isDueIn = (ms: number) =>
  dueList.put([{ recordId: "call_1", dueMs: NOW_MS + ms, sinceMs: NOW_MS, draw: null }]);

test.each([
  ["nothing is on the list", null, false],
  ["what is on it is due later", 1, false],
  ["something is due", 0, true],
  ["something has been due for a while", -29 * 60_000, true],
])("%s", async (_, dueInMs, isWoken) => {
  if (dueInMs !== null) await isDueIn(dueInMs);

  expect(await woken()).toBe(isWoken);

  expect(wakes).toBe(isWoken ? 1 : 0);
});

test("what stays due though it is woken is said, so that an alarm rings, and it is woken again", async () => {
  await isDueIn(-31 * 60_000);

  await expect(woken()).rejects.toThrow("half an hour");

  expect(wakes).toBe(1);
});

test("a look or a wake that fails is said, so that an alarm rings", async () => {
  const lost = () => Promise.reject(new Error("lost"));
  await expect(wakeResolver({ dueList: { isAnyDue: lost }, clock, wake: lost })).rejects.toThrow("lost");
  await isDueIn(0);
  await expect(wakeResolver({ dueList, clock, wake: lost })).rejects.toThrow("lost");
});
