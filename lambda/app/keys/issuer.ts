import { type ApiKey, ceilingOf, daysFromMs } from "../../domain/api-key.ts";
import { type Balance, isCapped } from "../../domain/balance.ts";
import type { Ceiling } from "../../domain/ceiling.ts";
import { type ChainMember, ceilingUnder, modeOf, type Policy } from "../../domain/vault-key.ts";

/** Who issues a vault key: the admin of the deployment, an API key, or a vault key that makes a child. */
export type Issuer =
  | { readonly kind: "admin"; readonly id: string }
  | { readonly kind: "api_key"; readonly id: string; readonly apiKey: ApiKey }
  | { readonly kind: "vault_key"; readonly id: string; readonly policy: Policy; readonly balance: Balance };

/** The most that it may hand on now; null where nothing limits it. */
export function ceilingFrom(issuer: Issuer, nowMs: number): Ceiling | null {
  switch (issuer.kind) {
    case "admin":
      return null;
    case "api_key":
      return ceilingOf(issuer.apiKey, nowMs);
    case "vault_key":
      return ceilingUnder(issuer.policy, issuer.balance);
  }
}

/** Of a key that only observes: what an enforcing key above it allows in a call. */
export function enforcedAbove(issuer: Issuer): Pick<Policy, "enforcedAbove"> {
  if (issuer.kind !== "vault_key") return {};
  const { policy } = issuer;
  const { keyId, allowedEndpoints, limits } = policy;
  if (modeOf(policy) === "enforce") return { enforcedAbove: { keyId, allowedEndpoints, limits } };
  return policy.enforcedAbove === undefined ? {} : { enforcedAbove: policy.enforcedAbove };
}

/** What has to stand beside a key that it issues. An API key with caps is drawn from in UTC days; those above it have none. */
export function chainAbove(issuer: Issuer): readonly ChainMember[] {
  switch (issuer.kind) {
    case "admin":
      return [];
    case "api_key": {
      const { apiKeyId, above, caps } = issuer.apiKey;
      const issuedAtMs = daysFromMs(issuer.apiKey.issuedAtMs);
      const read = (keyId: string): ChainMember => ({ keyId, issuedAtMs, onlyRead: true });
      return [...above.map(read), isCapped(caps) ? { keyId: apiKeyId, issuedAtMs } : read(apiKeyId)];
    }
    case "vault_key":
      return issuer.policy.chain;
  }
}
