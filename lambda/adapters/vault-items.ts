import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";
import * as v from "valibot";
import type { Balance } from "../domain/balance.ts";
import type { Attempt, CallRecord, DecidedCorrection } from "../domain/call.ts";
import type { CountedEntry, CountedObject } from "../domain/counted-object.ts";
import { microUsd } from "../domain/money.ts";
import { labelGroup, type Policy, rootOf } from "../domain/vault-key.ts";

/**
 * The items of the Vault table: how each kind is written, and read back by a parser that refuses what it does not know.
 *
 * Money is whole micro-dollars, times are milliseconds, `ttl` is seconds. Keys of every kind stand in docs/data.md.
 */
export type Item = Record<string, AttributeValue>;

export const policyKey = (keyId: string) => ({ pk: { S: `KEY#${keyId}` }, sk: { S: "POLICY" } });
export const balanceKey = (keyId: string) => ({ pk: { S: `KEY#${keyId}` }, sk: { S: "BALANCE" } });
export const callKey = (callId: string) => ({ pk: { S: `CALL#${callId}` }, sk: { S: "CALL" } });
export const objectKey = (rootId: string, objectId: string) => ({
  pk: { S: `ROOT#${rootId}` },
  sk: { S: `OBJECT#${objectId}` },
});
export const requestKey = (hash: string) => ({ pk: { S: `ISSUE#${hash}` }, sk: { S: "ISSUE" } });

/** Written on every balance, so that a later layout can tell what it reads. */
const LAYOUT = 1n;

const DAY_S = 86_400;
const CALL_KEPT_S = 2 * DAY_S;

const read = (item: Item): unknown => unmarshall(item, { wrapNumbers: (text: string) => BigInt(text) });
const written = (value: Record<string, unknown>): Item => marshall(value, { removeUndefinedValues: true });

const money = v.pipe(v.bigint(), v.transform(microUsd));
const whole = v.pipe(v.bigint(), v.transform(Number));
const orNull = <T extends v.GenericSchema>(schema: T) => v.optional(v.nullable(schema), null);

// ---- policy -------------------------------------------------------------------------------------------------------

const policySchema = v.pipe(
  v.object({
    key_id: v.string(),
    secret_hash: v.string(),
    vendor: v.string(),
    credential: v.string(),
    allowed_endpoints: orNull(v.array(v.string())),
    agent_run_label: orNull(v.string()),
    metadata: v.record(v.string(), v.string()),
    chain: v.array(v.object({ key_id: v.string(), issued_at: whole })),
    issuer_id: v.string(),
    issued_at: whole,
    issued_with: v.object({ daily_cap: money, total_cap: money, per_call_cap: money, expires_at: whole }),
  }),
  v.transform(
    (item): Policy => ({
      keyId: item.key_id,
      secretHash: item.secret_hash,
      vendor: item.vendor,
      credential: item.credential,
      allowedEndpoints: item.allowed_endpoints,
      label: item.agent_run_label,
      metadata: item.metadata,
      chain: item.chain.map((member) => ({ keyId: member.key_id, issuedAtMs: member.issued_at })),
      issuerId: item.issuer_id,
      issuedAtMs: item.issued_at,
      issuedWith: {
        caps: {
          daily: item.issued_with.daily_cap,
          total: item.issued_with.total_cap,
          perCall: item.issued_with.per_call_cap,
        },
        expiresAtMs: item.issued_with.expires_at,
      },
    }),
  ),
);

export const readPolicyItem = (item: Item): Policy => v.parse(policySchema, read(item));

export const policyItem = (policy: Policy, ttlS: number): Item => ({
  ...policyKey(policy.keyId),
  ...written({
    key_id: policy.keyId,
    root_id: rootOf(policy),
    secret_hash: policy.secretHash,
    vendor: policy.vendor,
    credential: policy.credential,
    allowed_endpoints: policy.allowedEndpoints,
    agent_run_label: policy.label ?? undefined,
    label_group: policy.label === null ? undefined : (labelGroup(policy.label) ?? undefined),
    metadata: policy.metadata,
    chain: policy.chain.map((member) => ({ key_id: member.keyId, issued_at: member.issuedAtMs })),
    issuer_id: policy.issuerId,
    issued_at: policy.issuedAtMs,
    issued_with: {
      daily_cap: policy.issuedWith.caps.daily,
      total_cap: policy.issuedWith.caps.total,
      per_call_cap: policy.issuedWith.caps.perCall,
      expires_at: policy.issuedWith.expiresAtMs,
    },
    ttl: ttlS,
  }),
});

