import { sumUsd } from "../format/usd.ts";

/** Runs as the page tells them: groups with their labels, and the one that is worst. */

export interface SpendingRun {
  readonly label_group: string | null;
  /** Null for a whole group. */
  readonly agent_run_label: string | null;
  readonly spent_usd_1m: number;
  readonly spent_usd_5m: number;
}

export interface RunGroup<Run extends SpendingRun> {
  /** The row of the whole group; of a label without a group, that label. */
  readonly whole: Run;
  /** Its labels, worst first. */
  readonly labels: readonly Run[];
}

/** The rows of `GET /vault/runs` by group, in their order, which is worst first. */
export function groupsOf<Run extends SpendingRun>(runs: readonly Run[]): readonly RunGroup<Run>[] {
  return runs
    .filter(isWhole)
    .map((whole) => ({ whole, labels: isLone(whole) ? [] : runs.filter((run) => isLabelOf(whole, run)) }));
}

const isLone = (run: SpendingRun): boolean => run.agent_run_label !== null;
const isWhole = (run: SpendingRun): boolean => run.agent_run_label === null || run.label_group === null;
const isLabelOf = (whole: SpendingRun, run: SpendingRun): boolean =>
  run.agent_run_label !== null && run.label_group === whole.label_group;

/** A label that spends so much of its group is what burns in it. */
const MOST = 0.8;

/**
 * What to stop first: the worst group, or the one label in it that spends four fifths of what the group does. A fan-out
 * that gives each of its keys another label is stopped as a group: a stop of one label would not end it.
 */
export function worstOf<Run extends SpendingRun>(
  groups: readonly RunGroup<Run>[],
): { readonly run: Run; readonly group: Run | null } | null {
  const [worst] = groups;
  if (worst === undefined) return null;
  const { whole, labels } = worst;
  const [label] = labels;
  const isIt =
    label !== undefined && (labels.length === 1 || label.spent_usd_5m >= whole.spent_usd_5m * MOST);
  return isIt ? { run: label, group: whole } : { run: whole, group: null };
}

/**
 * What goes on, and the runs that are stopped. A group whose active labels are all stopped goes on no more; of another one, what its
 * stopped labels spent is taken out.
 */
export function withoutStopped<Run extends SpendingRun & { readonly labels: number | null }>(
  groups: readonly RunGroup<Run>[],
  isStopped: (run: Run) => boolean,
): { readonly goingOn: readonly RunGroup<Run>[]; readonly stopped: readonly Run[] } {
  const stopped: Run[] = [];
  const goingOn = groups.flatMap(({ whole, labels }) => {
    const over = isStopped(whole) ? [whole] : labels.filter(isStopped);
    stopped.push(...over);
    const rest = labels.filter((label) => !isStopped(label));
    if (isStopped(whole) || (over.length > 0 && over.length === whole.labels)) return [];
    const less = (name: "spent_usd_1m" | "spent_usd_5m") =>
      sumUsd([whole[name], ...over.map((label) => -label[name])]);
    return [
      {
        whole: { ...whole, spent_usd_1m: less("spent_usd_1m"), spent_usd_5m: less("spent_usd_5m") },
        labels: rest,
      },
    ];
  });
  goingOn.sort((one, other) => other.whole.spent_usd_5m - one.whole.spent_usd_5m);
  return { goingOn, stopped };
}

/** Dollars a minute: `spent` is of the minute that `asOf` is in, and of `before` minutes before it. */
export function perMinute(spent: number, asOf: string, before: number): number {
  const secondsIn = (Date.parse(asOf) % 60_000) / 1000;
  return spent / (before + secondsIn / 60);
}
