import type { OutcomeFacts } from "../../domain/audit-fields.ts";
import type { Vendor, VendorOutcome } from "../../domain/vendor.ts";
import type { Exchange } from "./call-vendor.ts";

/** What an answer of the vendor adds to a row. */
export type VendorFacts = Omit<OutcomeFacts, "reason" | "wouldDeny" | "remaining" | "overheadMs">;

/** `vendorMs`: how long the vendor took, in milliseconds. `outcome`: null where the answer was not read. */
export const vendorFacts = (
  { exchange, vendorMs }: { readonly exchange: Exchange; readonly vendorMs: number },
  vendor: Vendor,
  outcome: VendorOutcome | null,
): VendorFacts => factsOf(exchange, vendorMs, vendor, outcome);

/** The row of a call that was not sent. */
export const NOTHING_SENT: VendorFacts = factsOf(null, null, null, null);

function factsOf(
  exchange: Exchange | null,
  vendorMs: number | null,
  vendor: Vendor | null,
  outcome: VendorOutcome | null,
): VendorFacts {
  const reply = exchange?.reply;
  const answer = reply?.kind === "answer" || reply?.kind === "too_large" ? reply : null;
  const isShown = exchange?.withheld === null;
  return {
    amountText: outcome?.amountText ?? null,
    currency: outcome?.currency ?? null,
    fxRate: outcome?.fxRate ?? null,
    vendorStatus: answer?.status ?? null,
    vendorRequestId: answer !== null && isShown ? (vendor?.requestId(answer.headers) ?? null) : null,
    vendorObjectId: outcome?.objectId ?? null,
    vendorCustomerId: outcome?.customerId ?? null,
    replayed: outcome?.replayed ?? false,
    vendorMs,
  };
}
