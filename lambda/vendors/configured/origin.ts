/**
 * Where a configured vendor may live. A credential is sent there, so it is encrypted on the way; and nothing that only this
 * network can reach is called, such as the metadata service of the machine (169.254.169.254, metadata.google.internal).
 */

const ORIGIN_ACCEPTED =
  "https:// and the public name of a host, without user, path and query, such as https://api.example.com";
const LOOPBACK_ACCEPTED = "or http://127.0.0.1:<port> on this machine";

/** Names that public DNS does not have (RFC 6761 and 6762, the internal zones of AWS, Azure and Google Cloud, read 2026-11-28). */
const PRIVATE =
  /(^|\.)(localhost|local|localdomain|internal|intranet|corp|home|lan|private|test|invalid|onion|arpa)$/;

const NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

const LOOPBACK = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

/** Why an origin cannot be used, or null. `loopback`: whether a server on this machine may stand there. */
export function originProblem(origin: string, loopback: boolean): string | null {
  const accepted = loopback ? `${ORIGIN_ACCEPTED}, ${LOOPBACK_ACCEPTED}` : ORIGIN_ACCEPTED;
  const refused = (why: string): string => `${why}; expected ${accepted}`;
  if (loopback && LOOPBACK.test(origin) && URL.canParse(origin)) return null;
  if (!URL.canParse(origin)) return refused("it is not a URL");
  const { protocol, username, password, hostname, origin: bare } = new URL(origin);
  if (protocol !== "https:") return refused("it is not https, and a credential is sent there");
  if (username !== "" || password !== "") return refused("it has a user or a password");
  // The parser writes an address of four numbers as such, however it was spelled.
  if (/^[\d.]+$/.test(hostname) || hostname.startsWith("["))
    return refused("its host is an address of numbers, which may be one of this network alone");
  if (PRIVATE.test(hostname)) return refused("its host is a name of a private network");
  if (!NAME.test(hostname)) return refused("its host is not the full name of one");
  return bare === origin ? null : refused("it has more than scheme, host and port, or is written otherwise");
}
