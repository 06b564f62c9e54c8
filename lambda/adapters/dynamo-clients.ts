import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { keptAgents } from "./kept-agents.ts";
import { withoutRequestTokens } from "./request-tokens.ts";

/**
 * Two clients for one table, because the SDK repeats writes on its own.
 *
 * `steady` repeats: for reads and for writes that are harmless twice. `once` never does: for writes to a balance, where a
 * repeat after a lost reply would take or give the same money twice (docs/protocol.md).
 */
export interface DynamoClients {
  readonly steady: DynamoDBClient;
  readonly once: DynamoDBClient;
}

const SOCKETS_MAX = 50;

/**
 * `timeoutMs`: for one request. Short, so that a slow answer leaves time for the outcome to be written. `requestTokens`:
 * whether transactions carry one.
 */
export function dynamoClients(timeoutMs: number, requestTokens = true): DynamoClients {
  const requestHandler = {
    requestTimeout: timeoutMs,
    throwOnRequestTimeout: true,
    connectionTimeout: timeoutMs,
  };
  const agents = keptAgents(SOCKETS_MAX);
  const handler = { ...requestHandler, httpAgent: agents.http, httpsAgent: agents.https };
  const once = new DynamoDBClient({ requestHandler: handler, maxAttempts: 1 });
  once.middlewareStack.add(
    (next) => (args) => {
      agents.closeIdle();
      return next(args);
    },
    { step: "initialize", name: "closeIdleConnections" },
  );
  const clients = { steady: new DynamoDBClient({ requestHandler }), once };
  if (!requestTokens) for (const client of Object.values(clients)) withoutRequestTokens(client);
  return clients;
}
