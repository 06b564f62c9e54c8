import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Simulator } from "./shared/server.ts";

/** How the simulator of a vendor is started by a local run. */
export type StartSimulator = (options: {
  /** The only credential that it takes, so that a call which went out with a vault key shows. */
  readonly credential: string;
  /** How long every execution waits before it changes anything. */
  readonly latencyMs: number;
}) => Promise<Simulator>;

/**
 * What starts the simulator of a vendor, or null where there is none. The folder is the list: `<name>/start.ts` exports
 * `startSimulator`.
 */
export async function simulatorOf(vendor: string): Promise<StartSimulator | null> {
  const file = join(import.meta.dirname, vendor, "start.ts");
  if (!existsSync(file)) return null;
  const { startSimulator }: { readonly startSimulator: StartSimulator } = await import(
    pathToFileURL(file).href
  );
  return startSimulator;
}
