import { ask } from "../api/client.ts";

export const FORMATS = {
  csv: { accept: "text/csv", file: "keybrake-audit.csv" },
  ndjson: { accept: "application/x-ndjson", file: "keybrake-audit.ndjson" },
} as const;
export type Format = keyof typeof FORMATS;

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

/** Everything that the filters find, page by page. `onRows`: how many there are so far. */
export async function exportAll(
  format: Format,
  parameters: Readonly<Record<string, string>>,
  onRows: (count: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const parts: string[] = [];
  let count = 0;
  let cursor: string | null = null;
  do {
    const response = await ask("vault/audit", {
      parameters: { ...parameters, limit: ROWS_AT_ONCE, ...(cursor !== null && { cursor }) },
      accept: FORMATS[format].accept,
      signal,
    });
    const text = await response.text();
    count += rowsIn(text, format);
    parts.push(pageText(text, format, parts.length === 0));
    onRows(count);
    cursor = response.headers.get("Keybrake-Next-Cursor");
  } while (cursor !== null);
  return new Blob(parts, { type: FORMATS[format].accept });
}
