/** Which runs are stopped already, so that the page asks for no stop twice. */

interface ListedStop {
  readonly state: string;
  readonly agent_run_label: string | null;
  readonly vendor: string | null;
  readonly parent_id: string | null;
  readonly api_key_id: string | null;
}

/** `stopping`: no key is issued any more, but not every key is revoked yet. Null: it goes on. */
export type Coverage = "stopped" | "stopping" | null;

/** What the stops in force do to a run. `stopLabel`: a label, or with a last `*` all that begin so. */
export function coverageOf(stopLabel: string, stops: readonly ListedStop[]): Coverage {
  const covering = stops.filter((stop) => covers(stop, stopLabel));
  if (covering.some(({ state }) => state === "in_force")) return "stopped";
  return covering.some(({ state }) => state === "revoking") ? "stopping" : null;
}

/** A stop of a vendor, of a parent or of an API key may leave other keys of the run, so it covers none. */
function covers({ agent_run_label, vendor, parent_id, api_key_id }: ListedStop, stopLabel: string): boolean {
  if (vendor !== null || parent_id !== null || api_key_id !== null) return false;
  if (agent_run_label === null) return true;
  if (!agent_run_label.endsWith("*")) return agent_run_label === stopLabel;
  return stopLabel.startsWith(agent_run_label.slice(0, -1));
}
