import type { Door } from "../../../lambda/app/keys/find-caller.ts";
import type { LoginPorts } from "../../../lambda/app/keys/sign-in.ts";
import type { ApiKey } from "../../../lambda/domain/api-key.ts";
import type { ApiKeys } from "../../../lambda/ports/api-keys.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { MemoryAuditLog } from "../../support/memory-audit.ts";
import { MemoryLogins } from "../../support/memory-logins.ts";
import { MemoryVault, VaultState } from "../../support/memory-vault.ts";
import { START_MS } from "../../support/vault-facts.ts";

const { secrets } = vendorRegistry();

/** What it takes to make API keys and to sign in with them, in memory, by a clock and an admin API key that a test sets. */
export function deployment() {
  const now = { ms: START_MS, adminKey: "an-admin-key" as string | null };
  const state = new VaultState();
  const known = new Map<string, ApiKey>();
  const apiKeys: ApiKeys = {
    read: async (id) => known.get(id) ?? null,
    create: async (apiKey, balance) => {
      state.putBalance(balance);
      known.set(apiKey.apiKeyId, apiKey);
    },
    list: async () => ({ apiKeys: [...known.values()], next: null }),
  };
  const logins = new MemoryLogins();
  const vault = Object.assign(new MemoryVault(state), { apiKeys, logins });
  let names = 0;
  const ids = { random: (length: number) => `${++names}`.padStart(length, "A") };
  const clock = { now: () => now.ms };
  const ports = { vault, ids, clock, spending: new MemoryAuditLog(), recipientsOf: () => () => false };
  const door: Door = { adminKey: async () => now.adminKey, vault, clock, secrets, apiKeyHint: null };
  const loginPorts: LoginPorts = { door, logins, ids };
  return { now, ports, door, loginPorts };
}
