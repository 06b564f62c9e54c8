import { sumUsd } from "../format/usd.ts";

/** So many pages are added up; beyond them the sums are too low, and say so. */
const PAGES_MAX = 10;

export interface Sum {
  readonly spent_usd: number;
  readonly allowed_calls: number;
  readonly denied_calls: number;
}

export interface SumsPage<Row extends Sum> {
  readonly data: readonly Row[];
  readonly total: Sum | null;
  readonly next_cursor: string | null;
}

/**
 * The sums of every page and their total. No total is kept of labels that begin alike, so theirs are added up. `isWhole`: whether
 * nothing is missing in the total; `isAll`: whether no row is.
 */
export async function allSums<Row extends Sum>(
  page: (cursor: string | null) => Promise<SumsPage<Row>>,
): Promise<{
  readonly rows: readonly Row[];
  readonly total: Sum;
  readonly isWhole: boolean;
  readonly isAll: boolean;
}> {
  const first = await page(null);
  const rows = [...first.data];
  let cursor = first.next_cursor;
  for (let pages = 1; cursor !== null && pages < PAGES_MAX; pages++) {
    const next = await page(cursor);
    rows.push(...next.data);
    cursor = next.next_cursor;
  }
  const added = {
    spent_usd: sumUsd(rows.map(({ spent_usd }) => spent_usd)),
    allowed_calls: rows.reduce((all, { allowed_calls }) => all + allowed_calls, 0),
    denied_calls: rows.reduce((all, { denied_calls }) => all + denied_calls, 0),
  };
  const isAll = cursor === null;
  return { rows, total: first.total ?? added, isWhole: first.total !== null || isAll, isAll };
}
