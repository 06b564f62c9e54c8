import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { queryAudit } from "../app/audit/query-audit.ts";
import { OWN_ROWS } from "../domain/audit-event.ts";
import { auditAnswer, formatOf, isTooLong } from "../http/audit-answer.ts";
import { parseAuditRequest } from "../http/audit-params.ts";
import { authenticate } from "../http/authenticate.ts";
import { problems } from "../http/problems.ts";
import { headersOf, queryOf } from "../http/request.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import { auditReader, callersVault, clients, frontDoor, systemClock, warn } from "./wiring.ts";

const dynamo = clients();
const reader = auditReader(dynamo);
const door = frontDoor(dynamo, callersVault(dynamo));

/** Whose rows there are: the vendors', and those about Keybrake itself. */
const SUBJECTS = [...vendors.names, OWN_ROWS];

/** GET /vault/audit. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event) => {
    const caller = await authenticate(event, "read", door);
    const format = formatOf((headersOf(event)["accept"] ?? []).join(","));
    const { query, withEvents, cursorFor } = parseAuditRequest(queryOf(event), SUBJECTS, {
      nowMs: systemClock.now(),
      isExport: format !== "json",
    });
    for (let { limit } = query; ; limit = Math.ceil(limit / 4)) {
      const found = await queryAudit({ ...query, limit }, { vendors: SUBJECTS, caller }, reader);
      const answer = auditAnswer(found, {
        format,
        withEvents,
        nextCursor: found.next === null ? null : cursorFor(found.next),
        requestId: event.requestContext.requestId,
      });
      if (format === "json" || limit === 1 || !isTooLong(answer)) return answer;
    }
  });
