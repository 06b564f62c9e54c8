import { type ApiKey, daysFromMs, makeApiKey, NEVER_MS } from "../../domain/api-key.ts";
import {
  type Balance,
  type CapStatus,
  capStatuses,
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

/** What a caller asks for. */
export type ApiKeyRequest = Pick<ApiKey, "name" | "scopes" | "vendors" | "credentials" | "ceilings" | "caps">;

/** An API key as an answer shows it. */
export interface ApiKeyView {
  readonly apiKey: ApiKey;
  readonly balance: Balance;
  /** Of what all its keys spend together; tightest first. */
  readonly caps: readonly CapStatus[];
}

interface Ports {
  readonly vault: { readonly apiKeys: ApiKeys; readonly balances: Balances };
  readonly spending: SpentBudget;
  readonly clock: Clock;
  readonly ids: Ids;
}

const notFound = () => new Problem("not_found", "there is no such API key");

/** Makes an API key. Its secret leaves here once and is stored only as a hash. */
export async function createApiKey(
  request: ApiKeyRequest,
  issuerId: string,
  { vault, clock, ids }: Pick<Ports, "vault" | "clock" | "ids">,
): Promise<ApiKeyView & { readonly token: string }> {
  const issuedAtMs = clock.now();
  const { id: apiKeyId, token, secretHash } = makeApiKey(ids.random(16), ids.random(32));
  const apiKey: ApiKey = { ...request, apiKeyId, secretHash, issuerId, issuedAtMs };
  const balance: Balance = {
    keyId: apiKeyId,
    issuedAtMs: daysFromMs(issuedAtMs),
    caps: request.caps,
    leftByWindow: {},
    leftInTotal: request.caps.total,
    expiresAtMs: NEVER_MS,
    revokedAtMs: null,
    fenceMs: 0,
    writes: 0,
    minuteCalls: null,
  };
  await vault.apiKeys.create(apiKey, balance);
  return {
    token,
    apiKey,
    balance,
    caps: capStatuses(balance, issuedAtMs, { window: NOTHING, total: NOTHING }),
  };
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

/** Revokes an API key: what it issued is refused from the next call on. Repeating it changes nothing. */
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
  const balances = await vault.balances.read(apiKeys.map(({ apiKeyId }) => apiKeyId));
  const views = await Promise.all(
    apiKeys.map(async (apiKey, index) => {
      const balance = balances[index] ?? null;
      if (balance === null) return [];
      if (!isCapped(balance.caps)) return [{ apiKey, balance, caps: [] }];
      const window = windowAt(balance.issuedAtMs, nowMs);
      const spent = await spending.spent(apiKey.apiKeyId, window, hasTotalCap(balance));
      return [{ apiKey, balance, caps: capStatuses(balance, nowMs, spent) }];
    }),
  );
  return views.flat();
}
