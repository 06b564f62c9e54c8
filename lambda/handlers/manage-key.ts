import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { notFound } from "../app/keys/caller.ts";
import { changeKey, inspectKey, revokeKey } from "../app/keys/manage-key.ts";
import type { Scope } from "../domain/api-key.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { keyBody } from "../http/key-answer.ts";
import { parseChangeBody } from "../http/key-bodies.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, jsonOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  auditReader,
  clients,
  dynamoVault,
  frontDoor,
  stopsVault,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const vault = { ...dynamoVault(dynamo), ...stopsVault(dynamo) };
const ports = { vault, spending: auditReader(dynamo), clock: systemClock };
const layout = tableLayout(dynamo, true);
const door = frontDoor(dynamo, vault);

/** What else there is revokes. */
const SCOPE_OF: Readonly<Record<string, Scope>> = { GET: "read", PATCH: "issue" };

/** GET, PATCH and DELETE /vault/keys/{id}; POST /vault/keys/{id}/revoke. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const caller = await authenticate(event, SCOPE_OF[event.httpMethod] ?? "revoke", door);
    const keyId = event.pathParameters?.["id"] ?? "";
    if (!/^key_[A-Za-z0-9]{16}$/.test(keyId)) throw notFound();
    await layout.check();
    const act = () => {
      if (event.httpMethod === "GET") return inspectKey(keyId, caller, ports);
      if (event.httpMethod === "PATCH")
        return changeKey(keyId, parseChangeBody(jsonOf(event, '{"daily_usd_cap": 50}')), caller, ports);
      return revokeKey(keyId, caller, ports);
    };
    return jsonAnswer(200, keyBody(await act(), baseUrlOf(event)), event.requestContext.requestId);
  });
