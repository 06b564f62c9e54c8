import { useEffect } from "preact/hooks";
import type { ListedStop, Page, Runs } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { useMay } from "../page/signed-in.ts";
import { BlindStop } from "../stops/blind-stop.tsx";
import { coverageOf } from "../stops/coverage.ts";
import { STOPS_CHANGED } from "../stops/stopping.ts";
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
const STOPS_MAX = 100;

/** Is this real, how bad, stop it: in this order. Then how old the data is, what can be undone, and history. */
export function Overview() {
  return useMay("read") ? <Seen /> : <BlindStop />;
}

interface Seen {
  readonly runs: Runs;
  readonly stops: readonly ListedStop[];
}

async function look(signal: AbortSignal): Promise<Seen> {
  const [runs, stops] = await Promise.all([
    read<Runs>("vault/runs", { labels: LABELS_MAX, limit: RUNS_MAX }, signal),
    read<Page<ListedStop>>("vault/stops", { limit: STOPS_MAX }, signal),
  ]);
  return { runs, stops: stops.data };
}

function Seen() {
  const picture = usePoll("overview", REFRESH_MS, look);
  const { data, failure, refresh } = picture;
  useEffect(() => {
    addEventListener(STOPS_CHANGED, refresh);
    return () => removeEventListener(STOPS_CHANGED, refresh);
  }, [refresh]);
  if (data === null)
    return failure === null ? (
      <p class="loading">Asking for the runs of the last hour…</p>
    ) : (
      <>
        <Freshness picture={picture} asOf={null} />
        <BlindStop />
      </>
    );
  const { runs, stops } = data;
  const groups = groupsOf(runs.data);
  const goingOn = groupsOf(runs.data.filter((run) => coverageOf(run.stop_label, stops) === null));
  const worst = worstOf(goingOn);
  const stopped = groups.filter(({ whole }) => coverageOf(whole.stop_label, stops) === "stopped");
  return (
    <>
      <div class="alarm">
        <Rate runs={runs} stopped={stopped.map(({ whole }) => whole)} isOld={failure !== null} />
        {worst !== null && <WorstRun run={worst.run} group={worst.group} runs={runs} />}
      </div>
      <Freshness picture={picture} asOf={runs.recorded_to ?? null} />
      <StopsInForce stops={stops} />
      {groups.length > 0 && (
        <RunTable groups={groups} stops={stops} asOf={runs.as_of} isComplete={runs.complete} />
      )}
      <Later />
    </>
  );
}
