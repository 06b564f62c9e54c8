import { GROUPINGS } from "../../app/audit/spend-query.ts";
import { KEY_STATUSES } from "../../domain/key-status.ts";
import { keyPageSchema } from "../key-answer-schema.ts";
import { LIMIT_DEFAULT, LIMIT_MAX } from "../list-params.ts";
import { runsSchema, spendSchema } from "../spend-answer-schema.ts";
import { ANSWERS, PARAMETERS } from "./examples.ts";
import { type JsonSchema, type Operation, type Parameter, pageParameters } from "./operation.ts";

/** Keys, sums and runs: what an operator looks at. */

const TEXT = { type: "string", minLength: 1 };
const DAY = { type: "string", format: "date" };

const inQuery = (name: string, description: string, schema: JsonSchema, example?: string): Parameter => ({
  name,
  in: "query",
  description,
  schema,
  ...(example !== undefined && { example }),
});

const VENDOR = inQuery("vendor", "The name of a vendor.", TEXT, PARAMETERS.vendor);
const LABEL = inQuery(
  "agent_run_label",
  "The exact label, or its beginning with a last `*`.",
  TEXT,
  PARAMETERS.label,
);
const PAGE = pageParameters(LIMIT_DEFAULT, LIMIT_MAX);

export const LISTS: readonly Operation[] = [
  {
    method: "get",
    path: "/vault/keys",
    id: "listKeys",
    tag: "Vault keys",
    summary: "List vault keys",
    description:
      "Newest first. A page may be short, even empty: only `null` as `next_cursor` is the end. What is issued meanwhile is not on a later page.",
    asks: ["API key"],
    scope: "read",
    parameters: [
      inQuery("status", "How calls find the key.", { type: "string", enum: [...KEY_STATUSES] }),
      VENDOR,
      LABEL,
      inQuery("parent_id", "The vault key that issued it.", TEXT, PARAMETERS.keyId),
      ...PAGE,
    ],
    answer: {
      status: 200,
      description: "A page of keys.",
      name: "VaultKeyPage",
      schema: keyPageSchema,
      examples: ANSWERS.keyPage,
    },
    refusals: ["invalid_request", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/spend",
    id: "querySpend",
    tag: "Audit log",
    summary: "Add up what was spent",
    description:
      "By UTC days, 30 of them unless `from` says otherwise, at most 93. Not every filter goes with every grouping.",
    asks: ["API key"],
    scope: "read",
    parameters: [
      inQuery("group_by", "What to add up by; `day` unless given.", {
        type: "string",
        enum: [...GROUPINGS],
      }),
      inQuery("from", "The first day.", DAY, PARAMETERS.fromDay),
      inQuery("to", "The day after the last one; tomorrow unless given.", DAY, PARAMETERS.toDay),
      VENDOR,
      LABEL,
      inQuery("key_id", "The id of a key.", TEXT, PARAMETERS.keyId),
      ...PAGE,
    ],
    answer: {
      status: 200,
      description: "The sums; only `null` as `next_cursor` is the end.",
      name: "Spend",
      schema: spendSchema,
      examples: ANSWERS.spend,
    },
    refusals: ["invalid_request", "wider_than_issuer", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/runs",
    id: "listRuns",
    tag: "Audit log",
    summary: "List the runs of the last hour",
    description: "Worst first: by the dollars of the last five minutes, then by the calls in them.",
    asks: ["API key"],
    scope: "read",
    parameters: [
      inQuery("label_group", "Runs of this label group alone.", TEXT, PARAMETERS.labelGroup),
      inQuery("labels", "So many labels of each group at most, the worst ones; `limit` counts groups then.", {
        type: "integer",
        minimum: 0,
        maximum: LIMIT_MAX,
      }),
      ...PAGE.filter(({ name }) => name === "limit"),
    ],
    answer: {
      status: 200,
      description: "The runs.",
      name: "Runs",
      schema: runsSchema,
      examples: ANSWERS.runs,
    },
    refusals: ["invalid_request", "wider_than_issuer", "ledger_unavailable"],
  },
];
