import type { Client } from "../bench/client.ts";
import { microsOf, usd } from "./check.ts";
import type { Facts } from "./facts.ts";

/** Somebody repeats the call at this moment, or did when it died. */
const CALL_IN_FLIGHT = 409;

/**
 * Closes every call that stayed unresolved as an operator does, who looks at the vendor's account. Returns those that are
 * closed now; what is in flight has to wait.
 */
export async function close(
  { rows, charges }: Facts,
  { client, apiKey }: { readonly client: Client; readonly apiKey: string },
): Promise<readonly string[]> {
  const unresolved = new Map(
    rows.flatMap(({ state, callId, label }) =>
      state === "unresolved" && callId !== null ? [[callId, label?.split(".")[0]] as const] : [],
    ),
  );
  const closed: string[] = [];
  for (const [callId, call] of unresolved) {
    const [charge] = charges.filter((each) => each.call === call);
    const body =
      charge === undefined
        ? { charged: false }
        : { charged: true, amount_usd: usd(microsOf(charge)).slice(1) };
    const { status, text } = await client.send({
      path: `/vault/calls/${callId}/resolve`,
      headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (status === 200) closed.push(callId);
    else if (status !== CALL_IN_FLIGHT)
      throw new Error(`the call ${callId} was not closed: ${status} ${text}`);
  }
  return closed;
}
