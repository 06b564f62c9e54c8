import { type CallRecord, unresolvedAttempts, VENDOR_BOOKS } from "../../domain/call/record.ts";
import type { CallVault } from "../../ports/vault.ts";
import { askBooks, type BooksPorts, canAskBooks } from "./ask-books.ts";
import { type ClosePorts, closeCall } from "./close-call.ts";

export interface CloseByBooksPorts extends BooksPorts, ClosePorts {
  readonly vault: Pick<CallVault, "policies" | "balances" | "calls" | "objects">;
}

/**
 * What became of an unresolved call when its vendor's books were asked: `again`, at this time in milliseconds; `never`, where
 * they cannot tell, or not any more; `no_time`, where nobody was asked.
 */
export type AskedBooks =
  | { readonly kind: "closed" | "never" | "no_time" }
  | { readonly kind: "again"; readonly dueMs: number };

/** What one call may take: some pages of a list, and its writes. */
const CALL_MS_MAX = 8_000;
/** When it is asked again, counted from the start of the call; after the last one each time as much later. */
const MINUTE_MS = 60_000;
const AGAIN_MS = [1, 5, 15, 60, 180, 720].map((minutes) => minutes * MINUTE_MS);
const LATER_MS = 720 * MINUTE_MS;

/** Asks a vendor's books for a call that nobody knows the outcome of, and closes it where they tell. */
export async function closeByBooks(
  recordId: string,
  deadlineMs: number,
  ports: CloseByBooksPorts,
): Promise<AskedBooks> {
  const { vault, clock } = ports;
  if (clock.now() + CALL_MS_MAX > deadlineMs) return { kind: "no_time" };
  const record = await vault.calls.read(recordId);
  const [attempt] = unresolvedAttempts(Object.values(record?.attempts ?? {}));
  if (record === null || attempt === undefined) return { kind: "closed" };
  const policy = await vault.policies.read(attempt.request.keyId);
  if (policy === null || !canAskBooks(record, attempt, policy, ports)) return { kind: "never" };

  const again = { kind: "again", dueMs: againMs(record, clock.now()) } as const;
  // The answer to a repeat that is at the vendor may tell.
  if (record.lease !== null && record.lease.untilMs >= clock.now()) return again;
  const verdict = await askBooks(record, attempt, policy, deadlineMs, ports);
  if (verdict === null) return again;
  const result = await closeCall({ record, verdict, by: VENDOR_BOOKS, policy }, ports);
  return result.kind === "stale" ? again : { kind: "closed" };
}

/** The same whoever asks, so that a call which stands on the due list twice stands there once afterwards. */
function againMs({ firstAtMs }: CallRecord, nowMs: number): number {
  const sinceMs = nowMs - firstAtMs;
  const next = AGAIN_MS.find((ms) => ms > sinceMs) ?? (Math.floor(sinceMs / LATER_MS) + 1) * LATER_MS;
  return firstAtMs + next;
}
