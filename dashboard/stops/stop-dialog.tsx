import { useId, useState } from "preact/hooks";
import type { Stop, StopReach } from "../api/answers.ts";
import { send } from "../api/client.ts";
import { type Picture, usePoll } from "../api/use-poll.ts";
import { counted } from "../format/count.ts";
import { roughUsd, usd } from "../format/usd.ts";
import { Copy } from "../parts/copy.tsx";
import { Dialog } from "../parts/dialog.tsx";
import { Aftermath } from "./aftermath.tsx";
import { STOPS_CHANGED, type StopWish } from "./stopping.ts";

interface Props {
  readonly wish: StopWish;
  readonly onClose: () => void;
}

/** Asks what is stopped and says what that reaches; afterwards shows what became of the calls. */
export function StopDialog({ wish: { targets, command }, onClose }: Props) {
  const [chosen, setChosen] = useState(0);
  const [reason, setReason] = useState("");
  const [isOrdering, setIsOrdering] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [stop, setStop] = useState<Stop | null>(null);
  const id = useId();
  const target = targets[chosen] ?? targets[0];
  const body = target?.body ?? {};
  const reach = usePoll(JSON.stringify(body), null, () =>
    send<StopReach>("POST", "vault/stops", { ...body, dry_run: true }),
  );

  if (stop !== null)
    return (
      <Dialog title="Stopped" onClose={onClose}>
        <Aftermath stop={stop} />
        <div class="buttons">
          <button type="button" class="main" onClick={onClose}>
            Close
          </button>
        </div>
      </Dialog>
    );

  const order = async () => {
    setIsOrdering(true);
    setFailure(null);
    try {
      setStop(
        await send<Stop>("POST", "vault/stops", {
          ...body,
          ...(reason.trim() !== "" && { reason: reason.trim() }),
        }),
      );
      dispatchEvent(new Event(STOPS_CHANGED));
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
    setIsOrdering(false);
  };

  return (
    <Dialog title={`Stop ${target?.name}?`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void order();
        }}
      >
        <Reach reach={reach} />
        {targets.length > 1 && (
          <fieldset>
            <legend>What to stop</legend>
            {targets.map(({ name }, at) => (
              <label key={name} class="choice">
                <input
                  type="radio"
                  name={`${id}-target`}
                  checked={at === chosen}
                  onChange={() => setChosen(at)}
                />
                <span>{name}</span>
              </label>
            ))}
          </fieldset>
        )}
        <label for={`${id}-reason`}>Reason, shown in every refusal (optional)</label>
        <input
          id={`${id}-reason`}
          maxLength={200}
          autocomplete="off"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        {failure !== null && (
          <p class="note bad" role="alert">
            Nothing is known to be stopped: {failure}.
            {command !== undefined && (
              <>
                {" "}
                Try again, or paste the same stop into a shell:{" "}
                <Copy text={command} label="Copy the command" />
              </>
            )}
          </p>
        )}
        <div class="buttons">
          <button type="submit" class="stop main" disabled={isOrdering}>
            {isOrdering ? "Stopping…" : "Stop now"}
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** How many keys, how much exposure, and what is in flight. The stop waits for none of it. */
function Reach({ reach: { data, failure } }: { readonly reach: Picture<StopReach> }) {
  if (failure !== null)
    return (
      <p class="note">
        What it reaches could not be counted ({failure.message}). You can stop it all the same.
      </p>
    );
  if (data === null) return <p aria-live="polite">Counting what it reaches… You need not wait for it.</p>;
  const atLeast = data.complete ? "" : "at least ";
  return (
    <ul class="reach" aria-live="polite">
      <li>
        <b>
          {atLeast}
          {counted(data.keys, "live key")}
        </b>{" "}
        of {counted(data.runs, "run")} will be revoked, and none issued for 24 hours or until you undo it
      </li>
      <li>
        <b>
          {atLeast}
          {roughUsd(data.exposure_usd)}
        </b>{" "}
        that they could still spend will not be spent
      </li>
      <li>
        <b>{counted(data.in_flight.calls, "call")}</b> at the vendor now: up to{" "}
        <b>{usd(data.in_flight.usd)}</b> may still land
      </li>
    </ul>
  );
}
