import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as v from "valibot";
import { entriesOf } from "../../domain/call/claim.ts";
import type { Attempt, AttemptState, CallRecord, DecidedCorrection } from "../../domain/call/record.ts";
import { keptUntilMs } from "../../domain/call/retention.ts";
import { shardOf } from "../shards.ts";
import { factsSchema, keptFacts } from "./call-facts.ts";
import { type Item, keyWindow, money, orNull, read, readValue, whole, written } from "./codec.ts";

const PREFIX = "CALL#";
export const callKey = (callId: string) => ({ pk: { S: PREFIX + callId }, sk: { S: "CALL" } });
export const callIdOf = (partitionKey: string): string => partitionKey.slice(PREFIX.length);

/** The words that items had before the code had better ones. They stay as they are stored: old items and new ones read alike. */
const STORED_STATE = {
  open: "open",
  settled: "settled",
  released: "released",
  paid_by_other: "covered",
  denied: "denied",
  unresolved: "unresolved",
  joined: "rode",
  free: "free",
} as const satisfies Record<AttemptState, string>;
const STORED_KIND = { own: "own", joiner: "rider", free: "free" } as const satisfies Record<
  Attempt["kind"],
  string
>;

/** Reads a stored word as the word of the code. */
function storedAs<Word extends string>(stored: Readonly<Record<Word, string>>) {
  const words = new Map(Object.entries<string>(stored).map(([word, name]) => [name, word as Word]));
  return v.pipe(
    v.picklist([...words.keys()]),
    v.transform((name) => words.get(name) as Word),
  );
}

const attemptSchema = v.object({
  state: storedAs(STORED_STATE),
  kind: storedAs(STORED_KIND),
  micros: money,
  keys: v.array(keyWindow),
  at: whole,
  amb: v.array(v.string()),
  settled_at_join: v.boolean(),
  cost: money,
  overrun: v.boolean(),
  late_at: orNull(whole),
  closed_by: orNull(v.string()),
  closed_at: v.optional(whole),
  sought: v.optional(v.record(v.string(), v.string())),
  request: factsSchema("request"),
  outcome: orNull(factsSchema("outcome")),
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
    late_at: lateAtMs,
    closed_by: closedBy,
    closed_at: closedAtMs,
    sought,
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
    lateAtMs,
    closedBy,
    ...(closedAtMs !== undefined && { closedAtMs }),
    ...(sought !== undefined && { sought }),
    request,
    outcome,
  };
}

export function attemptMap(attempt: Attempt): AttributeValue {
  return {
    M: written({
      state: STORED_STATE[attempt.state],
      kind: STORED_KIND[attempt.kind],
      micros: attempt.amount,
      keys: attempt.windows.map(({ keyId, window }) => ({ key_id: keyId, w: window })),
      at: attempt.issuedAtMs,
      amb: attempt.ambiguous,
      settled_at_join: attempt.settledAtJoin,
      cost: attempt.cost,
      overrun: attempt.overrun,
      late_at: attempt.lateAtMs ?? undefined,
      closed_by: attempt.closedBy ?? undefined,
      closed_at: attempt.closedAtMs,
      sought: attempt.sought,
      request: keptFacts("request", attempt.request),
      outcome: attempt.outcome === null ? undefined : keptFacts("outcome", attempt.outcome),
    }),
  };
}

const callSchema = v.object({
  call_id: v.string(),
  v: whole,
  st: v.picklist(["idle", "unresolved", "settled", "final"]),
  lease: orNull(v.object({ attempt_id: v.string(), until: whole })),
  riders: whole,
  first_at: whole,
  cover: orNull(v.string()),
  object_id: orNull(v.string()),
  late_vendor: orNull(v.string()),
  late_due: orNull(v.string()),
});
const correctionSchema = v.object({ key_id: v.string(), w: whole, micros: money, at: whole });

/** Sorts as time does, to the millisecond. */
export const dueText = (ms: number): string => new Date(ms).toISOString();

/**
 * The key of the index of late prices. It ends with a shard, since all calls of a vendor that tells prices late are in that
 * index; null is the key that records had before.
 */
export const lateKey = (vendor: string, shard: number | null): string =>
  shard === null ? vendor : `${vendor}#${shard}`;

const ATTEMPT_PREFIX = "a_";
const CORRECTION_PREFIX = "b_";
export const attemptAttribute = (attemptId: string): string => ATTEMPT_PREFIX + attemptId;
export const correctionAttribute = (opId: string): string => CORRECTION_PREFIX + opId;

/**
 * An attempt's attribute is named by its id, so no two records have the same names. Only what all of them have goes through the
 * schema of the record: an object with a name that no other had is slow to make.
 */
export function readCallItem(item: Item): CallRecord {
  const ofAll: Item = {};
  const attempts: Record<string, Attempt> = {};
  const corrections: Record<string, DecidedCorrection> = {};
  for (const [name, value] of Object.entries(item)) {
    if (name.startsWith(ATTEMPT_PREFIX)) {
      const attemptId = name.slice(ATTEMPT_PREFIX.length);
      attempts[attemptId] = readAttempt(attemptId, readValue(value));
    } else if (name.startsWith(CORRECTION_PREFIX)) {
      const { key_id, w, at: issuedAtMs, ...rest } = v.parse(correctionSchema, readValue(value));
      corrections[name.slice(CORRECTION_PREFIX.length)] = {
        keyId: key_id,
        window: w,
        amount: rest.micros,
        issuedAtMs,
      };
    } else ofAll[name] = value;
  }
  const parsed = v.parse(callSchema, read(ofAll));
  return {
    callId: parsed.call_id,
    version: parsed.v,
    status: parsed.st,
    lease: parsed.lease === null ? null : { attemptId: parsed.lease.attempt_id, untilMs: parsed.lease.until },
    joiners: parsed.riders,
    firstAtMs: parsed.first_at,
    payingAttemptId: parsed.cover,
    objectId: parsed.object_id,
    latePrice:
      parsed.late_vendor === null || parsed.late_due === null
        ? null
        : { vendor: parsed.late_vendor.split("#", 1)[0] ?? "", dueMs: Date.parse(parsed.late_due) },
    attempts,
    corrections,
  };
}

export function callItem(record: CallRecord): Item {
  const untilMs = keptUntilMs(record);
  const attempts = Object.values(record.attempts).map(
    (attempt) => [attemptAttribute(attempt.attemptId), attemptMap(attempt)] as const,
  );
  const corrections = Object.entries(record.corrections).map(
    ([opId, { keyId, window, amount, issuedAtMs }]) =>
      [
        correctionAttribute(opId),
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
      riders: record.joiners,
      first_at: record.firstAtMs,
      cover: record.payingAttemptId ?? undefined,
      object_id: record.objectId ?? undefined,
      late_vendor:
        record.latePrice === null ? undefined : lateKey(record.latePrice.vendor, shardOf(record.callId)),
      late_due: record.latePrice === null ? undefined : dueText(record.latePrice.dueMs),
      entries: entriesOf(record),
      ttl: untilMs === null ? undefined : Math.floor(untilMs / 1000),
    }),
    ...Object.fromEntries(attempts),
    ...Object.fromEntries(corrections),
  };
}
