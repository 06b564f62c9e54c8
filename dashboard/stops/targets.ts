/** What a stop may be for: the body of `POST /vault/stops`, and how it is called. */

export interface StopTarget {
  readonly name: string;
  readonly body: Readonly<Record<string, string | true>>;
}

export const EVERYTHING: StopTarget = { name: "every key of every run", body: { all: true } };

/** A label, or with a last `*` all that begin so. */
export const labelTarget = (label: string): StopTarget => ({ name: label, body: { agent_run_label: label } });

/** All keys of a vendor, with a label or without. */
export const vendorTarget = (name: string, title: string): StopTarget => ({
  name: `every key of ${title}`,
  body: { vendor: name },
});

interface StoppableRun {
  readonly stop_label: string;
}

/** The run, then its group where it is one label of it, then everything: from the narrowest to the widest. */
export function targetsOf(run: StoppableRun, group: StoppableRun | null): readonly StopTarget[] {
  const labels = new Set([run.stop_label, ...(group === null ? [] : [group.stop_label])]);
  return [...[...labels].map(labelTarget), EVERYTHING];
}

interface StoppableKey {
  readonly id: string;
  readonly agent_run_label: string | null;
  readonly vendor: string;
  readonly issuer_id: string;
  readonly parent_id: string | null;
}

/** The run of a key, all labels of its group, the keys below it, those of its API key, and everything. */
export function targetsOfKey({
  id,
  agent_run_label: label,
  issuer_id,
  parent_id,
}: StoppableKey): readonly StopTarget[] {
  const [, group] = /^(.*?[/:])/.exec(label ?? "") ?? [];
  return [
    ...(label === null ? [] : [labelTarget(label)]),
    ...(group === undefined ? [] : [labelTarget(`${group}*`)]),
    { name: `every key below ${id}`, body: { parent_id: id } },
    ...(parent_id === null && issuer_id !== "admin"
      ? [{ name: `every key of ${issuer_id}`, body: { api_key_id: issuer_id } }]
      : []),
    EVERYTHING,
  ];
}
