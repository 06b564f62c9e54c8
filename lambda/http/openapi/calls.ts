import { closedCallSchema } from "../resolve-answer-schema.ts";
import { resolveBody } from "../resolve-bodies.ts";
import { ANSWERS, BODIES, PARAMETERS } from "./examples.ts";
import type { Operation } from "./operation.ts";

/** Calls whose outcome nobody knows. */
export const CALLS: readonly Operation[] = [
  {
    method: "post",
    path: "/vault/calls/{id}/resolve",
    id: "resolveCall",
    tag: "Calls",
    summary: "Close an unresolved call",
    description:
      "Charged: one unresolved attempt of the call is settled at `amount_usd`, and what was reserved beyond goes back; more than was reserved counts beyond the caps. Not charged: all that is held for it goes back. The same body again gets the same answer.",
    asks: ["API key"],
    scope: "admin",
    parameters: [
      {
        name: "id",
        in: "path",
        required: true,
        description: "The id of a call.",
        schema: { type: "string", pattern: "^call_[A-Za-z0-9]{1,64}(~[0-9]{1,16})?$" },
        example: PARAMETERS.callId,
      },
    ],
    body: { name: "ResolveCall", schema: resolveBody, required: true, examples: BODIES.resolveCall },
    answer: {
      status: 200,
      description: "The call, closed.",
      name: "ClosedCall",
      schema: closedCallSchema,
      examples: ANSWERS.closedCall,
    },
    refusals: [
      "invalid_request",
      "unsupported_media_type",
      "not_found",
      "call_in_flight",
      "nothing_unresolved",
      "ledger_unavailable",
    ],
  },
];
