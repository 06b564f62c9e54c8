import { apiKeyPageSchema, apiKeySchema, createdApiKeySchema } from "../api-key-answer-schema.ts";
import { apiKeyBody } from "../api-key-bodies.ts";
import { LIMIT_DEFAULT, LIMIT_MAX } from "../list-params.ts";
import { ANSWERS, BODIES, PARAMETERS } from "./examples.ts";
import { type Answer, linkTo, type Operation, type Parameter, pageParameters } from "./operation.ts";

/** API keys. */

const id: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The id of an API key.",
  schema: { type: "string", pattern: "^ak_[A-Za-z0-9]{16}$" },
  example: PARAMETERS.apiKeyId,
};

const theKey = (description: string): Answer => ({
  status: 200,
  description,
  name: "ApiKey",
  schema: apiKeySchema,
  examples: ANSWERS.apiKey,
});

const BY_ID = "$response.body#/id";

export const API_KEYS: readonly Operation[] = [
  {
    method: "post",
    path: "/vault/api-keys",
    id: "createApiKey",
    tag: "API keys",
    summary: "Make an API key",
    asks: ["API key"],
    scope: "admin",
    body: {
      name: "CreateApiKey",
      schema: apiKeyBody,
      required: true,
      examples: BODIES.createApiKey,
    },
    answer: {
      status: 201,
      description: "The API key. `api_key` has its secret, which is shown only this once.",
      name: "CreatedApiKey",
      schema: createdApiKeySchema,
      examples: ANSWERS.createdApiKey,
      links: { ...linkTo("getApiKey", { id: BY_ID }), ...linkTo("revokeApiKey", { id: BY_ID }) },
    },
    refusals: ["invalid_request", "unsupported_media_type", "chain_too_long", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/api-keys",
    id: "listApiKeys",
    tag: "API keys",
    summary: "List API keys",
    description: "Newest first, revoked ones too.",
    asks: ["API key"],
    scope: "admin",
    parameters: pageParameters(LIMIT_DEFAULT, LIMIT_MAX),
    answer: {
      status: 200,
      description: "A page of API keys; only `null` as `next_cursor` is the end.",
      name: "ApiKeyPage",
      schema: apiKeyPageSchema,
      examples: ANSWERS.apiKeyPage,
    },
    refusals: ["invalid_request", "ledger_unavailable"],
  },
  {
    method: "get",
    path: "/vault/api-keys/{id}",
    id: "getApiKey",
    tag: "API keys",
    summary: "Look at an API key",
    asks: ["API key"],
    scope: "admin",
    parameters: [id],
    answer: theKey("The API key, without its secret."),
    refusals: ["not_found", "ledger_unavailable"],
  },
  {
    method: "delete",
    path: "/vault/api-keys/{id}",
    id: "revokeApiKey",
    tag: "API keys",
    summary: "Revoke an API key",
    description:
      "It is refused from now on, and so is the next call of every vault key that it issued. A repeat is 200 and changes nothing.",
    asks: ["API key"],
    scope: "admin",
    parameters: [id],
    answer: theKey("The API key, revoked."),
    refusals: ["not_found", "ledger_unavailable"],
  },
];
