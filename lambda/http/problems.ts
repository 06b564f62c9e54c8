import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { ProblemCode } from "../domain/problem.ts";
import type { Secrets } from "../domain/secrets.ts";
import { problemAnswer, problemFrom } from "./answers.ts";

/** Who sends one of these shows something that does not exist: somebody may be guessing. */
const UNKNOWN: readonly ProblemCode[] = ["api_key_invalid", "key_unknown", "code_invalid"];

/**
 * Turns every error of a handler of our own API into one JSON shape. Only what an operator must see is logged.
 * `onUnknownKey` is called for each request whose key does not exist.
 */
export const problems = (
  log: (message: string, cause: unknown) => void,
  onUnknownKey: (event: APIGatewayProxyEvent) => void,
  secrets: Secrets,
): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> => ({
  onError: ({ error, event }) => {
    const problem = problemFrom(error);
    if (UNKNOWN.includes(problem.code)) onUnknownKey(event);
    if (problem.status >= 500) log(problem.message, problem.cause);
    return problemAnswer(problem, event.requestContext.requestId, secrets);
  },
});
