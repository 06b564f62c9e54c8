import { createHash, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Caps } from "./balance.ts";
import type { CallLimits } from "./call-limits.ts";

/**
 * A vault key: what an agent holds, and the policy behind it.
 *
 * The token is `vk_` + id + secret + checksum in the alphabet `[A-Za-z0-9_]`, since some clients of vendors accept no
 * other. Only the SHA-256 of the secret is stored; it has 190 bits, so it needs no salt and no slow hash.
 */
const TOKEN_PREFIX = "vk_";
const KEY_ID_PREFIX = "key_";
const ID_LENGTH = 16;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const TOKEN = new RegExp(
  `^${TOKEN_PREFIX}([A-Za-z0-9]{${ID_LENGTH}})([A-Za-z0-9]{${SECRET_LENGTH}})([0-9a-z]{${CHECKSUM_LENGTH}})$`,
);

/** What a key may do. Written once when the key is issued and never changed, so it may be cached. */
export interface Policy {
  readonly keyId: string;
  readonly secretHash: string;
  readonly vendor: string;
  readonly credential: string;
  /** `METHOD /path` patterns, or null: whatever the vendor's catalog prices or knows to be free. */
  readonly allowedEndpoints: readonly string[] | null;
  readonly limits: CallLimits;
  readonly label: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** From the root to this key itself: every one of them is drawn by a paid call. */
  readonly chain: readonly ChainMember[];
  readonly issuerId: string;
  readonly issuedAtMs: number;
  /** What it was issued with, for its row; what holds now is on the balance. */
  readonly issuedWith: { readonly caps: Caps; readonly expiresAtMs: number };
}

/** A key of a chain, with the time from which its days are counted. */
export interface ChainMember {
  readonly keyId: string;
  readonly issuedAtMs: number;
}

/** The topmost key of the chain: calls of one root share idempotency keys and counted objects. */
export const rootOf = (policy: Policy): string => policy.chain[0]?.keyId ?? policy.keyId;

/** What stands before the first `/` or `:` of a label: `metaflow` of `metaflow/1795`; null where nothing does. */
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

/** Takes a token apart, or null for whatever is no vault key or has a typing error. */
export function parseVaultKey(token: string): { keyId: string; secret: string } | null {
  const [, id = "", secret = "", sum] = TOKEN.exec(token) ?? [];
  return sum !== undefined && sum === checksum(id + secret) ? { keyId: KEY_ID_PREFIX + id, secret } : null;
}

/** Whether a secret is the one that was hashed, in a time that tells nothing. */
export const isSecretOf = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(secret)), Buffer.from(secretHash));

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

const checksum = (text: string): string =>
  crc32(text).toString(36).padStart(CHECKSUM_LENGTH, "0").slice(-CHECKSUM_LENGTH);

const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/^vk_/, "a vault key that is mistyped or cut short"],
  [/^kb_/, "an API key of Keybrake, which manages keys and calls no vendor"],
  [/^[sr]k_(live|test)_/, "a secret key of Stripe"],
  [/^pk_(live|test)_/, "a publishable key of Stripe"],
  [/^(AC|SK)[0-9a-f]{32}$/i, "an account or key SID of Twilio"],
  [/^[0-9a-f]{32}$/i, "an auth token of Twilio"],
  [/^re_/, "an API key of Resend"],
];

/** Says which kind of secret a string looks like, without repeating any of it. */
export function looksLike(token: string): string {
  if (parseVaultKey(token) !== null)
    return "a vault key, which calls its vendor and manages nothing but itself";
  for (const [shape, name] of SECRET_SHAPES) if (shape.test(token)) return name;
  return "no kind of key that is known here";
}

/** Wherever they stand, behind `%20` or `_` too; only Resend's prefix also ends words, so there no letter may precede. */
const SECRETS_IN_TEXT =
  /vk_[A-Za-z0-9]{8,}|kb_[A-Za-z0-9]{8,}|[sr]k_(?:live|test)_[A-Za-z0-9]+|(?<![A-Za-z])re_[A-Za-z0-9]{6,}_[A-Za-z0-9]{3,}|whsec_[A-Za-z0-9+/=]+|(?:AC|SK)[0-9a-fA-F]{32}:[^\s"&]+/g;

/** Takes out whatever looks like a secret, for text of callers that is written down. */
export const redact = (text: string): string =>
  text.replace(SECRETS_IN_TEXT, (secret) => `${/^(?:[a-z]+_|..)/.exec(secret)?.[0] ?? ""}[redacted]`);
