import middy from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from "aws-lambda";
import { proxyCall } from "../app/proxy/proxy-call.ts";
import type { ProxyRequest } from "../app/proxy/proxy-request.ts";
import { Problem } from "../domain/problem.ts";
import { ENV } from "../environment.ts";
import { denialAnswer, proxyAnswer } from "../http/proxy-answer.ts";
import { baseUrlOf, bodyOf, headersOf, keyOf, queryOf } from "../http/request.ts";
import { OUR_SEGMENTS } from "../vendors/registry.ts";
import { countDenial } from "./metrics.ts";
import { countUnknownKey } from "./unknown-keys.ts";
import { vendors } from "./vendors.ts";
import {
  auditReader,
  callVault,
  clients,
  hint,
  systemClock,
  tableLayout,
  vendorPorts,
  warn,
} from "./wiring.ts";

const dynamo = clients();
const ports = {
  vault: callVault(dynamo),
  spending: auditReader(dynamo),
  vaultKeyHint: hint(ENV.vaultKeyHint),
  ...vendorPorts(),
};
const layout = tableLayout(dynamo, true);

/** First segments that are no vendor's path: ours, and the names of vendors that have a route of their own. */
const RESERVED = new Set([...OUR_SEGMENTS, ...vendors.names]);

/** ANY /{vendor}/{path} and, for every path that is no route of ours, ANY /{path}. */
export const handler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
  .use({
    onError: ({ error, event }) => {
      const named = error instanceof Problem ? error : null;
      const problem =
        named ??
        new Problem("internal", "this call failed inside Keybrake", {
          charged: "unknown",
          cause: error,
        });
      if (named === null || problem.cause !== undefined) warn(problem.message, problem.cause);
      countDenial(problem.code);
      const { requestId } = event.requestContext;
      return denialAnswer(problem, { facts: null, requestId, spoken: spokenIn(event) }, vendors);
    },
  })
  .handler(async (event, context) => {
    refuseShown(event);
    const request = requestOf(event, context);
    if (request.vendorName === null && RESERVED.has(request.rawPath.split("/", 1)[0] ?? "")) {
      throw new Problem(
        "not_found",
        "unknown path or method; GET /vault/openapi.json lists the API, and calls go to /{vendor}/…",
      );
    }
    await layout.check();
    const result = await proxyCall(request, ports);
    if (result.kind === "denied") {
      const { code, message, cause } = result.problem;
      countDenial(code);
      if (code === "key_unknown") countUnknownKey(event);
      if (cause !== undefined) warn(message, cause);
    }
    return proxyAnswer(
      result,
      { requestId: request.requestId, baseUrl: baseUrlOf(event), spoken: spokenIn(event) },
      vendors,
    );
  });

/**
 * Refuses what a browser would show or run as a part of this origin: a vendor's answer is text of others, and the dashboard's
 * login lives here. Programs send no such header, or `empty` (Fetch Metadata, W3C, "The Sec-Fetch-Dest HTTP Request Header", read
 * 2026-11-28).
 */
function refuseShown(event: APIGatewayProxyEvent): void {
  const shownAs = headersOf(event)["sec-fetch-dest"] ?? [];
  if (shownAs.every((destination) => destination === "empty")) return;
  throw new Problem("cross_site", "a browser may not show a vendor's answers here; calls are for programs");
}

/** The vendor that the path names, or null: then it is the key's own. */
const vendorIn = ({ resource }: APIGatewayProxyEvent): string | null => {
  const [, first = ""] = resource.split("/");
  return first.startsWith("{") ? null : first;
};

const rawPathOf = ({ pathParameters }: APIGatewayProxyEvent): string => pathParameters?.["proxy"] ?? "";

/**
 * The vendor whose SDK the path was made by, or null where it does not tell: at the root, and where another vendor's path
 * stands behind a vendor's name.
 */
function spokenIn(event: APIGatewayProxyEvent): string | null {
  const vendor = vendors.find(vendorIn(event));
  return vendor === null || vendors.othersWithPath(vendor, `/${rawPathOf(event)}`).length > 0
    ? null
    : vendor.name;
}

function requestOf(event: APIGatewayProxyEvent, context: Context): ProxyRequest {
  const headers = headersOf(event);
  const startedAtMs = systemClock.now();
  const named = vendors.find(vendorIn(event));
  const { token, query } = keyOf({ headers, query: queryOf(event) }, named === null ? vendors.all : [named]);
  return {
    requestId: event.requestContext.requestId,
    token,
    vendorName: vendorIn(event),
    method: event.httpMethod,
    rawPath: rawPathOf(event),
    query,
    headers,
    body: bodyOf(event),
    sourceIp: event.requestContext.identity.sourceIp,
    startedAtMs,
    deadlineMs: startedAtMs + context.getRemainingTimeInMillis(),
  };
}
