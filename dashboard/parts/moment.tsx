import { clockText, localShiftMs, timeText } from "../format/time.ts";

/** A time in this browser's zone, with UTC beside where that is another one. `at`: as the API writes it. */
export function Moment({ at }: { readonly at: string }) {
  const atMs = Date.parse(at);
  const shiftMs = localShiftMs(atMs);
  return (
    <time dateTime={at} title={at}>
      {timeText(atMs, shiftMs, Date.now())}
      <span class="utc"> {shiftMs === 0 ? "UTC" : `${clockText(atMs, 0)} UTC`}</span>
    </time>
  );
}
