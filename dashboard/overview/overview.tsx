import { useEffect } from "preact/hooks";
import type { ListedStop, Page, Runs } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { sumUsd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { isLimited, useLogin, useMay } from "../page/signed-in.ts";
import { coverageOf } from "../stops/coverage.ts";
import { STOPS_CHANGED } from "../stops/stopping.ts";
import { StopsInForce } from "../stops/stops-in-force.tsx";
import { Freshness } from "./freshness.tsx";
import { groupsOf, perMinute, withoutStopped, worstOf } from "./groups.ts";
import { Later, LaterBlindStop } from "./later.tsx";
import { Rate } from "./rate.tsx";
import { UnlabelledRun } from "./unlabelled-run.tsx";
import { useUnlabelled } from "./use-unlabelled.ts";
import { WorstRun } from "./worst-run.tsx";

const REFRESH_MS = 5_000;
/** Groups. */
const RUNS_MAX = 50;
/** Of each group; more are read when a group is opened. */
const LABELS_MAX = 4;
const STOPS_MAX = 100;

/** Is this real, how bad, stop it: in this order. Then how old the data is, what can be undone, and history. */
export function Overview() {
  const login = useLogin();
  const mayRead = useMay("read");
  if (!mayRead) return <LaterBlindStop />;
  return isLimited(login) ? <Limited /> : <Seen />;
}

/** Of an API key that reaches some vendors or credentials only: what is over all runs is not for it. */
function Limited() {
  const picture = usePoll("stops", REFRESH_MS, (signal) => readStops(signal));
  useRefreshOnStops(picture.refresh);
  return (
    <>
      <p class="note">
        This API key reaches only some vendors or credentials, so it has no view over all runs. What it
        reaches is in <a href={hashOf("keys")}>Keys</a> and <a href={hashOf("audit")}>Audit</a>.
      </p>
      <Freshness picture={picture} asOf={null} />
      <StopsInForce stops={picture.data?.data ?? []} />
      <Later groups={[]} stops={[]} asOf="" isComplete />
    </>
  );
}

const readStops = (signal: AbortSignal) =>
  read<Page<ListedStop>>("vault/stops", { limit: STOPS_MAX }, signal);

function useRefreshOnStops(refresh: () => void): void {
  useEffect(() => {
    addEventListener(STOPS_CHANGED, refresh);
    return () => removeEventListener(STOPS_CHANGED, refresh);
  }, [refresh]);
}

interface Seen {
  readonly runs: Runs;
  readonly stops: readonly ListedStop[];
}

async function look(signal: AbortSignal): Promise<Seen> {
  const [runs, stops] = await Promise.all([
    read<Runs>("vault/runs", { labels: LABELS_MAX, limit: RUNS_MAX }, signal),
    readStops(signal),
  ]);
  return { runs, stops: stops.data };
}

function Seen() {
  const picture = usePoll("overview", REFRESH_MS, look);
  const unlabelled = useUnlabelled();
  const { data, failure, refresh } = picture;
  useRefreshOnStops(refresh);
  if (data === null)
    return failure === null ? (
      <p class="loading">Asking for the runs of the last hour…</p>
    ) : (
      <>
        <h1>No data</h1>
        <Freshness picture={picture} asOf={null} />
        <LaterBlindStop />
      </>
    );
  const { runs, stops } = data;
  const groups = groupsOf(runs.data);
  const { goingOn, stopped } = withoutStopped(groups, (run) => coverageOf(run.stop_label, stops) !== null);
  const worst = worstOf(goingOn);
  const allUsd = sumUsd([runs.total.spent_usd_1m, ...stopped.map(({ spent_usd_1m }) => -spent_usd_1m)]);
  const isWorse = (unlabelled?.perMinute ?? 0) > perMinute(worst?.run.spent_usd_1m ?? 0, runs.as_of, 1);
  return (
    <>
      <div class="alarm">
        <Rate runs={runs} stopped={stopped} more={unlabelled?.perMinute ?? 0} isOld={failure !== null} />
        <div class="burning">
          {unlabelled !== null && isWorse && <UnlabelledRun {...unlabelled} />}
          {worst !== null && <WorstRun {...worst} runs={runs} allUsd={allUsd} />}
          {unlabelled !== null && !isWorse && <UnlabelledRun {...unlabelled} />}
          {worst === null && unlabelled === null && <NothingGoesOn isStopped={groups.length > 0} />}
        </div>
      </div>
      <Freshness picture={picture} asOf={runs.recorded_to} />
      <StopsInForce stops={stops} />
      <Later groups={groups} stops={stops} asOf={runs.as_of} isComplete={runs.complete} />
    </>
  );
}

/** In the place of the worst run, where there is none. */
function NothingGoesOn({ isStopped }: { readonly isStopped: boolean }) {
  const mayIssue = useMay("issue");
  if (isStopped) return <p class="note">Every run of the last hour is stopped.</p>;
  return (
    <p class="note">
      No run made a call in the last hour. A run is what the keys of one label do
      {mayIssue && (
        <>
          : <a href={hashOf("keys", { new: "1" })}>issue a key</a> with a label
        </>
      )}
      .
    </p>
  );
}
