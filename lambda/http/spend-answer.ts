import type { RunsAnswer, RunView } from "../app/audit/list-runs.ts";
import type { SpendAnswer, SpendRow } from "../app/audit/spend-query.ts";
import { usdNumber } from "../domain/money.ts";
import { stopCommand } from "../domain/stop-command.ts";
import { isoTime } from "../domain/time.ts";

const spendBody = ({ spent, allowed, denied }: Omit<SpendRow, "group">) => ({
  spent_usd: usdNumber(spent),
  allowed_calls: allowed,
  denied_calls: denied,
});

/** Sums on the wire. */
export const spendAnswerBody = ({ rows, total }: SpendAnswer, nextCursor: string | null) => ({
  data: rows.map(({ group, ...spend }) => ({ group, ...spendBody(spend) })),
  total: total === null ? null : spendBody(total),
  next_cursor: nextCursor,
});

const minutesBody = ({ now, recent }: Pick<RunView, "now" | "recent">) => ({
  calls_1m: now.calls,
  spent_usd_1m: usdNumber(now.spent),
  calls_5m: recent.calls,
  spent_usd_5m: usdNumber(recent.spent),
});

/** Runs on the wire. */
export const runsAnswerBody = (
  { runs, isComplete, total, asOfMs, recordedToMs }: RunsAnswer,
  baseUrl: string,
) => ({
  data: runs.map((run) => ({
    label_group: run.group,
    agent_run_label: run.label,
    labels: run.labels,
    ...minutesBody(run),
    spent_usd: usdNumber(run.spent),
    exposure_usd: usdNumber(run.exposure),
    exposure_complete: run.isExposureComplete,
    live_keys: run.liveKeys,
    denied_calls: run.denied,
    last_call_at: isoTime(run.lastCallAtMs),
    stop_label: run.stopLabel,
    stop_command: stopCommand(baseUrl, { kind: "run", label: run.stopLabel }),
  })),
  complete: isComplete,
  total: minutesBody(total),
  as_of: isoTime(asOfMs),
  recorded_to: recordedToMs === null ? null : isoTime(recordedToMs),
});
