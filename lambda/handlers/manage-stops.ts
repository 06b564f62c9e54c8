import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { DynamoAttemptJournal } from "../adapters/dynamo-attempt-journal.ts";
import { randomIds } from "../adapters/random-ids.ts";
import { aftermathOf } from "../app/stops/after-stop.ts";
import { liftStop } from "../app/stops/lift-stop.ts";
import { orderStop, withinReachOf } from "../app/stops/order-stop.ts";
import { reachOf } from "../app/stops/reach-of-stop.ts";
import { findStop, listStops, mayLift, maySee } from "../app/stops/show-stops.ts";
import type { StopRecord } from "../domain/stop-record.ts";
import { ENV } from "../environment.ts";
import { jsonAnswer } from "../http/answers.ts";
import { authenticate } from "../http/authenticate.ts";
import { parseListRequest } from "../http/list-params.ts";
import { problems } from "../http/problems.ts";
import { headersOf, jsonOf, queryOf, tokenOf } from "../http/request.ts";
import { reachBody, stopBody } from "../http/stop-answer.ts";
import { parseStopBody } from "../http/stop-bodies.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  auditReader,
  clients,
  dynamoVault,
  frontDoor,
  required,
  stopsVault,
  systemClock,
  tableLayout,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const vault = { ...dynamoVault(dynamo), ...stopsVault(dynamo) };
const ports = {
  vault,
  reader: auditReader(dynamo),
  journal: new DynamoAttemptJournal(dynamo.steady, required(ENV.auditTable), systemClock),
  clock: systemClock,
  ids: randomIds,
  vendors: vendors.names,
};
const layout = tableLayout(dynamo, true);
const door = frontDoor(dynamo, vault);

/** What a dry run leaves of its time for its answer. */
const SPARE_MS = 8_000;
const EXAMPLE = '{"agent_run_label": "modal-billing/*", "reason": "charges twice"}';

/** A stop is ordered, lifted and shown even where the audit log cannot be read. */
const notKnown = (cause: unknown): null => {
  warn("the calls of a stopped run could not be counted", cause);
  return null;
};

const shown = async (record: StopRecord) =>
  stopBody(record, await aftermathOf(record, ports).catch(notKnown), systemClock.now());

/** POST and GET /vault/stops; GET and DELETE /vault/stops/{id}. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use(problems(warn, countUnknownKey, vendors.secrets))
  .handler(async (event, context) => {
    const isRead = event.httpMethod === "GET";
    const caller = await authenticate(event, isRead ? "read" : "revoke", door);
    await layout.check();
    const answer = (status: number, body: unknown) =>
      jsonAnswer(status, body, event.requestContext.requestId);

    const stopId = event.pathParameters?.["id"];
    if (stopId !== undefined) {
      const acted = isRead
        ? findStop(stopId, (stop) => maySee(caller, stop), ports)
        : liftStop(stopId, { by: caller.id, isTheirs: (stop) => mayLift(caller, stop) }, ports);
      return answer(200, await shown(await acted));
    }
    if (isRead) {
      const { limit, before, cursorFor } = parseListRequest(queryOf(event));
      const { records, next } = await listStops({ before, limit }, (stop) => maySee(caller, stop), ports);
      const data = records.map((record) => stopBody(record, null, systemClock.now()));
      return answer(200, { data, next_cursor: next === null ? null : cursorFor(next) });
    }
    const { isDryRun, ...asked } = parseStopBody(jsonOf(event, EXAMPLE), {
      vendors: vendors.names,
      secrets: vendors.secrets,
      token: tokenOf(headersOf(event)),
    });
    const request = { ...asked, matcher: await withinReachOf(caller, asked.matcher, ports) };
    if (!isDryRun) return answer(201, await shown(await orderStop(request, caller, ports)));
    return answer(200, reachBody(await reachOf(request.matcher, readUntilMs(context), ports)));
  });

const readUntilMs = (context: Context): number =>
  systemClock.now() + context.getRemainingTimeInMillis() - SPARE_MS;
