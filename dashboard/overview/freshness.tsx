import type { Picture } from "../api/use-poll.ts";
import { spanText } from "../format/time.ts";
import { useNow } from "../page/use-now.ts";
import { MomentAgo } from "../parts/ago.tsx";

/** How old what is shown is, and up to when the calls are recorded. A refresh that failed says so. */
export function Freshness({
  picture,
  asOf,
}: {
  readonly picture: Picture<unknown>;
  readonly asOf: string | null;
}) {
  const { atMs, failure, refresh } = picture;
  const nowMs = useNow();
  return (
    <section class="fresh" aria-label="Age of the data">
      {failure !== null && (
        <p class="note bad" role="alert">
          <b>{atMs === null ? "No data: " : `These numbers are ${spanText(nowMs - atMs)} old: `}</b>
          the refresh failed ({failure.message}). It is tried again every 5 s.{" "}
          <button type="button" class="plain" onClick={refresh}>
            Try now
          </button>
        </p>
      )}
      {failure === null && atMs !== null && (
        <p class="quiet">
          {asOf !== null && (
            <>
              Recorded up to <MomentAgo at={asOf} /> ·{" "}
            </>
          )}
          refreshed {spanText(nowMs - atMs)} ago
        </p>
      )}
    </section>
  );
}
