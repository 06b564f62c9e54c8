import { eachAtOnce } from "../../at-once.ts";
import { type MicroUsd, sum } from "../../domain/money.ts";
import { isoDay } from "../../domain/time.ts";
import { labelGroup } from "../../domain/vault-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RunActivity, SeenRun, Spending } from "../../ports/spending.ts";
import type { Vault } from "../../ports/vault.ts";
import { withExposure } from "./expose-runs.ts";

/** A label group, or one label of it, as `GET /vault/runs` shows it. Money in micro-dollars. */
export interface RunView {
  readonly group: string | null;
  /** Null for a whole group. */
  readonly label: string | null;
  /** What stops it: a label, or the beginning of labels with `*` behind it. */
  readonly stopLabel: string;
  /** Of a whole group how many labels of it were active, of a label null. */
  readonly labels: number | null;
  /** In the minute that is now and the one before it: what it does now. */
  readonly now: Activity;
  /** In the minute that is now and the five before it. */
  readonly recent: Activity;
  /** Over the last `DAYS` days, which is as long as a key may live. */
  readonly spent: MicroUsd;
  readonly denied: number;
  /** Milliseconds since 1970. */
  readonly lastCallAtMs: number;
  readonly exposure: MicroUsd;
  readonly liveKeys: number;
  /** Whether exposure and live keys are of all keys of the run; else of some of them. */
  readonly isExposureComplete: boolean;
}

/** `calls`: allowed and denied ones. */
export interface Activity {
  readonly calls: number;
  readonly spent: MicroUsd;
}

export interface RunsAnswer {
  /** Worst first: by dollars of the last minutes, then by calls of the last minutes, then by dollars in all. */
  readonly runs: readonly RunView[];
  /** Whether these are the worst of all runs: false where more were active than one request looks at. */
  readonly isComplete: boolean;
  /** Of all runs that were looked at, shown or not. */
  readonly total: Pick<RunView, "now" | "recent">;
  readonly asOfMs: number;
  /** When the newest change was written that these sums have, or null. */
  readonly recordedToMs: number | null;
}

export interface RunsQuery {
  /** A label group whose labels alone are wanted, or null. */
  readonly group: string | null;
  /** So many labels of each group at most, the worst ones; null for all. `limit` counts groups then. */
  readonly labels: number | null;
  readonly limit: number;
}

