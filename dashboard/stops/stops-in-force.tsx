import { useEffect, useState } from "preact/hooks";
import type { ListedStop, Page } from "../api/answers.ts";
import { read, remove } from "../api/client.ts";
import { usePoll } from "../api/use-poll.ts";
import { useMay } from "../page/signed-in.ts";
import { Moment } from "../parts/moment.tsx";
import { Aftermath } from "./aftermath.tsx";
import { isInForce, nameOfStop } from "./stop-words.ts";
import { STOPS_CHANGED } from "./stopping.ts";

const REFRESH_MS = 5_000;

/** What is stopped now, and how to undo it. Nothing where nothing is. */
export function StopsInForce() {
  const stops = usePoll("stops", REFRESH_MS, (signal) =>
    read<Page<ListedStop>>("vault/stops", { limit: 100 }, signal),
  );
  useEffect(() => {
    addEventListener(STOPS_CHANGED, stops.refresh);
    return () => removeEventListener(STOPS_CHANGED, stops.refresh);
  }, [stops.refresh]);
  const standing = (stops.data?.data ?? []).filter(isInForce);
  if (standing.length === 0) return null;
  return (
    <section aria-labelledby="stops-title">
      <h2 id="stops-title">Stops in force</h2>
      <ul class="stops">
        {standing.map((stop) => (
          <Standing key={stop.id} stop={stop} onUndone={stops.refresh} />
        ))}
      </ul>
    </section>
  );
}

function Standing({ stop, onUndone }: { readonly stop: ListedStop; readonly onUndone: () => void }) {
  const mayUndo = useMay("revoke");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <div class="row">
        <div>
          <p class="run-name">{nameOfStop(stop)}</p>
          <p class="quiet">
            {stop.state === "revoking" ? "Revoking keys · " : ""}
            by {stop.by} at <Moment at={stop.at} /> · until <Moment at={stop.until} />
          </p>
          {stop.reason !== null && <p>“{stop.reason}”</p>}
        </div>
        <div class="buttons">
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? "Hide calls since" : "Calls since"}
          </button>
          {mayUndo && <Undo stop={stop} onUndone={onUndone} />}
        </div>
      </div>
      {isOpen && <Aftermath stop={stop} />}
    </li>
  );
}

/** Undoing lets the run issue keys again, so it asks once more. */
function Undo({ stop, onUndone }: { readonly stop: ListedStop; readonly onUndone: () => void }) {
  const [isAsking, setIsAsking] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const undo = async () => {
    try {
      await remove(`vault/stops/${stop.id}`);
      onUndone();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  if (failure !== null)
    return (
      <p class="note bad" role="alert">
        Still stopped: {failure}
      </p>
    );
  if (!isAsking)
    return (
      <button
        type="button"
        aria-label={`Undo the stop of ${nameOfStop(stop)}`}
        onClick={() => setIsAsking(true)}
      >
        Undo
      </button>
    );
  return (
    <div class="sure">
      <p>Keys are issued again; what was revoked stays revoked.</p>
      <button type="button" class="main" onClick={() => void undo()}>
        Let it run again
      </button>
      <button type="button" onClick={() => setIsAsking(false)}>
        Keep it stopped
      </button>
    </div>
  );
}
