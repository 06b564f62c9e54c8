import type { AuditRow, Facts } from "./facts.ts";
import { groupBy } from "./group-by.ts";

/** Call -> its rows. */
export type RowsOfCalls = ReadonlyMap<string, readonly AuditRow[]>;

/**
 * Finds the rows of each call, by the label of the request.
 *
 * An attempt without idempotency key whose outcome was never written left nothing but its draws, which have no label. Its row
 * is found by the id that its caller was told; and where the caller was told nothing, it is that of a call with the same key
 * and amount that has no other row, one that was charged first.
 */
export function rowsOfCalls({
  rows,
  calls,
  charges,
  requests,
}: Omit<Facts, "balances" | "sums">): RowsOfCalls {
  const ofCalls = rows.filter(({ type }) => type === "call");
  const found = new Map(groupBy(ofCalls, ({ label }) => callOf(label)));
  const toldIds = new Map(requests.flatMap(({ callId, call }) => (callId === null ? [] : [[callId, call]])));
  const unnamed: AuditRow[] = [];
  for (const row of found.get("") ?? []) {
    const call = toldIds.get(row.callId ?? "");
    if (call === undefined) unnamed.push(row);
    else found.set(call, [...(found.get(call) ?? []), row]);
  }
  found.delete("");

  const charged = new Set(charges.map(({ call }) => call));
  const unanswered = new Set(requests.flatMap(({ status, call }) => (status === 0 ? [call] : [])));
  const without = calls
    .filter(({ name, idempotencyKey }) => idempotencyKey === null && unanswered.has(name) && !found.has(name))
    .sort((one, other) => Number(charged.has(other.name)) - Number(charged.has(one.name)));
  const waiting = new Map(groupBy(without, ({ keyIds: [keyId = ""], cents }) => `${keyId} ${cents}`));
  for (const row of unnamed) {
    const amount = row.reserved > 0n ? row.reserved : row.cost;
    const [call, ...rest] = waiting.get(`${row.keyId} ${amount / 10_000n}`) ?? [];
    if (call === undefined) continue;
    waiting.set(`${row.keyId} ${amount / 10_000n}`, rest);
    found.set(call.name, [row]);
  }
  return found;
}

const callOf = (label: string | null): string => label?.split(".")[0] ?? "";