// ---- balance ------------------------------------------------------------------------------------------------------

/** The last write of a balance: the stream shows every write by it. */
export type LastWrite =
  | { readonly op: "issue" | "fence"; readonly id: string; readonly atMs: number }
  | {
      readonly op: "back" | "force";
      readonly id: string;
      readonly atMs: number;
      readonly window: number;
      readonly amount: bigint;
    }
  | { readonly op: "change" | "revoke"; readonly id: string; readonly atMs: number; readonly by: string }
  | {
      readonly op: "draw";
      readonly id: string;
      readonly atMs: number;
      readonly window: number;
      readonly amount: bigint;
      readonly callId: string;
      readonly isLeaf: boolean;
      readonly method: string;
      readonly path: string;
    };

const at = { id: v.string(), at: whole };
const moves = { ...at, w: whole, micros: v.bigint() };
const lastSchema = v.pipe(
  v.variant("op", [
    v.object({ op: v.picklist(["issue", "fence"]), ...at }),
    v.object({ op: v.picklist(["back", "force"]), ...moves }),
    v.object({ op: v.picklist(["change", "revoke"]), ...at, by: v.string() }),
    v.object({
      op: v.literal("draw"),
      ...moves,
      call_id: v.string(),
      leaf: v.boolean(),
      method: v.string(),
      path: v.string(),
    }),
  ]),
  v.transform((last): LastWrite => {
    switch (last.op) {
      case "issue":
      case "fence":
        return { op: last.op, id: last.id, atMs: last.at };
      case "back":
      case "force":
        return { op: last.op, id: last.id, atMs: last.at, window: last.w, amount: last.micros };
      case "change":
      case "revoke":
        return { op: last.op, id: last.id, atMs: last.at, by: last.by };
      case "draw": {
        const { id, call_id, leaf, method, path } = last;
        return {
          op: "draw",
          id,
          atMs: last.at,
          window: last.w,
          amount: last.micros,
          callId: call_id,
          isLeaf: leaf,
          method,
          path,
        };
      }
    }
  }),
);

export const lastWriteMap = (last: LastWrite): AttributeValue => ({
  M: written({
    op: last.op,
    id: last.id,
    at: last.atMs,
    ...("by" in last ? { by: last.by } : {}),
    ...("window" in last ? { w: last.window, micros: last.amount } : {}),
    ...("callId" in last
      ? { call_id: last.callId, leaf: last.isLeaf, method: last.method, path: last.path }
      : {}),
  }),
});

const balanceSchema = v.objectWithRest(
  {
    key_id: v.string(),
    issued_at: whole,
    daily_cap: money,
    total_cap: money,
    per_call_cap: money,
    t: money,
    expires_at: whole,
    revoked_at: orNull(whole),
    fence: whole,
    n: whole,
    last: lastSchema,
    layout: v.literal(LAYOUT),
  },
  v.unknown(),
);

const WINDOW_ATTRIBUTE = /^d(\d+)$/;
export const windowAttribute = (window: number): string => `d${window}`;

export type BalanceItem = Balance & { readonly last: LastWrite };

export function readBalanceItem(item: Item): BalanceItem {
  const parsed = v.parse(balanceSchema, read(item));
  const leftByWindow: Record<number, ReturnType<typeof microUsd>> = {};
  for (const [name, value] of Object.entries(parsed)) {
    const window = WINDOW_ATTRIBUTE.exec(name)?.[1];
    if (window !== undefined) leftByWindow[Number(window)] = v.parse(money, value);
  }
  return {
    keyId: parsed.key_id,
    issuedAtMs: parsed.issued_at,
    caps: { daily: parsed.daily_cap, total: parsed.total_cap, perCall: parsed.per_call_cap },
    leftByWindow,
    leftInTotal: parsed.t,
    expiresAtMs: parsed.expires_at,
    revokedAtMs: parsed.revoked_at,
    fenceMs: parsed.fence,
    writes: parsed.n,
    last: parsed.last,
  };
}

export const balanceItem = (balance: Balance, last: LastWrite, ttlS: number): Item => ({
  ...balanceKey(balance.keyId),
  ...written({
    key_id: balance.keyId,
    issued_at: balance.issuedAtMs,
    daily_cap: balance.caps.daily,
    total_cap: balance.caps.total,
    per_call_cap: balance.caps.perCall,
    t: balance.leftInTotal,
    expires_at: balance.expiresAtMs,
    fence: balance.fenceMs,
    n: balance.writes,
    layout: LAYOUT,
    ttl: ttlS,
  }),
  last: lastWriteMap(last),
});

