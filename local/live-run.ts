import { setTimeout as delay } from "node:timers/promises";

/** A run that goes on until somebody stops it, to look at in the dashboard. */
export interface LiveRun {
  /** One invocation. Resolves with why no further one is let through, or with null. */
  readonly invoke: (invocation: number) => Promise<string | null>;
  readonly everyMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Invokes again and again; resolves with what stopped the run, or with null where the signal did. */
export async function runLive({ invoke, everyMs, signal }: LiveRun): Promise<string | null> {
  for (let invocation = 1; !signal.aborted; invocation++) {
    const stopped = await invoke(invocation);
    if (stopped !== null) return stopped;
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
  return null;
}
