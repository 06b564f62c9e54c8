import { type Account, openAccount } from "./account.ts";
import { invalidRequest, StripeError } from "./errors.ts";
import { type IdempotencyKeys, openIdempotencyKeys } from "./idempotency.ts";

/** An account and what belongs to it alone: a key used on one account is unknown to another. */
export interface Tenant {
  readonly account: Account;
  readonly idempotencyKeys: IdempotencyKeys;
}

/**
 * The platform's account, and those it acts on by `Stripe-Account` or `Stripe-Context`. Any `acct_…` exists once it is
 * named, empty at first.
 */
export interface Accounts {
  /** Null is the platform's own. */
  of(id: string | null): Tenant;
}

const PLATFORM = "acct_1SimulatedPlatform";

export function openAccounts(nowMs: () => number): Accounts {
  const tenants = new Map<string | null, Tenant>();
  return {
    of(id) {
      const found = tenants.get(id);
      if (found !== undefined) return found;
      const account = openAccount(id ?? PLATFORM, nowMs);
      const opened = { account, idempotencyKeys: openIdempotencyKeys(nowMs) };
      tenants.set(id, opened);
      return opened;
    },
  };
}

/**
 * The account that a request acts on, null for the platform's own. `Stripe-Context` may be a path of accounts, of which
 * the last is acted on. Throws a 400 when both headers are sent, a 403 on what is no account.
 */
export function accountNamed(stripeAccount: string | null, stripeContext: string | null): string | null {
  if (stripeAccount !== null && stripeContext !== null)
    throw invalidRequest("You cannot send both Stripe-Account and Stripe-Context.");
  const id = stripeAccount ?? stripeContext?.split("/").at(-1) ?? null;
  if (id === null || isAccount(id)) return id;
  throw new StripeError(403, {
    type: "invalid_request_error",
    code: "account_invalid",
    message:
      `The provided key does not have access to account '${id}' (or that account does not exist). Application access ` +
      "may have been revoked.",
  });
}

export const isAccount = (id: string): boolean => /^acct_\w+$/.test(id);
