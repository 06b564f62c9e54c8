import type { Fields } from "../api/fields.ts";

/** How values of the wire are written for people. */

export const NOTHING = "-";

/** A field as text; `-` where it is null, absent or no text. */
export const textOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : NOTHING;
};

const DOLLARS = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
});

/** $1,234.50, and up to six places where a price is below a cent. */
export const dollars = (value: unknown): string =>
  typeof value === "number" && Number.isFinite(value) ? DOLLARS.format(value) : NOTHING;

export const dollarsOf = (fields: Fields, name: string): string => dollars(fields[name]);

const COUNT = new Intl.NumberFormat("en-US");

export const countOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === "number" ? COUNT.format(value) : NOTHING;
};

/** `1 key`, `2,000 keys`. */
export const counted = (count: number, thing: string): string =>
  `${COUNT.format(count)} ${thing}${count === 1 ? "" : "s"}`;

/** A time of the wire in UTC without its fractions: `2026-11-22 22:11:56Z`. */
export function timeOf(fields: Fields, name: string): string {
  const ms = msOf(fields, name);
  return ms === null ? NOTHING : `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** Milliseconds since 1970 of a time of the wire, or null. */
export function msOf(fields: Fields, name: string): number | null {
  const value = fields[name];
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
] as const;

/** A span in its largest unit, rounded down: `59m`, `3h`, `12d`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [unit, size] = UNITS.find(([, size]) => whole >= size) ?? ["s", 1];
  return `${Math.floor(whole / size)}${unit}`;
}

/** When a time is, seen from now: `in 59m`, `3h ago`. */
export function fromNow(fields: Fields, name: string, nowMs: number): string {
  const ms = msOf(fields, name);
  if (ms === null) return NOTHING;
  return ms >= nowMs ? `in ${span((ms - nowMs) / 1000)}` : `${span((nowMs - ms) / 1000)} ago`;
}

/** The list in a field, each a JSON object; others are left out. */
export const listOf = (fields: Fields, name: string): readonly Fields[] => {
  const value = fields[name];
  return Array.isArray(value)
    ? value.filter((item): item is Fields => typeof item === "object" && item !== null)
    : [];
};

/** The texts in a field, with commas between them; `-` where it is no list. */
export function textsOf(fields: Fields, name: string): string {
  const value = fields[name];
  return Array.isArray(value) ? value.map(String).join(", ") : NOTHING;
}
