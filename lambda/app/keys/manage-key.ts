import { ceilingOf } from "../../domain/api-key.ts";
import {
  type Balance,
  type CapStatus,
  type Caps,
  capStatuses,
  hasTotalCap,
  isCapped,
  windowAt,
} from "../../domain/balance.ts";
import { widerCaps, widerExpiry } from "../../domain/ceiling.ts";
import { type KeyStatus, statusOf } from "../../domain/key-status.ts";
import type { MicroUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { chainOf, type Policy, parentOf } from "../../domain/vault-key.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StopsVault } from "../../ports/stops.ts";
import type { Vault } from "../../ports/vault.ts";
import { refuseStopped } from "../stops/refuse-stopped.ts";
import { type Caller, isIssuerOf, mayReach, notFound } from "./caller.ts";

/** A key as an answer shows it. */
export interface KeyView {
  readonly policy: Policy;
  /** The key's own. */
  readonly balance: Balance;
  readonly status: KeyStatus;
  /** Of the key's own balance; tightest first. */
  readonly caps: readonly CapStatus[];
  readonly nowMs: number;
}

/** Those of the chain of a key, itself last. */
type ChainBalances = readonly (Balance | null)[];
type InspectedKey = KeyView & { readonly balances: ChainBalances };

interface Ports {
  readonly vault: Vault;
  readonly spending: SpentBudget;
  readonly clock: Clock;
}

/** A key with what is left of it now. Throws `not_found`, where the caller may not see it too. */
export async function inspectKey(keyId: string, caller: Caller, ports: Ports): Promise<InspectedKey> {
  const policy = await ports.vault.policies.read(keyId);
  if (policy === null || !mayReach(caller, policy)) throw notFound();
  const balances = await ports.vault.balances.read(chainOf(policy));
  const view = await viewOf(policy, balances, ports);
  if (view === null) throw notFound();
  return { ...view, balances };
}

/** The key with what is left of it now, and what of the rest is known to be spent; null where it has no balance. */
export async function viewOf(
  policy: Policy,
  balances: ChainBalances,
  { spending, clock }: Pick<Ports, "spending" | "clock">,
): Promise<KeyView | null> {
  const balance = balances.at(-1) ?? null;
  if (balance === null) return null;
  const nowMs = clock.now();
  const window = windowAt(balance.issuedAtMs, nowMs);
  const spent = await spending.spent(policy.keyId, window, hasTotalCap(balance));
  const status = statusOf(policy.chain, balances, nowMs);
  return { policy, balance, status, caps: capStatuses(balance, nowMs, spent), nowMs };
}

/** What to change; what is undefined stays. Caps in micro-dollars. */
export interface KeyChangeRequest {
  readonly caps: { readonly [cap in keyof Caps]?: MicroUsd | undefined };
  readonly expiresInS: number | undefined;
}

const TRIES_MAX = 10;

/**
 * Changes caps and expiry; a change holds on the next call. A cap below what is spent refuses further calls and takes
 * nothing back. Expiry counts from now, so an expired key can go on; a revoked one cannot. A change that would make a key wider
 * than its parent, or than the ceilings of the API key that asks, is refused by the name of its field.
 *
 * A key that had expired was not revoked by a stop that came since: one that gets more time is revoked now, and the Problem is
 * `run_stopped`.
 */
export async function changeKey(
  keyId: string,
  request: KeyChangeRequest,
  caller: Caller,
  ports: Ports & { readonly vault: Pick<StopsVault, "stops"> },
): Promise<KeyView> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { policy, balance } = await inspectKey(keyId, caller, ports);
    if (!isIssuerOf(caller, policy))
      throw new Problem(
        "wider_than_issuer",
        `API key ${caller.id} changes only what was issued with it, and vault key ${keyId} was not`,
        { details: { key_id: keyId, issuer_id: caller.id } },
      );
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
        { details: { field: "daily_usd_cap" } },
      );
    }
    const expiresAtMs =
      request.expiresInS === undefined ? balance.expiresAtMs : nowMs + request.expiresInS * 1000;
    await refuseWider({ policy, caller, asked: request, expiresAtMs, nowMs }, ports);
    // Before the write and after it: the key must not live for a moment, and a stop may come in between.
    if (request.expiresInS !== undefined) await refuseStopped(policy, ports);
    const changed = await ports.vault.balances.change(balance, { caps, expiresAtMs, by: caller.id, nowMs });
    if (changed === null) continue;
    if (request.expiresInS !== undefined) await refuseStopped(policy, ports);
    return inspectKey(keyId, caller, ports);
  }
  throw new Problem("key_changed_meanwhile", "other requests kept changing this key; repeat the request");
}

interface Change {
  readonly policy: Policy;
  readonly caller: Caller;
  readonly asked: KeyChangeRequest;
  readonly expiresAtMs: number;
  readonly nowMs: number;
}

/** Only what is asked for is compared: a parent may have been narrowed since. */
async function refuseWider(
  { policy, caller, asked, expiresAtMs, nowMs }: Change,
  { vault }: Ports,
): Promise<void> {
  const parentId = parentOf(policy);
  const [parent] = parentId === null ? [] : await vault.balances.read([parentId]);
  const ceilings = [
    ...(parent == null ? [] : [{ issuer: `vault key ${parentId}`, ...parent }]),
    ...(caller.apiKey === null ? [] : [ceilingOf(caller.apiKey, nowMs)]),
  ];
  for (const ceiling of ceilings) {
    const wider =
      widerCaps(ceiling, asked.caps) ??
      widerExpiry(ceiling, asked.expiresInS === undefined ? null : expiresAtMs);
    if (wider !== null)
      throw new Problem("wider_than_issuer", `${wider.field}: ${wider.message}`, {
        details: { field: wider.field },
      });
  }
}

/** Revokes a key and, by the chain of their calls, all that descend from it. Repeating it changes nothing. */
export async function revokeKey(keyId: string, caller: Caller, ports: Ports): Promise<InspectedKey> {
  const policy = await ports.vault.policies.read(keyId);
  if (policy === null || !mayReach(caller, policy)) throw notFound();
  const revokedAtMs = await ports.vault.balances.revoke({ keyId, by: caller.id, nowMs: ports.clock.now() });
  if (revokedAtMs === null) throw notFound();
  return inspectKey(keyId, caller, ports);
}
