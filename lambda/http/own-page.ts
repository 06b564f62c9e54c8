import type { APIGatewayProxyEvent } from "aws-lambda";
import { Problem } from "../domain/problem.ts";
import { baseUrlOf, headersOf } from "./request.ts";

/** What the page of the dashboard sends along. A form cannot, and a script of another origin may not: nothing here allows it. */
const MARK = "keybrake-dashboard";

/** The prefix makes browsers refuse it from anybody but this very host, over TLS (RFC 6265bis, 4.1.3.2, read 2026-11-28). */
const COOKIE = "__Host-keybrake_login";

/**
 * What the cookie of a deployment is called. A browser sends it to the whole host, on every port: so the stage and the port are in
 * its name, and two deployments on one host do not end one another's login.
 */
export function cookieName(baseUrl: string): string {
  const { port, pathname } = new URL(baseUrl);
  const place = `${port}/${pathname}`.split(/[^A-Za-z0-9]+/).filter((part) => part !== "");
  return [COOKIE, ...place].join("_");
}

/** The secret of the login that a browser shows; null where there is none, or where there are several. */
export function loginIn(event: APIGatewayProxyEvent): string | null {
  const beginning = `${cookieName(baseUrlOf(event))}=`;
  const found = (headersOf(event)["cookie"] ?? [])
    .flatMap((line) => line.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(beginning));
  return found.length === 1 ? (found[0]?.slice(beginning.length) ?? null) : null;
}

/**
 * Whether the page of the dashboard asks, in a browser that shows neither a login nor a key. That is no error: browsers write each 401
 * into their console. A program that shows no key gets 401 as everywhere.
 */
export function isPageSignedOut(event: APIGatewayProxyEvent): boolean {
  const headers = headersOf(event);
  const isMarked = headers[MARK]?.[0] === "1";
  return isMarked && headers["authorization"] === undefined && loginIn(event) === null;
}

const ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Strict";

/** Gives a browser the secret of a login for so many seconds. */
export const loginCookie = (event: APIGatewayProxyEvent, secret: string, lastsS: number): string =>
  `${cookieName(baseUrlOf(event))}=${secret}; Max-Age=${lastsS}; ${ATTRIBUTES}`;

/** Takes it away. */
export const noLoginCookie = (event: APIGatewayProxyEvent): string => loginCookie(event, "", 0);

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
