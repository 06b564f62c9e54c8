import type { AuditRow } from "../../domain/audit-event.ts";
import type { AuditReader } from "../../ports/audit.ts";

/** Rows that are read at most: where more calls began within those minutes, nobody says which object is whose. */
const ROWS_MAX = 2_000;
const PAGE = 200;

/**
 * The vendor's objects that calls have on record which began within these times, in milliseconds; null where there are more
 * calls than can be read.
 */
export async function objectsOnRecord(
  vendor: string,
  fromMs: number,
  toMs: number,
  reader: AuditReader,
): Promise<ReadonlySet<string> | null> {
  const rows: AuditRow[] = [];
  for (const part of reader.partsOf({ kind: "vendor", vendor })) {
    let before: string | null = null;
    do {
      const page = await reader.page({ part, fromMs, toMs, before, limit: PAGE });
      rows.push(...page.rows.map(({ row }) => row));
      if (rows.length > ROWS_MAX) return null;
      before = page.next;
    } while (before !== null);
  }
  const whole = await reader.whole(rows.filter(({ attemptId }) => attemptId !== null));
  return new Set(whole.flatMap(({ fields }) => fields.vendorObjectId ?? []));
}
