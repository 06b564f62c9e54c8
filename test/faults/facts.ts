/** What is known of a run from all sides. The check (check.ts) compares them. Money in whole micro-dollars. */

export interface VaultKey {
  readonly id: string;
  readonly name: string;
  /** The keys that its spend counts for, the topmost first, itself last. */
  readonly chain: readonly string[];
  /** It refuses nothing, so it has no promise of its own. */
  readonly observes: boolean;
  readonly revokedAtMs: number | null;
}

/** A call as its agent meant it. All its requests have one body, and one idempotency key or none. */
export interface SentCall {
  readonly name: string;
  readonly cents: number;
  readonly idempotencyKey: string | null;
  /** The keys that it was sent with. */
  readonly keyIds: readonly string[];
}

/** One request of a call. */
export interface SentRequest {
  /** Stands on its row. */
  readonly label: string;
  readonly call: string;
  readonly keyId: string;
  /** Whether it began after a revocation of its chain was acknowledged. */
  readonly isAfterRevocation: boolean;
  /** 0: nobody answered. */
  readonly status: number;
  readonly callId: string | null;
  readonly charged: string | null;
  readonly code: string | null;
}

/** What the vendor's own account has of a call. */
export interface Charge {
  readonly objectId: string;
  readonly call: string;
  readonly cents: number;
}

/** A balance as its item has it. A cap that is not set is null. */
export interface StoredBalance {
  readonly keyId: string;
  readonly dailyCap: bigint | null;
  readonly totalCap: bigint | null;
  /** What is left of the daily cap, in all windows that were touched. */
  readonly leftOfDays: readonly bigint[];
  readonly leftOfTotal: bigint;
}

/** A row of the audit log, as far as it is looked at. */
export interface AuditRow {
  readonly id: string;
  readonly type: string;
  readonly keyId: string;
  readonly callId: string | null;
  /** The request's label. */
  readonly label: string | null;
  readonly state: string | null;
  readonly cost: bigint;
  readonly reserved: bigint;
  readonly objectId: string | null;
}

export interface Facts {
  readonly keys: readonly VaultKey[];
  readonly calls: readonly SentCall[];
  readonly requests: readonly SentRequest[];
  readonly charges: readonly Charge[];
  readonly balances: readonly StoredBalance[];
  readonly rows: readonly AuditRow[];
  /** Key -> what the sums of the audit log say that it spent. */
  readonly sums: ReadonlyMap<string, bigint>;
}
