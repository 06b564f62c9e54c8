import type { GenericSchema } from "valibot";
import { type ProblemCode, STATUS_BY_CODE } from "../../domain/problem.ts";
import { auditEventSchema, auditRowSchema } from "../audit-answer-schema.ts";
import { usd } from "../body-fields.ts";
import { capSchema, capsSchema } from "../key-answer-schema.ts";
import { gatewayErrorSchema, problemSchema } from "../problem-schema.ts";
import { runSchema, spendGroupSchema, spendSumsSchema } from "../spend-answer-schema.ts";
import { listedStopSchema, openCallsSchema } from "../stop-answer-schema.ts";
import { API_KEYS } from "./api-keys.ts";
import { AUDIT } from "./audit.ts";
import { CALLS } from "./calls.ts";
import { DASHBOARD } from "./dashboard.ts";
import { jsonSchemasOf, schemaRef } from "./json-schemas.ts";
import { KEYS } from "./keys.ts";
import { LISTS } from "./lists.ts";
import { type Answer, type Asks, type JsonSchema, type Named, type Operation, TAGS } from "./operation.ts";
import { SERVICE } from "./service.ts";
import { STOPS } from "./stops.ts";

/** The OpenAPI document of our own API: made of the schemas that parse, and of one table for each group of operations. */

const OPERATIONS: readonly Operation[] = [
  ...KEYS,
  ...LISTS,
  ...API_KEYS,
  ...STOPS,
  ...CALLS,
  ...AUDIT,
  ...DASHBOARD,
  ...SERVICE,
];

/** What is refused wherever a key of this kind is asked for. */
const REFUSALS_OF: Readonly<Record<Asks, readonly ProblemCode[]>> = {
  "API key": ["api_key_invalid", "key_revoked", "scope_missing", "invalid_request", "secrets_unavailable"],
  "vault key": ["key_unknown"],
};

const SCHEMES: Readonly<Record<Asks, string>> = { "API key": "apiKey", "vault key": "vaultKey" };

/** The codes of every refusal of an operation, in the order of their statuses. */
function refusalsOf({ asks, scope, refusals }: Operation): readonly ProblemCode[] {
  const child: readonly ProblemCode[] = asks.length > 1 ? ["key_expired", "key_revoked"] : [];
  const always: readonly ProblemCode[] = asks.length > 0 ? ["internal"] : [];
  const all = [...asks.flatMap((kind) => REFUSALS_OF[kind]), ...child, ...refusals, ...always];
  const possible = all.filter((code) => code !== "scope_missing" || scope !== null);
  return [...new Set(possible)].sort((a, b) => STATUS_BY_CODE[a] - STATUS_BY_CODE[b]);
}

/** `key_unknown` -> `KeyUnknownError`. */
const errorNameOf = (code: ProblemCode): string =>
  `${code
    .split("_")
    .map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)
    .join("")}Error`;

const GATEWAY_ERROR = "GatewayError";

/** The document without its server, which is the deployment that answers. `version`: of Keybrake. */
export function openApiDocument(version: string) {
  return {
    openapi: "3.1.1",
    info: {
      title: "Keybrake",
      version,
      description:
        "Issues vault keys with caps in dollars, and tells what they did. Calls to the vendors themselves go to `/{vendor}/…` with a vault key, in the vendor's own API, and are not in this document.\n\nMoney is decimal US dollars; times are UTC. A field or parameter that is not listed is refused. Codes of errors never change.\n\nIn place of an API key the page of the dashboard sends the cookie of its login; each operation answers it with `login_ended` (401) where the login is over, and with `cross_site` (403) where another page sent it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(OPERATIONS),
    components: {
      schemas: jsonSchemasOf(namedSchemas(OPERATIONS)),
      headers: {
        RequestId: {
          description: "Names this request, for a report.",
          required: true,
          schema: { type: "string", minLength: 1 },
        },
      },
      responses: { Gateway: GATEWAY_RESPONSE, ...errorResponses(OPERATIONS) },
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "The admin API key, or an API key (`kbak…`) with the scope that the operation needs.",
        },
        vaultKey: { type: "http", scheme: "bearer", description: "A vault key (`kbvk…`)." },
      },
    },
  };
}

const answersOf = ({ answer, otherAnswer }: Operation): readonly Answer[] =>
  otherAnswer === undefined ? [answer] : [answer, otherAnswer];

