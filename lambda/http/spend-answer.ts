import type { RunsAnswer } from "../app/audit/list-runs.ts";
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

/** Runs on the wire. */
export const runsAnswerBody = ({ runs, isComplete, asOfMs }: RunsAnswer, baseUrl: string) => ({
  data: runs.map((run) => ({
    label_group: run.group,
    agent_run_label: run.label,
    calls_5m: run.recentCalls,
    spent_usd_5m: usdNumber(run.recentSpent),
    spent_usd: usdNumber(run.spent),
    exposure_usd: usdNumber(run.exposure),
    exposure_complete: run.isExposureComplete,
    live_keys: run.liveKeys,
    denied_calls: run.denied,
    last_call_at: isoTime(run.lastCallAtMs),
    stop_command: stopCommand(baseUrl, { kind: "run", label: run.stopLabel }),
  })),
  complete: isComplete,
  as_of: isoTime(asOfMs),
});
