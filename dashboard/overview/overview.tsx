import type { Runs } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { useMay } from "../page/signed-in.ts";
import { BlindStop } from "../stops/blind-stop.tsx";
import { StopsInForce } from "../stops/stops-in-force.tsx";
import { Freshness } from "./freshness.tsx";
import { groupsOf, worstOf } from "./groups.ts";
import { Later } from "./later.tsx";
import { Rate } from "./rate.tsx";
import { RunTable } from "./run-table.tsx";
import { WorstRun } from "./worst-run.tsx";

const REFRESH_MS = 5_000;
/** Groups. */
const RUNS_MAX = 50;
/** Of each group; more are read when a group is opened. */
const LABELS_MAX = 4;

/** Is this real, how bad, stop it: in this order. Then how old the data is, what can be undone, and history. */
export function Overview() {
  return useMay("read") ? <Seen /> : <BlindStop />;
}

function Seen() {
  const runs = usePoll("runs", REFRESH_MS, (signal) =>
    read<Runs>("vault/runs", { labels: LABELS_MAX, limit: RUNS_MAX }, signal),
  );
  if (runs.data === null)
    return runs.failure === null ? (
      <p class="loading">Asking for the runs of the last hour…</p>
    ) : (
      <>
        <Freshness picture={runs} asOf={null} />
        <BlindStop />
      </>
    );
  const groups = groupsOf(runs.data.data);
  const worst = worstOf(groups);
  return (
    <>
      <div class="alarm">
        <Rate runs={runs.data} isOld={runs.failure !== null} />
        {worst !== null && <WorstRun run={worst.run} group={worst.group} runs={runs.data} />}
      </div>
      <Freshness picture={runs} asOf={runs.data.recorded_to ?? null} />
      <StopsInForce />
      {groups.length > 0 && (
        <RunTable groups={groups} asOf={runs.data.as_of} isComplete={runs.data.complete} />
      )}
      <Later />
    </>
  );
}
