import { sumUsd } from "../format/usd.ts";

/**
 * What keys without a label spend now. They are in no run, so no minute of them is kept: it is seen by how the sums of the day
 * grow while the page is open.
 */

/** One look at the sums since the page was opened. */
export interface Sample {
  readonly atMs: number;
  /** What all calls spent, less what those with a label did. */
  readonly usd: number;
  /** Vendor -> what all its calls spent. */
  readonly vendors: Readonly<Record<string, number>>;
}

/** So far back they are compared. */
const WINDOW_MS = 120_000;

/** The looks that still count, with a new one. */
export const kept = (samples: readonly Sample[], next: Sample): readonly Sample[] => [
  ...samples.filter(({ atMs }) => atMs > next.atMs - WINDOW_MS),
  next,
];

/** Dollars a minute, and the vendors by how much they grew, most first. Null: nothing, or nothing to compare with. */
export function unlabelledNow(
  samples: readonly Sample[],
): { readonly perMinute: number; readonly vendors: readonly string[] } | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.atMs === first.atMs) return null;
  const grown = sumUsd([last.usd, -first.usd]);
  if (grown <= 0) return null;
  const by = (vendor: string) => (last.vendors[vendor] ?? 0) - (first.vendors[vendor] ?? 0);
  return {
    perMinute: (grown / (last.atMs - first.atMs)) * 60_000,
    vendors: Object.keys(last.vendors).sort((one, other) => by(other) - by(one)),
  };
}
