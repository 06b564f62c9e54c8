import type { Api, Asked } from "../api/client.ts";
import type { Fields } from "../api/fields.ts";
import type { Cli, Common } from "../context.ts";
import { countFlag, switchFlag } from "../flags.ts";
import type { Column } from "../output/table.ts";
import { counted, listOf } from "../output/words.ts";

/** How much of a list is shown. */
export interface ListFlags {
  readonly limit?: number;
  readonly all?: boolean;
}

/** Shown unless asked for more; also the API's own page. */
const LIMIT = 50;
const PAGE_MAX = 100;

export const LIST_FLAGS = {
  limit: countFlag(`how many at most; ${LIMIT} unless given`),
  all: switchFlag("all, however many pages that takes"),
} as const;

interface List {
  readonly path: string;
  readonly query: Asked["query"];
  readonly columns: readonly Column<Fields>[];
  /** A last row that the answer has beside its list, such as a total. */
  readonly lastRow?: (answer: Fields) => Fields | null;
  /** What is said where the list is empty. */
  readonly nothing: string;
}

/** Reads as many pages as are asked for, and prints them as one table or as one JSON answer. */
export async function showList(cli: Cli, flags: Common & ListFlags, list: List): Promise<void> {
  const { screen } = cli;
  const limit = flags.all ? Number.POSITIVE_INFINITY : (flags.limit ?? LIMIT);
  const { rows, cursor, last } = await read(cli.api(flags), list, limit, (count) =>
    screen.progress(`${counted(count, "row")} read`),
  );
  screen.progressDone();
  if (flags.json) {
    screen.json({ ...last, data: rows, next_cursor: cursor });
    return;
  }
  const lastRow = list.lastRow?.(last) ?? null;
  if (rows.length === 0) screen.note(list.nothing);
  else screen.table(list.columns, lastRow === null ? rows : [...rows, lastRow]);
  if (cursor !== null && rows.length > 0) screen.note(`there are more: --limit ${rows.length * 2} or --all`);
}

async function read(
  api: Api,
  { path, query }: List,
  limit: number,
  onPage: (count: number) => void,
): Promise<{ readonly rows: readonly Fields[]; readonly cursor: string | null; readonly last: Fields }> {
  const rows: Fields[] = [];
  let last: Fields = {};
  let cursor: string | undefined;
  do {
    const asked = { ...query, limit: Math.min(PAGE_MAX, limit - rows.length), cursor };
    const answer = await api.ask("GET", path, { query: asked });
    last = answer;
    rows.push(...listOf(answer, "data"));
    const next = answer["next_cursor"];
    cursor = typeof next === "string" ? next : undefined;
    if (cursor !== undefined) onPage(rows.length);
  } while (cursor !== undefined && rows.length < limit);
  return { rows, cursor: cursor ?? null, last };
}
