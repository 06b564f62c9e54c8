import type { Folded } from "../../domain/call/change.ts";
import type { AttemptResult } from "../../domain/call/fold.ts";
import { highestTotal } from "../../domain/counted-object.ts";
import { minus, NOTHING } from "../../domain/money.ts";
import { rootOf } from "../../domain/vault-key.ts";
import type { VendorOutcome } from "../../domain/vendor.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import type { PaidCall } from "./quote.ts";

/** What an answer says, and what it means for the call. */
interface Ending {
  readonly outcome: VendorOutcome | null;
  readonly result: AttemptResult;
  readonly folded: Folded;
  readonly nowMs: number;
}

/**
 * What the call changes about the vendor's object, written with its outcome. All that was paid for it counts from then on;
 * apart stands what no draw holds, since only what certainly was taken may ever go back.
 */
export function objectEffect(
  { row, call, price }: PaidCall,
  { outcome, result, folded, nowMs }: Ending,
): ObjectEffect | null {
  const rootId = rootOf(row.policy);
  const { object } = price.known;
  if (result.kind === "executed" && result.uncounts.length > 0 && object !== null) {
    return { kind: "end", rootId, objectId: object.objectId };
  }
  const { paidBy } = folded;
  const isPaid = paidBy !== null && paidBy.price > 0n;
  // Where the answer does not tell what it is about, what was paid is counted for the object that the request names.
  const named = isPaid ? (price.rule.objectOf?.(call.request) ?? null) : null;
  const counts = outcome?.counts ?? (named === null ? null : { objectId: named, total: NOTHING });
  if (counts === null) return null;
  const { objectId, total } = counts;
  const isNew = object === null || total > highestTotal(object);
  if (paidBy !== null && (isPaid || isNew)) {
    const { attempt, price: paid, drawn } = paidBy;
    const { attemptId: payer, windows } = attempt;
    const entry = { attemptId: payer, amount: drawn, beyond: minus(paid, drawn), total, windows };
    return { kind: "count", rootId, objectId, entry, nowMs };
  }
  if (result.kind === "declined" && isNew) {
    return {
      kind: "count",
      rootId,
      objectId,
      entry: { attemptId: row.attempt.attemptId, amount: NOTHING, beyond: NOTHING, total, windows: [] },
      nowMs,
    };
  }
  return null;
}
