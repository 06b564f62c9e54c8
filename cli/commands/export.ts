import { type Asked, failureOf } from "../api/client.ts";
import type { Cli, Common } from "../context.ts";
import { counted } from "../output/words.ts";

/** What goes to stdout as it is read, page by page: of any length, it never stands in memory as a whole. */
export interface Export {
  readonly path: string;
  readonly query: Asked["query"];
  readonly format: Format;
  /** Null: all rows. */
  readonly limit: number | null;
}

export const FORMATS = { csv: "text/csv", ndjson: "application/x-ndjson" } as const;
export type Format = keyof typeof FORMATS;

/** The most that the API gives at once of these formats. */
const PAGE_MAX = 1000;

/** Prints rows as CSV or NDJSON. What fails on the way ends it with its exit code; what is printed by then is whole rows. */
export async function printExport(cli: Cli, flags: Common, wanted: Export): Promise<void> {
  const { screen } = cli;
  const api = cli.api(flags);
  const { path, format } = wanted;
  const limit = wanted.limit ?? Number.POSITIVE_INFINITY;
  let rows = 0;
  let cursor: string | undefined;
  do {
    const query = { ...wanted.query, limit: Math.min(PAGE_MAX, limit - rows), cursor };
    const answer = await api.send("GET", path, { query, headers: { Accept: FORMATS[format] } });
    if (answer.status !== 200) throw failureOf(answer, { baseUrl: api.baseUrl, method: "GET", path });
    const page = format === "csv" && cursor !== undefined ? withoutNames(answer.text) : answer.text;
    screen.text(page);
    rows += rowsIn(page, format) - (format === "csv" && cursor === undefined ? 1 : 0);
    cursor = answer.headers.get("Keybrake-Next-Cursor") ?? undefined;
    if (cursor !== undefined) screen.progress(`${counted(rows, "row")} read`);
  } while (cursor !== undefined && rows < limit);
  screen.progressDone();
}

/** Each page of CSV begins with the names of the columns. */
const withoutNames = (text: string): string => text.slice(text.indexOf("\n") + 1);

/** A text in CSV may hold line breaks; those between quotes end no row. In NDJSON each one does. */
const rowsIn = (text: string, format: Format): number =>
  (format === "csv" ? text.replace(/"(?:[^"]|"")*"/g, "") : text).split("\n").length - 1;
