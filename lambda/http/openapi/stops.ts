import { LIMIT_DEFAULT, LIMIT_MAX } from "../list-params.ts";
import { stopPageSchema, stopReachSchema, stopSchema } from "../stop-answer-schema.ts";
import { stopBody } from "../stop-bodies.ts";
import { ANSWERS, BODIES, PARAMETERS } from "./examples.ts";
import { type Answer, linkTo, type Operation, type Parameter, pageParameters } from "./operation.ts";

/** Standing orders that no key of a run is issued, and that those which exist are revoked. */

const id: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The id of a stop.",
  schema: { type: "string", pattern: "^stop_[A-Za-z0-9]{1,40}$" },
  example: PARAMETERS.stopId,
};

const theStop = (status: 200 | 201, description: string): Answer => ({
  status,
  description,
  name: "Stop",
  schema: stopSchema,
  examples: ANSWERS.stop,
});

const BY_ID = "$response.body#/id";

export const STOPS: readonly Operation[] = [
  {
    method: "post",
    path: "/vault/stops",
    id: "orderStop",
    tag: "Stops",
    summary: "Stop a run",
    description:
      "From the answer on no matching key is issued; those that exist are revoked then. A stop names `agent_run_label`, `vendor`, `parent_id` or `api_key_id`, all of which must match, or has `all`. With `dry_run` it says what it would reach, and orders nothing.",
    asks: ["API key"],
    scope: "revoke",
    body: { name: "OrderStop", schema: stopBody, required: true, examples: BODIES.orderStop },
    answer: {
      ...theStop(201, "The stop. `in_flight` shows the calls that cannot be called back."),
      links: { ...linkTo("getStop", { id: BY_ID }), ...linkTo("liftStop", { id: BY_ID }) },
    },
    otherAnswer: {
      status: 200,
      description: "Of a dry run: what the stop would reach.",
      name: "StopReach",
      schema: stopReachSchema,
      examples: ANSWERS.stopReach,
    },
    refusals: ["invalid_request", "unsupported_media_type", "too_many_stops", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/stops",
    id: "listStops",
    tag: "Stops",
    summary: "List stops",
    description: "Newest first, those of the last 90 days too. What became of their calls is `null` here.",
    asks: ["API key"],
    scope: "read",
    parameters: pageParameters(LIMIT_DEFAULT, LIMIT_MAX),
    answer: {
      status: 200,
      description: "A page of stops; only `null` as `next_cursor` is the end.",
      name: "StopPage",
      schema: stopPageSchema,
      examples: ANSWERS.stopPage,
    },
    refusals: ["invalid_request", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/stops/{id}",
    id: "getStop",
    tag: "Stops",
    summary: "Look at a stop",
    asks: ["API key"],
    scope: "read",
    parameters: [id],
    answer: theStop(200, "The stop, how far it is, and what became of the calls."),
    refusals: ["not_found", "ledger_unavailable"],
  },
  {
    method: "delete",
    path: "/vault/stops/{id}",
    id: "liftStop",
    tag: "Stops",
    summary: "Lift a stop",
    description:
      "Keys are issued again from then on. What was revoked stays revoked. A repeat is 200 and changes nothing.",
    asks: ["API key"],
    scope: "revoke",
    parameters: [id],
    answer: theStop(200, "The stop, lifted."),
    refusals: ["not_found", "key_changed_meanwhile", "ledger_unavailable"],
  },
];