// ---- call ---------------------------------------------------------------------------------------------------------

const keyWindow = v.object({ key_id: v.string(), w: whole });
const attemptSchema = v.object({
  state: v.picklist(["open", "settled", "released", "covered", "denied", "unresolved", "rode", "free"]),
  kind: v.picklist(["own", "rider", "free"]),
  micros: money,
  keys: v.array(keyWindow),
  at: whole,
  amb: v.array(v.string()),
  settled_at_join: v.boolean(),
  cost: money,
  overrun: v.boolean(),
  request: v.object({
    key_id: v.string(),
    method: v.string(),
    path: v.string(),
    call_label: orNull(v.string()),
    idempotency_key: orNull(v.string()),
    amount: orNull(v.string()),
    currency: orNull(v.string()),
    source_ip: orNull(v.string()),
    user_agent: orNull(v.string()),
  }),
  outcome: orNull(
    v.object({
      reason: orNull(v.string()),
      remaining: orNull(money),
      amount: orNull(v.string()),
      currency: orNull(v.string()),
      vendor_status: orNull(whole),
      vendor_request_id: orNull(v.string()),
      vendor_object_id: orNull(v.string()),
      vendor_customer_id: orNull(v.string()),
      replayed: v.boolean(),
      vendor_ms: orNull(whole),
      overhead_ms: whole,
    }),
  ),
});

function readAttempt(attemptId: string, value: unknown): Attempt {
  const {
    state,
    kind,
    keys,
    at: issuedAtMs,
    amb,
    settled_at_join,
    cost,
    overrun,
    request,
    outcome,
    ...rest
  } = v.parse(attemptSchema, value);
  return {
    attemptId,
    state,
    kind,
    amount: rest.micros,
    windows: keys.map(({ key_id, w }) => ({ keyId: key_id, window: w })),
    issuedAtMs,
    ambiguous: amb,
    settledAtJoin: settled_at_join,
    cost,
    overrun,
    request: {
      keyId: request.key_id,
      method: request.method,
      path: request.path,
      callLabel: request.call_label,
      idempotencyKey: request.idempotency_key,
      amountText: request.amount,
      currency: request.currency,
      sourceIp: request.source_ip,
      userAgent: request.user_agent,
    },
    outcome:
      outcome === null
        ? null
        : {
            reason: outcome.reason,
            remaining: outcome.remaining,
            amountText: outcome.amount,
            currency: outcome.currency,
            vendorStatus: outcome.vendor_status,
            vendorRequestId: outcome.vendor_request_id,
            vendorObjectId: outcome.vendor_object_id,
            vendorCustomerId: outcome.vendor_customer_id,
            replayed: outcome.replayed,
            vendorMs: outcome.vendor_ms,
            overheadMs: outcome.overhead_ms,
          },
  };
}

export function attemptMap(attempt: Attempt): AttributeValue {
  const { request, outcome } = attempt;
  return {
    M: written({
      state: attempt.state,
      kind: attempt.kind,
      micros: attempt.amount,
      keys: attempt.windows.map(({ keyId, window }) => ({ key_id: keyId, w: window })),
      at: attempt.issuedAtMs,
      amb: attempt.ambiguous,
      settled_at_join: attempt.settledAtJoin,
      cost: attempt.cost,
      overrun: attempt.overrun,
      request: {
        key_id: request.keyId,
        method: request.method,
        path: request.path,
        call_label: request.callLabel ?? undefined,
        idempotency_key: request.idempotencyKey ?? undefined,
        amount: request.amountText ?? undefined,
        currency: request.currency ?? undefined,
        source_ip: request.sourceIp ?? undefined,
        user_agent: request.userAgent ?? undefined,
      },
      outcome:
        outcome === null
          ? undefined
          : {
              reason: outcome.reason ?? undefined,
              remaining: outcome.remaining ?? undefined,
              amount: outcome.amountText ?? undefined,
              currency: outcome.currency ?? undefined,
              vendor_status: outcome.vendorStatus ?? undefined,
              vendor_request_id: outcome.vendorRequestId ?? undefined,
              vendor_object_id: outcome.vendorObjectId ?? undefined,
              vendor_customer_id: outcome.vendorCustomerId ?? undefined,
              replayed: outcome.replayed,
              vendor_ms: outcome.vendorMs ?? undefined,
              overhead_ms: outcome.overheadMs,
            },
    }),
  };
}

