import type { ApiKey } from "../domain/api-key.ts";
import type { LandedDraw } from "../domain/audit-event.ts";
import type { Balance } from "../domain/balance.ts";
import type { BalanceWrite } from "../domain/balance-write.ts";
import type { CallRecord } from "../domain/call/record.ts";
import type { CapCrossing } from "../domain/cap-crossing.ts";
import type { Stop } from "../domain/stop.ts";
import type { Policy } from "../domain/vault-key.ts";

/**
 * One change of an item of the Vault table, as the stream reports it. `written`: the write of a balance, on any key of a
 * chain. `crossed`: the thresholds of caps that it reached. Both are absent where there are none.
 */
export type VaultChange = RecordedChange & {
  readonly written?: BalanceWrite;
  readonly crossed?: readonly CapCrossing[];
};

/** What a change means for the audit log. `ignored`: nothing. */
type RecordedChange =
  | { readonly kind: "issued"; readonly policy: Policy }
  | { readonly kind: "api_key_issued"; readonly apiKey: ApiKey }
  | { readonly kind: "drawn"; readonly keyId: string; readonly draw: LandedDraw }
  | {
      readonly kind: "changed" | "revoked";
      readonly keyId: string;
      readonly after: Balance;
      readonly atMs: number;
      readonly by: string;
    }
  | { readonly kind: "call"; readonly before: CallRecord | null; readonly after: CallRecord }
  | {
      readonly kind: "stops";
      readonly ordered: readonly Stop[];
      /** Those that are not in force any more. */
      readonly gone: readonly { readonly stop: Stop; readonly by: string; readonly atMs: number }[];
    }
  | { readonly kind: "ignored" };
