import { ConditionalCheckFailedException, type QueryCommandInput } from "@aws-sdk/client-dynamodb";
import { claimDecision, ENTRIES_MAX } from "../../domain/call/claim.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import type { Calls, Claim, ClaimResult, SaveResult } from "../../ports/calls.ts";
import type { ObjectEffect } from "../../ports/objects.ts";
import { resent } from "../back-off.ts";
import { ALL_SHARDS } from "../shards.ts";
import {
  attemptAttribute,
  attemptMap,
  callIdOf,
  callItem,
  callKey,
  correctionAttribute,
  dueText,
  lateKey,
  readCallItem,
} from "../vault-items/call-item.ts";
import type { Item } from "../vault-items/codec.ts";
import { objectUpdate } from "./objects.ts";
import { number, type VaultTable } from "./vault-table.ts";

/** Records of calls in the Vault table. Every write of one is harmless twice. */
export const dynamoCalls = (table: VaultTable): Calls => ({
  async read(callId) {
    const item = await table.get(callKey(callId));
    return item === null ? null : readCallItem(item);
  },
  claim: (wanted) => claim(table, wanted),
  save: (record, expectedVersion, effect) => save(table, record, expectedVersion, effect),
  confirm: (callId, opIds) => confirm(table, callId, opIds),
  async late({ vendor, dueByMs, limit }) {
    const items = await due(table, vendor, dueByMs, { Limit: limit });
    return items.slice(0, limit).flatMap(({ pk }) => (pk?.S === undefined ? [] : [callIdOf(pk.S)]));
  },
  async lateBacklog(vendor, dueByMs) {
    const items = await due(table, vendor, dueByMs, { ProjectionExpression: "late_due" });
    const oldest = items[0]?.["late_due"]?.S;
    return { calls: items.length, oldestDueMs: oldest === undefined ? null : Date.parse(oldest) };
  },
});

/** One page of each shard of the index of late prices, the longest due first. */
async function due(
  table: VaultTable,
  vendor: string,
  dueByMs: number,
  what: Pick<QueryCommandInput, "Limit" | "ProjectionExpression">,
): Promise<readonly Item[]> {
  const pages = await Promise.all(
    [null, ...ALL_SHARDS].map((shard) =>
      table.query({
        IndexName: "by_late_price",
        KeyConditionExpression: "late_vendor = :vendor AND late_due <= :due",
        ExpressionAttributeValues: {
          ":vendor": { S: lateKey(vendor, shard) },
          ":due": { S: dueText(dueByMs) },
        },
        ...what,
      }),
    ),
  );
  const dueOf = (item: Item) => item["late_due"]?.S ?? "";
  return pages.flat().sort((one, other) => (dueOf(one) < dueOf(other) ? -1 : 1));
}

