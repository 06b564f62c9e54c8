import { isUtf8 } from "node:buffer";
import type { APIGatewayProxyResult } from "aws-lambda";
import { Problem, type ProblemDetails } from "../domain/problem.ts";
import type { Secrets } from "../domain/secrets.ts";
import { isUnanswered } from "../domain/unanswered.ts";

/** JSON answers of our own API, and the one shape of their errors. */

const TEXT_BYTES_MAX = 1_000_000;

/**
 * A body as a REST API takes it: text as text, other bytes as base64.
 *
 * Both arrive byte for byte if the caller sends an Accept header. Without one the gateway may pass base64 on undecoded
 * (docs/architecture.md, "Answers at the gateway"). So base64 is only for bytes that are not UTF-8, and for large
 * bodies: escapes can double a text, and Lambda takes no answer above 6 MB.
 */
export function answerBody(bytes: Uint8Array): Pick<APIGatewayProxyResult, "body" | "isBase64Encoded"> {
  const buffer = Buffer.from(bytes);
  return buffer.length <= TEXT_BYTES_MAX && isUtf8(buffer)
    ? { body: buffer.toString(), isBase64Encoded: false }
    : { body: buffer.toString("base64"), isBase64Encoded: true };
}

export const textAnswer = (
  statusCode: number,
  contentType: string,
  text: string,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult => ({
  statusCode,
  headers: { "Content-Type": contentType, "Cache-Control": "no-store", "Request-Id": requestId, ...headers },
  body: text,
  isBase64Encoded: false,
});

/** With a line's end, so that a shell's prompt does not stick to it. */
export const jsonLine = (json: string): string => `${json}\n`;

export const jsonAnswer = (
  statusCode: number,
  body: unknown,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyResult =>
  textAnswer(statusCode, "application/json", jsonLine(JSON.stringify(body)), requestId, headers);

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "invalid_request_error",
  415: "invalid_request_error",
  429: "rate_limit_error",
};

/** The `type` of an error with this status. */
export const errorType = (status: number): string => TYPE_BY_STATUS[status] ?? "api_error";

/** What is shown beside a message, without what it may have of a caller. */
export const redactedDetails = (details: ProblemDetails, redact: Secrets["redact"]): ProblemDetails =>
  Object.fromEntries(
    Object.entries(details).map(([name, value]) => [name, typeof value === "string" ? redact(value) : value]),
  );

/** Our API's own errors: `{"error": {"type", "code", "message", "request_id", "charged", …details}}`. */
export function problemAnswer(
  problem: Problem,
  requestId: string,
  { redact }: Pick<Secrets, "redact">,
): APIGatewayProxyResult {
  const { status, code, charged, details } = problem;
  const message = redact(problem.message);
  const error = {
    type: errorType(status),
    code,
    message,
    request_id: requestId,
    charged,
    ...redactedDetails(details, redact),
  };
  return jsonAnswer(
    status,
    { error },
    requestId,
    problem.retryAfterS === null ? {} : { "Retry-After": `${problem.retryAfterS}` },
  );
}

/** What a request of our own API is told of an error: that the database did not answer; one that we did not name stays unnamed. */
export function problemFrom(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const options = { charged: "no", cause: error } as const;
  return isUnanswered(error)
    ? new Problem(
        "ledger_unavailable",
        "the database did not answer; repeat the request, with the same Idempotency-Key if it had one",
        options,
      )
    : new Problem(
        "internal",
        "this request failed inside Keybrake; repeat it; if it fails again, report it with its request id",
        options,
      );
}
