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

/**
 * Dollars a minute, and the vendors by how much they grew, most first. Null: nothing, or not enough to compare.
 *
 * The sum of all calls and those of the labels are read one after the other, and a call may be in one of them only. So of the
 * first two looks the higher counts, and of the last two the lower: one look that is off makes no alarm.
 */
export function unlabelledNow(
  samples: readonly Sample[],
): { readonly perMinute: number; readonly vendors: readonly string[] } | null {
  const [first, from] = samples;
  const [to, last] = samples.slice(-2);
  if (samples.length < 4 || !first || !from || !to || !last) return null;
  const grown = sumUsd([Math.min(to.usd, last.usd), -Math.max(first.usd, from.usd)]);
  if (grown <= 0) return null;
  const by = (vendor: string) => (last.vendors[vendor] ?? 0) - (first.vendors[vendor] ?? 0);
  return {
    perMinute: (grown / (to.atMs - from.atMs)) * 60_000,
    vendors: Object.keys(last.vendors).sort((one, other) => by(other) - by(one)),
  };
}
