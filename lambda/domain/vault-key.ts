import { createHash, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Caps } from "./balance.ts";
import type { CallLimits } from "./call-limits.ts";

/**
 * A vault key: what an agent holds, and the policy behind it.
 *
 * The token is `kbvk` + id + secret + checksum: only letters and digits, because some clients of vendors accept nothing
 * else as a password (docs/decisions/0029-spelling-of-vault-keys.md). Keys that were issued with the older prefix `vk_`
 * stay valid. Only the SHA-256 of the secret is stored; it has 190 bits, so it needs no salt and no slow hash.
 */
const TOKEN_PREFIX = "kbvk";
const OLD_PREFIX = "vk_";
const KEY_ID_PREFIX = "key_";
const ID_LENGTH = 16;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TOKEN = new RegExp(
  `^(?:${TOKEN_PREFIX}|${OLD_PREFIX})([A-Za-z0-9]{${ID_LENGTH}})([A-Za-z0-9]{${SECRET_LENGTH}})([0-9a-z]{${CHECKSUM_LENGTH}})$`,
);

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
  /** From the root to this key. A paid call draws from each of them. */
  readonly chain: readonly ChainMember[];
  readonly issuerId: string;
  readonly issuedAtMs: number;
  /** The caps and expiry at issue, for its row. The current ones are on the balance. */
  readonly issuedWith: { readonly caps: Caps; readonly expiresAtMs: number };
}

/** A key of a chain, with the time from which its days are counted. */
export interface ChainMember {
  readonly keyId: string;
  readonly issuedAtMs: number;
}

/** The topmost key of the chain: calls of one root share idempotency keys and counted objects. */
export const rootOf = (policy: Policy): string => policy.chain[0]?.keyId ?? policy.keyId;

/** The part of a label before the first `/` or `:`, such as `metaflow` of `metaflow/1795`; null where it is empty. */
export const labelGroup = (label: string): string | null => label.split(/[/:]/, 1)[0] || null;

/** Makes a new key from two random strings of the alphabet `[A-Za-z0-9]`, 16 and 32 characters long. */
export function makeVaultKey(
  id: string,
  secret: string,
): { keyId: string; token: string; secretHash: string } {
  return {
    keyId: KEY_ID_PREFIX + id,
    token: TOKEN_PREFIX + id + secret + checksum(id + secret),
    secretHash: sha256(secret),
  };
}

/** Takes a token apart; null for anything but a vault key, and for one with a typing error. */
export function parseVaultKey(token: string): { keyId: string; secret: string } | null {
  const [, id = "", secret = "", sum] = TOKEN.exec(token) ?? [];
  return sum !== undefined && sum === checksum(id + secret) ? { keyId: KEY_ID_PREFIX + id, secret } : null;
}

/** Whether a secret matches its hash, in constant time. */
export const isSecretOf = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(secret)), Buffer.from(secretHash));

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

const checksum = (text: string): string =>
  crc32(text).toString(36).padStart(CHECKSUM_LENGTH, "0").slice(-CHECKSUM_LENGTH);
