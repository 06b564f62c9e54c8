import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { listRuns } from "../app/audit/list-runs.ts";
import { querySpend } from "../app/audit/query-spend.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { problems } from "../http/problems.ts";
import { baseUrlOf, queryOf } from "../http/request.ts";
import { parseRunsRequest } from "../http/runs-params.ts";
import { runsAnswerBody, spendAnswerBody } from "../http/spend-answer.ts";
import { parseSpendRequest, reachedVendors, refuseLimited } from "../http/spend-params.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { clients, dynamoVault, frontDoor, spendingOf, systemClock, tableLayout, warn } from "./wiring.ts";

const dynamo = clients();
const vault = dynamoVault(dynamo);
const ports = { vault, spending: spendingOf(dynamo), clock: systemClock };
const layout = tableLayout(dynamo, false);
const door = frontDoor(dynamo, vault);

/** GET /vault/spend, GET /vault/runs. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const caller = await authenticate(event, "read", door);
    const { requestId } = event.requestContext;
    if (event.resource === "/vault/runs") {
      const query = parseRunsRequest(queryOf(event));
      refuseLimited(caller);
      await layout.check();
      return jsonAnswer(200, runsAnswerBody(await listRuns(query, ports), baseUrlOf(event)), requestId);
    }
    const { query, cursorFor } = parseSpendRequest(queryOf(event), vendors.names, systemClock.now());
    const reached = reachedVendors(caller, query, vendors.names);
    await layout.check();
    const answer = await querySpend(query, { vendors: reached, caller }, ports);
    const nextCursor = answer.next === null ? null : cursorFor(answer.next);
    return jsonAnswer(200, spendAnswerBody(answer, nextCursor), requestId);
  });
