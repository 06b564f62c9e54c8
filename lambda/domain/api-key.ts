import { type Caps, isCapped, UNCAPPED } from "./balance.ts";
import type { Ceiling } from "./ceiling.ts";
import { makeToken, parseToken, type TokenKind } from "./token.ts";

/**
 * An API key: what manages vault keys, within its scopes and ceilings. Pure.
 *
 * What it is never changes. What is left of its own caps, and whether it is revoked, stands on a balance as a vault key's
 * does. The admin API key of the deployment is none of these: it has every scope and no ceiling.
 */
export interface ApiKey {
  readonly apiKeyId: string;
  readonly name: string;
  readonly secretHash: string;
  readonly scopes: readonly Scope[];
  /** Of the keys that it may issue, see and stop; null for all. */
  readonly vendors: readonly string[] | null;
  readonly credentials: readonly string[] | null;
  /** The most that a key it issues may have; null and `UNCAPPED` for no limit. */
  readonly ceilings: {
    readonly caps: Caps;
    readonly endpoints: readonly string[] | null;
    readonly expiresInS: number | null;
  };
  /** Over all that it issued together. */
  readonly caps: Caps;
  readonly issuerId: string;
  /** Ids of the API keys that have to stand for it to be used, first the one that all others were made with. */
  readonly above: readonly string[];
  readonly issuedAtMs: number;
}

/** As many API keys as may stand above one. */
export const API_KEYS_ABOVE_MAX = 3;

/** What its holder may do. `admin` may everything. */
export const SCOPES = ["issue", "read", "revoke", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

const DAY_MS = 24 * 60 * 60 * 1000;
/** The last millisecond of the year 9999: an API key does not expire. */
export const NEVER_MS = 253_402_300_799_999;

const TOKEN: TokenKind = { prefix: "kbak", idPrefix: "ak_" };

export const isApiKeyId = (id: string): boolean => id.startsWith(TOKEN.idPrefix);

/** Makes a new API key from two random strings of the alphabet `[A-Za-z0-9]`, 16 and 32 characters long. */
export const makeApiKey = (id: string, secret: string) => makeToken(TOKEN, id, secret);

/** Takes a token apart; null for anything but an API key, and for one with a typing error. */
export const parseApiKey = (token: string) => parseToken([TOKEN], token);

/** From where its days are counted, in milliseconds: they are UTC days. */
export const daysFromMs = (issuedAtMs: number): number => issuedAtMs - (issuedAtMs % DAY_MS);

export const hasScope = ({ scopes }: Pick<ApiKey, "scopes">, scope: Scope): boolean =>
  scopes.includes(scope) || scopes.includes("admin");

/** Whether it may see and stop keys of this vendor and credential. */
export const reaches = (
  { vendors, credentials }: Pick<ApiKey, "vendors" | "credentials">,
  { vendor, credential }: { readonly vendor: string; readonly credential: string },
): boolean => vendors?.includes(vendor) !== false && credentials?.includes(credential) !== false;

/** Whether what a key spends or calls is limited by it, key by key. A key that only observes would keep to none of that. */
export const limitsEachKey = ({ ceilings: { caps, endpoints } }: ApiKey): boolean =>
  endpoints !== null || isCapped(caps) || caps.perCall < UNCAPPED;

/** The most that a key may have which it issues now. */
export const ceilingOf = (apiKey: ApiKey, nowMs: number): Ceiling => ({
  issuer: `API key ${apiKey.apiKeyId}`,
  vendors: apiKey.vendors,
  credentials: apiKey.credentials,
  endpoints: apiKey.ceilings.endpoints,
  limits: null,
  caps: apiKey.ceilings.caps,
  expiresAtMs: apiKey.ceilings.expiresInS === null ? NEVER_MS : nowMs + apiKey.ceilings.expiresInS * 1000,
});
