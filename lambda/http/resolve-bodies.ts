import * as v from "valibot";
import type { ClosedCall, Found } from "../app/resolve/resolve-by-hand.ts";
import { usdNumber } from "../domain/money.ts";
import { usd } from "./body-fields.ts";
import { invalid, parseBody } from "./parse-body.ts";

/** `POST /vault/calls/{id}/resolve`. `charged` has no default: nobody may say it by leaving it out. */
export const resolveBody = v.strictObject({
  charged: v.boolean("expected true or false: whether the vendor charged the call"),
  amount_usd: v.optional(v.nullable(usd), null),
});

/** Reads the body, or throws a Problem that names the field and says what was expected. */
export function parseResolveBody(body: unknown): Found {
  const { charged, amount_usd: amount } = parseBody(resolveBody, body);
  if (charged) return { charged, amount };
  if (amount !== null)
    throw invalid("amount_usd", 'got an amount beside "charged": false; what was not charged costs nothing');
  return { charged };
}

/** A closed call on the wire. */
export const closedCallBody = ({ callId, state, reserved, cost, by }: ClosedCall) => ({
  call_id: callId,
  state,
  reserved_usd: usdNumber(reserved),
  cost_usd: usdNumber(cost),
  by,
});
