import type { Stop } from "../api/answers.ts";
import { read } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { counted, number } from "../format/count.ts";
import { sumUsd, usd } from "../format/usd.ts";
import { useMay } from "../page/signed-in.ts";
import { Moment } from "../parts/moment.tsx";

const REFRESH_MS = 2_000;

/** What became of the calls since a stop, as it goes on. */
export function Aftermath({ stop: ordered }: { readonly stop: Stop }) {
  const mayRead = useMay("read");
  const picture = usePoll(ordered.id, mayRead ? REFRESH_MS : null, (signal) =>
    mayRead ? read<Stop>(`vault/stops/${ordered.id}`, {}, signal) : Promise.resolve(ordered),
  );
  const stop = picture.data ?? ordered;
  const open = sumUsd([stop.in_flight?.usd ?? 0, stop.unresolved?.usd ?? 0]);
  const isRevoking = stop.state === "revoking";
  return (
    <div class="aftermath" aria-live="polite">
      <p class="figure">
        <b>{stop.calls_since === null ? "…" : number(stop.calls_since)}</b>{" "}
        {stop.calls_since === 1 ? "call" : "calls"} let through since <Moment at={stop.at} />
      </p>
      {stop.revoked_at !== null && stop.keys_revoked > 0 && (
        <p>
          <b>No further call passes:</b> {counted(stop.keys_revoked, "key")} revoked by{" "}
          <Moment at={stop.revoked_at} />.
        </p>
      )}
      <p>
        <b>{number(stop.in_flight?.calls ?? 0)} in flight</b>, up to <b>{usd(open)}</b> may still land.
        {stop.unresolved !== null &&
          stop.unresolved.calls > 0 &&
          ` ${counted(stop.unresolved.calls, "call")} without a known outcome.`}
      </p>
      <p class="quiet">
        {isRevoking && `Revoking: ${counted(stop.keys_revoked, "key")} revoked so far. `}
        No key is issued for it until <Moment at={stop.until} />.
      </p>
      {picture.failure !== null && (
        <p class="note bad">The refresh failed ({picture.failure.message}); the stop stands.</p>
      )}
    </div>
  );
}
