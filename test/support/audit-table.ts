import { type DynamoDBClient, TransactWriteItemsCommand } from "@aws-sdk/client-dynamodb";
import type { Item } from "../../lambda/adapters/vault-items/codec.ts";

/** The Audit table as a client that takes down the events that are put, and answers each query with all of them. */
export function auditTable(events: readonly Item[] = []): { client: DynamoDBClient; events: Item[] } {
  const kept = [...events];
  const send = async (command: unknown) => {
    if (!(command instanceof TransactWriteItemsCommand)) return { Items: kept };
    for (const { Put } of command.input.TransactItems ?? []) if (Put?.Item !== undefined) kept.push(Put.Item);
    return {};
  };
  return { client: { send } as unknown as DynamoDBClient, events: kept };
}
