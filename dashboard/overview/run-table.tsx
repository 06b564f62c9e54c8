import type { ListedStop, Run } from "../api/answers.ts";
import { useMay } from "../page/signed-in.ts";
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
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" class="end">
              A minute
            </th>
            <th scope="col" class="end">
              5 minutes
            </th>
            <th scope="col" class="end">
              Can still spend
            </th>
            <th scope="col" class="end wide">
              Live keys
            </th>
            <th scope="col" class="end wide">
              Denied
            </th>
            <th scope="col" class="end wide">
              Last call
            </th>
            {mayStop && (
              <th scope="col">
                <span class="heard">Stop</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <GroupRows key={group.whole.stop_label} group={group} stops={stops} asOf={asOf} />
          ))}
        </tbody>
      </table>
      {!isComplete && (
        <p class="note">More than 1,000 groups or labels are active: a worse run may be missing here.</p>
      )}
    </section>
  );
}
