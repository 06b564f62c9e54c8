import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { rowId } from "../../lambda/audit-wire.ts";
import type { AuditEvent, AuditRow } from "../../lambda/domain/audit-event.ts";
import type { KeyWindow } from "../../lambda/domain/call/record.ts";
import { fromUsdText, type MicroUsd, microUsd, usdText } from "../../lambda/domain/money.ts";
import { isoDay } from "../../lambda/domain/time.ts";
import type { AuditIndex } from "../../lambda/ports/audit.ts";
import type { Delivery } from "./delivery.ts";

const ALWAYS = { fromMs: 0, toMs: Date.UTC(2100) };

/** The ids of the rows that an index lists, by pages of so many. */
export async function listed(
  { table }: Delivery,
  index: AuditIndex,
  limit: number,
): Promise<ReadonlyMap<string, AuditRow>> {
  const reader = new DynamoAuditReader(table, "Audit");
  const rows = new Map<string, AuditRow>();
  for (const part of reader.partsOf(index)) {
    for (let before: string | null | undefined; before !== null; ) {
      const page = await reader.page({ part, ...ALWAYS, before: before ?? null, limit });
      for (const { row } of page.rows) {
        const [first] = row.events;
        if (first !== undefined) rows.set(rowId(first), row);
      }
      before = page.next;
    }
  }
  return rows;
}

/** Rows with all of their fields. */
export async function whole(
  { table }: Delivery,
  rows: ReadonlyMap<string, AuditRow>,
): Promise<ReadonlyMap<string, AuditRow>> {
  const read = await new DynamoAuditReader(table, "Audit").whole([...rows.values()]);
  return new Map(
    [...rows.keys()].flatMap((id, index) => (read[index] === undefined ? [] : [[id, read[index]]])),
  );
}

/** Amounts by name: `<dollars> USD, <allowed> allowed, <denied> denied`. Sums of nothing are left out. */
export class Sums {
  readonly #sums = new Map<string, { spent: bigint; allowed: number; denied: number }>();

  add(
    name: string,
    change: { readonly spent: bigint; readonly allowed: number; readonly denied: number },
  ): void {
    const sum = this.#sums.get(name) ?? { spent: 0n, allowed: 0, denied: 0 };
    this.#sums.set(name, {
      spent: sum.spent + change.spent,
      allowed: sum.allowed + change.allowed,
      denied: sum.denied + change.denied,
    });
  }

  /** What is spent of each key, by window, once for each day. */
  *spentByKey(): Generator<readonly [KeyWindow, MicroUsd]> {
    for (const [name, { spent }] of this.#sums) {
      const [, keyId, window] = /^key#(\S+) WINDOW#(-?\d+)#/.exec(name) ?? [];
      if (keyId !== undefined) yield [{ keyId, window: Number(window) }, microUsd(spent)];
    }
  }

  lines(): readonly string[] {
    return [...this.#sums]
      .filter(([, { spent, allowed, denied }]) => spent !== 0n || allowed + denied > 0)
      .map(
        ([name, { spent, allowed, denied }]) =>
          `${name}: ${usdText(microUsd(spent))} USD, ${allowed} allowed, ${denied} denied`,
      )
      .sort();
  }
}

/** What the table has as sums, over all lanes: by day, and of each key by window and day. */
export function sumsIn({ items }: Delivery): Sums {
  const sums = new Sums();
  for (const item of items.values()) {
    const [pk = "", sk = ""] = [item["pk"]?.S, item["sk"]?.S];
    if (!pk.startsWith("TOTAL#")) continue;
    const withoutLane = sk.replace(/#\d+$/, "");
    sums.add(`${pk.slice("TOTAL#".length)} ${withoutLane}`, {
      spent: fromUsdText(item["spent_usd"]?.N ?? "0"),
      allowed: Number(item["allowed_calls"]?.N ?? 0),
      denied: Number(item["denied_calls"]?.N ?? 0),
    });
  }
  return sums;
}

/** The same, folded from events, each once. */
export function sumsFrom(events: Iterable<AuditEvent>): Sums {
  const sums = new Sums();
  for (const { fields, totals } of events) {
    const day = `DAY#${isoDay(fields.atMs)}`;
    sums.add(`vendor#${fields.vendor} ${day}`, totals);
    if (fields.label !== null) sums.add(`label#${fields.label} ${day}`, totals);
    if (fields.labelGroup !== null) sums.add(`label_group#${fields.labelGroup} ${day}`, totals);
    for (const key of totals.keys) sums.add(`key#${key.keyId} WINDOW#${key.window}#${day}`, key);
  }
  return sums;
}

/** Attempts that the journal says began, and never ended. */
export function unendedIn({ items }: Delivery): ReadonlySet<string> {
  const begun = new Set<string>();
  const ended = new Set<string>();
  for (const item of items.values()) {
    if (item["pk"]?.S?.startsWith("JOURNAL#") !== true) continue;
    for (const id of item["begun_ids"]?.S?.split(" ") ?? []) if (id !== "") begun.add(id);
    for (const id of item["ended_ids"]?.S?.split(" ") ?? []) if (id !== "") ended.add(id);
  }
  return new Set([...begun].filter((id) => !ended.has(id)));
}
