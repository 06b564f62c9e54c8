import { eachAtOnce } from "../../at-once.ts";
import type { ListedKey } from "../../domain/key-list.ts";
import { matchesLabel } from "../../domain/label-match.ts";
import { isoTime } from "../../domain/time.ts";
import { mayReach } from "../keys/caller.ts";
import { listsOfKeys } from "../keys/list-keys.ts";
import { enoughOfEach, mergedPages } from "../merged-pages.ts";
import {
  isSomething,
  type SpendPorts,
  type SpendQuery,
  type SpendRow,
  type SpendScope,
  spendOf,
} from "./spend-query.ts";

/** Pages of parts, and sums of keys, that one request reads at most. */
const READS_MAX = 64;
const SUMS_MAX = 300;
const SUMS_AT_ONCE = 16;

/**
 * The sums of keys, of the newest first: of those keys that the filters allow, that could be used in these days, and that did
 * something. Keys are known for 30 days after they expire.
 */
export async function spendByKey(
  query: SpendQuery,
  { vendors, caller }: SpendScope,
  ports: SpendPorts,
): Promise<{ readonly rows: readonly SpendRow[]; readonly next: string | null }> {
  const { listedKeys } = ports.vault;
  const { limit, fromDay, toDay, keyId } = query;
  if (keyId !== null) {
    const row = { group: keyId, ...(await spendOf({ kind: "key", name: keyId }, query, ports)) };
    return { rows: [row].filter(isSomething), next: null };
  }
  const parts = listsOfKeys(query, vendors).flatMap((list) => listedKeys.partsOf(list));
  const rows: (SpendRow & { readonly position: string })[] = [];
  let before = query.after ?? isoTime(Date.parse(toDay));
  let sums = 0;
  for (let reads = parts.length; ; reads += parts.length) {
    const ofEach = enoughOfEach(limit - rows.length, parts.length);
    const pages = await Promise.all(parts.map((part) => listedKeys.page({ part, before, limit: ofEach })));
    const { safe, unread } = mergedPages(pages);
    const wanted = safe.filter(
      ({ key }) => mayReach(caller, key) && matches(key, query) && key.endsByMs > Date.parse(fromDay),
    );
    sums += wanted.length;
    const found = await eachAtOnce(wanted, SUMS_AT_ONCE, async ({ position, key }) => ({
      position,
      group: key.keyId,
      ...(await spendOf({ kind: "key", name: key.keyId }, query, ports)),
    }));
    rows.push(...found.filter(isSomething));
    const last = rows[limit - 1];
    if (last !== undefined)
      return {
        rows: withoutPosition(rows.slice(0, limit)),
        next: unread === null && rows.length === limit ? null : last.position,
      };
    if (unread === null || reads >= READS_MAX || sums >= SUMS_MAX)
      return { rows: withoutPosition(rows), next: unread };
    before = unread;
  }
}

const withoutPosition = (rows: readonly (SpendRow & { readonly position: string })[]): readonly SpendRow[] =>
  rows.map(({ position: _, ...row }) => row);

const matches = ({ label, vendor }: ListedKey, query: SpendQuery): boolean =>
  (query.vendor === null || vendor === query.vendor) &&
  (query.label === null || matchesLabel(query.label, label));
