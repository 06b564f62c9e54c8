import type { Run, Runs } from "../api/answers.ts";
import { counted, percentOf } from "../format/count.ts";
import { roughUsd } from "../format/usd.ts";
import { useMay } from "../page/signed-in.ts";
import { Ago } from "../parts/ago.tsx";
import { StopButton } from "../stops/stop-button.tsx";
import { targetsOf } from "../stops/targets.ts";
import { perMinute } from "./groups.ts";

interface Props {
  readonly run: Run;
  /** The whole group, where the run is one label of it. */
  readonly group: Run | null;
  readonly runs: Runs;
  /** What all runs spent that go on, in the present minute and the one before it. */
  readonly allUsd: number;
}

/** The run that spends most, with the button that stops it. */
export function WorstRun({ run, group, runs, allUsd }: Props) {
  const mayStop = useMay("revoke");
  const share = Math.round(percentOf(run.spent_usd_1m, allUsd));
  const isQuiet = run.spent_usd_5m === 0;
  return (
    <section class={isQuiet ? "worst calm" : "worst"} aria-labelledby="worst-title">
      <h2 id="worst-title">{isQuiet ? "Latest run" : "Worst run"}</h2>
      <p class="run-name">{run.stop_label}</p>
      <p class="figure">
        <b>{roughUsd(perMinute(run.spent_usd_1m, runs.as_of, 1))}</b> a minute
        {share > 0 && <span class="quiet"> · {share} % of all</span>}
      </p>
      <p>
        <b>
          {!run.exposure_complete && "over "}
          {roughUsd(run.exposure_usd)}
        </b>{" "}
        can still be spent by its <b>{counted(run.live_keys, "live key")}</b> · last call{" "}
        <Ago at={run.last_call_at} />
      </p>
      {mayStop && (
        <StopButton
          isMain={!isQuiet}
          label={`Stop ${run.stop_label}`}
          targets={targetsOf(run, group)}
          command={run.stop_command}
        />
      )}
    </section>
  );
}
