import { timingSafeEqual } from "node:crypto";
import { sha256 } from "./token.ts";

/**
 * A login of the dashboard: what a browser shows in place of an API key, in a cookie that no script can read. Pure.
 *
 * It stands for one API key and may what that key may, now: the key is looked at with each request, so a login ends with it.
 * Only the SHA-256 of its secret is stored; the secret has 256 bits, so it needs no salt and no slow hash.
 */
export interface Login {
  /** `admin`, or the id of the API key. */
  readonly apiKeyId: string;
  /** Of the admin API key alone, which has no id that a rotation would change: see `adminProof`. Null for others. */
  readonly adminProof: string | null;
  readonly startedAtMs: number;
  readonly endsAtMs: number;
  /** When somebody signed out. */
  readonly endedAtMs: number | null;
}

/** What is exchanged for a login, once and soon: a browser gets it in an address, where an API key does not belong. */
export interface LoginCode extends Pick<Login, "apiKeyId" | "adminProof" | "endsAtMs"> {}

export const LOGIN_LASTS_MS = 12 * 60 * 60 * 1000;
export const CODE_LASTS_MS = 60_000;

/** Characters of the alphabet `[A-Za-z0-9]`: 256 bits, and 190 for what lasts a minute. */
export const LOGIN_SECRET_LENGTH = 43;
export const CODE_LENGTH = 32;

const LOGIN_SECRET = new RegExp(`^[A-Za-z0-9]{${LOGIN_SECRET_LENGTH}}$`);
const CODE = new RegExp(`^[A-Za-z0-9]{${CODE_LENGTH}}$`);

export const isLoginSecret = (text: string): boolean => LOGIN_SECRET.test(text);
export const isCode = (text: string): boolean => CODE.test(text);

/** Whether a login has begun and is not over. A moment on the border belongs to what comes after. */
export const isOn = ({ endsAtMs, endedAtMs }: Login, nowMs: number): boolean =>
  nowMs < endsAtMs && endedAtMs === null;

/**
 * Ties a login to the admin API key as it was: another key gives another proof, so a rotation ends the login. The secret of
 * the login is its salt and is stored nowhere, so whoever reads the table cannot try admin keys against it.
 */
export const adminProof = (secret: string, adminKey: string): string => sha256(`${secret}:${adminKey}`);

/** Whether a proof is of this key, in constant time. */
export const isProofOf = (proof: string, secret: string, adminKey: string): boolean => {
  const [one, other] = [Buffer.from(proof), Buffer.from(adminProof(secret, adminKey))];
  return one.length === other.length && timingSafeEqual(one, other);
};

/** So many attempts may fail in a window, for each address. */
export const FAILED_LOGINS_MAX = 10;
export const TRIES_WINDOW_MS = 10 * 60 * 1000;

export const triesWindowMs = (nowMs: number): number => nowMs - (nowMs % TRIES_WINDOW_MS);

/** Who shares a bound: an IPv4 address, or the 64 bits of an IPv6 address that one household has. */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address.slice(0, 45);
  const [before = "", after] = address.toLowerCase().split("::");
  const groups = (text: string | undefined) => (text === undefined || text === "" ? [] : text.split(":"));
  const [first, last] = [groups(before), groups(after)];
  const zeros = after === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const all = [...first, ...Array.from({ length: zeros }, () => "0"), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, "").slice(0, 4))
    .join(":")}::/64`;
}
