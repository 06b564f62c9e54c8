import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SCHEDULED } from "../../../lib/services.ts";
import { type ScheduleOptions, type Schedules, startSchedules } from "../../../local/aws/schedules.ts";

/** Guarantees that scheduled functions run in their intervals, and at once where a run of before may have left work. */

const MINUTE_MS = 60_000;
const ALL = SCHEDULED.map(({ name }) => name);
/** The shortest interval, in minutes. */
const FIRST = Math.min(...SCHEDULED.map(({ everyMinutes }) => everyMinutes));
/** What runs within so many minutes after the start, in any order. */
const runsIn = (minutes: number) =>
  SCHEDULED.flatMap(({ name, everyMinutes }) =>
    Array<string>(Math.floor(minutes / everyMinutes)).fill(name),
  ).sort();

let ran: string[];
let failures: unknown[];
let schedules: Schedules;
beforeEach(() => {
  vi.useFakeTimers();
  [ran, failures] = [[], []];
});
afterEach(async () => {
  await schedules.close();
  vi.useRealTimers();
});

const begin = (options: Partial<ScheduleOptions>) => {
  schedules = startSchedules({
    invoke: async (name) => {
      ran.push(name);
      if (name === "settle-late-prices") throw new Error("no engine");
    },
    onError: (error) => failures.push(error),
    sooner: {},
    atOnce: false,
    ...options,
  });
};

test("each waits for its interval first", async () => {
  begin({});
  await vi.advanceTimersByTimeAsync(FIRST * MINUTE_MS - 1);
  expect(ran).toEqual([]);
  await vi.advanceTimersByTimeAsync((12 - FIRST) * MINUTE_MS + 1);
  expect(ran.toSorted()).toEqual(runsIn(12));
  expect(failures).toHaveLength(2);
});

test("each runs at once where that is asked for: a run that is always short would never come to it", async () => {
  begin({ atOnce: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(ran).toEqual(ALL);
  expect(failures).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
  expect(ran.toSorted()).toEqual([...ALL, ...runsIn(5)].sort());
});

test("a shorter interval is kept to", async () => {
  begin({ sooner: { "record-audit": 1_000 } });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ran).toEqual(["record-audit", "record-audit", "record-audit"]);
});

test("a function that is woken runs at once; while it runs, once more after that, however often it is woken", async () => {
  const ends: (() => void)[] = [];
  begin({
    invoke: async (name) => {
      ran.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
    },
  });
  const ended = async () => {
    ends.shift()?.();
    await vi.advanceTimersByTimeAsync(0);
  };
  await schedules.idle("resolve-calls");
  for (let n = 0; n < 3; n++) schedules.wake("resolve-calls");
  let isIdle = false;
  const idle = schedules.idle("resolve-calls").then(() => {
    isIdle = true;
  });
  expect(ran).toEqual(["resolve-calls"]);

  await ended();
  expect(ran).toEqual(["resolve-calls", "resolve-calls"]);
  expect(isIdle).toBe(false);

  await ended();
  await idle;
  expect(ran).toHaveLength(2);
});
