import { eachAtOnce } from "../../at-once.ts";
import { type Announcement, rateExceeded } from "../../domain/announcement.ts";
import type { MicroUsd } from "../../domain/money.ts";
import { isoDay } from "../../domain/time.ts";
import type { RunActivity, SeenRun, Spending } from "../../ports/spending.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const READ_AT_ONCE = 16;
/** The sums keep ten minutes. */
const MINUTES_SEEN = 10;

/**
 * The runs (label groups) that spent more than `allowed` in one of the last minutes, by the sums that the audit log keeps:
 * no call pays for it. Of each run its dearest minute.
 */
export async function ratesExceeded(
  allowed: MicroUsd,
  spending: Pick<Spending, "seenSince" | "activity">,
  nowMs: number,
): Promise<readonly Announcement[]> {
  // A process notes a run once an hour.
  const sinceMs = nowMs - (nowMs % HOUR_MS) - HOUR_MS;
  const { runs } = await spending.seenSince("label_group", sinceMs, nowMs);
  const fromDay = isoDay(nowMs - (nowMs % DAY_MS) - MINUTES_SEEN * MINUTE_MS);
  const found = await eachAtOnce(runs, READ_AT_ONCE, async (run) => {
    const activity = await spending.activity({ kind: "label_group", name: run.name }, fromDay);
    return dearestOf(run, activity, allowed, nowMs);
  });
  return found.flat();
}

function dearestOf(
  run: SeenRun,
  { minutes }: RunActivity,
  allowed: MicroUsd,
  nowMs: number,
): readonly Announcement[] {
  const since = Math.floor(nowMs / MINUTE_MS) - MINUTES_SEEN;
  const dear = minutes.filter(({ minute, spent }) => minute >= since && spent > allowed);
  const [dearest] = dear.toSorted((one, other) => (other.spent > one.spent ? 1 : -1));
  if (dearest === undefined) return [];
  const { minute, spent, calls } = dearest;
  const [separator, ...others] = run.separators;
  const label =
    separator === undefined || others.length > 0
      ? `${run.name}*`
      : separator === ""
        ? run.name
        : `${run.name}${separator}*`;
  return [rateExceeded({ group: run.name, label, minuteMs: minute * MINUTE_MS, spent, calls, allowed })];
}
