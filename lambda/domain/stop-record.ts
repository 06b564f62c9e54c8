import { isInForce, type Stop } from "./stop.ts";

/**
 * What became of a stop: how far the keys that it is for are revoked, and its end. Pure.
 *
 * The keys are read list by list and page by page. What is done is saved with its count after each page, so a run that died
 * is taken up where it was; a page that is done twice counts the same, since what is counted are the keys that this stop
 * has revoked.
 */
export interface StopRecord {
  readonly stop: Stop;
  /** Counts the writes of the record. */
  readonly version: number;
  /** Where to go on; null once every list was read to its end. */
  readonly place: SweepPlace | null;
  readonly keysRevoked: number;
  /** When every key was revoked, in milliseconds; null before. */
  readonly revokedAtMs: number | null;
  readonly lifted: { readonly by: string; readonly atMs: number } | null;
}

/** `list`: number of the list; `before`: position that was read last, or null at its beginning. */
export interface SweepPlace {
  readonly list: number;
  readonly before: string | null;
}

export const newStopRecord = (stop: Stop): StopRecord => ({
  stop,
  version: 1,
  place: { list: 0, before: null },
  keysRevoked: 0,
  revokedAtMs: null,
  lifted: null,
});

/** `in_force`: every key that it is for is revoked, and none is issued. */
export type StopState = "revoking" | "in_force" | "lifted" | "ended";

export function stateOf({ stop, lifted, revokedAtMs }: StopRecord, nowMs: number): StopState {
  if (lifted !== null) return "lifted";
  if (!isInForce(stop, nowMs)) return "ended";
  return revokedAtMs === null ? "revoking" : "in_force";
}

/** The record after one more page; `next` null: there is none left. `revoked`: keys of the page that the stop has revoked. */
export const afterPage = (
  record: StopRecord,
  revoked: number,
  next: SweepPlace | null,
  nowMs: number,
): StopRecord => ({
  ...record,
  version: record.version + 1,
  place: next,
  keysRevoked: record.keysRevoked + revoked,
  revokedAtMs: next === null ? nowMs : null,
});

export const afterLifting = (record: StopRecord, by: string, nowMs: number): StopRecord => ({
  ...record,
  version: record.version + 1,
  lifted: record.lifted ?? { by, atMs: nowMs },
});
