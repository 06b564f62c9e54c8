import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { listKeys } from "../app/keys/list-keys.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { keyBody } from "../http/key-answer.ts";
import { parseKeyListRequest } from "../http/key-list-params.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, queryOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { auditReader, clients, dynamoVault, frontDoor, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const vault = dynamoVault(dynamo);
const ports = { vault, spending: auditReader(dynamo), clock: systemClock };
const layout = tableLayout(dynamo, false);
const door = frontDoor(dynamo, vault);

/** GET /vault/keys. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const caller = await authenticate(event, "read", door);
    const { query, cursorFor } = parseKeyListRequest(queryOf(event), vendors.names);
    await layout.check();
    const { keys, next } = await listKeys(query, { vendors: vendors.names, caller }, ports);
    const data = keys.map((key) => keyBody(key, baseUrlOf(event)));
    return jsonAnswer(
      200,
      { data, next_cursor: next === null ? null : cursorFor(next) },
      event.requestContext.requestId,
    );
  });
