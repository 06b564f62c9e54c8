import type { Stop } from "../domain/stop.ts";
import type { StopRecord } from "../domain/stop-record.ts";

/**
 * The stops in force, in one item: a key is issued only if this item, read consistently after the key was written, has no
 * stop for it.
 */
export interface Stops {
  /** One strongly consistent read. */
  read(): Promise<StopsRead>;
  /** One write: from then on every read has it. Harmless twice. */
  order(stop: Stop): Promise<void>;
  /** One write: from then on no read has it. False where it was not there. */
  lift(lifting: { readonly stopId: string; readonly by: string; readonly nowMs: number }): Promise<boolean>;
  /** Takes off stops whose time is over. */
  end(stopIds: readonly string[], nowMs: number): Promise<void>;
  /** Calls whoever revokes the keys once more: a change of the item wakes it. */
  callAgain(nowMs: number): Promise<void>;
}

/** The stops in the Vault table, for those few functions that need them. */
export interface StopsVault {
  readonly stops: Stops;
  readonly stopRecords: StopRecords;
}

export interface StopsRead {
  /** Those whose time is over may still be there. */
  readonly stops: readonly Stop[];
  /** Who wrote the item last, and when; null where that is not known. */
  readonly last: { readonly by: string; readonly atMs: number } | null;
}

/** What became of each stop, beside the item of those in force. */
export interface StopRecords {
  read(stopId: string): Promise<StopRecord | null>;
  /** Newest first. `before`: an id that an earlier page ended with, or null. */
  page(wanted: { readonly before: string | null; readonly limit: number }): Promise<StopRecordPage>;
  /** Replaces the record when its version is still `expectedVersion` (0: there is none); false where it is not. */
  save(record: StopRecord, expectedVersion: number): Promise<boolean>;
}

export interface StopRecordPage {
  readonly records: readonly StopRecord[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}
