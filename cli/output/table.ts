import { displayWidth, plain, shortened } from "./width.ts";

/** Columns that fit the terminal: wide ones are shortened first, then those of least weight are left out. */

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: "left" | "right";
  /** Cells below which it is not shortened; absent: never shortened. */
  readonly widthMin?: number;
  /** A column is left out before those of a smaller number; absent: never left out. */
  readonly spare?: number;
  readonly tone?: (row: Row) => Tone;
}

/** What a cell is about. Only `bad` and `good` ask for a look. */
export type Tone = "good" | "bad" | "quiet" | "none";

/** Colours a text, or returns it as it is where there are no colours. */
export type Paint = (tone: Tone | "title", text: string) => string;

const GAP = "  ";

interface Laid<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  width: number;
}

/** Lines of a table, its titles first. `width`: of the terminal in cells, or Infinity where lines may be of any length. */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint }: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  const laid = fitted(
    columns.map((column) => {
      const cells = rows.map((row) => plain(column.cell(row)));
      return { column, cells, width: Math.max(...[column.title, ...cells].map(displayWidth)) };
    }),
    width,
  );
  const titles = laid.map(({ column, width: cellWidth }) =>
    paint("title", padded(column.title, cellWidth, column.align)),
  );
  const body = rows.map((row, at) =>
    laid.map(({ column, cells, width: cellWidth }) =>
      paint(column.tone?.(row) ?? "none", padded(cells[at] ?? "", cellWidth, column.align)),
    ),
  );
  return [titles, ...body].map((cells) => cells.join(GAP).trimEnd());
}

function fitted<Row>(all: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
  let laid = [...all];
  for (;;) {
    shrink(laid, width);
    if (totalOf(laid) <= width) return laid;
    const spare = laid.filter(({ column }) => column.spare !== undefined);
    if (spare.length === 0) return cutAtEnd(laid, width);
    const leftOut = spare.reduce((one, other) =>
      (other.column.spare ?? 0) > (one.column.spare ?? 0) ? other : one,
    );
    laid = laid.filter((column) => column !== leftOut);
    for (const column of laid) column.width = naturalWidth(column);
  }
}

const naturalWidth = <Row>({ column, cells }: Laid<Row>): number =>
  Math.max(...[column.title, ...cells].map(displayWidth));

const totalOf = (laid: readonly { readonly width: number }[]): number =>
  laid.reduce((sum, { width }) => sum + width, 0) + GAP.length * Math.max(0, laid.length - 1);

/** Takes from the widest first, so that short texts stay whole. */
function shrink<Row>(laid: readonly Laid<Row>[], width: number): void {
  for (let over = totalOf(laid) - width; over > 0; over--) {
    const widest = laid
      .filter(({ column, width: cells }) => column.widthMin !== undefined && cells > column.widthMin)
      .toSorted((one, other) => other.width - one.width)[0];
    if (widest === undefined) return;
    widest.width--;
  }
}

/** A terminal narrower than what must be shown: the first columns, and what fits of the next. */
function cutAtEnd<Row>(laid: readonly Laid<Row>[], width: number): readonly Laid<Row>[] {
  let left = width;
  return laid.flatMap((column) => {
    const cells = Math.min(column.width, left);
    left -= column.width + GAP.length;
    return cells < 1 ? [] : [{ ...column, width: cells }];
  });
}

function padded(text: string, width: number, align: "left" | "right" = "left"): string {
  const shown = shortened(text, width);
  const space = " ".repeat(Math.max(0, width - displayWidth(shown)));
  return align === "right" ? space + shown : shown + space;
}

/** Names and values below each other; a value is not shortened, since it may be what is copied. */
export function fieldLines(
  fields: readonly (readonly [name: string, value: string, tone?: Tone])[],
  paint: Paint,
): readonly string[] {
  const width = Math.max(0, ...fields.map(([name]) => displayWidth(name)));
  return fields.map(
    ([name, value, tone = "none"]) => `${paint("quiet", name.padEnd(width))}  ${paint(tone, plain(value))}`,
  );
}
