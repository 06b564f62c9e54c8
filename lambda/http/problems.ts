import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { problemAnswer, problemFrom } from "./answers.ts";

/** Turns whatever a handler of our own API throws into one JSON shape. Only what an operator must see is logged. */
export const problems = (
  log: (message: string, cause: unknown) => void,
): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> => ({
  onError: ({ error, event }) => {
    const problem = problemFrom(error);
    if (problem.status >= 500) log(problem.message, problem.cause);
    return problemAnswer(problem, event.requestContext.requestId);
  },
});
