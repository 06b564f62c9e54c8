/** Times as they are read: local, with UTC beside where that is another one. */

const pad = (part: number): string => String(part).padStart(2, "0");

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `14:03:22`. `shiftMs`: how far the zone is ahead of UTC. */
export function clockText(atMs: number, shiftMs: number): string {
  const at = new Date(atMs + shiftMs);
  return `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`;
}

/** `28 Nov`, with the year where it is another one than now. */
function dayText(atMs: number, shiftMs: number, nowMs: number): string {
  const at = new Date(atMs + shiftMs);
  const year = at.getUTCFullYear();
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`;
  return year === new Date(nowMs + shiftMs).getUTCFullYear() ? day : `${day} ${year}`;
}

/** The time of day, with the day before it where that is not today. */
export function timeText(atMs: number, shiftMs: number, nowMs: number): string {
  const isToday = Math.floor((atMs + shiftMs) / DAY_MS) === Math.floor((nowMs + shiftMs) / DAY_MS);
  const clock = clockText(atMs, shiftMs);
  return isToday ? clock : `${dayText(atMs, shiftMs, nowMs)} ${clock}`;
}

/** How far the zone of this browser is ahead of UTC at a time. */
export const localShiftMs = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * 60_000;

export const DAY_MS = 86_400_000;

/** `3 s`, `4 min`, `2 h`, `5 days`: rounded down. */
export function spanText(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  const days = Math.floor(s / 86_400);
  return days === 1 ? "1 day" : `${days} days`;
}
