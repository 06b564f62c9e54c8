import { Problem } from "../../domain/problem.ts";
import { isSecretOf } from "../../domain/token.ts";
import { type Policy, parseVaultKey } from "../../domain/vault-key.ts";
import type { ProxyPorts } from "./proxy-ports.ts";

/**
 * Finds the key behind a token. Whatever is wrong is said without repeating any of it, in the same words for all,
 * by the Problem that it throws.
 */
export async function findPolicy(
  token: string | null,
  {
    vendors,
    vault,
    vaultKeyHint = null,
  }: Pick<ProxyPorts, "vendors" | "vaultKeyHint"> & { readonly vault: Pick<ProxyPorts["vault"], "policies"> },
): Promise<Policy> {
  if (token === null) {
    throw new Problem(
      "key_unknown",
      "missing vault key; send it in the place of the vendor's credential, as Bearer token or as Basic user; POST /vault/keys issues it",
    );
  }
  const parsed = parseVaultKey(token);
  if (parsed === null) {
    throw new Problem(
      "key_unknown",
      `this is not a vault key: it looks like ${vendors.secrets.looksLike(token)}; send the vault_key that POST /vault/keys returned`,
    );
  }
  const policy = await vault.policies.read(parsed.keyId);
  if (policy === null || !isSecretOf(parsed.secret, policy.secretHash)) {
    const why = [
      "it was never issued here, or ended more than 30 days ago",
      ...(vaultKeyHint === null ? [] : [vaultKeyHint]),
    ];
    throw new Problem("key_unknown", `unknown vault key; ${why.join("; ")}`);
  }
  return policy;
}
