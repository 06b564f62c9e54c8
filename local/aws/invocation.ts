import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import { FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_S } from "../../lib/limits.ts";
import type { FunctionName } from "../../lib/services.ts";

/** Runs one of our functions: resolves with what its handler returns, rejects with what it throws. */
export type Invoke = (name: FunctionName, event: unknown, context: Context) => Promise<unknown>;

/** The second argument of a handler, for an invocation that begins now. */
export function invocationContext(name: FunctionName, timeoutMs = FUNCTION_TIMEOUT_S * 1000): Context {
  const deadlineMs = Date.now() + timeoutMs;
  const awsRequestId = randomUUID();
  return {
    awsRequestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`,
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: "local",
    memoryLimitInMB: `${FUNCTION_MEMORY_MB}`,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    // The typings still list the callbacks of Node 8; the Node 24 runtime has none.
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}
