/**
 * A time as it stands on the wire and in the audit table: `2026-11-22T05:00:00.123+00:00`, always UTC and with
 * milliseconds, so that it sorts as text. Every Python since 3.7 reads it, while a trailing `Z` it does not.
 */
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "+00:00");

/** The UTC day of a time: `2026-11-22`. */
export const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** Reads an ISO 8601 time with an offset or `Z`, or a day; null for anything else. Milliseconds since 1970. */
export function parseTime(text: string): number | null {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const full = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/.test(text);
  if (!day && !full) return null;
  const ms = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(ms) ? null : ms;
}

/**
 * How far apart two clocks may be, in milliseconds. AWS refuses a request whose time is off by five minutes (signatures are valid
 * for five, IAM user guide, read 2026-11-28).
 */
export const CLOCKS_APART_MS = 900_000;

const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads a duration such as `30s`, `5m`, `4h` or `7d`; null for anything else. Seconds. */
export function parseDuration(text: string): number | null {
  const match = /^([1-9]\d{0,6})([smhd])$/.exec(text);
  const unit = UNITS_S[match?.[2] ?? ""];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
