import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from "aws-lambda";
import { dynamoApiKeys } from "../lambda/adapters/vault/api-keys.ts";
import { dynamoBalances } from "../lambda/adapters/vault/balances.ts";
import { dynamoReadLogins } from "../lambda/adapters/vault/logins.ts";
import { VaultTable } from "../lambda/adapters/vault/vault-table.ts";
import type { Secrets } from "../lambda/domain/secrets.ts";
import { jsonAnswer, problemAnswer, problemFrom } from "../lambda/http/answers.ts";
import { authenticate } from "../lambda/http/authenticate.ts";
import { limitOf, parametersOf } from "../lambda/http/list-params.ts";
import { queryOf } from "../lambda/http/request.ts";
import type { EventDetail } from "./aws/event-bridge.ts";
import { TABLES } from "./aws/tables.ts";

export interface EventsAnswerOptions {
  readonly client: DynamoDBClient;
  /** The admin API key. */
  readonly apiKey: string;
  readonly secrets: Secrets;
  /** The events of this run, newest first. */
  readonly events: () => readonly EventDetail[];
}

/**
 * GET /vault/events of the local run: the newest events, to whoever shows an API key with the scope `admin`. A deployment has
 * no such route: there the event bus has them.
 */
export function eventsAnswer({ client, apiKey, secrets, events }: EventsAnswerOptions) {
  const table = new VaultTable({ steady: client, once: client }, TABLES[0].name, () => {});
  const door = {
    adminKey: async () => apiKey,
    vault: {
      apiKeys: dynamoApiKeys(table),
      balances: dynamoBalances(table),
      logins: dynamoReadLogins(table),
    },
    clock: { now: () => Date.now() },
    secrets,
    apiKeyHint: null,
  };
  return async (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    const { requestId } = event.requestContext;
    try {
      await authenticate(event, "admin", door);
      const limit = limitOf(parametersOf(queryOf(event), ["limit"])("limit"));
      return jsonAnswer(200, { data: events().slice(0, limit), next_cursor: null }, requestId);
    } catch (error) {
      return problemAnswer(problemFrom(error), requestId, secrets);
    }
  };
}
