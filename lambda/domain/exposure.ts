import { type Balance, leftInWindow, standing, UNCAPPED, windowAt } from "./balance.ts";
import { atLeastNothing, type MicroUsd, NOTHING, plus, smaller } from "./money.ts";

/**
 * The most that a key may still spend until it ends, by its own caps: what is left of its daily cap now and the whole of it on
 * each later day, and no more than is left of its total cap. Micro-dollars; nothing for a key that ended.
 */
function exposureOf(balance: Balance, nowMs: number): MicroUsd {
  if (standing(balance, nowMs) !== "active") return NOTHING;
  const { issuedAtMs, expiresAtMs, caps, leftInTotal } = balance;
  const total = atLeastNothing(leftInTotal);
  if (caps.daily >= UNCAPPED) return total;
  let daily = NOTHING;
  for (let window = windowAt(issuedAtMs, nowMs); window <= windowAt(issuedAtMs, expiresAtMs - 1); window++)
    daily = plus(daily, atLeastNothing(leftInWindow(balance, window)));
  return smaller(daily, total);
}

/** A key of several whose exposure is added up. `chain`: ids from the topmost key to the key itself. */
export interface ExposedKey {
  readonly keyId: string;
  readonly chain: readonly string[];
}

/**
 * The most that these keys may still spend together: children of one key not more than that key. `balances`: of the keys and
 * of all keys above them; one that is missing allows nothing. Micro-dollars.
 */
export function exposureOfAll(
  keys: readonly ExposedKey[],
  balances: ReadonlyMap<string, Balance>,
  nowMs: number,
): MicroUsd {
  const counted = new Set(keys.map(({ keyId }) => keyId));
  const below = new Map<string, Set<string>>();
  const roots = new Set<string>();
  for (const { chain } of keys) {
    if (chain[0] !== undefined) roots.add(chain[0]);
    for (const [at, keyId] of chain.entries()) {
      const child = chain[at + 1];
      if (child !== undefined) below.set(keyId, (below.get(keyId) ?? new Set()).add(child));
    }
  }
  const exposed = (keyId: string): MicroUsd => {
    const balance = balances.get(keyId);
    const own = balance === undefined ? NOTHING : exposureOf(balance, nowMs);
    if (counted.has(keyId)) return own;
    return smaller(own, sumOf(below.get(keyId) ?? [], exposed));
  };
  return sumOf(roots, exposed);
}

function sumOf(keyIds: Iterable<string>, exposed: (keyId: string) => MicroUsd): MicroUsd {
  let sum = NOTHING;
  for (const keyId of keyIds) sum = plus(sum, exposed(keyId));
  return sum;
}
