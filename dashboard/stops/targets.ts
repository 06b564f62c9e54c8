/** What a stop may be for: the body of `POST /vault/stops`, and how it is called. */

export interface StopTarget {
  readonly name: string;
  readonly body: Readonly<Record<string, string | true>>;
}

export const EVERYTHING: StopTarget = { name: "Every key of every run", body: { all: true } };

/** A label, or with a last `*` all that begin so. */
export const labelTarget = (label: string): StopTarget => ({ name: label, body: { agent_run_label: label } });

interface StoppableRun {
  readonly stop_label: string;
}

/** The run, then its group where it is one label of it, then everything: from the narrowest to the widest. */
export function targetsOf(run: StoppableRun, group: StoppableRun | null): readonly StopTarget[] {
  const labels = new Set([run.stop_label, ...(group === null ? [] : [group.stop_label])]);
  return [...[...labels].map(labelTarget), EVERYTHING];
}
