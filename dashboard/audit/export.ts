import { ask } from "../api/client.ts";
import { Failure } from "../api/failure.ts";

export const FORMATS = {
  csv: { accept: "text/csv", file: "keybrake-audit.csv" },
  ndjson: { accept: "application/x-ndjson", file: "keybrake-audit.ndjson" },
} as const;
export type Format = keyof typeof FORMATS;

/** Where an export goes, text by text. */
export interface Sink {
  write(text: string): Promise<void>;
  /** Gives the reader the file. */
  done(): Promise<void>;
  /** Leaves no file behind. */
  giveUp(): Promise<void>;
}

/** The most that the API gives at once of these formats. */
const ROWS_AT_ONCE = 1000;

/** A page as it goes behind the pages before it: CSV has its names once. */
export function pageText(text: string, format: Format, isFirst: boolean): string {
  if (format !== "csv" || isFirst) return text;
  const end = text.indexOf("\n");
  return end < 0 ? "" : text.slice(end + 1);
}

/** How many rows a page has. In CSV a text may hold line breaks; those between quotes are not the end of a row. */
export function rowsIn(text: string, format: Format): number {
  const lines = format === "csv" ? text.replace(/"(?:[^"]|"")*"/g, "").split("\n") : text.split("\n");
  const rows = lines.filter((line) => line.trim() !== "").length;
  return format === "csv" ? Math.max(0, rows - 1) : rows;
}

/** A page that got no answer, or an error of the server, is asked for again so often: what was saved before stays good. */
const REPEATS_MAX = 3;

/** Writes everything that the filters find, page by page. `onRows`: how many there are so far. */
export async function exportAll(
  format: Format,
  parameters: Readonly<Record<string, string>>,
  sink: Pick<Sink, "write">,
  onRows: (count: number) => void,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  let cursor: string | null = null;
  do {
    const asked = { ...parameters, limit: ROWS_AT_ONCE, ...(cursor !== null && { cursor }) };
    const { text, next } = await pageOf(asked, format, signal);
    await sink.write(pageText(text, format, cursor === null));
    count += rowsIn(text, format);
    onRows(count);
    cursor = next;
  } while (cursor !== null);
}

async function pageOf(
  parameters: Readonly<Record<string, string | number>>,
  format: Format,
  signal: AbortSignal,
) {
  for (let repeats = 0; ; repeats++) {
    try {
      const response = await ask("vault/audit", { parameters, accept: FORMATS[format].accept, signal });
      return { text: await response.text(), next: response.headers.get("Keybrake-Next-Cursor") };
    } catch (error) {
      const isWorthIt = error instanceof Failure && (error.status === 0 || error.status >= 500);
      if (!isWorthIt || repeats === REPEATS_MAX) throw error;
    }
  }
}
