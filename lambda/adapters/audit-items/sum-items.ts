import type { Update } from "@aws-sdk/client-dynamodb";
import { DecimalUsd } from "../../audit-wire.ts";
import { isApiKeyId, NEVER_MS } from "../../domain/api-key.ts";
import type { AuditEvent } from "../../domain/audit-event.ts";
import { type MicroUsd, NOTHING, plus } from "../../domain/money.ts";
import { isoDay } from "../../domain/time.ts";
import { keptUntilS } from "./event-item.ts";
import { minuteOf, type Recent, recentUpdate, withEvent } from "./recent.ts";

/**
 * What is kept beside the events: dollars spent and calls counted, by vendor, label group and label a day, and by key a
 * window and a day. Each is a few items, one for each lane, which add up to it.
 */
export interface Sum {
  readonly pk: string;
  /** Without the lane. */
  readonly sk: string;
  /** When TTL removes it, in seconds since 1970. */
  readonly ttlS: number;
  readonly spent: MicroUsd;
  readonly allowed: number;
  readonly denied: number;
  /** The last minutes, of a label and of a label group; null of anything else. */
  readonly recent: Recent | null;
}

type Change = Pick<Sum, "spent" | "allowed" | "denied">;

/** The partition key of a sum. */
export const totalsOf = (kind: "vendor" | "label_group" | "label" | "key", name: string): string =>
  `TOTAL#${kind}#${name}`;
/** What the sort keys of the sums of a day begin with, but for a key's. */
export const dayTotals = (day: string): string => `DAY#${day}#`;
/** What the sort keys of a key's sums in one window begin with. */
export const windowTotals = (window: number): string => `WINDOW#${window}#`;

/** What events add to each sum. Sums that nothing is added to are left out. */
export function sumsOf(events: readonly AuditEvent[], retentionDays: number, nowMs: number): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { fields, totals } of events) {
    const { atMs } = fields;
    const day = isoDay(atMs);
    const dayTtlS = keptUntilS(Date.parse(day), retentionDays + 1);
    const add = (pk: string, sk: string, change: Change, { isRun = false, ttlS = dayTtlS } = {}) => {
      const { spent, allowed, denied } = change;
      if (spent === 0n && allowed === 0 && denied === 0) return;
      const name = `${pk}\n${sk}`;
      const sum = sums.get(name) ?? { spent: NOTHING, allowed: 0, denied: 0, recent: null };
      sums.set(name, {
        pk,
        sk,
        ttlS,
        spent: plus(sum.spent, spent),
        allowed: sum.allowed + allowed,
        denied: sum.denied + denied,
        recent: isRun ? withEvent(sum.recent, { atMs, nowMs, calls: allowed + denied, spent }) : null,
      });
    };
    add(totalsOf("vendor", fields.vendor), dayTotals(day), totals);
    if (fields.label !== null) add(totalsOf("label", fields.label), dayTotals(day), totals, { isRun: true });
    if (fields.labelGroup !== null)
      add(totalsOf("label_group", fields.labelGroup), dayTotals(day), totals, { isRun: true });
    // An API key outlives the retention, and so does what it spent of its total cap.
    for (const key of totals.keys)
      add(totalsOf("key", key.keyId), windowTotals(key.window) + dayTotals(day), key, {
        ttlS: isApiKeyId(key.keyId) ? Math.floor(NEVER_MS / 1000) : dayTtlS,
      });
  }
  return [...sums.values()];
}

/** Adds to the item of a sum that belongs to a lane. */
export function sumUpdate(
  table: string,
  lane: number,
  { pk, sk, ttlS, spent, allowed, denied, recent }: Sum,
  nowMs: number,
): Update {
  const beside = recent === null ? NOTHING_RECENT : recentUpdate(recent, firstMinuteOf(sk), nowMs);
  return {
    TableName: table,
    Key: { pk: { S: pk }, sk: { S: `${sk}${lane}` } },
    UpdateExpression: `SET #ttl = :ttl${beside.set} ADD spent_usd :spent, allowed_calls :allowed, denied_calls :denied${beside.add}${beside.remove}`,
    ExpressionAttributeNames: { "#ttl": "ttl" },
    ExpressionAttributeValues: {
      ":ttl": { N: `${ttlS}` },
      ":spent": { N: new DecimalUsd(spent).text },
      ":allowed": { N: `${allowed}` },
      ":denied": { N: `${denied}` },
      ...beside.values,
    },
  };
}

const NOTHING_RECENT = { set: "", add: "", remove: "", values: {} };

/** The UTC day in the sort key of a sum: `2026-11-22`. */
export const dayOf = (sk: string): string => /DAY#(\d{4}-\d{2}-\d{2})#/.exec(sk)?.[1] ?? "";

/** The first minute since 1970 of the day in the sort key of a sum. */
export const firstMinuteOf = (sk: string): number => minuteOf(Date.parse(dayOf(sk)));
