import type { CallRecord, DecidedCorrection } from "./record.ts";

/** A give-back (above zero) or a forced count (below zero), with the name under which it is sent. */
export interface NamedCorrection extends DecidedCorrection {
  readonly opId: string;
}

/** The corrections of a record that this attempt decided. */
export const correctionsBy = (record: CallRecord, attemptId: string): readonly NamedCorrection[] =>
  Object.entries(record.corrections)
    .filter(([opId]) => opId.startsWith(`${attemptId}.`))
    .map(([opId, correction]) => ({ opId, ...correction }));

/** The record without corrections that were acknowledged: nobody has to find out any more whether they landed. */
export function confirmed(record: CallRecord, opIds: readonly string[]): CallRecord {
  const left = Object.entries(record.corrections).filter(([opId]) => !opIds.includes(opId));
  return { ...record, version: record.version + 1, corrections: Object.fromEntries(left) };
}
