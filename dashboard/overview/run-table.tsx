import type { ListedStop, Run } from "../api/answers.ts";
import { useMay } from "../page/signed-in.ts";
import { ColumnHead, Table, TableBody, TableHead, TableRow } from "../parts/table.tsx";
import { GroupRows } from "./group-rows.tsx";
import type { RunGroup } from "./groups.ts";

/** The runs of the last hour, worst first, each with its Stop. */
export function RunTable({
  groups,
  stops,
  asOf,
  isComplete,
}: {
  readonly groups: readonly RunGroup<Run>[];
  readonly stops: readonly ListedStop[];
  readonly asOf: string;
  readonly isComplete: boolean;
}) {
  const mayStop = useMay("revoke");
  return (
    <section aria-labelledby="runs-title">
      <h2 id="runs-title">Runs of the last hour</h2>
      <Table class="runs">
        <TableHead>
          <TableRow>
            <ColumnHead>Run</ColumnHead>
            <ColumnHead class="end">A minute</ColumnHead>
            <ColumnHead class="end">5 minutes</ColumnHead>
            <ColumnHead class="end">Can still spend</ColumnHead>
            <ColumnHead class="end wide">Live keys</ColumnHead>
            <ColumnHead class="end wide">Denied</ColumnHead>
            <ColumnHead class="end wide">Last call</ColumnHead>
            {mayStop && (
              <ColumnHead>
                <span class="heard">Stop</span>
              </ColumnHead>
            )}
          </TableRow>
        </TableHead>
        <TableBody>
          {groups.map((group) => (
            <GroupRows key={group.whole.stop_label} group={group} stops={stops} asOf={asOf} />
          ))}
        </TableBody>
      </Table>
      {!isComplete && (
        <p class="note">More than 1,000 groups or labels are active: a worse run may be missing here.</p>
      )}
    </section>
  );
}
