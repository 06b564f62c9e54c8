import type { Caller } from "../app/keys/caller.ts";
import { type Door, findCaller } from "../app/keys/find-caller.ts";
import type { Scope } from "../domain/api-key.ts";
import type { Headers } from "../domain/vendor.ts";
import { singleHeader, tokenOf } from "./request.ts";

/** Lets whoever calls pass, if the key in the header has this scope; throws what `findCaller` throws. */
export async function authenticate(headers: Headers, scope: Scope, door: Door): Promise<Caller> {
  singleHeader(headers, "Authorization");
  return findCaller(tokenOf(headers), scope, door);
}
