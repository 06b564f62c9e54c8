import { useState } from "preact/hooks";
import type { ListedStop } from "../api/answers.ts";
import { remove } from "../api/client.ts";
import { useMay } from "../page/signed-in.ts";
import { In } from "../parts/ago.tsx";
import { Moment } from "../parts/moment.tsx";
import { Aftermath } from "./aftermath.tsx";
import { isInForce, nameOfStop } from "./stop-words.ts";
import { STOPS_CHANGED } from "./stopping.ts";

/** What is stopped now, and how to undo it. Nothing where nothing is. */
export function StopsInForce({ stops }: { readonly stops: readonly ListedStop[] }) {
  const standing = stops.filter(isInForce);
  if (standing.length === 0) return null;
  return (
    <section aria-labelledby="stops-title">
      <h2 id="stops-title">Stops in force</h2>
      <ul class="stops">
        {standing.map((stop) => (
          <Standing key={stop.id} stop={stop} />
        ))}
      </ul>
    </section>
  );
}

function Standing({ stop }: { readonly stop: ListedStop }) {
  const mayUndo = useMay("revoke");
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li>
      <div class="row">
        <div>
          <p class="run-name">{nameOfStop(stop)}</p>
          {stop.reason !== null && <p>“{stop.reason}”</p>}
          <p class="quiet">
            {stop.state === "revoking" && "Revoking its keys · "}
            {stop.by} at <Moment at={stop.at} /> · ends in <In at={stop.until} />
          </p>
        </div>
        <div class="buttons">
          <button type="button" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {isOpen ? "Hide calls since" : "Calls since"}
          </button>
          {mayUndo && <Undo stop={stop} />}
        </div>
      </div>
      {isOpen && <Aftermath stop={stop} />}
    </li>
  );
}

/** Undoing lets the run issue keys again, so it asks once more. */
function Undo({ stop }: { readonly stop: ListedStop }) {
  const [isAsking, setIsAsking] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const undo = async () => {
    try {
      await remove(`vault/stops/${stop.id}`);
      dispatchEvent(new Event(STOPS_CHANGED));
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
