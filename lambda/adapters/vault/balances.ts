import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type Balance,
  type Correction,
  type CountedCall,
  countRefusal,
  type Draw,
  forgottenWindows,
  refusalOf,
  windowAt,
} from "../../domain/balance.ts";
import type { CountForm } from "../../domain/call-rate.ts";
import type {
  AttemptNote,
  Balances,
  CorrectionResult,
  CountResult,
  DrawResult,
  KeyChange,
  Revocation,
} from "../../ports/balances.ts";
import { isNotApplied } from "../dynamo-errors.ts";
import {
  balanceKey,
  type LastWrite,
  lastWriteMap,
  readBalanceItem,
  stopCauseMap,
  windowAttribute,
} from "../vault-items/balance-item.ts";
import { keyTtlS } from "../vault-items/policy-item.ts";
import {
  type CountExpression,
  countExpression,
  inItsMinute,
  type OtherMinute,
  otherMinute,
} from "./count-forms.ts";
import { keepKey } from "./policies.ts";
import { number, type VaultTable } from "./vault-table.ts";

/**
 * Balances in the Vault table. Money is written by `draw` and `correct`, with the client that never repeats; so is a
 * change of the caps.
 */
export const dynamoBalances = (table: VaultTable): Balances => ({
  read: (keyIds) => read(table, keyIds),
  change: (before, wanted) => change(table, before, wanted),
  revoke: (revocation) => revoke(table, revocation),
  draw: (wanted) => draw(table, wanted),
  count: (call) => count(table, call),
  fence: (keyId, atMs) => fence(table, keyId, atMs),
  correct: (correction) => correct(table, correction),
});

async function read(table: VaultTable, keyIds: readonly string[]): Promise<readonly (Balance | null)[]> {
  const items = await table.getAll(keyIds.map(balanceKey));
  const found = new Map(items.map(readBalanceItem).map((balance) => [balance.keyId, balance]));
  return keyIds.map((keyId) => found.get(keyId) ?? null);
}

