import { constants } from "node:os";
import { watchNpm } from "./npm-watch.ts";

/** A terminal's signal comes twice where npm passes it on too (npm 11 with bash as its shell, run 2026-11-27): at once. */
const SAME_SIGNAL_MS = 300;

export interface Stopping {
  /** Called once, by the first signal. */
  readonly begin: () => void;
  /** Called by a second one, with the exit code that says so. */
  readonly atOnce: (exitCode: number) => void;
  readonly nowMs?: () => number;
}

/** Whether a signal is the first, the same one once more, or a second: then its exit code is told. */
export function signalsInTurn({ begin, atOnce, nowMs = () => performance.now() }: Stopping) {
  let begunMs: number | undefined;
  const start = () => {
    if (begunMs !== undefined) return false;
    begunMs = nowMs();
    begin();
    return true;
  };
  return {
    /** As a first signal, which a signal of before makes superfluous. */
    start,
    signal: (name: "SIGINT" | "SIGTERM") => {
      if (start() || nowMs() - (begunMs ?? 0) < SAME_SIGNAL_MS) return;
      atOnce(128 + constants.signals[name]);
    },
  };
}

/** Stops this process by SIGINT, SIGTERM and by the end of the npm that started it. */
export function stopOnSignal(stopping: Stopping): void {
  const { start, signal } = signalsInTurn(stopping);
  process.on("SIGINT", () => signal("SIGINT"));
  process.on("SIGTERM", () => signal("SIGTERM"));
  watchNpm({ ended: start, killed: () => stopping.atOnce(1) });
}
