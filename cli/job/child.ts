import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { endedBySignal, NOT_STARTED } from "../exit-code.ts";

/** What a person or a supervisor ends a job with. A second one is passed on too: many jobs then stop at once. */
const PASSED_ON = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
type Signal = (typeof PASSED_ON)[number];

/** What a terminal sends to every process in front of it, so that the job has it already. */
const FROM_A_TERMINAL: readonly Signal[] = ["SIGINT", "SIGQUIT"];

export interface Ended {
  readonly exitCode: number;
  /** Why the job could not be started, or null. */
  readonly problem: string | null;
}

/** Signals of this process while a job runs, and before and after: none of them ends this process with a key left over. */
export interface Signals {
  /** The first signal that came before the job was started, or null. */
  early(): Signal | null;
  /** Passes on what comes from now on. */
  passTo(child: ChildProcess): void;
  stop(): void;
}

/**
 * `isTerminal`: whether a terminal is in front, which sends Ctrl-C to the job as well. `tooEarly`: called at the first signal
 * before there is a job.
 */
export function takeSignals(
  process: NodeJS.Process,
  isTerminal: boolean,
  tooEarly: (signal: string) => void,
): Signals {
  let first: Signal | null = null;
  let child: ChildProcess | null = null;
  const handlers = PASSED_ON.map((signal) => {
    const handler = () => {
      if (child === null && first === null) {
        first = signal;
        tooEarly(signal);
      } else if (!(isTerminal && FROM_A_TERMINAL.includes(signal))) child?.kill(signal);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  return {
    early: () => first,
    passTo(started) {
      child = started;
    },
    stop() {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

/** Runs a job to its end, on the terminal or pipes of this process. Its exit code, or that of a shell for what did not start. */
export function runChild(
  [command = "", ...rest]: readonly string[],
  environment: Readonly<Record<string, string>>,
  signals: Signals,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, rest, { stdio: "inherit", env: environment });
    signals.passTo(child);
    child.once("error", (error: NodeJS.ErrnoException) => {
      const isThere = error.code !== "ENOENT";
      resolve({
        exitCode: isThere ? NOT_STARTED.notExecutable : NOT_STARTED.notFound,
        problem: isThere
          ? `${command} cannot be started (${error.code ?? error.message})`
          : `${command}: no such program`,
      });
    });
    child.once("exit", (code, signal) => {
      resolve({ exitCode: code ?? endedBySignal(constants.signals[signal ?? "SIGKILL"]), problem: null });
    });
  });
}