const HEADERS = { "Request-Id": { $ref: "#/components/headers/RequestId" } };

const GATEWAY_RESPONSE = {
  description:
    "What the gateway answers itself, before Keybrake's code or in its place: too many requests, a body that is too large, a failure. `error` has the code.",
  content: { "application/json": { schema: { $ref: schemaRef(GATEWAY_ERROR) } } },
};

/** What several schemas have in common. */
const SHARED: Readonly<Record<string, GenericSchema>> = {
  Usd: usd,
  Cap: capSchema,
  Caps: capsSchema,
  AuditRow: auditRowSchema,
  AuditEvent: auditEventSchema,
  OpenCalls: openCallsSchema,
  ListedStop: listedStopSchema,
  SpendSums: spendSumsSchema,
  SpendGroup: spendGroupSchema,
  Run: runSchema,
};

function namedSchemas(operations: readonly Operation[]): Readonly<Record<string, GenericSchema>> {
  const named = operations.flatMap((operation): readonly Named[] => [
    ...(operation.body === undefined ? [] : [operation.body]),
    ...answersOf(operation),
  ]);
  const codes = [...new Set(operations.flatMap(refusalsOf))].toSorted();
  return Object.fromEntries([
    ...Object.entries(SHARED),
    ...named.map(({ name, schema }) => [name, schema] as const),
    ...codes.map((code) => [errorNameOf(code), problemSchema(code)] as const),
    [GATEWAY_ERROR, gatewayErrorSchema] as const,
  ]);
}

function pathsOf(operations: readonly Operation[]) {
  const byPath = [...Map.groupBy(operations, ({ path }) => path)];
  return Object.fromEntries(
    byPath.map(([path, here]) => [
      path,
      Object.fromEntries(here.map((operation) => [operation.method, operationOf(operation)])),
    ]),
  );
}

function operationOf(operation: Operation): JsonSchema {
  const { id, tag, summary, description, asks, scope, parameters = [], body } = operation;
  const needs = scope === null ? null : `An API key needs the scope \`${scope}\`.`;
  const words = [description, needs].filter((text) => text != null).join(" ");
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(words !== "" && { description: words }),
    security: asks.map((kind) => ({ [SCHEMES[kind]]: [] })),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: {
        required: body.required,
        content: { "application/json": { schema: { $ref: schemaRef(body.name) }, examples: body.examples } },
      },
    }),
    responses: {
      ...Object.fromEntries(answersOf(operation).map((each) => [each.status, answerOf(each)])),
      ...errorsOf(operation),
      default: { $ref: "#/components/responses/Gateway" },
    },
  };
}

function answerOf({ description, name, examples, otherTypes = {}, headers = {}, links }: Answer): JsonSchema {
  return {
    description,
    headers: { ...HEADERS, ...headers },
    content: {
      "application/json": { schema: { $ref: schemaRef(name) }, examples },
      ...Object.fromEntries(Object.entries(otherTypes).map(([type, schema]) => [type, { schema }])),
    },
    ...(links !== undefined && { links }),
  };
}

/** The codes of an operation by their status: each group is a response, which operations share. */
function groupsOf(operation: Operation): readonly (readonly ProblemCode[])[] {
  const codes = refusalsOf(operation);
  const statuses = [...new Set(codes.map((code) => STATUS_BY_CODE[code]))];
  return statuses.map((status) => codes.filter((code) => STATUS_BY_CODE[code] === status).toSorted());
}

const responseNameOf = (codes: readonly ProblemCode[]): string =>
  `${STATUS_BY_CODE[codes[0] ?? "internal"]}-${codes.join("-")}`;

const errorsOf = (operation: Operation): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    groupsOf(operation).map((codes) => [
      STATUS_BY_CODE[codes[0] ?? "internal"],
      { $ref: `#/components/responses/${responseNameOf(codes)}` },
    ]),
  );

const errorResponses = (operations: readonly Operation[]): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(
    operations.flatMap(groupsOf).map((codes) => {
      const schemas = codes.map((code) => ({ $ref: schemaRef(errorNameOf(code)) }));
      return [
        responseNameOf(codes),
        {
          description: codes.map((code) => `\`${code}\``).join(", "),
          headers: HEADERS,
          content: { "application/json": { schema: schemas.length === 1 ? schemas[0] : { oneOf: schemas } } },
        },
      ];
    }),
  );
