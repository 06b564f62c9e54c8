import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";
import type { ObjectEffect, Objects } from "../../ports/objects.ts";
import { entryAttribute, entryMap, objectKey, readObjectItem } from "../vault-items/object-item.ts";
import { number, type VaultTable } from "./vault-table.ts";

/** Longer than any PaymentIntent stays open without being touched. */
const OBJECT_KEPT_S = 90 * 86_400;

/** Counted objects in the Vault table. */
export const dynamoObjects = (table: VaultTable): Objects => ({
  async read({ rootId, objectId }) {
    const item = await table.get(objectKey(rootId, objectId));
    return item === null ? null : readObjectItem(item);
  },
});

/** What a call changes about its object, for the transaction that writes the call's record. */
export function objectUpdate(table: VaultTable, effect: ObjectEffect): TransactWriteItem {
  const key = objectKey(effect.rootId, effect.objectId);
  if (effect.kind === "end") {
    return {
      Update: {
        TableName: table.name,
        Key: key,
        UpdateExpression: "SET ended = :true",
        ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(ended)",
        ExpressionAttributeValues: { ":true": { BOOL: true } },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    };
  }
  const { attemptId } = effect.entry;
  return {
    Update: {
      TableName: table.name,
      Key: key,
      UpdateExpression: "SET #entry = :entry, object_id = :object_id, #ttl = :ttl",
      ConditionExpression: "attribute_not_exists(ended)",
      ExpressionAttributeNames: { "#entry": entryAttribute(attemptId), "#ttl": "ttl" },
      ExpressionAttributeValues: {
        ":entry": entryMap(effect.entry),
        ":object_id": { S: effect.objectId },
        ":ttl": number(Math.floor(effect.nowMs / 1000) + OBJECT_KEPT_S),
      },
    },
  };
}
