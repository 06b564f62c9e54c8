import type { APIGatewayProxyResult } from "aws-lambda";
import type { AuditAnswer } from "../app/audit/query-audit.ts";
import { DecimalUsd, eventAttributes, eventId, rowAttributes, type WireValue } from "../audit-wire.ts";
import type { AuditRow } from "../domain/audit-event.ts";
import { jsonAnswer, textAnswer } from "./answers.ts";

export interface AuditAnswerOptions {
  /** The caller's header. */
  readonly accept: string;
  readonly withEvents: boolean;
  /** Null ends the list. */
  readonly nextCursor: string | null;
  readonly requestId: string;
}

/** Rows of the audit log as JSON or, for an export, as CSV or NDJSON; then the cursor is in a header. */
export function auditAnswer(
  answer: AuditAnswer,
  { accept, withEvents, nextCursor, requestId }: AuditAnswerOptions,
): APIGatewayProxyResult {
  const rows = answer.rows.map((row) =>
    withEvents ? { ...rowAttributes(row), events: eventsOf(row) } : rowAttributes(row),
  );
  const cursor: Record<string, string> = nextCursor === null ? {} : { "Keybrake-Next-Cursor": nextCursor };
  if (/\btext\/csv\b/.test(accept))
    return textAnswer(200, "text/csv; charset=utf-8", csv(answer.rows), requestId, cursor);
  if (/\bapplication\/x-ndjson\b/.test(accept)) {
    return textAnswer(
      200,
      "application/x-ndjson",
      rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
      requestId,
      cursor,
    );
  }
  return jsonAnswer(200, { data: rows, next_cursor: nextCursor }, requestId);
}

const eventsOf = ({ events }: AuditRow) =>
  events.map((event) => ({ id: eventId(event), ...eventAttributes(event) }));

/** RFC 4180. What a spreadsheet would run as a formula is made text. */
function csv(rows: readonly AuditRow[]): string {
  const columns = rows.map(rowAttributes);
  const names = [...new Set(columns.flatMap((row) => Object.keys(row)))];
  const lines = columns.map((row) => names.map((name) => cell(row[name] ?? null)).join(","));
  return [names.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function cell(value: WireValue): string {
  if (value === null) return "";
  if (value instanceof DecimalUsd) return value.text;
  const text =
    typeof value === "string"
      ? value.replace(/^[=+\-@\t\r]/, "'$&")
      : typeof value === "object"
        ? JSON.stringify(value)
        : `${value}`;
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
