import { type Balance, standing, tightestCap } from "./balance.ts";
import type { Mode } from "./vault-key.ts";

export const KEY_STATUSES = ["active", "exhausted", "expired", "revoked"] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

/**
 * How a key is called in an answer. `exhausted`: it could be used, but its tightest cap has nothing left now. A key that
 * observes never is: its caps refuse nothing.
 */
export function statusOf(balance: Balance, mode: Mode, nowMs: number): KeyStatus {
  const state = standing(balance, nowMs);
  if (state === "revoked" || state === "expired") return state;
  const tightest = mode === "observe" ? null : tightestCap(balance, nowMs);
  return tightest !== null && tightest.remaining <= 0n ? "exhausted" : "active";
}
