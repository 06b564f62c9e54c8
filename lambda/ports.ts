import type { AuditEvent, AuditRow, LandedDraw } from "./domain/audit-event.ts";
import type { Balance, BalanceRefusal, Caps, Correction, Draw } from "./domain/balance.ts";
import type { Attempt, CallRecord } from "./domain/call.ts";
import type { CountedEntry, CountedObject } from "./domain/counted-object.ts";
import type { MicroUsd } from "./domain/money.ts";
import type { Policy } from "./domain/vault-key.ts";
import type { Headers } from "./domain/vendor.ts";

/**
 * What the use cases need of the world: types only. The adapters fill them in for AWS, the simulation in memory; both
 * pass the same contract. A method that cannot tell whether its write landed throws, unless it says otherwise.
 */

/** Milliseconds since 1970. */
export interface Clock {
  now(): number;
}

/** Random strings of the alphabet `[A-Za-z0-9]`. */
export interface Ids {
  random(length: number): string;
}

export interface Vault {
  /** Never changes, so it may come from a cache. Null for a key that does not exist. */
  readPolicy(keyId: string): Promise<Policy | null>;
  /** One strongly consistent read; null where there is none. */
  readBalances(keyIds: readonly string[]): Promise<readonly (Balance | null)[]>;
  /** The balance first, then the policy: a key is usable once its policy is there. */
  createKey(
    policy: Policy,
    balance: Balance,
    requestKey: string | null,
  ): Promise<"created" | { readonly alreadyIssued: string }>;
  /** One conditional write: caps move by their difference. Null when a cap or window changed meanwhile: read anew. */
  changeKey(before: Balance, change: KeyChange): Promise<Balance | null>;
  /** Returns the time of the first revocation, or null for an unknown key. Repeating changes nothing. */
  revokeKey(keyId: string, by: string, nowMs: number): Promise<number | null>;

  /** W1. One conditional write that makes or takes over the call's record and its lease. */
  claim(
    callId: string,
    attempt: Attempt,
    nowMs: number,
    leaseUntilMs: number,
    youngAfterMs: number,
  ): Promise<ClaimResult>;
  /** W1b, W5 and first puts: replaces the record when its version is still `expectedVersion` (0: there is none). */
  saveCall(record: CallRecord, expectedVersion: number, effect: ObjectEffect | null): Promise<SaveResult>;
  readCall(callId: string): Promise<CallRecord | null>;
  /** Calls of a vendor that are settled at an estimate and due by then (milliseconds), the longest due first; may lag. */
  lateCalls(vendor: string, dueByMs: number, limit: number): Promise<readonly string[]>;
  /** How many calls of a vendor are due by then, of very many so many at least, and when the oldest was; may lag. */
  lateBacklog(
    vendor: string,
    dueByMs: number,
  ): Promise<{ readonly calls: number; readonly oldestDueMs: number | null }>;
  readObject(rootId: string, objectId: string): Promise<CountedObject | null>;

  /** W2. Sent once. An answer that does not tell is probed by one read. */
  draw(draw: Draw & AttemptNote): Promise<DrawResult>;
  /** W6 and W7. Sent once, never repeated, and never throws. */
  correct(correction: Correction): Promise<CorrectionResult>;
  /** Takes corrections that were applied off the call's record, all or none; harmless twice. */
  confirm(callId: string, opIds: readonly string[]): Promise<void>;
}

export interface KeyChange {
  readonly caps: Caps;
  readonly expiresAtMs: number;
  readonly by: string;
  readonly nowMs: number;
}

/** What a draw writes beside the money, so that the stream tells a reservation whose process died. */
export interface AttemptNote {
  readonly callId: string;
  readonly isLeaf: boolean;
  readonly method: string;
  readonly path: string;
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

/** What a settled or declined call changes about a counted object, in the same transaction as the call's record. */
export type ObjectEffect =
  | {
      readonly kind: "count";
      readonly rootId: string;
      readonly objectId: string;
      readonly entry: CountedEntry;
      readonly nowMs: number;
    }
  | { readonly kind: "end"; readonly rootId: string; readonly objectId: string };

export type DrawResult =
  | { readonly kind: "drawn"; readonly balance: Balance }
  | { readonly kind: "refused"; readonly reason: BalanceRefusal; readonly balance: Balance | null }
  /** The table took none of its sends: certainly not drawn. */
  | { readonly kind: "not_applied" }
  /** It may have landed; the probe could not tell. */
  | { readonly kind: "ambiguous" };

export type CorrectionResult =
  /** Acknowledged. */
  | "applied"
  /** The table took none of its sends, or its condition failed: certainly not applied. */
  | "not_applied"
  /** It may have landed: that is found out by the resolver. */
  | "unknown";

export interface VendorSecrets {
  /** The credential, or null where none is set. `fresh` goes past the cache. */
  get(vendor: string, credential: string, fresh: boolean): Promise<string | null>;
  /** What an operator does to set it, in words for an error: a command, where there is one. */
  howToSet(vendor: string, credential: string): string;
}

export interface VendorHttp {
  send(request: OutboundRequest): Promise<VendorReply>;
}

export interface OutboundRequest {
  readonly origin: string;
  readonly method: string;
  /** Canonical path and the query written anew. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

export type VendorReply =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Headers;
      readonly rawHeaders: readonly (readonly [string, string])[];
      readonly body: Uint8Array;
    }
  /** The vendor answered, with more than can be passed on: its body was not read to the end. */
  | {
      readonly kind: "too_large";
      readonly status: number;
      readonly headers: Headers;
      readonly bytesMax: number;
    }
  /** Not a byte left. */
  | { readonly kind: "unreachable"; readonly cause: unknown }
  /** Bytes were sent and no whole answer came back. */
  | { readonly kind: "broken"; readonly cause: unknown }
  | { readonly kind: "timeout" };

/** What the audit totals know to be held by a key: in one window, and over all. */
export interface HeldBudget {
  held(keyId: string, window: number): Promise<{ readonly window: MicroUsd; readonly total: MicroUsd }>;
}

/** One change of an item of the Vault table, as the stream tells it. `ignored`: it says nothing to the audit log. */
export type VaultChange =
  | { readonly kind: "issued"; readonly policy: Policy }
  | { readonly kind: "drawn"; readonly keyId: string; readonly draw: LandedDraw }
  | {
      readonly kind: "changed" | "revoked";
      readonly keyId: string;
      readonly after: Balance;
      readonly atMs: number;
      readonly by: string;
    }
  | { readonly kind: "call"; readonly before: CallRecord | null; readonly after: CallRecord }
  | { readonly kind: "ignored" };

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
  /** Whole rows between two times (milliseconds, `from` included, `to` excluded), newest first, and where to go on. */
  page(
    index: AuditIndex,
    fromMs: number,
    toMs: number,
    before: string | null,
    limit: number,
  ): Promise<AuditPage>;
}

export interface AuditPage {
  readonly rows: readonly { readonly position: string; readonly row: AuditRow }[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}
