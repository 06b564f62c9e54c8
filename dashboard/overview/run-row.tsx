import type { ComponentChildren } from "preact";
import type { ListedStop, Run } from "../api/answers.ts";
import { number } from "../format/count.ts";
import { roughUsd } from "../format/usd.ts";
import { hashOf } from "../page/address.ts";
import { useMay } from "../page/signed-in.ts";
import { Ago } from "../parts/ago.tsx";
import { Cell, RowHead, TableRow } from "../parts/table.tsx";
import { coverageOf } from "../stops/coverage.ts";
import { StopButton } from "../stops/stop-button.tsx";
import { targetsOf } from "../stops/targets.ts";
import { perMinute } from "./groups.ts";

interface Props {
  readonly run: Run;
  /** The whole group, where the run is one label of it. */
  readonly group: Run | null;
  readonly stops: readonly ListedStop[];
  readonly asOf: string;
  readonly isInside?: boolean;
  readonly children?: ComponentChildren;
}

/** One run: what it does now, what it can still do, and its Stop. */
export function RunRow({ run, group, stops, asOf, isInside = false, children }: Props) {
  const mayStop = useMay("revoke");
  const coverage = coverageOf(run.stop_label, stops);
  return (
    <TableRow class={isInside ? "inside" : undefined}>
      <RowHead>
        <a href={hashOf("audit", { agent_run_label: run.stop_label })}>{run.stop_label}</a> {children}
      </RowHead>
      <Cell class="end" data-name="a minute">
        {roughUsd(perMinute(run.spent_usd_1m, asOf, 1))}
      </Cell>
      <Cell class="end" data-name="in 5 minutes">
        {roughUsd(run.spent_usd_5m)}
      </Cell>
      <Cell class="end" data-name="can still be spent">
        {!run.exposure_complete && "over "}
        {roughUsd(run.exposure_usd)}
      </Cell>
      <Cell class="end wide">{number(run.live_keys)}</Cell>
      <Cell class="end wide">{number(run.denied_calls)}</Cell>
      <Cell class="end wide">
        <Ago at={run.last_call_at} />
      </Cell>
      {mayStop && (
        <Cell class="end act">
          {coverage === null ? (
            <StopButton
              label="Stop"
              name={`Stop ${run.stop_label}`}
              targets={targetsOf(run, group)}
              command={run.stop_command}
            />
          ) : (
            <span class="quiet">{coverage === "stopped" ? "Stopped" : "Stopping…"}</span>
          )}
        </Cell>
      )}
    </TableRow>
  );
}
