import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { noteUnanswered } from "../domain/unanswered.ts";
import { DYNAMODB, sendDirectly } from "./direct-sender.ts";
import { sendFailure } from "./dynamo-errors.ts";
import { environmentProvider } from "./environment-credentials.ts";
import { keptAgents } from "./kept-agents.ts";

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

/** What DynamoDB read and turned away is a fault of ours; of everything else the same request may pass later. */
const onFailure = (error: unknown) => {
  if (sendFailure(error) !== "refused") noteUnanswered(error);
};

/**
 * `timeoutMs`: for one request. Short, so that a slow answer leaves time for the outcome to be written. `requestTokens`:
 * whether transactions carry one. An engine may look through those of ten minutes at every transaction (dynoxide 1.2.1, run
 * 2026-11-28: 0.7 ms at first, 3.2 ms after 30,000). Without one, a transaction whose reply was lost may fail by its own
 * conditions when it comes again; every sender has to take that for an answer anyway, since a token lasts ten minutes.
 */
export function dynamoClients(timeoutMs: number, requestTokens = true): DynamoClients {
  // One pool for both: a connection that one of them opened serves the other too.
  const agents = keptAgents(SOCKETS_MAX);
  const service = requestTokens ? DYNAMODB : { ...DYNAMODB, withToken: [] };
  const made = (config: DynamoDBClientConfig) => {
    // The chain of middleware is built once for each command, and not for each request.
    const client = new DynamoDBClient({ ...config, cacheMiddleware: true, credentials: environmentProvider });
    sendDirectly(client, service, { agents, timeoutMs, onFailure });
    return client;
  };
  return { steady: made({}), once: made({ maxAttempts: 1 }) };
}