interface Ports {
  readonly spending: Spending;
  readonly vault: Pick<Vault, "balances" | "listedKeys">;
  readonly clock: Clock;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** How many days back the dollars of a run count. */
const DAYS = 31;
const NOW_MINUTES = 1;
const RECENT_MINUTES = 5;
/** So many groups, and so many labels, have their sums read at most: those that were seen last. */
const RUNS_READ_MAX = 1_000;
const READ_AT_ONCE = 32;
const EXPOSURE_BUDGET = { entries: 20_000, balances: 4_000 };

/** Label groups and labels with a call in the last hour, worst first, by their sums: no event is read. */
export async function listRuns({ group, labels, limit }: RunsQuery, ports: Ports): Promise<RunsAnswer> {
  const nowMs = ports.clock.now();
  // First: what is recorded while the sums are read is in them or not, and what was recorded before is.
  const recordedToMs = await ports.spending.recordedToMs(nowMs);
  const { runs: seen, isComplete } = await runsSeen(group, ports.spending, nowMs);
  const active = await eachAtOnce(seen, READ_AT_ONCE, async (run) => ({
    run,
    activity: await ports.spending.activity(run, isoDay(nowMs - (DAYS - 1) * 24 * HOUR_MS)),
  }));
  const views = counted(active.flatMap(({ run, activity }) => viewOf(run, activity, nowMs))).sort(worstFirst);
  const shown = labels === null ? views.slice(0, limit) : withFewLabels(views, labels, limit);
  const runs = await withExposure(shown, EXPOSURE_BUDGET, { ...ports.vault, nowMs });
  return { runs, isComplete, total: totalOf(views), asOfMs: nowMs, recordedToMs };
}

/** What no other row has in it. */
const isWhole = ({ group, label }: ActiveRun): boolean => label === null || group === null;

function counted(views: readonly ActiveRun[]): ActiveRun[] {
  const labels = new Map<string, number>();
  for (const { group, label } of views)
    if (group !== null && label !== null) labels.set(group, (labels.get(group) ?? 0) + 1);
  return views.map((view) =>
    view.label === null ? { ...view, labels: labels.get(view.group ?? "") ?? 0 } : view,
  );
}

/** The first `limit` groups with their first labels, in their order. */
function withFewLabels(views: readonly ActiveRun[], labels: number, limit: number): readonly ActiveRun[] {
  const groups = new Set(
    views
      .filter(isWhole)
      .slice(0, limit)
      .map(({ group }) => group),
  );
  const taken = new Map<string | null, number>();
  return views.filter((view) => {
    if (!groups.has(view.group)) return false;
    if (isWhole(view)) return true;
    const count = (taken.get(view.group) ?? 0) + 1;
    taken.set(view.group, count);
    return count <= labels;
  });
}

function totalOf(views: readonly ActiveRun[]): RunsAnswer["total"] {
  const whole = views.filter(isWhole);
  return { now: added(whole.map(({ now }) => now)), recent: added(whole.map(({ recent }) => recent)) };
}

const added = (activities: readonly Activity[]): Activity => ({
  calls: activities.reduce((all, { calls }) => all + calls, 0),
  spent: sum(activities.map(({ spent }) => spent)),
});

/** Runs that may have had a call in the last hour: a process notes each once an hour. */
async function runsSeen(group: string | null, spending: Spending, nowMs: number) {
  const sinceMs = nowMs - (nowMs % HOUR_MS) - HOUR_MS;
  const kinds = await Promise.all(
    (["label_group", "label"] as const).map(async (kind) => {
      const { runs, isComplete } = await spending.seenSince(kind, sinceMs, nowMs);
      const wanted = runs.filter((run) => group === null || groupOf(run) === group);
      wanted.sort((one, other) => other.seenAtMs - one.seenAtMs);
      return {
        runs: wanted.slice(0, RUNS_READ_MAX),
        isComplete: isComplete && wanted.length <= RUNS_READ_MAX,
      };
    }),
  );
  return { runs: kinds.flatMap(({ runs }) => runs), isComplete: kinds.every((kind) => kind.isComplete) };
}

const groupOf = ({ kind, name }: SeenRun): string | null => (kind === "label" ? labelGroup(name) : name);

type ActiveRun = Omit<RunView, "exposure" | "liveKeys" | "isExposureComplete">;

function viewOf(run: SeenRun, activity: RunActivity, nowMs: number): readonly ActiveRun[] {
  const { spent, denied, lastCallAtMs } = activity;
  if (lastCallAtMs === null || lastCallAtMs < nowMs - HOUR_MS) return [];
  const during = (minutes: number) =>
    added(activity.minutes.filter(({ minute }) => minute >= Math.floor(nowMs / MINUTE_MS) - minutes));
  return [
    {
      group: groupOf(run),
      label: run.kind === "label" ? run.name : null,
      stopLabel: stopLabelOf(run),
      labels: null,
      now: during(NOW_MINUTES),
      recent: during(RECENT_MINUTES),
      spent,
      denied,
      lastCallAtMs,
    },
  ];
}

/** Of a group everything behind its separator, so that no group is stopped whose name only begins alike. */
function stopLabelOf({ kind, name, separators }: SeenRun): string {
  if (kind === "label") return name;
  const [separator, ...others] = separators;
  if (separator === undefined || others.length > 0) return `${name}*`;
  return separator === "" ? name : `${name}${separator}*`;
}

function worstFirst(one: ActiveRun, other: ActiveRun): number {
  for (const [a, b] of [
    [other.recent.spent, one.recent.spent],
    [other.recent.calls, one.recent.calls],
    [other.spent, one.spent],
    [other.lastCallAtMs, one.lastCallAtMs],
  ] as const)
    if (a !== b) return a < b ? -1 : 1;
  return `${one.group}\n${one.label ?? ""}` < `${other.group}\n${other.label ?? ""}` ? -1 : 1;
}
