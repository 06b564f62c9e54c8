import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SCHEDULED } from "../../../lib/services.ts";
import { type ScheduleOptions, type Schedules, startSchedules } from "../../../local/aws/schedules.ts";

/** Guarantees that scheduled functions run in their intervals, and at once where a run of before may have left work. */

const MINUTE_MS = 60_000;
const ALL = SCHEDULED.map(({ name }) => name);
/** Those that run every five minutes; the others run less often. */
const OFTEN = SCHEDULED.filter(({ everyMinutes }) => everyMinutes === 5).map(({ name }) => name);

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
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS - 1);
  expect(ran).toEqual([]);
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS + 1);
  expect(ran).toEqual([...OFTEN, ...OFTEN]);
  expect(failures).toHaveLength(2);
});

test("each runs at once where that is asked for: a run that is always short would never come to it", async () => {
  begin({ atOnce: true });
  await vi.advanceTimersByTimeAsync(0);
  expect(ran).toEqual(ALL);
  expect(failures).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
  expect(ran).toEqual([...ALL, ...OFTEN]);
});

test("a shorter interval is kept to", async () => {
  begin({ sooner: { "record-audit": 1_000 } });
  await vi.advanceTimersByTimeAsync(3_000);
  expect(ran).toEqual(["record-audit", "record-audit", "record-audit"]);
});
