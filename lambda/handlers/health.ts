import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { jsonAnswer, textAnswer } from "../http/answers.ts";
import { baseUrlOf, headersOf } from "../http/request.ts";
import { vendors } from "./vendors.ts";

/**
 * GET /healthz: that the front door reaches a function. GET /: what this is and where to go. GET /vault/openapi.json: the
 * OpenAPI document, with this deployment as its server. They read no table, so they cost nothing, and say nothing to a caller
 * without a key that the documents do not.
 *
 * No call of a vendor's SDK has the path `/`: an answer that is a success there cannot be taken for a vendor's.
 */
export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const { requestId } = event.requestContext;
  if (event.resource === "/vault/openapi.json")
    return jsonAnswer(200, withServer(baseUrlOf(event)), requestId);
  if (event.resource !== "/") return jsonAnswer(200, { status: "ok" }, requestId);
  const places = placesBehind(baseUrlOf(event));
  if (!(headersOf(event)["accept"] ?? []).join().includes("text/html"))
    return textAnswer(200, "application/json", `${JSON.stringify(places, null, 2)}\n`, requestId);
  const { keybrake, ...rest } = places;
  const lines = Object.entries(rest).map(([name, where]) => `${name.replaceAll("_", " ")}: ${where}`);
  return textAnswer(
    200,
    "text/plain; charset=utf-8",
    `Keybrake\n\n${keybrake}\n\n${lines.join("\n")}\n`,
    requestId,
  );
};

/** What bin/openapi.ts makes; the build puts it beside the bundle. */
let document: Readonly<Record<string, unknown>> | undefined;

function withServer(url: string): Readonly<Record<string, unknown>> {
  document ??= JSON.parse(readFileSync(join(__dirname, "openapi.json"), "utf8")) as typeof document;
  const { openapi, info, ...rest } = document ?? {};
  return { openapi, info, servers: [{ url }], ...rest };
}

function placesBehind(baseUrl: string): Readonly<Record<string, string>> {
  const bases = vendors.names.map((name) => [`${name}_base_url`, `${baseUrl}/${name}`]);
  return {
    keybrake:
      "stands between agents and vendors: it holds the vendors' secrets, and vault keys have caps in dollars",
    ...Object.fromEntries(bases),
    issue_a_key: `POST ${baseUrl}/vault/keys with the admin API key`,
    what_a_key_has_left: `GET ${baseUrl}/vault/keys/self with the vault key`,
    audit_log: `GET ${baseUrl}/vault/audit with the admin API key`,
    health: `GET ${baseUrl}/healthz`,
    openapi_document: `GET ${baseUrl}/vault/openapi.json`,
    documents: "README.md and docs/api.md beside the sources",
  };
}
