import type { APIGatewayProxyEvent } from "aws-lambda";
import { Problem } from "../domain/problem.ts";
import type { Headers } from "../domain/vendor.ts";
import { baseUrlOf, headersOf } from "./request.ts";

/** What the page of the dashboard sends along. A form cannot, and a script of another origin may not: nothing here allows it. */
const MARK = "keybrake-dashboard";

const SECURE_PREFIX = "__Host-";
/** The prefix makes browsers refuse it from anybody but this very host, over TLS (RFC 6265bis, 4.1.3.2, read 2026-11-28). */
const COOKIE = `${SECURE_PREFIX}keybrake_login`;

/** The secret of the login that a browser shows; null where there is none, or where there are several. */
export function loginIn(headers: Headers): string | null {
  const found = (headers["cookie"] ?? [])
    .flatMap((line) => line.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${COOKIE}=`));
  return found.length === 1 ? (found[0]?.slice(COOKIE.length + 1) ?? null) : null;
}

/**
 * Whether the page of the dashboard asks, in a browser that shows neither a login nor a key. That is no error: browsers write each 401
 * into their console. A program that shows no key gets 401 as everywhere.
 */
export function isPageSignedOut(headers: Headers): boolean {
  const isMarked = headers[MARK]?.[0] === "1";
  return isMarked && headers["authorization"] === undefined && loginIn(headers) === null;
}

const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** Gives a browser the secret of a login for so many seconds. */
export const loginCookie = (secret: string, lastsS: number): string =>
  `${COOKIE}=${secret}; Max-Age=${lastsS}; ${ATTRIBUTES}`;

/** Takes it away. */
export const noLoginCookie = (): string => `${COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

/**
 * Refuses what the dashboard's own page did not send, beside what SameSite=Strict keeps out: another page, an address that
 * somebody opened, a program. Browsers say in `Sec-Fetch-Site` who sends; what does not know it has to name this origin, or none.
 * Anything but a GET carries the page's mark as well, and so does a GET without `Sec-Fetch-Site`. Throws 403 `cross_site`.
 */
export function refuseOtherPages(event: APIGatewayProxyEvent): void {
  const headers = headersOf(event);
  const sites = headers["sec-fetch-site"];
  const origins = headers["origin"] ?? [];
  const isMarked = headers[MARK]?.[0] === "1";
  const isOwn =
    sites === undefined
      ? isMarked && origins.every((origin) => origin === new URL(baseUrlOf(event)).origin)
      : sites.every((site) => site === "same-origin");
  if (isOwn && (isMarked || event.httpMethod === "GET")) return;
  throw new Problem(
    "cross_site",
    "a login serves the dashboard's own page alone, which sends Keybrake-Dashboard: 1; programs send an API key as Authorization: Bearer <KEYBRAKE_API_KEY>",
  );
}
