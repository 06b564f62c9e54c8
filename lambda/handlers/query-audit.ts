import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { queryAudit } from "../app/audit/query-audit.ts";
import { ENV } from "../environment.ts";
import { auditAnswer } from "../http/audit-answer.ts";
import { parseAuditRequest } from "../http/audit-params.ts";
import { authenticateAdmin } from "../http/authenticate.ts";
import { problems } from "../http/problems.ts";
import { headersOf, queryOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { adminKeyReader, auditReader, clients, hint, systemClock, warn } from "./wiring.ts";

const reader = auditReader(clients());
const adminKey = adminKeyReader();

/** GET /vault/audit. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    await authenticateAdmin(headersOf(event), {
      adminKey,
      secrets: vendors.secrets,
      apiKeyHint: hint(ENV.apiKeyHint),
    });
    const { query, withEvents, cursorFor } = parseAuditRequest(
      queryOf(event),
      vendors.names,
      systemClock.now(),
    );
    const answer = await queryAudit(query, vendors.names, reader);
    const accept = (headersOf(event)["accept"] ?? []).join(",");
    return auditAnswer(answer, {
      accept,
      withEvents,
      nextCursor: answer.next === null ? null : cursorFor(answer.next),
      requestId: event.requestContext.requestId,
    });
  });
