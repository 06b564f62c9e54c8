import type { AuditRow } from "../../domain/audit-event.ts";
import { groupOfMatch, type LabelMatch, matchesLabel } from "../../domain/label-match.ts";
import type { AuditIndex, AuditReader } from "../../ports/audit.ts";
import { type Caller, mayReach } from "../keys/caller.ts";
import { enoughOfEach, mergedPages } from "../merged-pages.ts";

/** Filters of the audit log; times in milliseconds, `from` included and `to` excluded, both of the call's start. */
export interface AuditQuery {
  readonly vendor: string | null;
  readonly fromMs: number;
  readonly toMs: number;
  /** Exact, or the beginning of labels. */
  readonly label: LabelMatch | null;
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
const READS_MAX = 400;
/**
 * Where rows may not match: the most that are read at once of each part of an index, and by how many times more it becomes
 * each time. The first read is as small as one where every row matches, since mostly many do.
 */
const SEARCHED = 100;
const MORE = 4;

/** One page of rows, newest first, by the narrowest index that the filters allow. Rows that the caller may not see are left out. */
export async function queryAudit(
  query: AuditQuery,
  { vendors, caller }: { readonly vendors: readonly string[]; readonly caller: Caller },
  reader: AuditReader,
): Promise<AuditAnswer> {
  const answer = async (rows: readonly AuditRow[], next: string | null): Promise<AuditAnswer> => ({
    rows: (await reader.whole(rows)).filter(({ fields }) => mayReach(caller, fields)),
    next,
  });
  const isReached = (vendor: string): boolean => caller.apiKey?.vendors?.includes(vendor) !== false;
  // A table refuses a range that ends before it begins.
  const isEmpty = query.toMs <= query.fromMs;
  if (isEmpty || (query.vendor !== null && !isReached(query.vendor))) return { rows: [], next: null };
  const parts = indexesOf(query, vendors.filter(isReached)).flatMap((index) => reader.partsOf(index));
  const { fromMs, toMs } = query;
  const rows: AuditRow[] = [];
  let before = query.before;
  let searched = enoughOfEach(query.limit, parts.length);
  for (let reads = parts.length; ; reads += parts.length) {
    const limit = isFiltered(query) ? searched : enoughOfEach(query.limit - rows.length, parts.length);
    searched = Math.max(searched, Math.min(SEARCHED, searched * MORE));
    const pages = await Promise.all(parts.map((part) => reader.page({ part, fromMs, toMs, before, limit })));
    const { safe, unread } = mergedPages(pages.map(({ rows: entries, next }) => ({ entries, next })));
    for (const [index, { position, row }] of safe.entries()) {
      if (isReached(row.fields.vendor) && matches(row, query)) rows.push(row);
      if (rows.length < query.limit) continue;
      const isLast = unread === null && index === safe.length - 1;
      return answer(rows, isLast ? null : position);
    }
    if (unread === null || reads >= READS_MAX) return answer(rows, unread);
    before = unread;
  }
}

function indexesOf(
  { callId, keyId, label, vendor }: AuditQuery,
  vendors: readonly string[],
): readonly AuditIndex[] {
  if (callId !== null) return [{ kind: "call", callId }];
  if (keyId !== null) return [{ kind: "key", keyId }];
  if (label?.kind === "exact") return [{ kind: "label", label: label.text }];
  const group = label === null ? null : groupOfMatch(label);
  if (group !== null) return [{ kind: "label_group", group }];
  return (vendor === null ? vendors : [vendor]).map((each) => ({ kind: "vendor", vendor: each }));
}

/** Whether rows may be passed over that the index has. */
const isFiltered = ({ state, decision, overrun, label, vendor, keyId, callId }: AuditQuery): boolean =>
  state !== null ||
  decision !== null ||
  overrun !== null ||
  label?.kind === "prefix" ||
  (vendor !== null && (keyId !== null || callId !== null || label !== null));

function matches({ fields, state, attemptId }: AuditRow, query: AuditQuery): boolean {
  const { label } = query;
  return (
    (query.vendor === null || fields.vendor === query.vendor) &&
    (query.keyId === null || fields.keyId === query.keyId) &&
    (query.state === null || (attemptId !== null && state === query.state)) &&
    (query.overrun === null || (attemptId !== null && (fields.overrun ?? false) === query.overrun)) &&
    (query.decision === null || fields.decision === query.decision) &&
    (label === null || matchesLabel(label, fields.label))
  );
}
