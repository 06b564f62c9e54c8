import type { Update } from "@aws-sdk/client-dynamodb";
import { DecimalUsd } from "../../audit-wire.ts";
import { isApiKeyId, NEVER_MS } from "../../domain/api-key.ts";
import type { AuditEvent } from "../../domain/audit-event.ts";
import { type MicroUsd, NOTHING, plus } from "../../domain/money.ts";
import { isoDay } from "../../domain/time.ts";
import { keptUntilS } from "./event-item.ts";

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
}

export const keyTotals = (keyId: string): string => `TOTAL#key#${keyId}`;
/** What the sort keys of a key's sums in one window begin with. */
export const windowTotals = (window: number): string => `WINDOW#${window}#`;

/** What events add to each sum. Sums that nothing is added to are left out. */
export function sumsOf(events: readonly AuditEvent[], retentionDays: number): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const { fields, totals } of events) {
    const day = isoDay(fields.atMs);
    const dayTtlS = keptUntilS(Date.parse(day), retentionDays + 1);
    const add = (
      pk: string,
      sk: string,
      change: Pick<Sum, "spent" | "allowed" | "denied">,
      ttlS = dayTtlS,
    ) => {
      if (change.spent === 0n && change.allowed === 0 && change.denied === 0) return;
      const name = `${pk}\n${sk}`;
      const sum = sums.get(name) ?? { spent: NOTHING, allowed: 0, denied: 0 };
      sums.set(name, {
        pk,
        sk,
        ttlS,
        spent: plus(sum.spent, change.spent),
        allowed: sum.allowed + change.allowed,
        denied: sum.denied + change.denied,
      });
    };
    add(`TOTAL#vendor#${fields.vendor}`, `DAY#${day}#`, totals);
    if (fields.label !== null) add(`TOTAL#label#${fields.label}`, `DAY#${day}#`, totals);
    if (fields.labelGroup !== null) add(`TOTAL#label_group#${fields.labelGroup}`, `DAY#${day}#`, totals);
    // An API key outlives the retention, and so does what it spent of its total cap.
    for (const key of totals.keys)
      add(
        keyTotals(key.keyId),
        `${windowTotals(key.window)}DAY#${day}#`,
        key,
        isApiKeyId(key.keyId) ? Math.floor(NEVER_MS / 1000) : dayTtlS,
      );
  }
  return [...sums.values()];
}

/** Adds to the item of a sum that belongs to a lane. */
export const sumUpdate = (
  table: string,
  lane: number,
  { pk, sk, ttlS, spent, allowed, denied }: Sum,
): Update => ({
  TableName: table,
  Key: { pk: { S: pk }, sk: { S: `${sk}${lane}` } },
  UpdateExpression: "SET #ttl = :ttl ADD spent_usd :spent, allowed_calls :allowed, denied_calls :denied",
  ExpressionAttributeNames: { "#ttl": "ttl" },
  ExpressionAttributeValues: {
    ":ttl": { N: `${ttlS}` },
    ":spent": { N: new DecimalUsd(spent).text },
    ":allowed": { N: `${allowed}` },
    ":denied": { N: `${denied}` },
  },
});
