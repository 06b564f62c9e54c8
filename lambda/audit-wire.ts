import type { AuditEvent, AuditFields, AuditRow, EventName } from "./domain/audit-event.ts";
import { UNCAPPED } from "./domain/balance.ts";
import { fromUsdText, type MicroUsd, NOTHING, usdText } from "./domain/money.ts";
import { isoTime } from "./domain/time.ts";

/**
 * The names of an audit event, in the Audit table and on the wire: the same, so that `aws dynamodb query` and PartiQL
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

type Kind = "text" | "number" | "flag" | "usd" | "list" | "map";

/** Field of the domain -> name on the wire and kind of its value. */
const FIELDS: readonly (readonly [keyof AuditFields, string, Kind])[] = [
  ["type", "type", "text"],
  ["keyId", "key_id", "text"],
  ["parentIds", "parent_ids", "list"],
  ["issuerId", "issuer_id", "text"],
  ["credential", "credential", "text"],
  ["label", "agent_run_label", "text"],
  ["labelGroup", "label_group", "text"],
  ["metadata", "metadata", "map"],
  ["callLabel", "call_label", "text"],
  ["vendor", "vendor", "text"],
  ["method", "method", "text"],
  ["path", "path", "text"],
  ["decision", "decision", "text"],
  ["reason", "reason", "text"],
  ["requested", "requested_usd", "usd"],
  ["reserved", "reserved_usd", "usd"],
  ["cost", "cost_usd", "usd"],
  ["overrun", "overrun", "flag"],
  ["amount", "amount", "text"],
  ["currency", "currency", "text"],
  ["fxRate", "fx_rate", "number"],
  ["remaining", "remaining_usd", "usd"],
  ["vendorStatus", "vendor_status", "number"],
  ["vendorRequestId", "vendor_request_id", "text"],
  ["vendorObjectId", "vendor_object_id", "text"],
  ["vendorCustomerId", "vendor_customer_id", "text"],
  ["idempotencyKey", "idempotency_key", "text"],
  ["replayed", "replayed", "flag"],
  ["vendorMs", "vendor_ms", "number"],
  ["overheadMs", "overhead_ms", "number"],
  ["sourceIp", "source_ip", "text"],
  ["userAgent", "user_agent", "text"],
  ["by", "by", "text"],
];

const CAPS = [
  ["daily", "daily_usd_cap"],
  ["total", "total_usd_cap"],
  ["perCall", "per_call_usd_cap"],
] as const;

/** The id of an event: `call_id#attempt#event`, or `key_id#event#write` for a change of a key. */
export const eventId = ({ subject, attemptId, event, rank }: AuditEvent): string =>
  attemptId === null ? `${subject}#${event}#${rank}` : `${subject}#${attemptId}#${event}`;

/** The id of a row: what the ids of its events have in common. */
export const rowId = (event: AuditEvent): string =>
  event.attemptId === null ? eventId(event) : `${event.subject}#${event.attemptId}`;

/** Sorts rows by time, and keeps the events of one row together. */
export const atId = (event: AuditEvent): string => `${isoTime(event.fields.atMs)}#${eventId(event)}`;

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
  const blank = Object.fromEntries(FIELDS.map(([, name]) => [name, null]));
  return {
    id: first === undefined ? row.subject : rowId(first),
    at: isoTime(row.fields.atMs),
    ...blank,
    ...fieldAttributes(row.fields),
    call_id: isCall ? row.subject : null,
    attempt: row.attemptId,
    state: isCall ? row.state : null,
  };
}

function fieldAttributes(fields: AuditFields): Record<string, WireValue> {
  const attributes: Record<string, WireValue> = {};
  for (const [field, name] of FIELDS) {
    const value = fields[field];
    if (value === undefined || value === null) continue;
    attributes[name] = typeof value === "bigint" ? new DecimalUsd(value) : (value as WireValue);
  }
  for (const [cap, name] of CAPS) {
    const amount = fields.caps?.[cap];
    if (amount !== undefined && amount < UNCAPPED) attributes[name] = new DecimalUsd(amount);
  }
  if (fields.expiresAtMs !== undefined) attributes["expires_at"] = isoTime(fields.expiresAtMs);
  return attributes;
}

/** Reads an event back from its attributes; numbers come as text, so that dollars stay exact. Throws on what is none. */
export function eventFrom(
  subject: string,
  attemptId: string | null,
  attributes: Readonly<Record<string, unknown>>,
): AuditEvent {
  const fields: Record<string, unknown> = {
    atMs: Date.parse(`${attributes["at"]}`),
    label: null,
    labelGroup: null,
    metadata: {},
    parentIds: [],
  };
  for (const [field, name, kind] of FIELDS) {
    const value = attributes[name];
    if (value === undefined || value === null) continue;
    fields[field] = kind === "usd" ? fromUsdText(`${value}`) : kind === "number" ? Number(value) : value;
  }
  const caps = CAPS.map(
    ([cap, name]) => [cap, name in attributes ? fromUsdText(`${attributes[name]}`) : UNCAPPED] as const,
  );
  if (CAPS.some(([, name]) => name in attributes)) fields["caps"] = Object.fromEntries(caps);
  if (attributes["expires_at"] !== undefined)
    fields["expiresAtMs"] = Date.parse(`${attributes["expires_at"]}`);
  return {
    subject,
    attemptId,
    event: attributes["event"] as EventName,
    rank: Number(attributes["rank"]),
    fields: fields as unknown as AuditFields,
    totals: { spent: NOTHING, held: NOTHING, window: 0, allowed: 0, denied: 0 },
  };
}
