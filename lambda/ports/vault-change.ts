import type { ApiKey } from "../domain/api-key.ts";
import type { LandedDraw } from "../domain/audit-event.ts";
import type { Balance } from "../domain/balance.ts";
import type { CallRecord } from "../domain/call/record.ts";
import type { Policy } from "../domain/vault-key.ts";

/**
 * One change of an item of the Vault table, as the stream reports it. `ignored`: the change has no meaning for the
 * audit log.
 */
export type VaultChange =
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
  | { readonly kind: "ignored" };
