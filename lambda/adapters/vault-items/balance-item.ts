import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import * as v from "valibot";
import type { Balance, StopCause } from "../../domain/balance.ts";
import type { MicroUsd } from "../../domain/money.ts";
import { type Item, money, orNull, read, whole, written } from "./codec.ts";

export const balanceKey = (keyId: string) => ({ pk: { S: `KEY#${keyId}` }, sk: { S: "BALANCE" } });

/** Written on every balance; another one is of a layout that this code cannot read. */
const LAYOUT = 1n;

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
      /** The key of the call, where this is a draw above it and nothing else tells of the call. */
      readonly leafId: string | null;
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
      leaf_id: v.optional(v.string()),
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
        const { id, call_id, leaf, leaf_id: leafId = null, method, path } = last;
        return {
          op: "draw",
          id,
          atMs: last.at,
          window: last.w,
          amount: last.micros,
          callId: call_id,
          isLeaf: leaf,
          leafId,
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
      ? {
          call_id: last.callId,
          leaf: last.isLeaf,
          leaf_id: last.leafId ?? undefined,
          method: last.method,
          path: last.path,
        }
      : {}),
  }),
});

/** Named so that the item stays small: the balance of a busy key is written a thousand times a second. */
const stopSchema = v.pipe(
  v.object({ stop: v.string(), by: v.string(), reason: orNull(v.string()) }),
  v.transform(({ stop, by, reason }): StopCause => ({ stopId: stop, by, reason })),
);

export const stopCauseMap = ({ stopId, by, reason }: StopCause): AttributeValue => ({
  M: written({ stop: stopId, by, reason: reason ?? undefined }),
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
    revoked_by: v.optional(stopSchema),
    fence: whole,
    n: whole,
    minute: orNull(whole),
    minute_calls: orNull(whole),
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
  const leftByWindow: Record<number, MicroUsd> = {};
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
    ...(parsed.revoked_by === undefined ? {} : { stoppedBy: parsed.revoked_by }),
    fenceMs: parsed.fence,
    writes: parsed.n,
    minuteCalls: parsed.minute === null ? null : { minute: parsed.minute, calls: parsed.minute_calls ?? 0 },
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
    minute: balance.minuteCalls?.minute,
    minute_calls: balance.minuteCalls?.calls,
    layout: LAYOUT,
    ttl: ttlS,
  }),
  last: lastWriteMap(last),
});
