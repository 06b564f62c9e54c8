import type { AuditEvent, AuditRow } from "../domain/audit-event.ts";
import type { MicroUsd } from "../domain/money.ts";

export interface AuditLog {
  /** Adds events and what they change in the totals, each once however often it is sent. */
  append(events: readonly AuditEvent[]): Promise<void>;
}

/** Where rows are found, newest first. `before`: an `at#id` that is not included. */
export type AuditIndex =
  | { readonly kind: "call"; readonly callId: string }
  | { readonly kind: "key"; readonly keyId: string }
  | { readonly kind: "label"; readonly label: string }
  | { readonly kind: "label_group"; readonly group: string }
  | { readonly kind: "vendor_day"; readonly vendor: string; readonly day: string };

export interface AuditReader {
  /** Whole rows, newest first, and where to go on. */
  page(wanted: WantedRows): Promise<AuditPage>;
}

/** Rows of an index between two times, in milliseconds: `from` is included, `to` is not. */
export interface WantedRows {
  readonly index: AuditIndex;
  readonly fromMs: number;
  readonly toMs: number;
  /** The `at#id` of a row that was shown already, or null: only older rows are wanted. */
  readonly before: string | null;
  readonly limit: number;
}

export interface AuditPage {
  readonly rows: readonly { readonly position: string; readonly row: AuditRow }[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}

/** What the audit totals know to be held by a key: in one window, and over all. */
export interface HeldBudget {
  held(keyId: string, window: number): Promise<{ readonly window: MicroUsd; readonly total: MicroUsd }>;
}
