import type { AuditEvent, AuditRow, EventName } from "./domain/audit-event.ts";
import {
  AUDIT_COLUMNS,
  type AuditFieldName,
  type AuditFields,
  type AuditKind,
} from "./domain/audit-fields.ts";
import { UNCAPPED } from "./domain/balance.ts";
import { fromUsdText, type MicroUsd, NOTHING, usdText } from "./domain/money.ts";
import { isoTime } from "./domain/time.ts";

/**
 * An audit event as the Audit table has it, and a row as it goes over the wire: under the same names, so that `aws dynamodb query` and PartiQL
 * read it as it is. Dollars are decimal numbers, times ISO 8601 strings.
 */
export type WireValue =
  | string
  | number
  | boolean
  | null
  | DecimalUsd
  | readonly string[]
  | Readonly<Record<string, string>>;

/** Decimal USD as text, so that no float comes near it: the table and JSON write it as a number. */
export class DecimalUsd {
  readonly text: string;
  constructor(amount: MicroUsd) {
    this.text = usdText(amount);
  }
  toJSON(): number {
    return Number(this.text);
  }
}

/** The id of an event: `call_id#attempt#event`, or `key_id#event#write` for a change of a key. */
export const eventId = ({ subject, attemptId, event, rank }: AuditEvent): string =>
  attemptId === null ? `${subject}#${event}#${rank}` : `${subject}#${attemptId}#${event}`;

/** The id of a row: what the ids of its events have in common. */
export const rowId = (event: AuditEvent): string =>
  event.attemptId === null ? eventId(event) : `${event.subject}#${event.attemptId}`;

/** Sorts events by time, and keeps those of one row together: what stands before its last `#` is the row's alone. */
export function atId(event: AuditEvent): string {
  const id = event.attemptId === null ? eventId(event) : `${event.attemptId}#${event.event}`;
  return `${isoTime(event.fields.atMs)}#${id}`;
}

/** Where the row of an event stands among others, as text. */
export const positionOf = (event: AuditEvent): string =>
  event.attemptId === null ? atId(event) : `${isoTime(event.fields.atMs)}#${event.attemptId}`;

/** The attributes of an event that says something; what is null or unknown is left out. */
export function eventAttributes(event: AuditEvent): Record<string, WireValue> {
  return {
    ...fieldAttributes(event.fields),
    at: isoTime(event.fields.atMs),
    event: event.event,
    rank: event.rank,
  };
}

/** A row as `GET /vault/audit` shows it: every field is there, null where it does not apply. */
export function rowAttributes(row: AuditRow): Record<string, WireValue> {
  const [first] = row.events;
  const isCall = row.attemptId !== null;
  return {
    id: first === undefined ? row.subject : rowId(first),
    at: isoTime(row.fields.atMs),
    ...BLANK,
    ...fieldAttributes(row.fields),
    call_id: isCall ? row.subject : null,
    attempt: row.attemptId,
    state: isCall ? row.state : null,
  };
}

const columnNames = (isSparse: boolean): readonly string[] =>
  AUDIT_COLUMNS.flatMap(([, { name, sparse }]) => ((sparse === true) === isSparse ? [name] : []));

/** What a row may have, in the order of a table: what few rows have stands last. */
export const ROW_COLUMNS: readonly string[] = [
  "id",
  "at",
  ...columnNames(false),
  "call_id",
  "attempt",
  "state",
  ...columnNames(true),
];

const BLANK = Object.fromEntries(
  AUDIT_COLUMNS.flatMap(([, { name, sparse }]) => (sparse === true ? [] : [[name, null]])),
);

function fieldAttributes(fields: AuditFields): Record<string, WireValue> {
  const attributes: Record<string, WireValue> = {};
  for (const [field, { name, kind }] of AUDIT_COLUMNS) {
    const value = fields[field];
    if (value === undefined || value === null) continue;
    if (kind === "cap" && typeof value === "bigint" && value >= UNCAPPED) continue;
    attributes[name] = wireValue(kind, value);
  }
  return attributes;
}

function wireValue(kind: AuditKind, value: NonNullable<AuditFields[AuditFieldName]>): WireValue {
  if (typeof value === "bigint") return new DecimalUsd(value);
  return kind === "time" && typeof value === "number" ? isoTime(value) : value;
}

/** What an event says of a column that it always tells, where its attribute is left out. */
const LEFT_OUT: Readonly<Partial<Record<AuditKind, unknown>>> = { list: [], map: {} };

/** Reads an event back from its attributes; numbers come as text, so that dollars stay exact. Throws on what is none. */
export function eventFrom(
  subject: string,
  attemptId: string | null,
  attributes: Readonly<Record<string, unknown>>,
): AuditEvent {
  const fields: Record<string, unknown> = { atMs: Date.parse(`${attributes["at"]}`) };
  for (const [field, { name, kind, always }] of AUDIT_COLUMNS) {
    const value = attributes[name];
    if (value !== undefined && value !== null) fields[field] = readValue(kind, value);
    else if (always === true) fields[field] = LEFT_OUT[kind] ?? null;
  }
  return {
    subject,
    attemptId,
    event: attributes["event"] as EventName,
    rank: Number(attributes["rank"]),
    fields: fields as unknown as AuditFields,
    totals: { spent: NOTHING, allowed: 0, denied: 0, keys: [] },
  };
}

function readValue(kind: AuditKind, value: unknown): unknown {
  switch (kind) {
    case "usd":
    case "cap":
      return fromUsdText(`${value}`);
    case "number":
    case "rate":
      return Number(value);
    case "time":
      return Date.parse(`${value}`);
    case "text":
    case "flag":
    case "list":
    case "map":
      return value;
  }
}
