import { type Balance, standing, tightestCap } from "./balance.ts";
import type { ChainMember } from "./vault-key.ts";

export const KEY_STATUSES = ["active", "exhausted", "expired", "revoked"] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

/**
 * How a key is called in an answer: as its calls find it, so that a key is as good as its whole chain. `balances`: of the members,
 * in their order; one that is gone had expired long ago.
 *
 * `exhausted`: it could be used, but the tightest cap of a member has nothing left now. One that observes refuses nothing.
 */
export function statusOf(
  chain: readonly ChainMember[],
  balances: readonly (Balance | null)[],
  nowMs: number,
): KeyStatus {
  const states = chain.map((_, index) => standing(balances[index] ?? null, nowMs));
  const ended = states.find((state) => state !== "active");
  if (ended !== undefined) return ended === "revoked" ? "revoked" : "expired";
  const isExhausted = chain.some(({ mode, onlyRead }, index) => {
    const balance = balances[index] ?? null;
    if (mode === "observe" || onlyRead === true || balance === null) return false;
    const tightest = tightestCap(balance, nowMs);
    return tightest !== null && tightest.remaining <= 0n;
  });
  return isExhausted ? "exhausted" : "active";
}
