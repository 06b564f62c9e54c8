import { isApiKeyId } from "./api-key.ts";
import type { Balance, Caps } from "./balance.ts";
import type { CallLimits } from "./call-limits.ts";
import { type CallCount, minuteAt } from "./call-rate.ts";
import type { Ceiling } from "./ceiling.ts";
import { makeToken, parseToken, type TokenKind } from "./token.ts";

/** A vault key: what an agent holds, and the policy behind it. */
const TOKEN: TokenKind = { prefix: "kbvk", idPrefix: "key_" };
/** Keys that were issued with an older spelling stay valid. */
const OLD_TOKEN: TokenKind = { prefix: "vk_", idPrefix: "key_" };

/** What a key may do. Written once when the key is issued and never changed, so it may be cached. */
export interface Policy {
  readonly keyId: string;
  readonly secretHash: string;
  readonly vendor: string;
  readonly credential: string;
  /** `METHOD /path` patterns; null allows every priced or free endpoint of the vendor's catalog. */
  readonly allowedEndpoints: readonly string[] | null;
  readonly limits: CallLimits;
  readonly label: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Everything that has to stand for the key to be used, itself last: an API key that issued its root, then its ancestors. */
  readonly chain: readonly ChainMember[];
  /** Of an observing key with an enforcing one above it: what the nearest of these allows in a call, which still refuses. */
  readonly enforcedAbove?: EnforcedAbove;
  readonly issuerId: string;
  readonly issuedAtMs: number;
  /** The caps and expiry at issue, for its row. The current ones are on the balance. */
  readonly issuedWith: { readonly caps: Caps; readonly expiresAtMs: number };
}

/** A key of a chain, with the time from which its days and minutes are counted, and what holds for its balance. */
export interface ChainMember {
  readonly keyId: string;
  readonly issuedAtMs: number;
  /** An API key without caps of its own: a paid call reads it, and draws nothing from it. */
  readonly onlyRead?: true;
  /** It enforces where this is absent. */
  readonly mode?: "observe";
  /** Absent where it has no rate. */
  readonly maxCallsPerMinute?: number;
}

/** What a member with a rate counts of a call, or null for one without. */
export const countOf = ({ issuedAtMs, maxCallsPerMinute }: ChainMember, nowMs: number): CallCount | null =>
  maxCallsPerMinute === undefined ? null : { minute: minuteAt(issuedAtMs, nowMs), max: maxCallsPerMinute };

/** `observe`: what the key would refuse goes through, and is told. */
export type Mode = "enforce" | "observe";

/** What an enforcing key allows in a call: its descendants may be no wider, so those above it allow it too. */
export interface EnforcedAbove {
  readonly keyId: string;
  readonly allowedEndpoints: readonly string[] | null;
  readonly limits: CallLimits;
}

/** The key itself, as a member of its chain. */
export const ownMember = ({ keyId, chain, issuedAtMs }: Policy): ChainMember =>
  chain.find((member) => member.keyId === keyId) ?? { keyId, issuedAtMs };

export const modeOf = (policy: Policy): Mode => ownMember(policy).mode ?? "enforce";

/** As many vault keys as a chain may have: one without parent, and three below it. */
export const DEPTH_MAX = 4;

/** The ids of all members of its chain, the key's own last. */
export const chainOf = ({ chain }: Pick<Policy, "chain">): readonly string[] =>
  chain.map(({ keyId }) => keyId);

/** The vault keys of a chain, root first. */
export const vaultKeysOf = ({ chain }: Pick<Policy, "chain">): readonly string[] =>
  chainOf({ chain }).filter((keyId) => !isApiKeyId(keyId));

/** The topmost vault key of the chain: calls of one root share idempotency keys and counted objects. */
export const rootOf = (policy: Policy): string => vaultKeysOf(policy)[0] ?? policy.keyId;

/** The key that issued it, or null for a root. */
export const parentOf = (policy: Policy): string | null => vaultKeysOf(policy).at(-2) ?? null;

/** The part of a label before the first `/` or `:`, such as `metaflow` of `metaflow/1795`; null where it is empty. */
export const labelGroup = (label: string): string | null => label.split(/[/:]/, 1)[0] || null;

/** The most that a child of this key may have now. */
export const ceilingUnder = (policy: Policy, { caps, expiresAtMs }: Balance): Ceiling => ({
  issuer: `vault key ${policy.keyId}`,
  vendors: [policy.vendor],
  credentials: [policy.credential],
  endpoints: policy.allowedEndpoints,
  limits: policy.limits,
  caps,
  expiresAtMs,
});

/** Makes a new key from two random strings of the alphabet `[A-Za-z0-9]`, 16 and 32 characters long. */
export function makeVaultKey(
  id: string,
  secret: string,
): { readonly keyId: string; readonly token: string; readonly secretHash: string } {
  const { id: keyId, token, secretHash } = makeToken(TOKEN, id, secret);
  return { keyId, token, secretHash };
}

/** Takes a token apart; null for anything but a vault key, and for one with a typing error. */
export function parseVaultKey(token: string): { readonly keyId: string; readonly secret: string } | null {
  const parsed = parseToken([TOKEN, OLD_TOKEN], token);
  return parsed && { keyId: parsed.id, secret: parsed.secret };
}
