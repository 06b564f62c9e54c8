import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { jsonAnswer } from "../http/answers.ts";

/** GET /healthz: that the front door reaches a function. It reads nothing, so it costs nothing. */
export const handler = async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> =>
  jsonAnswer(200, { status: "ok" }, event.requestContext.requestId);
