import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { randomIds } from "../adapters/random-ids.ts";
import {
  createApiKey,
  inspectApiKey,
  listApiKeys,
  notFound,
  revokeApiKey,
} from "../app/keys/manage-api-keys.ts";
import { Problem } from "../domain/problem.ts";
import { jsonAnswer } from "../http/answers.ts";
import { apiKeyBody } from "../http/api-key-answer.ts";
import { parseApiKeyBody } from "../http/api-key-bodies.ts";
import { authenticated } from "../http/authenticate.ts";
import { parseListRequest } from "../http/list-params.ts";
import { problems } from "../http/problems.ts";
import { headersOf, jsonOf, queryOf, tokenOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  auditReader,
  clients,
  credentialSecrets,
  dynamoVault,
  frontDoor,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const vault = dynamoVault(dynamo);
const ports = { vault, spending: auditReader(dynamo), clock: systemClock, ids: randomIds };
const layout = tableLayout(dynamo, true);
const door = frontDoor(dynamo, vault);
/** The names alone: this function cannot read a credential. */
const credentials = Object.fromEntries(
  Object.entries(credentialSecrets()).map(([vendor, secrets]) => [vendor, Object.keys(secrets)]),
);

const makesNoKeys = () =>
  new Problem(
    "cross_site",
    "a login makes no API keys; send an API key as Authorization: Bearer, or use keybrake api-keys",
  );

const EXAMPLE = '{"name": "billing-jobs", "scopes": ["issue"]}';

/** POST and GET /vault/api-keys; GET and DELETE /vault/api-keys/{id}. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const headers = headersOf(event);
    const { caller, endsAtMs } = await authenticated(event, "admin", door);
    await layout.check();
    const { requestId } = event.requestContext;
    const apiKeyId = event.pathParameters?.["id"];
    if (apiKeyId !== undefined) {
      if (!/^ak_[A-Za-z0-9]{16}$/.test(apiKeyId)) throw notFound();
      const act =
        event.httpMethod === "GET"
          ? inspectApiKey(apiKeyId, ports)
          : revokeApiKey(apiKeyId, caller.id, ports);
      return jsonAnswer(200, apiKeyBody(await act), requestId);
    }
    if (event.httpMethod === "GET") {
      const { limit, before, cursorFor } = parseListRequest(queryOf(event));
      const { views, next } = await listApiKeys({ before, limit }, ports);
      const next_cursor = next === null ? null : cursorFor(next);
      return jsonAnswer(200, { data: views.map(apiKeyBody), next_cursor }, requestId);
    }
    // As with codes: what a login makes would outlast its twelve hours.
    if (endsAtMs !== null) throw makesNoKeys();
    const request = parseApiKeyBody(jsonOf(event, EXAMPLE), {
      credentials,
      secrets: vendors.secrets,
      token: tokenOf(headers),
    });
    const { token, ...view } = await createApiKey(request, caller, ports);
    const { id, ...body } = apiKeyBody(view);
    return jsonAnswer(201, { id, api_key: token, ...body }, requestId);
  });
