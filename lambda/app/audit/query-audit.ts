import type { AuditRow } from "../../domain/audit-event.ts";
import { isoDay, isoTime } from "../../domain/time.ts";
import { labelGroup } from "../../domain/vault-key.ts";
import type { AuditIndex, AuditReader } from "../../ports/audit.ts";

/** Filters of the audit log; times in milliseconds, `from` included and `to` excluded, both of the call's start. */
export interface AuditQuery {
  readonly vendor: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  /** Exact, or the beginning of labels. */
  readonly label: { readonly kind: "exact" | "prefix"; readonly text: string } | null;
  readonly keyId: string | null;
  readonly callId: string | null;
  readonly state: string | null;
  readonly decision: string | null;
  /** Whether the call cost more than was reserved; null asks for both. */
  readonly overrun: boolean | null;
  readonly limit: number;
  /** Where an earlier page ended. */
  readonly before: string | null;
}

export interface AuditAnswer {
  readonly rows: readonly AuditRow[];
  /** Null ends the list; a page may be short. */
  readonly next: string | null;
}

/** Pages of the table that one request reads at most: a rare row may take several requests to reach. */
const READS_MAX = 100;
const DAY_MS = 86_400_000;

/** One page of rows, newest first, by the narrowest index that the filters allow. */
export async function queryAudit(
  query: AuditQuery,
  vendors: readonly string[],
  reader: AuditReader,
): Promise<AuditAnswer> {
  const rows: AuditRow[] = [];
  let position = query.before;
  let reads = 0;
  for (const { indexes, fromMs, toMs } of stretches(query, vendors, position)) {
    for (;;) {
      const limit = query.limit - rows.length;
      const pages = await Promise.all(
        indexes.map((index) => reader.page({ index, fromMs, toMs, before: position, limit })),
      );
      reads += pages.length;
      const { found, next } = merged(pages, limit);
      for (const { row } of found) if (matches(row, query)) rows.push(row);
      position = next ?? position;
      if (rows.length >= query.limit && (next !== null || found.length > 0))
        return { rows, next: next ?? found.at(-1)?.position ?? null };
      if (next === null) break;
      if (reads >= READS_MAX) return { rows, next };
    }
    if (reads >= READS_MAX) return { rows, next: endOf(fromMs) };
  }
  return { rows, next: null };
}

/** Sorts below every row of a stretch that begins at `fromMs`: the next page begins with the stretch before it. */
const endOf = (fromMs: number): string => isoTime(fromMs);

interface Stretch {
  readonly indexes: readonly AuditIndex[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** What to read, newest first: one index over all the time asked for, or day by day for each vendor. */
function* stretches(query: AuditQuery, vendors: readonly string[], before: string | null): Iterable<Stretch> {
  const { fromMs, toMs } = query;
  const index = indexOf(query);
  if (index !== null) return yield { indexes: [index], fromMs, toMs };

  const latestMs = before === null ? toMs - 1 : Math.min(toMs - 1, Date.parse(before.split("#", 1)[0] ?? ""));
  for (let dayMs = Math.floor(latestMs / DAY_MS) * DAY_MS; dayMs + DAY_MS > fromMs; dayMs -= DAY_MS) {
    const asked = query.vendor === null ? vendors : [query.vendor];
    const indexes = asked.map((vendor) => ({ kind: "vendor_day" as const, vendor, day: isoDay(dayMs) }));
    yield { indexes, fromMs: Math.max(fromMs, dayMs), toMs: Math.min(toMs, dayMs + DAY_MS) };
  }
}

function indexOf({ callId, keyId, label }: AuditQuery): AuditIndex | null {
  if (callId !== null) return { kind: "call", callId };
  if (keyId !== null) return { kind: "key", keyId };
  if (label === null) return null;
  if (label.kind === "exact") return { kind: "label", label: label.text };
  const group = /[/:]/.test(label.text) ? labelGroup(label.text) : null;
  return group === null ? null : { kind: "label_group", group };
}

type Page = Awaited<ReturnType<AuditReader["page"]>>;

/** The newest rows of several pages; none is passed over that an unread part of another page might precede. */
function merged(pages: readonly Page[], limit: number): { found: Page["rows"]; next: string | null } {
  const rows = pages.flatMap((page) => page.rows).sort((a, b) => (a.position < b.position ? 1 : -1));
  const unread = pages.flatMap((page) => (page.next === null ? [] : [page.next]));
  const horizon = unread.reduce<string | null>(
    (highest, next) => (highest === null || next > highest ? next : highest),
    null,
  );
  const safe = rows.filter(({ position }) => horizon === null || position >= horizon).slice(0, limit);
  const more = horizon !== null || safe.length < rows.length;
  return { found: safe, next: more ? (safe.at(-1)?.position ?? horizon) : null };
}

function matches({ fields, state, attemptId }: AuditRow, query: AuditQuery): boolean {
  const { label } = query;
  return (
    (query.vendor === null || fields.vendor === query.vendor) &&
    (query.keyId === null || fields.keyId === query.keyId) &&
    (query.state === null || (attemptId !== null && state === query.state)) &&
    (query.overrun === null || (attemptId !== null && (fields.overrun ?? false) === query.overrun)) &&
    (query.decision === null || fields.decision === query.decision) &&
    (label === null ||
      (label.kind === "exact"
        ? fields.label === label.text
        : (fields.label?.startsWith(label.text) ?? false)))
  );
}
