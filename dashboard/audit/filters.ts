import type { Filters } from "../page/address.ts";

/** The filters of the audit log. Their names in the address are those of the API, so that a link says what it asks for. */

export const AUDIT_FILTERS = [
  "agent_run_label",
  "vendor",
  "state",
  "decision",
  "overrun",
  "key_id",
  "call_id",
  "from",
  "to",
] as const;

export type AuditFilter = (typeof AUDIT_FILTERS)[number];

/** Those that are always in sight; the others are opened. */
export const FIRST_FILTERS: readonly AuditFilter[] = ["agent_run_label", "vendor", "state"];

export const STATES = ["open", "settled", "released", "unresolved", "denied", "free"] as const;

/** What is asked for of what an address says: what is no filter of the log is left out. */
export const askedFor = (filters: Filters): Partial<Record<AuditFilter, string>> =>
  Object.fromEntries(
    AUDIT_FILTERS.flatMap((name) => (filters[name] === undefined ? [] : [[name, filters[name]]])),
  );

/** A time of an address as a field for local time has it: `2026-11-28T14:03`. Empty where there is none. */
export function localOf(time: string | undefined, shiftMs: (atMs: number) => number): string {
  const atMs = Date.parse(time ?? "");
  return Number.isNaN(atMs) ? "" : new Date(atMs + shiftMs(atMs)).toISOString().slice(0, 16);
}

/** The other way: a local time as UTC, which is the same for everybody who gets the link. */
export function utcOf(local: string, shiftMs: (atMs: number) => number): string {
  const atMs = Date.parse(`${local}Z`);
  return Number.isNaN(atMs) ? "" : new Date(atMs - shiftMs(atMs)).toISOString().replace(/:00\.000Z$/, "Z");
}

/** A link to what began in the last so many hours. */
export const sinceHours = (hours: number, nowMs: number): string =>
  new Date(Math.floor((nowMs - hours * 3_600_000) / 60_000) * 60_000)
    .toISOString()
    .replace(/:00\.000Z$/, "Z");
