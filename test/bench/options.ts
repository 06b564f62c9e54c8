import { parseArgs } from "node:util";

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  /** The sections to run; all of them where none is named. */
  readonly only: readonly string[];
  /** Few calls, no figure is written: shows that each section runs, and checks what has to be right. */
  readonly smoke: boolean;
  /** Adds what others make of the same calls. */
  readonly peers: boolean;
  /** Writes docs/performance.md. */
  readonly write: boolean;
  /** Numbers of the sections, by name: `--lanes 20`. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** The numbers that the sections take, with their defaults and what they are. */
export const NUMBERS = {
  lanes: [20, "consumer: processes of the consumer at a time"],
  "lock-ms": [20, "consumer: milliseconds that a write takes and a transaction locks its items"],
  "units-per-key": [1000, "consumer: write units a second of one partition key"],
  "consumer-calls": [100_000, "consumer: calls to record"],
  "consumer-rate": [3_000, "consumer: calls a second that come; 0 is as many as can be recorded"],
  batch: [100, "consumer: changes of one batch"],
  keys: [1_000, "consumer: vault keys that share the calls"],
  grown: [100_000, "growth: vault keys, and rows of others, that are put into the tables"],
  "local-calls": [20_000, "local: payments through one local run"],
} as const satisfies Readonly<Record<string, readonly [number, string]>>;

export type NumberName = keyof typeof NUMBERS;

/** Reads the arguments; throws an Error that says what is accepted. */
export function parseOptions(args: readonly string[], sections: readonly string[]): BenchOptions {
  const numbers = Object.keys(NUMBERS).map((name) => [name, { type: "string" }] as const);
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      smoke: { type: "boolean" },
      peers: { type: "boolean" },
      write: { type: "boolean" },
      help: { type: "boolean" },
      ...Object.fromEntries(numbers),
    },
  });
  const { only = [], smoke, peers, write, help, ...given } = values as Readonly<Record<string, unknown>>;
  if (help === true) throw new Error(usage(sections));
  for (const name of only as readonly string[])
    if (!sections.includes(name)) throw new Error(`--only ${name}: expected one of ${sections.join(", ")}`);
  const read = Object.entries(NUMBERS).map(([name, [standard]]) => {
    const text = given[name];
    const value = text === undefined ? standard : Number(text);
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`--${name} ${text}: expected a whole number, such as ${standard}`);
    return [name, value] as const;
  });
  return {
    only: only as readonly string[],
    smoke: smoke === true,
    peers: peers === true,
    write: write === true,
    numbers: Object.fromEntries(read),
  };
}

function usage(sections: readonly string[]): string {
  const width = Math.max(...Object.keys(NUMBERS).map((name) => name.length));
  const numbers = Object.entries(NUMBERS).map(
    ([name, [standard, what]]) => `  --${name.padEnd(width)}  ${what} (${standard})`,
  );
  return [
    "npm run bench -- [--only <section>]... [--smoke] [--peers] [--write] [numbers]",
    `sections: ${sections.join(", ")}`,
    ...numbers,
  ].join("\n");
}
