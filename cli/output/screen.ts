import type { WriteStream } from "node:tty";
import { styleText } from "node:util";
import { type Column, fieldLines, type Paint, type Tone, tableLines } from "./table.ts";
import { displayWidth, plain, shortened } from "./width.ts";

/**
 * Where a command writes. stdout has what was asked for: a table for people, or JSON. stderr has notes and progress, so that a
 * pipe gets no word of them. Colours are for a terminal that has not refused them (no-color.org); a pipe gets none.
 */
export interface Screen {
  /** A line of what was asked for. */
  line(text: string): void;
  /** Text with its own ends of lines, as it was asked for. */
  text(text: string): void;
  json(value: unknown): void;
  /** A line in two parts, shortened to the terminal: the second is coloured, and stays whole as long as there is room. */
  fitted(parts: { readonly before: string; readonly outcome: string }, tone: Tone): void;
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void;
  fields(fields: readonly (readonly [name: string, value: string, tone?: Tone])[]): void;
  /** A line for the person who waits or reads along. */
  note(text: string): void;
  /** Says how far long work is: on a terminal one line that is written over, else nothing. */
  progress(text: string): void;
  /** Takes the line of `progress` away. */
  progressDone(): void;
  readonly paint: Paint;
}

type Stream = Pick<WriteStream, "write"> & Partial<Pick<WriteStream, "isTTY" | "columns">>;

const STYLES = { title: "bold", good: "green", bad: "red", quiet: "dim" } as const;

/** Of a text that was split at its line ends, which stay. */
const plainBetween = (part: string): string => (part.endsWith("\n") ? part : plain(part));

/** Where a terminal does not say how wide it is. */
const WIDTH = 80;

export function screenOf(stdout: Stream, stderr: Stream): Screen {
  // styleText looks at NO_COLOR, FORCE_COLOR and the stream (nodejs.org/docs/latest-v24.x/api/util.html, read 2026-11-28).
  const paintOn =
    (stream: Stream): Paint =>
    (tone, text) =>
      tone === "none" || text.trim() === ""
        ? text
        : styleText(STYLES[tone], text, { stream: stream as NodeJS.WritableStream });
  const paint = paintOn(stdout);
  const width = stdout.isTTY === true ? (stdout.columns ?? WIDTH) : Number.POSITIVE_INFINITY;
  const write = (lines: readonly string[]) => stdout.write(`${lines.join("\n")}\n`);
  /** What others wrote may not steer a terminal; a program gets it as it is. */
  const shown = (text: string): string =>
    stdout.isTTY === true
      ? text
          .split(/(\r?\n)/)
          .map(plainBetween)
          .join("")
      : text;
  let progressWidth = 0;
  /** With spaces and not with a control sequence: every terminal knows them. */
  const progressDone = () => {
    if (progressWidth > 0) stderr.write(`\r${" ".repeat(progressWidth)}\r`);
    progressWidth = 0;
  };
  return {
    paint,
    line: (text) => write([text]),
    text: (text) => stdout.write(shown(text)),
    json: (value) => write([shown(JSON.stringify(value))]),
    fitted({ before, outcome }, tone) {
      const end = shortened(plain(outcome), width);
      const room = width - displayWidth(end) - (end === "" ? 0 : 2);
      const begin = shortened(plain(before), Math.max(0, room));
      write([[begin, paint(tone, end)].filter((part) => part !== "").join("  ")]);
    },
    table: (columns, rows) => write(tableLines(columns, rows, { width, paint })),
    fields: (fields) => write(fieldLines(fields, paint)),
    note(text) {
      progressDone();
      stderr.write(`${text}\n`);
    },
    progress(text) {
      if (stderr.isTTY !== true) return;
      progressDone();
      const shown = shortened(text, (stderr.columns ?? WIDTH) - 1);
      stderr.write(shown);
      progressWidth = displayWidth(shown);
    },
    progressDone,
  };
}
