import { chainOf, parseVaultKey } from "../../domain/vault-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";
import type { VendorRegistry } from "../../vendors/registry.ts";
import { standingProblem } from "../proxy/denial-messages.ts";
import { findPolicy } from "../proxy/find-policy.ts";
import type { Caller } from "./caller.ts";
import type { Issuer } from "./issuer.ts";

interface Ports {
  readonly vendors: VendorRegistry;
  readonly vault: Pick<Vault, "policies" | "balances">;
  readonly vaultKeyHint: string | null;
  readonly clock: Clock;
}

/**
 * Who asks for a key: a vault key, with its whole chain in use still, or whoever `authenticated` finds. Throws a 401 that says
 * which key ended.
 */
export async function findIssuer(
  token: string | null,
  authenticated: () => Promise<Caller>,
  ports: Ports,
): Promise<Issuer> {
  if (token === null || parseVaultKey(token) === null) {
    const { id, apiKey } = await authenticated();
    return apiKey === null ? { kind: "admin", id } : { kind: "api_key", id, apiKey };
  }
  const policy = await findPolicy(token, ports);
  const chain = chainOf(policy);
  const balances = await ports.vault.balances.read(chain);
  const ended = standingProblem(chain, balances, ports.clock.now());
  if (ended !== null) throw ended;
  const balance = balances.at(-1);
  if (balance == null) throw new Error("a key that is in use has a balance");
  return { kind: "vault_key", id: policy.keyId, policy, balance };
}
