import type { Attempt, CallRecord } from "../domain/call/record.ts";
import type { ObjectEffect } from "./objects.ts";

/** The records of calls. Each write of one is a compare-and-set on its version, but for the claim. */
export interface Calls {
  read(callId: string): Promise<CallRecord | null>;
  /** W1. One conditional write that makes or takes over the call's record and its lease. */
  claim(claim: Claim): Promise<ClaimResult>;
  /** W1b, W5 and first puts: replaces the record when its version is still `expectedVersion` (0: there is none). */
  save(record: CallRecord, expectedVersion: number, effect: ObjectEffect | null): Promise<SaveResult>;
  /** Takes corrections that were applied off the call's record, all or none; harmless twice. */
  confirm(callId: string, opIds: readonly string[]): Promise<void>;
  /** Ids of a vendor's calls that are settled at an estimate and due, the longest due first; may lag. */
  late(due: DueCalls): Promise<readonly string[]>;
  /** How many calls of a vendor are due by then, of very many so many at least, and when the oldest was; may lag. */
  lateBacklog(vendor: string, dueByMs: number): Promise<LateBacklog>;
}

/** An attempt that asks for the lease of its call. Times in milliseconds. */
export interface Claim {
  readonly callId: string;
  readonly attempt: Attempt;
  readonly nowMs: number;
  readonly leaseUntilMs: number;
  /** A record that began at this time or earlier is one that the vendor may have forgotten. */
  readonly replayableSinceMs: number;
}

export type ClaimResult =
  | { readonly kind: "claimed"; readonly record: CallRecord }
  /** Somebody else holds the lease. */
  | { readonly kind: "busy" }
  /** It holds as many attempts and corrections as a record may. */
  | { readonly kind: "full"; readonly record: CallRecord }
  /** The vendor may have forgotten it: the next generation of the record is for the caller. */
  | { readonly kind: "too_old"; readonly firstAtMs: number }
  | { readonly kind: "joinable"; readonly record: CallRecord };

export type SaveResult =
  | { readonly kind: "saved" }
  /** Another write was first: this is the record now. */
  | { readonly kind: "stale"; readonly record: CallRecord | null }
  /** The counted object has ended already. */
  | { readonly kind: "object_ended" };

export interface DueCalls {
  readonly vendor: string;
  readonly dueByMs: number;
  /** How many ids are wanted. */
  readonly limit: number;
}

export interface LateBacklog {
  readonly calls: number;
  readonly oldestDueMs: number | null;
}
