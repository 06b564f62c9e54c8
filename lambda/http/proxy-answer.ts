import type { APIGatewayProxyResult } from "aws-lambda";
import type { CallFacts, ProxyResult } from "../app/attempt-context.ts";
import type { Problem } from "../domain/denial.ts";
import { usdText } from "../domain/money.ts";
import { isoTime } from "../domain/time.ts";
import { VENDORS } from "../vendors/index.ts";
import { errorType } from "./answers.ts";

/** Headers that a REST API writes itself, and those that belong to one connection. AWS documentation, read 2026-11-22. */
const NOT_PASSED = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "server",
  "transfer-encoding",
  "www-authenticate",
]);

/** The vendor's answer as it came, or a denial in the vendor's shape; both with what Keybrake has to say. */
export function proxyAnswer(result: ProxyResult, requestId: string): APIGatewayProxyResult {
  if (result.kind === "denied") return denialAnswer(result.problem, result.facts, requestId);
  const { reply, facts } = result;
  const multiValueHeaders: Record<string, string[]> = {};
  for (const [name, value] of reply.rawHeaders) {
    if (NOT_PASSED.has(name.toLowerCase())) continue;
    multiValueHeaders[name] = [...(multiValueHeaders[name] ?? []), value];
  }
  for (const [name, value] of Object.entries(factHeaders(facts))) multiValueHeaders[name] = [value];
  if (!Object.keys(multiValueHeaders).some((name) => name.toLowerCase() === "request-id"))
    multiValueHeaders["Request-Id"] = [requestId];
  return {
    statusCode: reply.status,
    multiValueHeaders,
    body: Buffer.from(reply.body).toString("base64"),
    isBase64Encoded: true,
  };
}

/** `facts`: null for a key that is not known; then the vendor is not known either and the body suits every SDK. */
export function denialAnswer(
  problem: Problem,
  facts: CallFacts | null,
  requestId: string,
): APIGatewayProxyResult {
  const { status, code, message, charged, details } = problem;
  const vendor = facts === null ? undefined : VENDORS[facts.vendorName];
  const { headers, body } =
    vendor === undefined
      ? anyVendor(problem, requestId)
      : vendor.denial({ status, code, message, requestId, charged, details });
  return {
    statusCode: status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...headers,
      ...(problem.retryAfterS === null ? {} : { "Retry-After": `${problem.retryAfterS}` }),
      ...(facts === null ? { "Keybrake-Charged": charged } : factHeaders(facts)),
    },
    body: Buffer.from(body).toString("base64"),
    isBase64Encoded: true,
  };
}

/** One body that makes every vendor's SDK raise its natural exception with our message. */
function anyVendor({ status, code, message, charged }: Problem, requestId: string) {
  const error = { type: errorType(status), code, message, request_id: requestId, charged };
  const body = JSON.stringify({ error, statusCode: status, name: code, message, code: status, status });
  return { headers: { "Request-Id": requestId, "Stripe-Should-Retry": "false" }, body };
}

function factHeaders({ callId, charged, cap }: CallFacts): Record<string, string> {
  return {
    "Keybrake-Call-Id": callId,
    "Keybrake-Charged": charged,
    ...(cap === null
      ? {}
      : { "Keybrake-Cap-Usd": usdText(cap.cap), "Keybrake-Remaining-Usd": usdText(cap.remaining) }),
    ...(cap === null || cap.resetsAtMs === null ? {} : { "Keybrake-Resets-At": isoTime(cap.resetsAtMs) }),
  };
}
