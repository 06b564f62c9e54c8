import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { changeKey, inspectKey, notFound, revokeKey } from "../app/keys/manage-key.ts";
import { ENV } from "../environment.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticateAdmin } from "../http/authenticate.ts";
import { keyBody } from "../http/key-answer.ts";
import { parseChangeBody } from "../http/key-bodies.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, headersOf, jsonOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  adminKeyReader,
  auditReader,
  clients,
  dynamoVault,
  hint,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const ports = { vault: dynamoVault(dynamo), spending: auditReader(dynamo), clock: systemClock };
const layout = tableLayout(dynamo, true);
const adminKey = adminKeyReader();

/** GET, PATCH and DELETE /vault/keys/{id}; POST /vault/keys/{id}/revoke. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const by = await authenticateAdmin(headersOf(event), {
      adminKey,
      secrets: vendors.secrets,
      apiKeyHint: hint(ENV.apiKeyHint),
    });
    const keyId = event.pathParameters?.["id"] ?? "";
    if (!/^key_[A-Za-z0-9]{16}$/.test(keyId)) throw notFound();
    await layout.check();
    const act = () => {
      if (event.httpMethod === "GET") return inspectKey(keyId, ports);
      if (event.httpMethod === "PATCH")
        return changeKey(keyId, parseChangeBody(jsonOf(event, '{"daily_usd_cap": 50}')), by, ports);
      return revokeKey(keyId, by, ports);
    };
    return jsonAnswer(200, keyBody(await act(), baseUrlOf(event)), event.requestContext.requestId);
  });