const callSchema = v.objectWithRest(
  {
    call_id: v.string(),
    v: whole,
    st: v.picklist(["idle", "unresolved", "settled", "final"]),
    lease: orNull(v.object({ attempt_id: v.string(), until: whole })),
    riders: whole,
    first_at: whole,
    cover: orNull(v.string()),
    object_id: orNull(v.string()),
  },
  v.unknown(),
);
const correctionSchema = v.object({ key_id: v.string(), w: whole, micros: money, at: whole });

const ATTEMPT_PREFIX = "a_";
const CORRECTION_PREFIX = "b_";
export const attemptAttribute = (attemptId: string): string => ATTEMPT_PREFIX + attemptId;

export function readCallItem(item: Item): CallRecord {
  const parsed = v.parse(callSchema, read(item));
  const attempts: Record<string, Attempt> = {};
  const corrections: Record<string, DecidedCorrection> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (name.startsWith(ATTEMPT_PREFIX)) {
      const attemptId = name.slice(ATTEMPT_PREFIX.length);
      attempts[attemptId] = readAttempt(attemptId, value);
    } else if (name.startsWith(CORRECTION_PREFIX)) {
      const { key_id, w, at: issuedAtMs, ...rest } = v.parse(correctionSchema, value);
      corrections[name.slice(CORRECTION_PREFIX.length)] = {
        keyId: key_id,
        window: w,
        amount: rest.micros,
        issuedAtMs,
      };
    }
  }
  return {
    callId: parsed.call_id,
    version: parsed.v,
    status: parsed.st,
    lease: parsed.lease === null ? null : { attemptId: parsed.lease.attempt_id, untilMs: parsed.lease.until },
    riders: parsed.riders,
    firstAtMs: parsed.first_at,
    cover: parsed.cover,
    objectId: parsed.object_id,
    attempts,
    corrections,
  };
}

/** `forgettable`: nothing of it is undecided or on its way, so it may go once the vendor has forgotten the call. */
export function callItem(record: CallRecord, forgettable: boolean): Item {
  const attempts = Object.values(record.attempts).map(
    (attempt) => [attemptAttribute(attempt.attemptId), attemptMap(attempt)] as const,
  );
  const corrections = Object.entries(record.corrections).map(
    ([opId, { keyId, window, amount, issuedAtMs }]) =>
      [
        CORRECTION_PREFIX + opId,
        { M: written({ key_id: keyId, w: window, micros: amount, at: issuedAtMs }) },
      ] as const,
  );
  return {
    ...callKey(record.callId),
    ...written({
      call_id: record.callId,
      v: record.version,
      st: record.status,
      lease:
        record.lease === null
          ? undefined
          : { attempt_id: record.lease.attemptId, until: record.lease.untilMs },
      riders: record.riders,
      first_at: record.firstAtMs,
      cover: record.cover ?? undefined,
      object_id: record.objectId ?? undefined,
      ttl: forgettable ? Math.floor(record.firstAtMs / 1000) + CALL_KEPT_S : undefined,
    }),
    ...Object.fromEntries(attempts),
    ...Object.fromEntries(corrections),
  };
}

// ---- counted object -----------------------------------------------------------------------------------------------

const ENTRY_PREFIX = "c_";
export const entryAttribute = (attemptId: string): string => ENTRY_PREFIX + attemptId;
const objectSchema = v.objectWithRest(
  { object_id: v.string(), ended: v.optional(v.boolean(), false) },
  v.unknown(),
);
const entrySchema = v.object({ micros: money, total: money, keys: v.array(keyWindow) });

export function readObjectItem(item: Item): CountedObject {
  const parsed = v.parse(objectSchema, read(item));
  const entries = Object.entries(parsed)
    .filter(([name]) => name.startsWith(ENTRY_PREFIX))
    .map(([name, value]): CountedEntry => {
      const entry = v.parse(entrySchema, value);
      const windows = entry.keys.map(({ key_id, w }) => ({ keyId: key_id, window: w }));
      return {
        attemptId: name.slice(ENTRY_PREFIX.length),
        amount: entry.micros,
        total: entry.total,
        windows,
      };
    });
  return { objectId: parsed.object_id, cancelled: parsed.ended, entries };
}

export const entryMap = (entry: CountedEntry): AttributeValue => ({
  M: written({
    micros: entry.amount,
    total: entry.total,
    keys: entry.windows.map(({ keyId, window }) => ({ key_id: keyId, w: window })),
  }),
});
