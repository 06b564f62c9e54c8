import type { NamedCorrection } from "../../domain/call/corrections.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import type { Vault } from "../../ports/vault.ts";

/** Up to this many corrections stay on a record though they were applied: the call then ends one write sooner. */
export const CORRECTIONS_KEPT = 4;

/** A record as it was written, and the corrections that the write decided. */
export interface Outcome {
  readonly record: CallRecord;
  readonly corrections: readonly NamedCorrection[];
}

/**
 * W6 and W7: each correction once. One that was acknowledged needs no evidence any more, so it is taken off a record that
 * has gathered several; one that was not stays, for whoever finds out what became of it.
 */
export async function sendCorrections(
  { record, corrections }: Outcome,
  vault: Pick<Vault, "balances" | "calls">,
): Promise<void> {
  const results = await Promise.allSettled(
    corrections.map((correction) => vault.balances.correct(correction)),
  );
  const applied = corrections.filter((_, index) => {
    const result = results[index];
    return result?.status === "fulfilled" && result.value === "applied";
  });
  if (applied.length === 0 || Object.keys(record.corrections).length <= CORRECTIONS_KEPT) return;
  const opIds = applied.map(({ opId }) => opId);
  // Where this fails they stay on the record, as those that were not acknowledged.
  await vault.calls.confirm(record.callId, opIds).catch(() => undefined);
}
