import { AUDIT_FIELDS } from "../../domain/audit-fields.ts";
import { auditPageSchema } from "../audit-answer-schema.ts";
import { type AuditParameter, EXPORT_LIMIT_MAX, STATES } from "../audit-params.ts";
import { LIMIT_DEFAULT } from "../list-params.ts";
import { ANSWERS, PARAMETERS } from "./examples.ts";
import { type JsonSchema, type Operation, type Parameter, pageParameters } from "./operation.ts";

/** The audit log. */

const TEXT = { type: "string", minLength: 1 };
const TIME = {
  anyOf: [
    { type: "string", format: "date-time" },
    { type: "string", format: "date" },
  ],
};
const FLAG = { type: "string", enum: ["true", "false"] };

const FILTERS: Readonly<
  Record<
    Exclude<AuditParameter, "limit" | "cursor">,
    readonly [description: string, schema: JsonSchema, example?: string]
  >
> = {
  vendor: ["The name of a vendor, or `keybrake` for rows about API keys.", TEXT, PARAMETERS.vendor],
  from: ["When the call started, at the earliest: a time or a day.", TIME, PARAMETERS.from],
  to: [
    "Before when the call started: a time or a day; one minute from now unless given.",
    TIME,
    PARAMETERS.to,
  ],
  agent_run_label: ["The exact label, or its beginning with a last `*`.", TEXT, PARAMETERS.label],
  key_id: ["The id of a key.", TEXT, PARAMETERS.keyId],
  call_id: ["The value of `Keybrake-Call-Id`.", TEXT, PARAMETERS.callId],
  state: [
    "What became of the attempt; without changes of keys.",
    { type: "string", enum: [...STATES] },
    PARAMETERS.state,
  ],
  decision: [
    "Without changes of keys.",
    { type: "string", enum: [...AUDIT_FIELDS.decision.of] },
    PARAMETERS.decision,
  ],
  overrun: ["Whether the call cost more than was reserved; without changes of keys.", FLAG],
  events: ["`true` adds to each row the events that made it.", FLAG],
};

const filters = Object.entries(FILTERS).map(
  ([name, [description, schema, example]]): Parameter => ({
    name,
    in: "query",
    description,
    schema,
    ...(example !== undefined && { example }),
  }),
);

export const AUDIT: readonly Operation[] = [
  {
    method: "get",
    path: "/vault/audit",
    id: "queryAudit",
    tag: "Audit log",
    summary: "Read the audit log",
    description:
      "Newest first. Without a key, a call or a label it reads 30 days back unless `from` says otherwise. A page may be short, even empty: only `null` as `next_cursor` is the end. A `limit` above 100 is for CSV and NDJSON without `events`.",
    asks: ["API key"],
    scope: "read",
    parameters: [...filters, ...pageParameters(LIMIT_DEFAULT, EXPORT_LIMIT_MAX)],
    answer: {
      status: 200,
      description:
        "A page of rows. With `Accept: text/csv` or `application/x-ndjson` the cursor is in a header.",
      name: "AuditPage",
      schema: auditPageSchema,
      examples: ANSWERS.auditPage,
      otherTypes: {
        "text/csv": { type: "string", description: "RFC 4180, with a line of names." },
        "application/x-ndjson": { type: "string", description: "One row in each line." },
      },
      headers: {
        "Keybrake-Next-Cursor": {
          description: "Of CSV and NDJSON: the cursor of the next page. Absent at the end.",
          schema: { type: "string" },
        },
      },
    },
    refusals: ["invalid_request"],
  },
];
