import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { randomIds } from "../adapters/random-ids.ts";
import { resolveByHand } from "../app/resolve/resolve-by-hand.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { problems } from "../http/problems.ts";
import { jsonOf } from "../http/request.ts";
import { closedCallBody, parseResolveBody } from "../http/resolve-bodies.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { callersVault, callVault, clients, frontDoor, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const ports = { vault: callVault(dynamo), vendors, clock: systemClock, ids: randomIds, warn };
const layout = tableLayout(dynamo, true);
const door = frontDoor(dynamo, callersVault(dynamo));

const EXAMPLE = '{"charged": true, "amount_usd": 29.99}';

/** POST /vault/calls/{id}/resolve. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const caller = await authenticate(event, "admin", door);
    await layout.check();
    const found = parseResolveBody(jsonOf(event, EXAMPLE));
    const call = await resolveByHand(event.pathParameters?.["id"] ?? "", found, caller.id, ports);
    return jsonAnswer(200, closedCallBody(call), event.requestContext.requestId);
  });
