import type { AuditEvent, AuditRow } from "../domain/audit-event.ts";
import type { SpentSoFar } from "../domain/balance.ts";
import type { LooseEnd } from "../domain/call/loose-end.ts";

export interface AuditLog {
  /** Adds events and what they change in the totals, each once however often it is sent. */
  append(events: readonly AuditEvent[]): Promise<void>;
}

/**
 * Which attempts and other loose ends began and which ended, batch by batch. It is written beside the log, and read by the
 * sweep, which tells the attempts without outcome and puts their calls on the due list.
 */
export interface AttemptJournal {
  note(batch: JournalBatch): Promise<void>;
  /**
   * What was noted as begun between two times, in milliseconds, and as ended at no time. `aroundMs`: how long before and after
   * these times an end may be noted; an hour unless given.
   */
  unended(fromMs: number, toMs: number, aroundMs?: number): Promise<Unended>;
  /** The time of the first note that is kept, in milliseconds; null where there is none. */
  beginsAtMs(): Promise<number | null>;
  /** Until when everything is swept, in milliseconds; null where nothing ever was. */
  sweptUntilMs(): Promise<number | null>;
  markSwept(untilMs: number): Promise<void>;
}

export interface JournalBatch {
  /** `open` and `reserved` events. */
  readonly begun: readonly AuditEvent[];
  readonly looseEnds: readonly LooseEnd[];
  /** Ids of attempts that have an outcome on the log, and of loose ends. */
  readonly ended: readonly string[];
  /** When the newest change of the batch was written, in milliseconds; absent where nobody knows. */
  readonly writtenToMs?: number;
}

/** `events`: of attempts. They lack what their key tells: only `keyId` is there. */
export interface Unended {
  readonly events: readonly AuditEvent[];
  readonly looseEnds: readonly LooseEnd[];
}

/** By what rows are found. */
export type AuditIndex =
  | { readonly kind: "call"; readonly callId: string }
  | { readonly kind: "key"; readonly keyId: string }
  | { readonly kind: "label"; readonly label: string }
  | { readonly kind: "label_group"; readonly group: string }
  | { readonly kind: "vendor"; readonly vendor: string };

export interface AuditReader {
  /** The parts that an index is read in: rows of one part are in order, those of all parts have to be merged. */
  partsOf(index: AuditIndex): readonly AuditIndexPart[];
  /** Rows with all of their events, newest first, and where to go on. They say what the index knows. */
  page(wanted: WantedRows): Promise<AuditPage>;
  /** The same rows with all of their fields. */
  whole(rows: readonly AuditRow[]): Promise<readonly AuditRow[]>;
}

/** `shard`: which part, from 0 on. */
export type AuditIndexPart = AuditIndex & { readonly shard: number };

/** Rows of an index between two times, in milliseconds: `from` is included, `to` is not. */
export interface WantedRows {
  readonly part: AuditIndexPart;
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

/** What the totals of the audit log know to be spent of a key. They follow the calls by a moment. */
export interface SpentBudget {
  /** `inTotal`: whether what was spent over all windows is wanted too; zero otherwise. Micro-dollars. */
  spent(keyId: string, window: number, inTotal: boolean): Promise<SpentSoFar>;
}
