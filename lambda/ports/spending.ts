import type { MicroUsd } from "../domain/money.ts";

/** What a sum is of. */
export interface SumName {
  readonly kind: "vendor" | "label_group" | "label" | "key";
  readonly name: string;
}

/** A label or a label group: what has names of its own, and its last minutes. */
export interface RunName extends SumName {
  readonly kind: "label_group" | "label";
}

/** Dollars that were spent, and calls. */
export interface Spend {
  readonly spent: MicroUsd;
  readonly allowed: number;
  readonly denied: number;
}

export interface DaySpend extends Spend {
  /** UTC day of the calls' start: `2026-11-22`. */
  readonly day: string;
}

/** What a run did. */
export interface RunActivity extends Spend {
  /** When its last call began, in milliseconds; null where nothing is known of one. */
  readonly lastCallAtMs: number | null;
  /** Its last minutes with a call or a price, by minute since 1970. `calls`: allowed and denied ones. */
  readonly minutes: readonly { readonly minute: number; readonly calls: number; readonly spent: MicroUsd }[];
}

/** Part of the names of some days, in the order of their UTF-8 bytes. */
export interface WantedNames {
  readonly kind: RunName["kind"];
  /** UTC days. */
  readonly days: readonly string[];
  /** What the names begin with; empty for all. */
  readonly beginning: string;
  /** The last name that was seen already, or null. */
  readonly after: string | null;
  readonly limit: number;
}

export interface NamesPage {
  readonly names: readonly string[];
  /** What to go on after; null where there are no more. */
  readonly next: string | null;
}

export interface SeenRun extends RunName {
  /** What stood after the group in the labels that it was seen in: `/`, `:` or nothing. */
  readonly separators: readonly string[];
  /** When a process noted it last, in milliseconds. */
  readonly seenAtMs: number;
}

/** The sums beside the audit log. They follow the calls by a moment. */
export interface Spending {
  /**
   * When the newest change of a call was written that is on the log, in milliseconds and cut to the second; null where none of
   * these two days is. The log is written from the parts of a stream: changes before that time may be missing where the reader of
   * a part is behind.
   */
  recordedToMs(nowMs: number): Promise<number | null>;
  /** By day, those between two UTC days: `from` is included, `to` is not. Days without a sum are left out. */
  days(of: SumName, fromDay: string, toDay: string): Promise<readonly DaySpend[]>;
  /** Since a UTC day. */
  activity(run: RunName, fromDay: string): Promise<RunActivity>;
  names(wanted: WantedNames): Promise<NamesPage>;
  /**
   * Runs that were seen since a time, in milliseconds, in any order. A process notes a run once an hour, so one that is
   * active now may have been seen nearly an hour ago. `isComplete`: whether all that there are were read.
   */
  seenSince(
    kind: RunName["kind"],
    sinceMs: number,
    nowMs: number,
  ): Promise<{ readonly runs: readonly SeenRun[]; readonly isComplete: boolean }>;
}
