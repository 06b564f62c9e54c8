import { createHash, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * The secrets that Keybrake makes: prefix + id + secret + checksum, of letters and digits alone, because some clients of
 * vendors accept nothing else as a password (docs/decisions/0029-spelling-of-vault-keys.md). Only the SHA-256 of the secret is
 * stored; it has 190 bits, so it needs no salt and no slow hash.
 */
export interface TokenKind {
  readonly prefix: string;
  /** What stands before the id where it names the key. */
  readonly idPrefix: string;
}

const ID_LENGTH = 16;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const PARTS = new RegExp(
  `^([A-Za-z0-9]{${ID_LENGTH}})([A-Za-z0-9]{${SECRET_LENGTH}})([0-9a-z]{${CHECKSUM_LENGTH}})$`,
);

/** Makes a token from two random strings of the alphabet `[A-Za-z0-9]`, 16 and 32 characters long. */
export const makeToken = ({ prefix, idPrefix }: TokenKind, id: string, secret: string) => ({
  id: idPrefix + id,
  token: prefix + id + secret + checksum(id + secret),
  secretHash: sha256(secret),
});

/** Takes a token of one of these kinds apart; null for anything else, and for one with a typing error. */
export function parseToken(
  kinds: readonly TokenKind[],
  token: string,
): { readonly id: string; readonly secret: string } | null {
  const kind = kinds.find(({ prefix }) => token.startsWith(prefix));
  const [, id = "", secret = "", sum] = PARTS.exec(token.slice(kind?.prefix.length)) ?? [];
  return kind !== undefined && sum !== undefined && sum === checksum(id + secret)
    ? { id: kind.idPrefix + id, secret }
    : null;
}

/** Whether a secret matches its hash, in constant time. */
export const isSecretOf = (secret: string, secretHash: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(secret)), Buffer.from(secretHash));

export const sha256 = (text: string | Uint8Array): string => createHash("sha256").update(text).digest("hex");

const checksum = (text: string): string =>
  crc32(text).toString(36).padStart(CHECKSUM_LENGTH, "0").slice(-CHECKSUM_LENGTH);
