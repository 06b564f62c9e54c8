import type { BalanceWrite } from "../domain/balance-write.ts";

/** Which writes of a balance landed, as the stream told it. */
export interface EvidenceLog {
  /** Harmless to repeat. */
  note(writes: readonly BalanceWrite[]): Promise<void>;
}

export interface EvidenceReader {
  /**
   * Ids of the attempts that drew and of the corrections that landed on a key, up to the write with this number and since a
   * time (milliseconds); of earlier ones some. Null while the stream has not told all of them.
   */
  landed(keyId: string, lastNumber: number, sinceMs: number): Promise<ReadonlySet<string> | null>;
}
