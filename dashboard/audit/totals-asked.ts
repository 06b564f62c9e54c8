import { DAY_MS } from "../format/time.ts";
import { dayOf, nameOf } from "../spend/periods.ts";
import type { AuditFilter } from "./filters.ts";

const DAYS_MAX = 93;
const DAYS_DEFAULT = 30;

/**
 * The parameters of `GET /vault/spend` for the sums of what the log is asked for, or null where no such sum is kept: sums are of
 * a label, a key or a vendor, in whole UTC days.
 */
export function totalsAsked(
  asked: Partial<Record<AuditFilter, string>>,
  nowMs: number,
): Readonly<Record<string, string>> | null {
  const { agent_run_label: label, key_id: key, vendor, state, decision, overrun, call_id: call } = asked;
  if (state !== undefined || decision !== undefined || overrun !== undefined || call !== undefined)
    return null;
  const named = [label, key, vendor].filter((each) => each !== undefined);
  if (named.length !== 1) return null;
  const to = Date.parse(asked.to ?? "");
  const from = Date.parse(asked.from ?? "");
  const endMs = Math.min(Number.isNaN(to) ? nowMs : to, nowMs);
  const lastDayMs = Math.floor(endMs / DAY_MS) * DAY_MS;
  const firstMs = Number.isNaN(from) ? lastDayMs - (DAYS_DEFAULT - 1) * DAY_MS : from;
  const days = {
    from: dayOf(Math.max(firstMs, lastDayMs - (DAYS_MAX - 1) * DAY_MS)),
    to: dayOf(lastDayMs + DAY_MS),
  };
  if (days.from >= days.to) return null;
  if (label !== undefined) return { group_by: "agent_run_label", agent_run_label: label, ...days };
  return key !== undefined
    ? { group_by: "day", key_id: key, ...days }
    : { group_by: "day", vendor: vendor ?? "", ...days };
}

/** The days that the sums are of, as they are read. `to` is excluded. */
export const daysText = (from: string, to: string): string =>
  nameOf({ from, last: dayOf(Date.parse(to) - DAY_MS) }, "day");
