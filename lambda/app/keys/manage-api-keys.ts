import { API_KEYS_ABOVE_MAX, type ApiKey, daysFromMs, makeApiKey, NEVER_MS } from "../../domain/api-key.ts";
import {
  type Balance,
  type CapStatus,
  capStatuses,
  fullBalance,
  hasTotalCap,
  isCapped,
  windowAt,
} from "../../domain/balance.ts";
import { NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { ApiKeys } from "../../ports/api-keys.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Balances } from "../../ports/balances.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Caller } from "./caller.ts";

/** What a caller asks for. */
export type ApiKeyRequest = Pick<ApiKey, "name" | "scopes" | "vendors" | "credentials" | "ceilings" | "caps">;

/** An API key as an answer shows it. */
export interface ApiKeyView {
  readonly apiKey: ApiKey;
  readonly balance: Balance;
  /** When it was revoked, or the first API key above it; milliseconds, or null. */
  readonly revokedAtMs: number | null;
  /** Of what all its keys spend together; tightest first. */
  readonly caps: readonly CapStatus[];
}

interface Ports {
  readonly vault: { readonly apiKeys: ApiKeys; readonly balances: Balances };
  readonly spending: SpentBudget;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What one read of balances takes. */
const BALANCES_AT_ONCE = 100;

export const notFound = () => new Problem("not_found", "there is no such API key");

/** Makes an API key, which stands for as long as the caller's does. Its secret leaves here once and is stored only as a hash. */
export async function createApiKey(
  request: ApiKeyRequest,
  caller: Caller,
  { vault, clock, ids }: Pick<Ports, "vault" | "clock" | "ids">,
): Promise<ApiKeyView & { readonly token: string }> {
  const issuedAtMs = clock.now();
  const above = apiKeysUnder(caller);
  const { id: apiKeyId, token, secretHash } = makeApiKey(ids.random(16), ids.random(32));
  const apiKey: ApiKey = { ...request, apiKeyId, secretHash, issuerId: caller.id, above, issuedAtMs };
  const balance = fullBalance(
    { keyId: apiKeyId, issuedAtMs: daysFromMs(issuedAtMs), caps: request.caps, expiresAtMs: NEVER_MS },
    { hasRate: false },
  );
  await vault.apiKeys.create(apiKey, balance);
  return {
    token,
    apiKey,
    balance,
    revokedAtMs: null,
    caps: capStatuses(balance, issuedAtMs, { window: NOTHING, total: NOTHING }),
  };
}

function apiKeysUnder({ id, apiKey }: Caller): readonly string[] {
  if (apiKey === null) return [];
  const above = [...apiKey.above, id];
  if (above.length <= API_KEYS_ABOVE_MAX) return above;
  throw new Problem(
    "chain_too_long",
    `API key ${id} has ${API_KEYS_ABOVE_MAX} API keys above it, and one can have no more; make this one with an API key above it`,
    { details: { key_id: id } },
  );
}

/** One API key with what is left of its caps. Throws `not_found`. */
export async function inspectApiKey(
  apiKeyId: string,
  ports: Pick<Ports, "vault" | "spending" | "clock">,
): Promise<ApiKeyView> {
  const apiKey = await ports.vault.apiKeys.read(apiKeyId);
  const [view] = apiKey === null ? [] : await viewsOf([apiKey], ports);
  if (view === undefined) throw notFound();
  return view;
}

/** One page of API keys, newest first. */
export async function listApiKeys(
  wanted: { readonly before: string | null; readonly limit: number },
  ports: Pick<Ports, "vault" | "spending" | "clock">,
): Promise<{ readonly views: readonly ApiKeyView[]; readonly next: string | null }> {
  const { apiKeys, next } = await ports.vault.apiKeys.list(wanted);
  return { views: await viewsOf(apiKeys, ports), next };
}

/** Revokes an API key: what it issued, API keys too, is refused from the next call on. Repeating it changes nothing. */
export async function revokeApiKey(
  apiKeyId: string,
  by: string,
  ports: Pick<Ports, "vault" | "spending" | "clock">,
): Promise<ApiKeyView> {
  if ((await ports.vault.apiKeys.read(apiKeyId)) === null) throw notFound();
  await ports.vault.balances.revoke({ keyId: apiKeyId, by, nowMs: ports.clock.now() });
  return inspectApiKey(apiKeyId, ports);
}

async function viewsOf(
  apiKeys: readonly ApiKey[],
  { vault, spending, clock }: Pick<Ports, "vault" | "spending" | "clock">,
): Promise<readonly ApiKeyView[]> {
  const nowMs = clock.now();
  const keyIds = [...new Set(apiKeys.flatMap(({ above, apiKeyId }) => [...above, apiKeyId]))];
  const balances = new Map<string, Balance>();
  for (let start = 0; start < keyIds.length; start += BALANCES_AT_ONCE)
    for (const balance of await vault.balances.read(keyIds.slice(start, start + BALANCES_AT_ONCE)))
      if (balance !== null) balances.set(balance.keyId, balance);
  const views = await Promise.all(
    apiKeys.map(async (apiKey) => {
      const { above, apiKeyId } = apiKey;
      const balance = balances.get(apiKeyId);
      if (balance === undefined) return [];
      const ended = [...above, apiKeyId].flatMap((keyId) => balances.get(keyId)?.revokedAtMs ?? []);
      const revokedAtMs = ended.length === 0 ? null : Math.min(...ended);
      if (!isCapped(balance.caps)) return [{ apiKey, balance, revokedAtMs, caps: [] }];
      const window = windowAt(balance.issuedAtMs, nowMs);
      const spent = await spending.spent(apiKeyId, window, hasTotalCap(balance));
      return [{ apiKey, balance, revokedAtMs, caps: capStatuses(balance, nowMs, spent) }];
    }),
  );
  return views.flat();
}
