import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import type { Secrets } from "../domain/secrets.ts";
import { problemAnswer, problemFrom } from "./answers.ts";

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
    if (problem.code === "api_key_invalid" || problem.code === "key_unknown") onUnknownKey(event);
    if (problem.status >= 500) log(problem.message, problem.cause);
    return problemAnswer(problem, event.requestContext.requestId, secrets);
  },
});
