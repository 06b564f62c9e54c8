interface Page<Entry> {
  readonly entries: readonly Entry[];
  /** Null when there is nothing older. */
  readonly next: string | null;
}

/**
 * The newest entries of the pages of several parts, newest first. `safe`: no unread entry of any part precedes them.
 * `unread`: where to go on, or null.
 */
export function mergedPages<Entry extends { readonly position: string }>(
  pages: readonly Page<Entry>[],
): { readonly safe: readonly Entry[]; readonly unread: string | null } {
  const unread = pages
    .flatMap(({ next }) => (next === null ? [] : [next]))
    .reduce<string | null>((newest, next) => (newest === null || next > newest ? next : newest), null);
  const safe = pages
    .flatMap(({ entries }) => entries)
    .filter(({ position }) => unread === null || position >= unread)
    .sort((a, b) => (a.position < b.position ? 1 : -1));
  return { safe, unread };
}

/** How many entries to read of each part: together twice what is wanted, since parts are not filled alike. */
export const enoughOfEach = (wanted: number, parts: number): number =>
  parts === 1 ? wanted : Math.ceil((2 * wanted) / parts) + 1;
