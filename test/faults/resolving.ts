import type { Client } from "../bench/client.ts";
import type { Facts } from "./facts.ts";
import { rowsOfCalls } from "./rows-of-calls.ts";

/** Somebody repeats the call at this moment, or did when it died. */
const CALL_IN_FLIGHT = 409;

/**
 * Closes every call that stayed unresolved as an operator does, who looks at the vendor's account. Returns those that are
 * closed now; what is in flight has to wait.
 */
export async function close(
  facts: Facts,
  { client, apiKey }: { readonly client: Client; readonly apiKey: string },
): Promise<readonly string[]> {
  const callOfRow = new Map(
    [...rowsOfCalls(facts)].flatMap(([call, rows]) => rows.map(({ id }) => [id, call] as const)),
  );
  const unresolved = new Map(
    facts.rows.flatMap(({ id, state, callId }) =>
      state === "unresolved" && callId !== null ? [[callId, callOfRow.get(id)] as const] : [],
    ),
  );
  const closed: string[] = [];
  for (const [callId, call] of unresolved) {
    const charge = facts.charges.find((each) => each.call === call);
    const { status, text } = await client.send({
      path: `/vault/calls/${callId}/resolve`,
      headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify(
        charge === undefined ? { charged: false } : { charged: true, amount_usd: charge.cents / 100 },
      ),
    });
    if (status === 200) closed.push(callId);
    else if (status !== CALL_IN_FLIGHT)
      throw new Error(`the call ${callId} was not closed: ${status} ${text}`);
  }
  return closed;
}
