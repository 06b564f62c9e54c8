/** What a key may do inside a call, beside its caps. Null: no such limit. */
export interface CallLimits {
  /** Accounts other than the credential's own that it may act on. */
  readonly accounts: readonly string[] | null;
  /** Lower-case codes. */
  readonly currencies: readonly string[] | null;
  /** As the vendor's `recipients` reads them. */
  readonly recipients: readonly string[] | null;
  readonly maxRecipients: number | null;
  /** Any account passes: what an observing key is held to in a call. No key is issued with it. */
  readonly anyAccount?: true;
}

/** Whether a call may act on an account other than the credential's own. */
export const allowsAccount = ({ accounts, anyAccount }: CallLimits, account: string): boolean =>
  anyAccount === true || accounts?.includes(account) === true;
