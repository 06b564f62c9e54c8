import { useState } from "preact/hooks";
import type { ListedStop, Run, Runs } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { counted } from "../format/count.ts";
import { RowHead, TableRow } from "../parts/table.tsx";
import type { RunGroup } from "./groups.ts";
import { RunRow } from "./run-row.tsx";

const REFRESH_MS = 5_000;
const LABELS_MAX = 100;

interface Props {
  readonly group: RunGroup<Run>;
  readonly stops: readonly ListedStop[];
  readonly asOf: string;
}

/** The one label that a group has, or the group with its few labels. Many are asked for and shown once it is opened. */
export function GroupRows({ group: { whole, labels }, stops, asOf }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const count = whole.labels ?? 0;
  const [only] = labels;
  if (count === 1 && only !== undefined) return <RunRow run={only} group={whole} stops={stops} asOf={asOf} />;
  if (count <= labels.length)
    return (
      <>
        <RunRow run={whole} group={null} stops={stops} asOf={asOf} />
        {labels.map((run) => (
          <RunRow key={run.stop_label} run={run} group={whole} stops={stops} asOf={asOf} isInside />
        ))}
      </>
    );
  return (
    <>
      <RunRow run={whole} group={null} stops={stops} asOf={asOf}>
        <button type="button" class="plain" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? "Hide its labels" : counted(count, "label")}
        </button>
      </RunRow>
      {isOpen && <Labels whole={whole} stops={stops} />}
    </>
  );
}

function Labels({ whole, stops }: { readonly whole: Run; readonly stops: readonly ListedStop[] }) {
  const { data, failure } = usePoll(`labels of ${whole.label_group}`, REFRESH_MS, (signal) =>
    read<Runs>("vault/runs", { label_group: whole.label_group ?? "", limit: LABELS_MAX }, signal),
  );
  const labels = (data?.data ?? []).filter((run) => run.agent_run_label !== null);
  return (
    <>
      {data === null && (
        <TableRow class="inside">
          <RowHead>{failure === null ? "Asking for its labels…" : `No labels: ${failure.message}`}</RowHead>
        </TableRow>
      )}
      {labels.map((run) => (
        <RunRow
          key={run.stop_label}
          run={run}
          group={whole}
          stops={stops}
          asOf={data?.as_of ?? ""}
          isInside
        />
      ))}
      {labels.length >= LABELS_MAX - 1 && (
        <TableRow class="inside">
          <RowHead class="quiet">The {labels.length} worst are shown.</RowHead>
        </TableRow>
      )}
    </>
  );
}
