import type { AuditQuery } from "../app/audit/query-audit.ts";
import { AUDIT_FIELDS } from "../domain/audit-fields.ts";
import { parseTime } from "../domain/time.ts";
import {
  cursorOf,
  LIMIT_MAX,
  labelIn,
  limitOf,
  oneOf,
  parametersOf,
  readCursor,
  shown,
  signatureOf,
  wrongCursor,
} from "./list-params.ts";
import { invalid } from "./parse-body.ts";

/** The query parameters of `GET /vault/audit`, and the cursors that its answers carry. */

const PARAMETERS = [
  "vendor",
  "from",
  "to",
  "agent_run_label",
  "key_id",
  "call_id",
  "state",
  "decision",
  "overrun",
  "events",
  "limit",
  "cursor",
] as const;
export type AuditParameter = (typeof PARAMETERS)[number];

export const STATES = ["open", "settled", "released", "unresolved", "denied", "free"] as const;
/** Where nothing narrower is asked for, the log is read day by day: this far back unless `from` says otherwise. */
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;
/** A moment ahead, so that rows of a clock that runs ahead are shown. */
const AHEAD_MS = 60_000;

/** Of an export, which has no events under its rows: CSV, or NDJSON. */
export const EXPORT_LIMIT_MAX = 1_000;

export interface AuditRequest {
  readonly query: AuditQuery;
  readonly withEvents: boolean;
  readonly cursorFor: (position: string) => string;
}

/** Reads the parameters, or throws what names the one that is wrong. `isExport`: whether the answer is CSV or NDJSON. */
export function parseAuditRequest(
  query: Readonly<Record<string, readonly string[]>>,
  vendors: readonly string[],
  { nowMs, isExport }: { readonly nowMs: number; readonly isExport: boolean },
): AuditRequest {
  const value = parametersOf(query, PARAMETERS);
  const time = (name: "from" | "to"): number | null => {
    const text = value(name);
    const ms = text === null ? null : parseTime(text);
    if (text !== null && ms === null)
      throw invalid(
        name,
        `got ${shown(text)}; expected a time such as 2026-11-22T05:00:00+00:00 or a day such as 2026-11-22 (in a URL, write + as %2B)`,
      );
    return ms;
  };
  const overrun = oneOf("overrun", value("overrun"), ["true", "false"]);
  const filters = {
    vendor: oneOf("vendor", value("vendor"), vendors),
    label: labelIn(value("agent_run_label")),
    keyId: value("key_id"),
    callId: value("call_id"),
    state: oneOf("state", value("state"), STATES),
    decision: oneOf("decision", value("decision"), AUDIT_FIELDS.decision.of),
    overrun: overrun === null ? null : overrun === "true",
  };
  // A cursor keeps the time range it began with, so that a list does not shift under its reader.
  const signature = signatureOf([filters, value("from"), value("to")]);
  const cursor = pageOf(readCursor(value("cursor"), signature));
  const toMs = cursor?.toMs ?? time("to") ?? nowMs + AHEAD_MS;
  const narrow =
    filters.keyId !== null ||
    filters.callId !== null ||
    filters.label?.kind === "exact" ||
    /[/:]/.test(filters.label?.text ?? "");
  const fromMs = cursor?.fromMs ?? time("from") ?? (narrow ? 0 : toMs - DEFAULT_DAYS * DAY_MS);
  const withEvents = oneOf("events", value("events"), ["true", "false"]) === "true";
  const limit = limitOf(value("limit"), isExport && !withEvents ? EXPORT_LIMIT_MAX : LIMIT_MAX);
  return {
    query: { ...filters, fromMs, toMs, limit, before: cursor?.position ?? null },
    withEvents,
    cursorFor: (position) => cursorOf(signature, { position, fromMs, toMs }),
  };
}

/** Where an earlier page ended, in the time range that it began with. */
function pageOf(
  cursor: Readonly<Record<string, unknown>> | null,
): { readonly position: string; readonly fromMs: number; readonly toMs: number } | null {
  if (cursor === null) return null;
  const { position, fromMs, toMs } = cursor;
  if (
    typeof position === "string" &&
    position.isWellFormed() &&
    typeof fromMs === "number" &&
    typeof toMs === "number"
  )
    return { position, fromMs, toMs };
  throw wrongCursor();
}
