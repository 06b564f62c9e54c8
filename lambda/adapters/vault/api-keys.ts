import { type ApiKey, NEVER_MS } from "../../domain/api-key.ts";
import type { Balance } from "../../domain/balance.ts";
import type { ApiKeys } from "../../ports/api-keys.ts";
import {
  API_KEY_LIST,
  apiKeyEntry,
  apiKeyItem,
  apiKeyKey,
  PLACE,
  readApiKeyItem,
} from "../vault-items/api-key-item.ts";
import { balanceItem } from "../vault-items/balance-item.ts";
import { keyTtlS } from "../vault-items/policy-item.ts";
import type { VaultTable } from "./vault-table.ts";

const CACHED_MAX = 1_000;

/** API keys in the Vault table. One that was read is kept for as long as the process lives, since it never changes. */
export function dynamoApiKeys(table: VaultTable): ApiKeys {
  const cached = new Map<string, ApiKey>();
  const keep = (apiKey: ApiKey): ApiKey => {
    const oldest = cached.keys().next().value;
    if (cached.size >= CACHED_MAX && oldest !== undefined) cached.delete(oldest);
    cached.set(apiKey.apiKeyId, apiKey);
    return apiKey;
  };
  const read: ApiKeys["read"] = async (apiKeyId) => {
    const known = cached.get(apiKeyId);
    if (known !== undefined) return known;
    const item = await table.get(apiKeyKey(apiKeyId));
    return item === null ? null : keep(readApiKeyItem(item));
  };
  return {
    read,
    create: (apiKey, balance) => create(table, apiKey, balance),
    async list({ before, limit }) {
      const entries = await table.query({
        KeyConditionExpression: "pk = :list AND sk BETWEEN :first AND :before",
        ExpressionAttributeValues: {
          ":list": { S: API_KEY_LIST },
          ":first": { S: PLACE },
          ":before": { S: `${PLACE}${before ?? "~"}` },
        },
        ScanIndexForward: false,
        ConsistentRead: true,
        // `before` itself has been shown.
        Limit: limit + 2,
      });
      const older = entries.filter(({ sk }) => sk?.S !== `${PLACE}${before}`);
      const page = older.slice(0, limit);
      const apiKeys = await Promise.all(page.map((entry) => read(entry["api_key_id"]?.S ?? "")));
      const last = page.at(-1)?.["sk"]?.S?.slice(PLACE.length) ?? null;
      // An entry without key: its issuing died.
      const found = apiKeys.filter((apiKey) => apiKey !== null);
      return { apiKeys: found, next: older.length > limit ? last : null };
    },
  };
}

async function create(table: VaultTable, apiKey: ApiKey, balance: Balance): Promise<void> {
  await Promise.all([
    table.putNew(apiKeyEntry(apiKey)),
    table.putNew(
      balanceItem(balance, { op: "issue", id: apiKey.apiKeyId, atMs: apiKey.issuedAtMs }, keyTtlS(NEVER_MS)),
    ),
  ]);
  await table.putNew(apiKeyItem(apiKey));
}
