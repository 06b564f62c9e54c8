import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { FAILED_LOGINS_MAX } from "../../domain/login.ts";
import type { Logins, ReadLogins } from "../../ports/logins.ts";
import {
  codeItem,
  codeKey,
  loginItem,
  loginKey,
  readCodeItem,
  readLoginItem,
  triesKey,
  triesTtlS,
} from "../vault-items/login-item.ts";
import { number, type VaultTable } from "./vault-table.ts";

/** Logins of the dashboard, as every function reads them that takes an API key. */
export const dynamoReadLogins = (table: VaultTable): ReadLogins => ({
  async read(loginId) {
    const item = await table.get(loginKey(loginId));
    return item === null ? null : readLoginItem(item);
  },
});

/**
 * Logins of the dashboard, as the function writes them that signs in. Nothing is deleted: what is used or over says so, and
 * its TTL removes it.
 */
export const dynamoLogins = (table: VaultTable): Logins => ({
  ...dynamoReadLogins(table),
  start: (loginId, login) => table.putNew(loginItem(loginId, login)),
  async end(loginId, nowMs) {
    await unlessRefused(
      table.update({
        Key: loginKey(loginId),
        UpdateExpression: "SET ended_at = if_not_exists(ended_at, :now)",
        ConditionExpression: "attribute_exists(pk)",
        ExpressionAttributeValues: { ":now": number(nowMs) },
      }),
    );
  },
  putCode: (codeId, code) => table.putNew(codeItem(codeId, code)),
  // Where the reply of the one write is lost, its repeat by the SDK finds the code used: the caller asks for another one.
  async useCode(codeId, nowMs) {
    const used = await unlessRefused(
      table.update({
        Key: codeKey(codeId),
        UpdateExpression: "SET used_at = :now",
        ConditionExpression: "ends_at > :now AND attribute_not_exists(used_at)",
        ExpressionAttributeValues: { ":now": number(nowMs) },
        ReturnValues: "ALL_NEW",
      }),
    );
    return used?.Attributes === undefined ? null : readCodeItem(used.Attributes);
  },
  // A repeat by the SDK takes a second one, which lasts no longer than the window.
  async takeTry(group, windowMs) {
    const taken = await unlessRefused(
      table.update({
        Key: triesKey(group, windowMs),
        UpdateExpression: "SET #ttl = :ttl ADD n :one",
        ConditionExpression: "attribute_not_exists(n) OR n < :max",
        ExpressionAttributeNames: { "#ttl": "ttl" },
        ExpressionAttributeValues: {
          ":one": number(1),
          ":max": number(FAILED_LOGINS_MAX),
          ":ttl": number(triesTtlS(windowMs)),
        },
      }),
    );
    return taken !== null;
  },
  async giveTryBack(group, windowMs) {
    await unlessRefused(
      table.update({
        Key: triesKey(group, windowMs),
        UpdateExpression: "ADD n :less",
        ConditionExpression: "n > :none",
        ExpressionAttributeValues: { ":less": number(-1), ":none": number(0) },
      }),
    );
  },
});

/** Null where the condition of a write refused it. */
async function unlessRefused<T>(write: Promise<T>): Promise<T | null> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return null;
    throw error;
  }
}
