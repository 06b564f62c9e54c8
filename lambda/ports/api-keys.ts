import type { ApiKey } from "../domain/api-key.ts";
import type { Balance } from "../domain/balance.ts";

/** API keys. What is left of one, and whether it is revoked, is on its balance (balances.ts). */
export interface ApiKeys {
  /** Never changes, so it may come from a cache. Null for one that does not exist. */
  read(apiKeyId: string): Promise<ApiKey | null>;
  /** The balance first, then the key: it is usable once it is there. */
  create(apiKey: ApiKey, balance: Balance): Promise<void>;
  /** Newest first, strongly consistent. `before`: where an earlier page ended, or null. */
  list(wanted: { readonly before: string | null; readonly limit: number }): Promise<ApiKeyPage>;
}

export interface ApiKeyPage {
  readonly apiKeys: readonly ApiKey[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}
