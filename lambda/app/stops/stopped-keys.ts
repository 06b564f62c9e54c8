import { type Balance, standing } from "../../domain/balance.ts";
import type { KeyList, ListedKey } from "../../domain/key-list.ts";
import { matchesKey, type StopMatcher } from "../../domain/stop.ts";
import type { SweepPlace } from "../../domain/stop-record.ts";
import type { ListedKeys } from "../../ports/listed-keys.ts";
import type { Vault } from "../../ports/vault.ts";

/** Keys that are read at once of each part of a list. */
const PAGE = 100;
/** What one read of balances takes. */
const BALANCES_MAX = 100;

/** A key that a stop is for, with its balance. */
export interface StoppedKey {
  readonly key: ListedKey;
  readonly balance: Balance;
}

/** The next keys that a stop is for, and where to go on; null at the end of the last list. Consistent. */
export async function stoppedKeysAt(
  place: SweepPlace,
  { lists, matcher }: { readonly lists: readonly KeyList[]; readonly matcher: StopMatcher },
  { listedKeys, balances }: Pick<Vault, "listedKeys" | "balances">,
): Promise<{ readonly found: readonly StoppedKey[]; readonly next: SweepPlace | null }> {
  const { keys, next } = await keysAt(place, lists, listedKeys);
  const matching = keys.filter((key) => matchesKey(matcher, key));
  const chunks: (readonly ListedKey[])[] = [];
  for (let start = 0; start < matching.length; start += BALANCES_MAX)
    chunks.push(matching.slice(start, start + BALANCES_MAX));
  const found = await Promise.all(
    chunks.map(async (chunk) => {
      const read = await balances.read(chunk.map(({ keyId }) => keyId));
      return chunk.flatMap((key, at) => {
        const balance = read[at] ?? null;
        return balance === null ? [] : [{ key, balance }];
      });
    }),
  );
  return { found: found.flat(), next };
}

/** The newest keys of all parts of a list, as far as no unread key of any part is newer. */
async function keysAt(
  { list: number, before }: SweepPlace,
  lists: readonly KeyList[],
  listedKeys: ListedKeys,
): Promise<{ readonly keys: readonly ListedKey[]; readonly next: SweepPlace | null }> {
  const list = lists[number];
  if (list === undefined) return { keys: [], next: null };
  const pages = await Promise.all(
    listedKeys.partsOf(list).map((part) => listedKeys.page({ part, before, limit: PAGE })),
  );
  const unread = pages
    .flatMap(({ next }) => (next === null ? [] : [next]))
    .reduce<string | null>((newest, next) => (newest === null || next > newest ? next : newest), null);
  const keys = pages
    .flatMap(({ entries }) => entries)
    .filter(({ position }) => unread === null || position >= unread)
    .map(({ key }) => key);
  if (unread !== null) return { keys, next: { list: number, before: unread } };
  return { keys, next: number + 1 < lists.length ? { list: number + 1, before: null } : null };
}

/** Whether the key could still be used. */
export const isLive = ({ balance }: StoppedKey, nowMs: number): boolean =>
  standing(balance, nowMs) === "active";