async function claim(table: VaultTable, wanted: Claim): Promise<ClaimResult> {
  const { callId, attempt, nowMs, leaseUntilMs, replayableSinceMs } = wanted;
  const isNew = "attribute_not_exists(pk)";
  const nothingHeld = "st IN (:idle, :final)";
  const young = "first_at > :replayable_since";
  const unleased = "(attribute_not_exists(lease) OR lease.#until < :now)";
  // The record counts what it holds, so that even attempts that all die are few. Older records do not count yet.
  const roomy = "(attribute_not_exists(#entries) OR #entries < :entries_max)";
  // An earlier send of this claim may arrive when the attempt is over: it must not open it again.
  const isFirst = "attribute_not_exists(#attempt)";
  try {
    const { Attributes } = await resent(() =>
      table.update({
        Key: callKey(callId),
        UpdateExpression:
          "SET call_id = :call_id, v = if_not_exists(v, :zero) + :one, lease = :lease, #attempt = :attempt, #entries = if_not_exists(#entries, :zero) + :one, " +
          "first_at = if_not_exists(first_at, :issued_at), st = if_not_exists(st, :idle), riders = if_not_exists(riders, :zero) REMOVE #ttl",
        ConditionExpression: `${isNew} OR (${nothingHeld} AND ${young} AND ${unleased} AND ${roomy} AND ${isFirst})`,
        ExpressionAttributeNames: {
          "#attempt": attemptAttribute(attempt.attemptId),
          "#until": "until",
          "#entries": "entries",
          "#ttl": "ttl",
        },
        ExpressionAttributeValues: {
          ":call_id": { S: callId },
          ":zero": number(0),
          ":one": number(1),
          ":lease": { M: { attempt_id: { S: attempt.attemptId }, until: number(leaseUntilMs) } },
          ":attempt": attemptMap(attempt),
          ":issued_at": number(attempt.issuedAtMs),
          ":idle": { S: "idle" },
          ":final": { S: "final" },
          ":replayable_since": number(replayableSinceMs),
          ":entries_max": number(ENTRIES_MAX),
          ":now": number(nowMs),
        },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    );
    return { kind: "claimed", record: readCallItem(Attributes ?? {}) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException) || error.Item === undefined) throw error;
    return claimResult(readCallItem(error.Item), wanted);
  }
}

/** What a failed claim means: an earlier send of it may have landed. */
function claimResult(record: CallRecord, claim: Claim): ClaimResult {
  const { attempt } = claim;
  if (record.lease?.attemptId === attempt.attemptId && record.attempts[attempt.attemptId]?.kind === "own")
    return { kind: "claimed", record };
  const decision = claimDecision(record, claim);
  if (decision === "too_old") return { kind: "too_old", firstAtMs: record.firstAtMs };
  if (decision === "join") return { kind: "joinable", record };
  if (decision === "full") return { kind: "full", record };
  return { kind: "busy" };
}

async function save(
  table: VaultTable,
  record: CallRecord,
  expectedVersion: number,
  effect: ObjectEffect | null,
): Promise<SaveResult> {
  const put = {
    Item: callItem(record),
    ...(expectedVersion === 0
      ? { ConditionExpression: "attribute_not_exists(pk)" }
      : { ConditionExpression: "v = :v", ExpressionAttributeValues: { ":v": number(expectedVersion) } }),
    ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
  };
  if (effect !== null) {
    const failed = await table.transact([
      { Put: { TableName: table.name, ...put } },
      objectUpdate(table, effect),
    ]);
    if (failed === null) return { kind: "saved" };
    const [call] = failed;
    return call === undefined
      ? { kind: "object_ended" }
      : { kind: "stale", record: Object.keys(call).length > 0 ? readCallItem(call) : null };
  }
  try {
    await resent(() => table.put(put));
    return { kind: "saved" };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return { kind: "stale", record: error.Item === undefined ? null : readCallItem(error.Item) };
  }
}

/**
 * The version moves with it: a record that was read before and is put afterwards would bring the corrections back. That
 * writer reads again.
 */
async function confirm(table: VaultTable, callId: string, opIds: readonly string[]): Promise<void> {
  const names = opIds.map((opId, index) => [`#b${index}`, correctionAttribute(opId)] as const);
  const update = {
    Key: callKey(callId),
    UpdateExpression: `SET v = v + :one, #entries = if_not_exists(#entries, :confirmed) - :confirmed REMOVE ${names
      .map(([name]) => name)
      .join(", ")}`,
    ConditionExpression: names.map(([name]) => `attribute_exists(${name})`).join(" AND "),
    ExpressionAttributeNames: { "#entries": "entries", ...Object.fromEntries(names) },
    ExpressionAttributeValues: { ":one": number(1), ":confirmed": number(opIds.length) },
  };
  try {
    await resent(() => table.update(update));
  } catch (error) {
    // They are gone already: an earlier send of it landed.
    if (error instanceof ConditionalCheckFailedException) return;
    table.warn(`corrections of ${callId} were applied and stay on its record`, error);
  }
}
