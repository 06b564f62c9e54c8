import { invalid } from "./errors.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  sec: 1_000,
  second: 1_000,
  min: 60_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/**
 * Reads when an e-mail is to be sent, in milliseconds since 1970: a date in ISO 8601, or of Resend's plain English
 * only `in 5 min` and its like. Throws a 422 on anything else.
 */
export function readScheduledAt(text: string, nowMs: number): number {
  const [, count, unit] = /^in (\d+) ([a-z]+?)s?$/.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  const scheduledMs =
    count === undefined || unitMs === undefined ? Date.parse(text) : nowMs + Number(count) * unitMs;
  if (Number.isFinite(scheduledMs)) return scheduledMs;
  throw invalid(
    "Invalid `scheduled_at` field. It needs to be a date in ISO 8601, or relative as in `in 1 min`.",
  );
}
