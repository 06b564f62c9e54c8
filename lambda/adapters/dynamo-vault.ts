import { setTimeout as sleep } from "node:timers/promises";
import {
  BatchGetItemCommand,
  type BatchGetItemCommandOutput,
  ConditionalCheckFailedException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import {
  type Balance,
  type Correction,
  type Draw,
  forgottenWindows,
  refusalOf,
  windowAt,
} from "../domain/balance.ts";
import { claimDecision, ENTRIES_MAX } from "../domain/call/claim.ts";
import type { CallRecord } from "../domain/call/record.ts";
import type { CountedObject } from "../domain/counted-object.ts";
import type { Policy } from "../domain/vault-key.ts";
import type {
  AttemptNote,
  Balances,
  CorrectionResult,
  DrawResult,
  KeyChange,
  Revocation,
} from "../ports/balances.ts";
import type { Calls, Claim, ClaimResult, DueCalls, SaveResult } from "../ports/calls.ts";
import type { ObjectEffect, Objects } from "../ports/objects.ts";
import type { Policies } from "../ports/policies.ts";
import type { Vault } from "../ports/vault.ts";
import type { DynamoClients } from "./dynamo-clients.ts";
import { isNotApplied, sendFailure } from "./dynamo-errors.ts";
import {
  balanceItem,
  balanceKey,
  type LastWrite,
  lastWriteMap,
  readBalanceItem,
  windowAttribute,
} from "./vault-items/balance-item.ts";
import {
  attemptAttribute,
  attemptMap,
  callIdOf,
  callItem,
  callKey,
  correctionAttribute,
  dueText,
  readCallItem,
} from "./vault-items/call-item.ts";
import type { Item } from "./vault-items/codec.ts";
import { entryAttribute, entryMap, objectKey, readObjectItem } from "./vault-items/object-item.ts";
import { policyItem, policyKey, readPolicyItem, requestKey } from "./vault-items/policy-item.ts";

/** Items of a key outlive its expiry by this, so that an expired key is called expired and not unknown. */
const KEPT_AFTER_EXPIRY_S = 30 * 86_400;
const REQUEST_KEPT_S = 30 * 86_400;
/** Longer than any PaymentIntent stays open without being touched. */
const OBJECT_KEPT_S = 90 * 86_400;
const POLICIES_CACHED_MAX = 1_000;
const RESENDS_MAX = 4;

const ttlOf = (expiresAtMs: number): number => Math.floor(expiresAtMs / 1000) + KEPT_AFTER_EXPIRY_S;
const number = (value: bigint | number) => ({ N: `${value}` });

/**
 * Keys, balances and calls in the Vault table. Every condition is the one of docs/protocol.md; the pure rules beside it
 * are those of lambda/domain, and test/adapters holds both to one contract.
 *
 * Conditional writes: a failed condition returns the item as it was, so that unknown, revoked, expired and exhausted
 * are told apart in the same round trip (DynamoDB, ReturnValuesOnConditionCheckFailure, read 2026-11-22).
 */
export class DynamoVault implements Vault {
  readonly #clients: DynamoClients;
  readonly #table: string;
  readonly #warn: (message: string, cause: unknown) => void;
  readonly #policies = new Map<string, Policy>();
  readonly policies: Policies = {
    read: (keyId) => this.readPolicy(keyId),
    create: (policy, balance, requestHash) => this.createKey(policy, balance, requestHash),
  };
  readonly balances: Balances = {
    read: (keyIds) => this.readBalances(keyIds),
    change: (before, change) => this.changeKey(before, change),
    revoke: (revocation) => this.revokeKey(revocation),
    draw: (draw) => this.draw(draw),
    correct: (correction) => this.correct(correction),
  };
  readonly calls: Calls = {
    read: (callId) => this.readCall(callId),
    claim: (claim) => this.claim(claim),
    save: (record, expectedVersion, effect) => this.saveCall(record, expectedVersion, effect),
    confirm: (callId, opIds) => this.confirm(callId, opIds),
    late: (due) => this.lateCalls(due),
    lateBacklog: (vendor, dueByMs) => this.lateBacklog(vendor, dueByMs),
  };
  readonly objects: Objects = { read: ({ rootId, objectId }) => this.readObject(rootId, objectId) };

  constructor(clients: DynamoClients, table: string, warn: (message: string, cause: unknown) => void) {
    this.#clients = clients;
    this.#table = table;
    this.#warn = warn;
  }

  async readPolicy(keyId: string): Promise<Policy | null> {
    const known = this.#policies.get(keyId);
    if (known !== undefined) return known;

    const item = await this.#get(policyKey(keyId));
    if (item === null) return null;
    const policy = readPolicyItem(item);
    const oldest = this.#policies.keys().next().value;
    if (this.#policies.size >= POLICIES_CACHED_MAX && oldest !== undefined) this.#policies.delete(oldest);
    this.#policies.set(keyId, policy);
    return policy;
  }

  async readBalances(keyIds: readonly string[]): Promise<readonly (Balance | null)[]> {
    const found = new Map<string, Balance>();
    let keys: Item[] | undefined = keyIds.map(balanceKey);
    for (let reads = 0; keys !== undefined && keys.length > 0; reads++) {
      // What was throttled comes back unread, in an answer that is no error.
      if (reads > RESENDS_MAX) throw new Error("the table left balances unread, however often it was asked");
      if (reads > 0) await sleep(waitMs(reads - 1));
      const { Responses, UnprocessedKeys }: BatchGetItemCommandOutput = await this.#clients.steady.send(
        new BatchGetItemCommand({ RequestItems: { [this.#table]: { Keys: keys, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[this.#table] ?? []) {
        const balance = readBalanceItem(item);
        found.set(balance.keyId, balance);
      }
      keys = UnprocessedKeys?.[this.#table]?.Keys;
    }
    return keyIds.map((keyId) => found.get(keyId) ?? null);
  }

  async createKey(
    policy: Policy,
    balance: Balance,
    requestHash: string | null,
  ): Promise<"created" | { readonly alreadyIssued: string }> {
    const ttlS = ttlOf(balance.expiresAtMs);
    const last: LastWrite = { op: "issue", id: policy.keyId, atMs: policy.issuedAtMs };
    await this.#putNew(balanceItem(balance, last, ttlS));
    const policyPut = policyItem(policy, ttlS);
    if (requestHash === null) {
      await this.#putNew(policyPut);
      return "created";
    }
    const request = {
      ...requestKey(requestHash),
      key_id: { S: policy.keyId },
      ttl: number(Math.floor(policy.issuedAtMs / 1000) + REQUEST_KEPT_S),
    };
    const failed = await this.#transact([this.#newPut(request), this.#newPut(policyPut)]);
    const issued = failed?.[0]?.["key_id"]?.S;
    return issued === undefined || issued === policy.keyId ? "created" : { alreadyIssued: issued };
  }

  async changeKey(before: Balance, { caps, expiresAtMs, by, nowMs }: KeyChange): Promise<Balance | null> {
    const ttlS = ttlOf(expiresAtMs);
    await this.#clients.steady.send(
      new UpdateItemCommand({
        TableName: this.#table,
        Key: policyKey(before.keyId),
        UpdateExpression: "SET #ttl = :ttl",
        ConditionExpression: "attribute_exists(pk)",
        ExpressionAttributeNames: { "#ttl": "ttl" },
        ExpressionAttributeValues: { ":ttl": number(Math.max(ttlS, ttlOf(before.expiresAtMs))) },
      }),
    );
    const open = Object.keys(before.leftByWindow).map(Number);
    const current = windowAt(before.issuedAtMs, nowMs);
    const unopened = [current - 1, current, current + 1].filter(
      (window) => window >= 0 && !open.includes(window),
    );
    const last: LastWrite = { op: "change", id: `${before.keyId}.${nowMs}`, atMs: nowMs, by };
    try {
      const { Attributes } = await this.#once({
        Key: balanceKey(before.keyId),
        UpdateExpression: `SET ${[
          "daily_cap = :daily, total_cap = :total, per_call_cap = :per_call, t = t + :more_total",
          "expires_at = :expires_at, n = n + :one, #last = :last, #ttl = :ttl",
          ...open.map((window) => `${windowAttribute(window)} = ${windowAttribute(window)} + :more_daily`),
        ].join(", ")}`,
        ConditionExpression: [
          "attribute_exists(pk)",
          "attribute_not_exists(revoked_at)",
          "daily_cap = :was_daily AND total_cap = :was_total AND per_call_cap = :was_per_call AND expires_at = :was_expires_at",
          ...open.map((window) => `attribute_exists(${windowAttribute(window)})`),
          ...unopened.map((window) => `attribute_not_exists(${windowAttribute(window)})`),
        ].join(" AND "),
        ExpressionAttributeNames: { "#last": "last", "#ttl": "ttl" },
        ExpressionAttributeValues: {
          ":daily": number(caps.daily),
          ":total": number(caps.total),
          ":per_call": number(caps.perCall),
          ...(open.length > 0 ? { ":more_daily": number(caps.daily - before.caps.daily) } : {}),
          ":more_total": number(caps.total - before.caps.total),
          ":was_daily": number(before.caps.daily),
          ":was_total": number(before.caps.total),
          ":was_per_call": number(before.caps.perCall),
          ":was_expires_at": number(before.expiresAtMs),
          ":expires_at": number(expiresAtMs),
          ":one": number(1),
          ":last": lastWriteMap(last),
          ":ttl": number(ttlS),
        },
        ReturnValues: "ALL_NEW",
      });
      return readBalanceItem(Attributes ?? {});
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return null;
      throw error;
    }
  }

  async revokeKey({ keyId, by, nowMs }: Revocation): Promise<number | null> {
    const last: LastWrite = { op: "revoke", id: `${keyId}.${nowMs}`, atMs: nowMs, by };
    try {
      await this.#clients.steady.send(
        new UpdateItemCommand({
          TableName: this.#table,
          Key: balanceKey(keyId),
          UpdateExpression: "SET revoked_at = :now, n = n + :one, #last = :last",
          ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(revoked_at)",
          ExpressionAttributeNames: { "#last": "last" },
          ExpressionAttributeValues: {
            ":now": number(nowMs),
            ":one": number(1),
            ":last": lastWriteMap(last),
          },
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        }),
      );
      return nowMs;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return error.Item === undefined ? null : readBalanceItem(error.Item).revokedAtMs;
    }
  }

  async claim(claim: Claim): Promise<ClaimResult> {
    const { callId, attempt, nowMs, leaseUntilMs, replayableSinceMs } = claim;
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
        this.#clients.steady.send(
          new UpdateItemCommand({
            TableName: this.#table,
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
        ),
      );
      return { kind: "claimed", record: readCallItem(Attributes ?? {}) };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException) || error.Item === undefined) throw error;
      return claimResult(readCallItem(error.Item), claim);
    }
  }

  async saveCall(
    record: CallRecord,
    expectedVersion: number,
    effect: ObjectEffect | null,
  ): Promise<SaveResult> {
    const put = {
      TableName: this.#table,
      Item: callItem(record),
      ...(expectedVersion === 0
        ? { ConditionExpression: "attribute_not_exists(pk)" }
        : { ConditionExpression: "v = :v", ExpressionAttributeValues: { ":v": number(expectedVersion) } }),
      ReturnValuesOnConditionCheckFailure: "ALL_OLD" as const,
    };
    if (effect !== null) {
      const failed = await this.#transact([{ Put: put }, this.#effectUpdate(effect)]);
      if (failed === null) return { kind: "saved" };
      const [call] = failed;
      return call === undefined
        ? { kind: "object_ended" }
        : { kind: "stale", record: Object.keys(call).length > 0 ? readCallItem(call) : null };
    }
    try {
      await resent(() => this.#clients.steady.send(new PutItemCommand(put)));
      return { kind: "saved" };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { kind: "stale", record: error.Item === undefined ? null : readCallItem(error.Item) };
    }
  }

  async readCall(callId: string): Promise<CallRecord | null> {
    const item = await this.#get(callKey(callId));
    return item === null ? null : readCallItem(item);
  }

  async lateCalls({ vendor, dueByMs, limit }: DueCalls): Promise<readonly string[]> {
    const items = await this.#due(vendor, dueByMs, { Limit: limit });
    return items.flatMap(({ pk }) => (pk?.S === undefined ? [] : [callIdOf(pk.S)]));
  }

  async lateBacklog(vendor: string, dueByMs: number): Promise<{ calls: number; oldestDueMs: number | null }> {
    const items = await this.#due(vendor, dueByMs, { ProjectionExpression: "late_due" });
    const oldest = items[0]?.["late_due"]?.S;
    return { calls: items.length, oldestDueMs: oldest === undefined ? null : Date.parse(oldest) };
  }

  /** One page of the index of late prices, the longest due first. */
  async #due(
    vendor: string,
    dueByMs: number,
    what: Pick<QueryCommandInput, "Limit" | "ProjectionExpression">,
  ): Promise<readonly Item[]> {
    const { Items = [] } = await this.#clients.steady.send(
      new QueryCommand({
        TableName: this.#table,
        IndexName: "by_late_price",
        KeyConditionExpression: "late_vendor = :vendor AND late_due <= :due",
        ExpressionAttributeValues: { ":vendor": { S: vendor }, ":due": { S: dueText(dueByMs) } },
        ...what,
      }),
    );
    return Items;
  }

  async readObject(rootId: string, objectId: string): Promise<CountedObject | null> {
    const item = await this.#get(objectKey(rootId, objectId));
    return item === null ? null : readObjectItem(item);
  }

  async draw(draw: Draw & AttemptNote): Promise<DrawResult> {
    const { keyId, attemptId, window, amount, issuedAtMs, nowMs, callId, isLeaf, method, path } = draw;
    const last: LastWrite = {
      op: "draw",
      id: attemptId,
      atMs: issuedAtMs,
      window,
      amount,
      callId,
      isLeaf,
      method,
      path,
    };
    const forgotten = forgottenWindows(window).map(windowAttribute);
    const enough = [
      "per_call_cap >= :amount",
      "(#window >= :amount OR (attribute_not_exists(#window) AND daily_cap >= :amount))",
      "t >= :amount",
    ];
    try {
      const { Attributes } = await this.#once({
        Key: balanceKey(keyId),
        UpdateExpression:
          "SET #window = if_not_exists(#window, daily_cap) - :amount, t = t - :amount, n = n + :one, #last = :last" +
          (forgotten.length > 0 ? ` REMOVE ${forgotten.join(", ")}` : ""),
        ConditionExpression: [
          "attribute_exists(pk)",
          "attribute_not_exists(revoked_at)",
          "expires_at > :now",
          "fence < :issued_at",
          ...(amount === 0n ? [] : enough),
        ].join(" AND "),
        ExpressionAttributeNames: {
          "#window": windowAttribute(window),
          "#last": "last",
        },
        ExpressionAttributeValues: {
          ":amount": number(amount),
          ":one": number(1),
          ":now": number(nowMs),
          ":issued_at": number(issuedAtMs),
          ":last": lastWriteMap(last),
        },
        ReturnValues: "ALL_NEW",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      return { kind: "drawn", balance: readBalanceItem(Attributes ?? {}) };
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) {
        const balance = error.Item === undefined ? null : readBalanceItem(error.Item);
        return { kind: "refused", reason: refusalOf(balance, draw) ?? "fenced", balance };
      }
      if (!isNotApplied(error)) return this.#probe(keyId, attemptId, error);
      this.#warn("a reservation was not taken: the table refused every send of it", error);
      return { kind: "not_applied" };
    }
  }

  async correct(correction: Correction): Promise<CorrectionResult> {
    const { opId, keyId, window, amount, issuedAtMs } = correction;
    const last: LastWrite = {
      op: amount > 0n ? "back" : "force",
      id: opId,
      atMs: issuedAtMs,
      window,
      amount,
    };
    const send = (setWindow: string, windowCondition: string) =>
      this.#once({
        Key: balanceKey(keyId),
        UpdateExpression: `SET ${setWindow} t = t + :amount, n = n + :one, #last = :last`,
        ConditionExpression: `attribute_exists(pk) AND fence < :issued_at${windowCondition}`,
        ExpressionAttributeNames: {
          ...(setWindow + windowCondition === "" ? {} : { "#window": windowAttribute(window) }),
          "#last": "last",
        },
        ExpressionAttributeValues: {
          ":amount": number(amount),
          ":one": number(1),
          ":issued_at": number(issuedAtMs),
          ":last": lastWriteMap(last),
        },
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
    try {
      if (amount < 0n) await send("#window = if_not_exists(#window, daily_cap) + :amount,", "");
      else await send("#window = #window + :amount,", " AND attribute_exists(#window)");
      return "applied";
    } catch (error) {
      const windowIsGone =
        amount > 0n &&
        error instanceof ConditionalCheckFailedException &&
        error.Item !== undefined &&
        !(windowAttribute(window) in error.Item);
      if (!windowIsGone) return this.#lost(correction, error);
      return send("", " AND attribute_not_exists(#window)").then(
        () => "applied" as const,
        (second: unknown) => this.#lost(correction, second),
      );
    }
  }

  /** It is decided and on the call's record; whether it landed is for the resolver to find out. */
  #lost({ opId }: Correction, cause: unknown): CorrectionResult {
    const result = isNotApplied(cause) ? "not_applied" : "unknown";
    const said = result === "not_applied" ? "was not applied" : "was not acknowledged";
    this.#warn(`the correction ${opId} ${said}; its budget may stay held`, cause);
    return result;
  }

  /**
   * The version moves with it: a record that was read before and is put afterwards would bring the corrections back. That
   * writer reads anew.
   */
  async confirm(callId: string, opIds: readonly string[]): Promise<void> {
    const names = opIds.map((opId, index) => [`#b${index}`, correctionAttribute(opId)] as const);
    const update = new UpdateItemCommand({
      TableName: this.#table,
      Key: callKey(callId),
      UpdateExpression: `SET v = v + :one, #entries = if_not_exists(#entries, :confirmed) - :confirmed REMOVE ${names
        .map(([name]) => name)
        .join(", ")}`,
      ConditionExpression: names.map(([name]) => `attribute_exists(${name})`).join(" AND "),
      ExpressionAttributeNames: { "#entries": "entries", ...Object.fromEntries(names) },
      ExpressionAttributeValues: { ":one": number(1), ":confirmed": number(opIds.length) },
    });
    try {
      await resent(() => this.#clients.steady.send(update));
    } catch (error) {
      // They are gone already: an earlier send of it landed.
      if (error instanceof ConditionalCheckFailedException) return;
      this.#warn(`corrections of ${callId} were applied and stay on its record`, error);
    }
  }

  /**
   * An update that must not be applied twice: sent again only where it certainly was not applied. Nothing follows a send
   * that may have been applied, so what the last error tells is true of all sends.
   */
  #once(input: Omit<UpdateItemCommandInput, "TableName">) {
    return resent(() => this.#clients.once.send(new UpdateItemCommand({ TableName: this.#table, ...input })));
  }

  /** Whether a draw landed whose answer does not tell: yes, if it is still the last write. */
  async #probe(keyId: string, attemptId: string, cause: unknown): Promise<DrawResult> {
    this.#warn("a reservation was not acknowledged", cause);
    try {
      const item = await this.#get(balanceKey(keyId));
      const balance = item === null ? null : readBalanceItem(item);
      return balance !== null && balance.last.op === "draw" && balance.last.id === attemptId
        ? { kind: "drawn", balance }
        : { kind: "ambiguous" };
    } catch {
      return { kind: "ambiguous" };
    }
  }

  async #get(key: Item): Promise<Item | null> {
    const { Item: item } = await this.#clients.steady.send(
      new GetItemCommand({ TableName: this.#table, Key: key, ConsistentRead: true }),
    );
    return item ?? null;
  }

  #newPut(item: Item): TransactWriteItem {
    return {
      Put: {
        TableName: this.#table,
        Item: item,
        ConditionExpression: "attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      },
    };
  }

  /** Ids are random, so an item that is there already is an earlier send of this very put. */
  async #putNew(item: Item): Promise<void> {
    await this.#clients.steady
      .send(
        new PutItemCommand({
          TableName: this.#table,
          Item: item,
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      )
      .catch((error) => {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      });
  }

  #effectUpdate(effect: ObjectEffect): TransactWriteItem {
    const key = objectKey(effect.rootId, effect.objectId);
    if (effect.kind === "end") {
      return {
        Update: {
          TableName: this.#table,
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
        TableName: this.#table,
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

  /** Null when all was written; else, by position, the items whose conditions failed (`{}` where there was none). */
  async #transact(items: TransactWriteItem[]): Promise<readonly (Item | undefined)[] | null> {
    try {
      await resent(() => this.#clients.steady.send(new TransactWriteItemsCommand({ TransactItems: items })));
      return null;
    } catch (error) {
      const reasons = error instanceof TransactionCanceledException ? (error.CancellationReasons ?? []) : [];
      if (!reasons.some(({ Code }) => Code === "ConditionalCheckFailed")) throw error;
      return reasons.map(({ Code, Item: item }) =>
        Code === "ConditionalCheckFailed" ? (item ?? {}) : undefined,
      );
    }
  }
}

const waitMs = (resends: number): number => 20 * 2 ** resends * (0.5 + Math.random());

/** Sends again, a few times and ever later, what certainly was not applied and may pass. */
async function resent<T>(send: () => Promise<T>): Promise<T> {
  for (let resends = 0; ; resends++) {
    try {
      return await send();
    } catch (error) {
      if (sendFailure(error) !== "passing" || resends >= RESENDS_MAX) throw error;
      await sleep(waitMs(resends));
    }
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
