import type {
  Balance,
  BalanceRefusal,
  Caps,
  Correction,
  CountedCall,
  Draw,
  StopCause,
} from "../domain/balance.ts";

/** What is left of each vault key. Money is moved by `draw` and `correct` alone. */
export interface Balances {
  /** One strongly consistent read; null where there is none. */
  read(keyIds: readonly string[]): Promise<readonly (Balance | null)[]>;
  /** One conditional write: caps move by their difference. Null when a cap or window changed meanwhile: read again. */
  change(before: Balance, change: KeyChange): Promise<Balance | null>;
  /** Returns the time of the first revocation, or null for an unknown key. Repeating changes nothing. */
  revoke(revocation: Revocation): Promise<number | null>;
  /** W2. Sent once. An answer that does not tell is probed by one read. */
  draw(draw: Draw & AttemptNote): Promise<DrawResult>;
  /**
   * Counts a call that draws nothing, by one conditional write in the place of a read. It moves no money, so it is repeated
   * where its answer is lost: a call may then count twice, and never not at all.
   */
  count(call: CountedCall): Promise<CountResult>;
  /**
   * Refuses whatever was issued at or before a time (milliseconds) and has not landed yet. Returns the number of the balance's
   * last write: no earlier write lands after it. Null where there is no such balance. Harmless to repeat.
   */
  fence(keyId: string, atMs: number): Promise<number | null>;
  /** W6 and W7. Sent once, never repeated, and never throws. */
  correct(correction: Correction): Promise<CorrectionResult>;
}

export interface KeyChange {
  readonly caps: Caps;
  readonly expiresAtMs: number;
  /** Id of the API key that changes it. */
  readonly by: string;
  readonly nowMs: number;
}

export interface Revocation {
  readonly keyId: string;
  /** Id of the API key that revokes it. */
  readonly by: string;
  readonly nowMs: number;
  /** The stop that it is revoked by, where it is. */
  readonly stop?: StopCause;
}

/** What a draw writes beside the money, so that the stream tells a reservation whose process died. */
export interface AttemptNote {
  readonly callId: string;
  readonly isLeaf: boolean;
  /**
   * The key that the call is made with, on the draws of the keys above it; null on its own, and where the call has a record
   * already. The draws go out together, so any one of them may be all that is ever seen of a call whose process died.
   */
  readonly leafId: string | null;
  readonly method: string;
  readonly path: string;
}

export type CountResult =
  | { readonly kind: "counted"; readonly balance: Balance }
  | { readonly kind: "refused"; readonly reason: BalanceRefusal; readonly balance: Balance | null };

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
