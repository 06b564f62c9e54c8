import type { MicroUsd } from "../domain/money.ts";

/** The list of calls that something of is not finished: what the resolver looks at next, each at its time. */
export interface DueList {
  /** Puts calls on the list. One that stands there at the same time already stays once. */
  put(calls: readonly DueCall[]): Promise<void>;
  /** Those that are due by a time, in milliseconds, the longest due first. */
  due(byMs: number, limit: number): Promise<readonly DueCall[]>;
  /** Whether there are any; what was put or moved a moment ago may not be seen yet. */
  isAnyDue(byMs: number): Promise<boolean>;
  /** Moves a call to another time. In a crash between it may stand there twice, which does no harm. */
  move(call: DueCall, dueMs: number): Promise<void>;
  remove(call: DueCall): Promise<void>;
}

/** A call that is to be looked at. Times in milliseconds. */
export interface DueCall {
  readonly recordId: string;
  readonly dueMs: number;
  /** When it came onto the list. */
  readonly sinceMs: number;
  /** The draw that is known of it, where its record may never have been written. */
  readonly draw: KnownDraw | null;
}

export interface KnownDraw {
  readonly keyId: string;
  readonly attemptId: string;
  readonly issuedAtMs: number;
  readonly amount: MicroUsd;
  readonly method: string;
  readonly path: string;
}
