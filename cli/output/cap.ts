import { type Fields, isFields } from "../api/fields.ts";
import type { Tone } from "./table.ts";
import { dollarsOf, fromNow, msOf } from "./words.ts";

/**
 * The caps of a key: `$20.01 left of $50.00, $29.99 spent`, one line each. `daily`: what its window is called. `nowMs`: null
 * where the end of the window is not told.
 */
export function capFields(
  key: Fields,
  daily: string,
  nowMs: number | null,
): readonly (readonly [name: string, value: string, tone: Tone])[] {
  const caps = key["caps"];
  if (!isFields(caps)) return [];
  const titles = [
    ["daily", daily],
    ["total", "in total"],
  ] as const;
  return titles.flatMap(([name, title]) => {
    const cap = caps[name];
    if (!isFields(cap)) return [];
    const parts = [
      `${dollarsOf(cap, "remaining_usd")} left of ${dollarsOf(cap, "usd_cap")}`,
      `${dollarsOf(cap, "spent_usd")} spent`,
      isAbove0(cap["reserved_usd"]) ? `${dollarsOf(cap, "reserved_usd")} reserved` : "",
      isAbove0(cap["exceeded_by_usd"]) ? `exceeded by ${dollarsOf(cap, "exceeded_by_usd")}` : "",
      nowMs !== null && resetsBefore(cap, key) ? `again in full ${fromNow(cap, "resets_at", nowMs)}` : "",
    ];
    return [
      [
        title,
        parts.filter((part) => part !== "").join(", "),
        isAbove0(cap["remaining_usd"]) ? "none" : "bad",
      ] as const,
    ];
  });
}

/** A window that outlives the key never starts again. */
const resetsBefore = (cap: Fields, key: Fields): boolean =>
  (msOf(cap, "resets_at") ?? Number.POSITIVE_INFINITY) <
  (msOf(key, "expires_at") ?? Number.POSITIVE_INFINITY);

const isAbove0 = (value: unknown): boolean => typeof value === "number" && value > 0;
