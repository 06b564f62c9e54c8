import type { Chart } from "./chart.ts";
import type { BenchOptions, NumberName } from "./options.ts";

/** One line of figures. `goal`: what is to be reached; null where a figure only tells. */
export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly goal: string | null;
  /** Whether the goal is reached; null where there is none. */
  readonly reached: boolean | null;
}

export interface SectionResult {
  readonly figures: readonly Figure[];
  /** What has to be right on every machine: a bench that finds it wrong fails. */
  readonly wrong: readonly string[];
  /** Shown above the figures of its section. */
  readonly chart?: Chart;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  /** How it is measured, for the page. */
  readonly how: string;
  /** What stops a goal that cannot be reached, for the page. */
  readonly limits?: string;
  run(bench: Bench): Promise<SectionResult>;
}

/** What a section gets. */
export interface Bench {
  readonly options: BenchOptions;
  number(name: NumberName): number;
  /** Tells a person what runs now. */
  say(line: string): void;
}

export const atMost = (
  name: string,
  value: number,
  goal: number,
  shown: (value: number) => string,
): Figure => ({
  name,
  value: shown(value),
  goal: `<= ${shown(goal)}`,
  reached: value <= goal,
});

export const atLeast = (
  name: string,
  value: number,
  goal: number,
  shown: (value: number) => string,
): Figure => ({
  name,
  value: shown(value),
  goal: `>= ${shown(goal)}`,
  reached: value >= goal,
});

export const told = (name: string, value: string): Figure => ({ name, value, goal: null, reached: null });

export const count = (value: number): string => Math.round(value).toLocaleString("en-US");
export const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
export const ratio = (value: number): string => value.toFixed(2);
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)} ms`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