async function change(
  table: VaultTable,
  before: Balance,
  { caps, expiresAtMs, by, nowMs }: KeyChange,
): Promise<Balance | null> {
  const ttlS = keyTtlS(expiresAtMs);
  await keepKey(table, before.keyId, Math.max(ttlS, keyTtlS(before.expiresAtMs)));
  const open = Object.keys(before.leftByWindow).map(Number);
  const current = windowAt(before.issuedAtMs, nowMs);
  const unopened = [current - 1, current, current + 1].filter(
    (window) => window >= 0 && !open.includes(window),
  );
  const last: LastWrite = { op: "change", id: `${before.keyId}.${nowMs}`, atMs: nowMs, by };
  try {
    const { Attributes } = await table.updateOnce({
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

async function revoke(table: VaultTable, { keyId, by, nowMs, stop }: Revocation): Promise<number | null> {
  const last: LastWrite = { op: "revoke", id: `${keyId}.${nowMs}`, atMs: nowMs, by };
  try {
    await table.update({
      Key: balanceKey(keyId),
      UpdateExpression: `SET revoked_at = :now, n = n + :one, #last = :last${stop === undefined ? "" : ", revoked_by = :stop"}`,
      ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(revoked_at)",
      ExpressionAttributeNames: { "#last": "last" },
      ExpressionAttributeValues: {
        ":now": number(nowMs),
        ":one": number(1),
        ":last": lastWriteMap(last),
        ...(stop === undefined ? {} : { ":stop": stopCauseMap(stop) }),
      },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return nowMs;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return error.Item === undefined ? null : readBalanceItem(error.Item).revokedAtMs;
  }
}

async function draw(table: VaultTable, wanted: Draw & AttemptNote): Promise<DrawResult> {
  if (wanted.count === null) return withoutForm(await drawOnce(table, wanted, null));
  const { count: counted, observes } = wanted;
  const drawn = await inItsMinute(counted, (form) =>
    drawOnce(table, wanted, countExpression(counted, form, observes)),
  );
  if (drawn !== null) return drawn;
  table.warn("a reservation was not made: the minute of its key kept changing", null);
  return { kind: "not_applied" };
}

const withoutForm = (result: DrawResult | OtherMinute): DrawResult =>
  result.kind === "other_minute" ? { kind: "not_applied" } : result;

async function drawOnce(
  table: VaultTable,
  wanted: Draw & AttemptNote,
  counting: CountExpression | null,
): Promise<DrawResult | OtherMinute> {
  const { keyId, attemptId, window, amount, issuedAtMs, nowMs, callId, isLeaf, leafId, method, path } =
    wanted;
  const last: LastWrite = {
    op: "draw",
    id: attemptId,
    atMs: issuedAtMs,
    window,
    amount,
    callId,
    isLeaf,
    leafId,
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
    const { Attributes } = await table.updateOnce({
      Key: balanceKey(keyId),
      UpdateExpression:
        "SET #window = if_not_exists(#window, daily_cap) - :amount, t = t - :amount, n = n + :one, #last = :last" +
        (counting === null ? "" : `, ${counting.set}`) +
        (forgotten.length > 0 ? ` REMOVE ${forgotten.join(", ")}` : ""),
      ConditionExpression: [
        "attribute_exists(pk)",
        "attribute_not_exists(revoked_at)",
        "expires_at > :now",
        "fence < :issued_at",
        ...(amount === 0n || wanted.observes ? [] : enough),
        ...(counting === null ? [] : [counting.condition]),
      ].join(" AND "),
      ExpressionAttributeNames: {
        "#window": windowAttribute(window),
        "#last": "last",
        ...counting?.names,
      },
      ExpressionAttributeValues: {
        ":amount": number(amount),
        ":one": number(1),
        ":now": number(nowMs),
        ":issued_at": number(issuedAtMs),
        ":last": lastWriteMap(last),
        ...counting?.values,
      },
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return { kind: "drawn", balance: readBalanceItem(Attributes ?? {}) };
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) {
      const balance = error.Item === undefined ? null : readBalanceItem(error.Item);
      const reason = refusalOf(balance, wanted);
      const other = reason === null && counting !== null ? otherMinute(balance) : null;
      return other ?? { kind: "refused", reason: reason ?? "fenced", balance };
    }
    if (!isNotApplied(error)) return probe(table, keyId, attemptId, error);
    table.warn("a reservation was not made: the table refused every attempt", error);
    return { kind: "not_applied" };
  }
}

/** It is no write of money, so it tells nothing to the stream: `n` and `last` stay. */
async function count(table: VaultTable, call: CountedCall): Promise<CountResult> {
  const counted = await inItsMinute(call.count, (form) => countOnce(table, call, form));
  if (counted === null) throw new Error("the minute of a key kept changing while a call was counted");
  return counted;
}

async function countOnce(
  table: VaultTable,
  call: CountedCall,
  form: CountForm,
): Promise<CountResult | OtherMinute> {
  const { set, condition, names, values } = countExpression(call.count, form, call.observes);
  try {
    const { Attributes } = await table.update({
      Key: balanceKey(call.keyId),
      UpdateExpression: `SET ${set}`,
      ConditionExpression: `attribute_exists(pk) AND attribute_not_exists(revoked_at) AND expires_at > :now AND ${condition}`,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: { ":now": number(call.nowMs), ...values },
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return { kind: "counted", balance: readBalanceItem(Attributes ?? {}) };
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const balance = error.Item === undefined ? null : readBalanceItem(error.Item);
    const reason = countRefusal(balance, call);
    return (
      (reason === null ? otherMinute(balance) : null) ?? {
        kind: "refused",
        reason: reason ?? "unknown",
        balance,
      }
    );
  }
}

async function fence(table: VaultTable, keyId: string, atMs: number): Promise<number | null> {
  const last: LastWrite = { op: "fence", id: `${keyId}.${atMs}`, atMs };
  try {
    const { Attributes } = await table.update({
      Key: balanceKey(keyId),
      UpdateExpression: "SET fence = :at, n = n + :one, #last = :last",
      ConditionExpression: "attribute_exists(pk) AND fence < :at",
      ExpressionAttributeNames: { "#last": "last" },
      ExpressionAttributeValues: { ":at": number(atMs), ":one": number(1), ":last": lastWriteMap(last) },
      ReturnValues: "ALL_NEW",
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
    });
    return readBalanceItem(Attributes ?? {}).writes;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    return error.Item === undefined ? null : readBalanceItem(error.Item).writes;
  }
}

/** Whether a draw landed whose answer does not tell: yes, if it is still the last write. */
async function probe(
  table: VaultTable,
  keyId: string,
  attemptId: string,
  cause: unknown,
): Promise<DrawResult> {
  table.warn("a reservation was not acknowledged", cause);
  try {
    const item = await table.get(balanceKey(keyId));
    const balance = item === null ? null : readBalanceItem(item);
    return balance !== null && balance.last.op === "draw" && balance.last.id === attemptId
      ? { kind: "drawn", balance }
      : { kind: "ambiguous" };
  } catch {
    return { kind: "ambiguous" };
  }
}

async function correct(table: VaultTable, correction: Correction): Promise<CorrectionResult> {
  const { opId, keyId, window, amount, issuedAtMs } = correction;
  const last: LastWrite = {
    op: amount > 0n ? "back" : "force",
    id: opId,
    atMs: issuedAtMs,
    window,
    amount,
  };
  const send = (setWindow: string, windowCondition: string) =>
    table.updateOnce({
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
    if (!windowIsGone) return lost(table, correction, error);
    return send("", " AND attribute_not_exists(#window)").then(
      () => "applied" as const,
      (second: unknown) => lost(table, correction, second),
    );
  }
}

/** It is decided and on the call's record; whether it landed is for the resolver to find out. */
function lost(table: VaultTable, { opId }: Correction, cause: unknown): CorrectionResult {
  const result = isNotApplied(cause) ? "not_applied" : "unknown";
  const said = result === "not_applied" ? "was not applied" : "was not acknowledged";
  table.warn(`the correction ${opId} ${said}; its budget may stay held`, cause);
  return result;
}
