import { eachAtOnce } from "../../at-once.ts";
import type { Balance } from "../../domain/balance.ts";
import type { KeyList, ListedKey } from "../../domain/key-list.ts";
import { type KeyStatus, statusOf } from "../../domain/key-status.ts";
import { groupOfMatch, type LabelMatch, matchesLabel } from "../../domain/label-match.ts";
import { chainOf, type Policy } from "../../domain/vault-key.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";
import { enoughOfEach, mergedPages } from "../merged-pages.ts";
import { type Caller, mayReach } from "./caller.ts";
import { type KeyView, viewOf } from "./manage-key.ts";

/** Which keys are wanted; null asks for any. */
export interface KeyQuery {
  readonly status: KeyStatus | null;
  readonly vendor: string | null;
  readonly label: LabelMatch | null;
  /** The vault key that issued them. */
  readonly parentId: string | null;
  readonly limit: number;
  /** Where an earlier page ended. */
  readonly before: string | null;
}

export interface KeysAnswer {
  readonly keys: readonly KeyView[];
  /** Null ends the list; a page may be short. */
  readonly next: string | null;
}

interface Ports {
  readonly vault: Vault;
  readonly spending: SpentBudget;
  readonly clock: Clock;
}

/** Pages of parts that one request reads at most: keys with a rare status may take several requests to reach. */
const READS_MAX = 200;
/** Entries that are read at once of each part where most of them may not match. */
const SEARCHED = 50;
const SUMS_AT_ONCE = 16;

/**
 * One page of keys, newest first, by the narrowest list that the filters allow. Keys that the caller may not see are left
 * out, and so are those whose issue did not end. A key that was there when the list began is on exactly one page.
 */
export async function listKeys(
  query: KeyQuery,
  { vendors, caller }: { readonly vendors: readonly string[]; readonly caller: Caller },
  ports: Ports,
): Promise<KeysAnswer> {
  const { listedKeys } = ports.vault;
  const { parentId } = query;
  const lists: readonly KeyList[] =
    parentId === null ? listsOfKeys(query, vendors) : [{ kind: "issuer", id: parentId }];
  const parts = lists.flatMap((list) => listedKeys.partsOf(list));
  const found: Found[] = [];
  let before = query.before;
  for (let reads = parts.length; ; reads += parts.length) {
    const limit = Math.min(SEARCHED, enoughOfEach(query.limit, parts.length));
    const pages = await Promise.all(parts.map((part) => listedKeys.page({ part, before, limit })));
    const { safe, unread } = mergedPages(pages);
    const nowMs = ports.clock.now();
    const wanted = safe.filter(({ key }) => mayReach(caller, key) && matches(key, query, nowMs));
    found.push(...(await withState(wanted, query.status, ports)));
    const last = found[query.limit - 1];
    if (last !== undefined) {
      const isEnd = unread === null && found.length === query.limit;
      return { keys: await shown(found.slice(0, query.limit), ports), next: isEnd ? null : last.position };
    }
    if (unread === null || reads >= READS_MAX) return { keys: await shown(found, ports), next: unread };
    before = unread;
  }
}

/** The lists that have every key of a vendor and with a label. */
export function listsOfKeys(
  { vendor, label }: Pick<KeyQuery, "vendor" | "label">,
  vendors: readonly string[],
): readonly KeyList[] {
  const group = label === null ? null : groupOfMatch(label);
  if (group !== null) return [{ kind: "label_group", group }];
  return (vendor === null ? vendors : [vendor]).map((each) => ({ kind: "vendor", vendor: each }));
}

/** Most keys of a fan-out have expired: what the list knows of that saves their balances being read for the others. */
const matches = (key: ListedKey, { vendor, label, parentId, status }: KeyQuery, nowMs: number): boolean =>
  ((status !== "active" && status !== "exhausted") || key.endsByMs > nowMs) &&
  (vendor === null || key.vendor === vendor) &&
  (label === null || matchesLabel(label, key.label)) &&
  (parentId === null || key.issuerId === parentId);

interface Found {
  readonly position: string;
  readonly policy: Policy;
  /** Those of its chain, itself last. */
  readonly balances: readonly (Balance | null)[];
}
type Entry = { readonly position: string; readonly key: ListedKey };

/** Those that have a policy and a balance, and this status. A key above several of them is read once. */
async function withState(
  entries: readonly Entry[],
  status: KeyStatus | null,
  { vault, clock }: Ports,
): Promise<readonly Found[]> {
  const memberIds = [...new Set(entries.flatMap(({ key }) => key.chain))];
  const [policies, read] = await Promise.all([
    vault.policies.readAll(entries.map(({ key }) => key.keyId)),
    vault.balances.read(memberIds),
  ]);
  const known = new Map(memberIds.map((memberId, index) => [memberId, read[index] ?? null]));
  const nowMs = clock.now();
  return entries.flatMap(({ position, key }) => {
    const policy = policies.get(key.keyId);
    if (policy === undefined || known.get(key.keyId) == null) return [];
    const balances = chainOf(policy).map((memberId) => known.get(memberId) ?? null);
    return status === null || statusOf(policy.chain, balances, nowMs) === status
      ? [{ position, policy, balances }]
      : [];
  });
}

async function shown(found: readonly Found[], ports: Ports): Promise<readonly KeyView[]> {
  const views = await eachAtOnce(found, SUMS_AT_ONCE, ({ policy, balances }) =>
    viewOf(policy, balances, ports),
  );
  return views.filter((view) => view !== null);
}
