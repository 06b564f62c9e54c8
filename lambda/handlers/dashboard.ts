import { join } from "node:path";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { builtPage, type Page } from "../adapters/built-page.ts";
import { Problem } from "../domain/problem.ts";
import { problemAnswer } from "../http/answers.ts";
import { DOCUMENT, GUARDS, pageAnswer, toDocument } from "../http/page-answer.ts";
import { headersOf } from "../http/request.ts";

/** What bin/page.ts makes; the build puts it beside the bundle. */
let page: Page | undefined;

/** GET /dashboard and the files of its page. */
export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
  const { requestId } = event.requestContext;
  const isDocument = event.resource === "/dashboard";
  const name = isDocument ? DOCUMENT : (event.pathParameters?.["file"] ?? "");
  if (isDocument ? event.path.endsWith("/") : name === DOCUMENT) return toDocument(requestId);
  page ??= builtPage(join(__dirname, "page"));
  const file = page.get(name);
  if (file !== undefined) return pageAnswer(file, headersOf(event), requestId);
  const missing = new Problem("not_found", "the dashboard has no such file; reload its page");
  const answer = problemAnswer(missing, requestId, { redact: (text) => text });
  return { ...answer, headers: { ...answer.headers, ...GUARDS } };
};
