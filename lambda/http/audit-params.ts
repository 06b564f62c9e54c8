import type { AuditQuery } from "../app/audit/query-audit.ts";
import { AUDIT_FIELDS } from "../domain/audit-fields.ts";
import { Problem } from "../domain/problem.ts";
import { parseTime } from "../domain/time.ts";
import { sha256 } from "../domain/vault-key.ts";

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
type Parameter = (typeof PARAMETERS)[number];

const STATES = ["open", "settled", "released", "unresolved", "denied", "free"];
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100;
/** Where nothing narrower is asked for, the log is read day by day: this far back unless `from` says otherwise. */
const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;
/** A moment ahead, so that rows of a clock that runs ahead are shown. */
const AHEAD_MS = 60_000;

export interface AuditRequest {
  readonly query: AuditQuery;
  readonly withEvents: boolean;
  readonly cursorFor: (position: string) => string;
}

/** Reads the parameters, or throws what names the one that is wrong. */
export function parseAuditRequest(
  query: Readonly<Record<string, readonly string[]>>,
  vendors: readonly string[],
  nowMs: number,
): AuditRequest {
  for (const [name, values] of Object.entries(query)) {
    if (!PARAMETERS.includes(name as Parameter))
      throw invalid(name, `unknown parameter; expected one of ${PARAMETERS.join(", ")}`);
    if (values.length !== 1 || values[0] === "")
      throw invalid(name, `got ${values.length} values; expected one value that is not empty`);
    if (values[0]?.isWellFormed() !== true)
      throw invalid(name, "contains half of a surrogate pair; expected text of whole characters");
  }
  const value = (name: Parameter): string | null => query[name]?.[0] ?? null;
  const oneOf = (name: Parameter, accepted: readonly string[]) => {
    const text = value(name);
    if (text !== null && !accepted.includes(text))
      throw invalid(name, `got ${shown(text)}; expected one of: ${accepted.join(", ")}`);
    return text;
  };
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
  const labelText = value("agent_run_label");
  const prefix = labelText?.endsWith("*") ?? false;
  const overrun = oneOf("overrun", ["true", "false"]);
  const filters = {
    vendor: oneOf("vendor", vendors),
    label:
      labelText === null
        ? null
        : ({ kind: prefix ? "prefix" : "exact", text: prefix ? labelText.slice(0, -1) : labelText } as const),
    keyId: value("key_id"),
    callId: value("call_id"),
    state: oneOf("state", STATES),
    decision: oneOf("decision", AUDIT_FIELDS.decision.of),
    overrun: overrun === null ? null : overrun === "true",
  };
  // A cursor keeps the time range it began with, so that a list does not shift under its reader.
  const signature = sha256(JSON.stringify([filters, value("from"), value("to")])).slice(0, 16);
  const cursor = cursorOf(value("cursor"), signature);
  const toMs = cursor?.toMs ?? time("to") ?? nowMs + AHEAD_MS;
  const narrow =
    filters.keyId !== null ||
    filters.callId !== null ||
    filters.label?.kind === "exact" ||
    /[/:]/.test(filters.label?.text ?? "");
  const fromMs = cursor?.fromMs ?? time("from") ?? (narrow ? 0 : toMs - DEFAULT_DAYS * DAY_MS);
  return {
    query: { ...filters, fromMs, toMs, limit: limitOf(value("limit")), before: cursor?.position ?? null },
    withEvents: oneOf("events", ["true", "false"]) === "true",
    cursorFor: (position) =>
      Buffer.from(JSON.stringify({ signature, position, fromMs, toMs })).toString("base64url"),
  };
}

function limitOf(text: string | null): number {
  if (text === null) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (!/^\d{1,3}$/.test(text) || limit < 1 || limit > LIMIT_MAX)
    throw invalid("limit", `got ${shown(text)}; expected a whole number from 1 to ${LIMIT_MAX}`);
  return limit;
}

function cursorOf(
  text: string | null,
  signature: string,
): { position: string; fromMs: number; toMs: number } | null {
  if (text === null) return null;
  try {
    const cursor = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as {
      signature?: unknown;
      position?: unknown;
      fromMs?: unknown;
      toMs?: unknown;
    };
    const { position, fromMs, toMs } = cursor;
    if (
      cursor.signature === signature &&
      typeof position === "string" &&
      position.isWellFormed() &&
      typeof fromMs === "number" &&
      typeof toMs === "number"
    )
      return { position, fromMs, toMs };
  } catch {
    // Falls through to the same refusal: what is no cursor is a cursor of no query.
  }
  throw invalid(
    "cursor",
    "got a cursor of another query; expected the next_cursor of an answer with the same filters",
  );
}

const shown = (text: string) => JSON.stringify(text.slice(0, 60));
const invalid = (field: string, message: string) =>
  new Problem("invalid_request", `${field}: ${message}`, { details: { field } });
