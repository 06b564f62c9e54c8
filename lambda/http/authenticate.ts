import type { APIGatewayProxyEvent } from "aws-lambda";
import type { Caller } from "../app/keys/caller.ts";
import { type Door, findCaller, findLogin } from "../app/keys/find-caller.ts";
import type { Scope } from "../domain/api-key.ts";
import { loginIn, refuseOtherPages } from "./own-page.ts";
import { headersOf, singleHeader, tokenOf } from "./request.ts";

/**
 * Lets whoever calls pass, if the API key in the header, or the one behind the login of the dashboard, has this scope (null: any).
 * A key in the header comes first. Throws what `findCaller`, `findLogin` and `refuseOtherPages` throw.
 */
export async function authenticate(
  event: APIGatewayProxyEvent,
  scope: Scope | null,
  door: Door,
): Promise<Caller> {
  return (await authenticated(event, scope, door)).caller;
}

/** The same, with the end of the login where it is one: milliseconds, or null. */
export async function authenticated(
  event: APIGatewayProxyEvent,
  scope: Scope | null,
  door: Door,
): Promise<{ readonly caller: Caller; readonly endsAtMs: number | null }> {
  const headers = headersOf(event);
  const login = singleHeader(headers, "Authorization") === null ? loginIn(event) : null;
  if (login === null) return { caller: await findCaller(tokenOf(headers), scope, door), endsAtMs: null };
  refuseOtherPages(event);
  const found = await findLogin(login, scope, door);
  return { caller: found.caller, endsAtMs: found.login.endsAtMs };
}
