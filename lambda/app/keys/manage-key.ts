import {
  type Balance,
  type CapStatus,
  type Caps,
  capStatuses,
  hasTotalCap,
  windowAt,
} from "../../domain/balance.ts";
import type { MicroUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";
import { isCapped } from "./issue-key.ts";

/** A key as an answer shows it. */
export interface KeyView {
  readonly policy: Policy;
  readonly balance: Balance;
  /** Tightest first. */
  readonly caps: readonly CapStatus[];
  readonly nowMs: number;
}

interface Ports {
  readonly vault: Vault;
  readonly spending: SpentBudget;
  readonly clock: Clock;
}

/** What an id that is unknown or not yours gets, in the same words. */
export const notFound = () => new Problem("not_found", "there is no such vault key, or it is not yours");

/** A key with what is left of it now. Throws `not_found`. */
export async function inspectKey(keyId: string, ports: Ports): Promise<KeyView> {
  const [policy, [balance]] = await Promise.all([
    ports.vault.policies.read(keyId),
    ports.vault.balances.read([keyId]),
  ]);
  if (policy === null || balance === undefined || balance === null) throw notFound();
  return viewOf(policy, balance, ports);
}

async function viewOf(policy: Policy, balance: Balance, { spending, clock }: Ports): Promise<KeyView> {
  const nowMs = clock.now();
  const window = windowAt(balance.issuedAtMs, nowMs);
  const spent = await spending.spent(policy.keyId, window, hasTotalCap(balance));
  return { policy, balance, caps: capStatuses(balance, nowMs, spent), nowMs };
}

/** What to change; what is undefined stays. Caps in micro-dollars. */
export interface KeyChangeRequest {
  readonly caps: { readonly [cap in keyof Caps]?: MicroUsd | undefined };
  readonly expiresInS: number | undefined;
}

const TRIES_MAX = 10;

/**
 * Changes caps and expiry; a change holds on the next call. A cap below what is spent refuses further calls and takes
 * nothing back. Expiry counts from now, so an expired key can go on; a revoked one cannot.
 */
export async function changeKey(
  keyId: string,
  request: KeyChangeRequest,
  by: string,
  ports: Ports,
): Promise<KeyView> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { policy, balance } = await inspectKey(keyId, ports);
    if (balance.revokedAtMs !== null) {
      throw new Problem(
        "key_not_changeable",
        `vault key ${keyId} is revoked and cannot be changed; issue another one`,
        { details: { key_id: keyId } },
      );
    }
    const nowMs = ports.clock.now();
    const {
      daily = balance.caps.daily,
      total = balance.caps.total,
      perCall = balance.caps.perCall,
    } = request.caps;
    const caps = { daily, total, perCall };
    if (!isCapped(caps)) {
      throw new Problem(
        "invalid_request",
        "daily_usd_cap: a key needs a daily or a total cap; set total_usd_cap before you take this one off",
      );
    }
    const expiresAtMs =
      request.expiresInS === undefined ? balance.expiresAtMs : nowMs + request.expiresInS * 1000;
    const changed = await ports.vault.balances.change(balance, { caps, expiresAtMs, by, nowMs });
    if (changed !== null) return viewOf(policy, changed, ports);
  }
  throw new Problem("key_changed_meanwhile", "other requests kept changing this key; repeat the request");
}

/** Revokes a key and, by the chain of their calls, all that descend from it. Repeating it changes nothing. */
export async function revokeKey(keyId: string, by: string, ports: Ports): Promise<KeyView> {
  const revokedAtMs = await ports.vault.balances.revoke({ keyId, by, nowMs: ports.clock.now() });
  if (revokedAtMs === null) throw notFound();
  return inspectKey(keyId, ports);
}
