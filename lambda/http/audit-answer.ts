import type { APIGatewayProxyResult } from "aws-lambda";
import type { AuditAnswer } from "../app/audit/query-audit.ts";
import {
  DecimalUsd,
  eventAttributes,
  eventId,
  ROW_COLUMNS,
  rowAttributes,
  type WireValue,
} from "../audit-wire.ts";
import type { AuditRow } from "../domain/audit-event.ts";
import { answerBody, jsonAnswer, textAnswer } from "./answers.ts";

export type AuditFormat = "json" | "csv" | "ndjson";

/** What the caller's header `Accept` asks for. */
export function formatOf(accept: string): AuditFormat {
  if (/\btext\/csv\b/.test(accept)) return "csv";
  return /\bapplication\/x-ndjson\b/.test(accept) ? "ndjson" : "json";
}

/** Lambda takes no answer above 6 MB, and base64 makes it a third longer. */
const EXPORT_BYTES_MAX = 4_000_000;

/** Whether an export is too long to be handed over: rows may be long, and fewer of them are not. */
export const isTooLong = ({ body, isBase64Encoded }: APIGatewayProxyResult): boolean =>
  Buffer.byteLength(body) > (isBase64Encoded === true ? (EXPORT_BYTES_MAX * 4) / 3 : EXPORT_BYTES_MAX);

export interface AuditAnswerOptions {
  readonly format: AuditFormat;
  readonly withEvents: boolean;
  /** Null ends the list. */
  readonly nextCursor: string | null;
  readonly requestId: string;
}

/** Rows of the audit log as JSON or, for an export, as CSV or NDJSON; then the cursor is in a header. */
export function auditAnswer(
  answer: AuditAnswer,
  { format, withEvents, nextCursor, requestId }: AuditAnswerOptions,
): APIGatewayProxyResult {
  const rows = answer.rows.map((row) =>
    withEvents ? { ...rowAttributes(row), events: eventsOf(row) } : rowAttributes(row),
  );
  if (format === "json") return jsonAnswer(200, { data: rows, next_cursor: nextCursor }, requestId);
  const [type, text] =
    format === "csv"
      ? ["text/csv; charset=utf-8", csv(answer.rows)]
      : ["application/x-ndjson", rows.map((row) => `${JSON.stringify(row)}\n`).join("")];
  const cursor: Record<string, string> = nextCursor === null ? {} : { "Keybrake-Next-Cursor": nextCursor };
  return { ...textAnswer(200, type, "", requestId, cursor), ...answerBody(Buffer.from(text)) };
}

const eventsOf = ({ events }: AuditRow) =>
  events.map((event) => ({ id: eventId(event), ...eventAttributes(event) }));

/**
 * What makes a spreadsheet run a cell as a formula: a sign of its own or its full-width form, spaces and control characters before
 * it included (OWASP, "CSV Injection", read 2026-11-28).
 */
const FORMULA = /^(?:[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/;

/** RFC 4180. The columns are the same on every page, whatever rows it has. What a spreadsheet would run as a formula is made text. */
function csv(rows: readonly AuditRow[]): string {
  const lines = rows
    .map(rowAttributes)
    .map((row) => ROW_COLUMNS.map((name) => cell(row[name] ?? null)).join(","));
  return [ROW_COLUMNS.join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function cell(value: WireValue): string {
  if (value === null) return "";
  if (value instanceof DecimalUsd) return value.text;
  const text =
    typeof value === "string"
      ? value.replace(FORMULA, "'$&")
      : typeof value === "object"
        ? JSON.stringify(value)
        : `${value}`;
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
