import { type FunctionName, SCHEDULED } from "../../lib/services.ts";
import { type Invoke, invocationContext } from "./invocation.ts";

export interface Schedules {
  /** Runs a function now, beside its schedule. */
  run(name: FunctionName): Promise<unknown>;
  /** Runs no more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

export interface ScheduleOptions {
  readonly invoke: Invoke;
  /** Shorter intervals of some, in milliseconds. */
  readonly sooner: Readonly<Partial<Record<FunctionName, number>>>;
  /** Whether each runs now too, for what a run of before left: one that always ends before its first interval would never run them. */
  readonly atOnce: boolean;
  readonly onError: (error: unknown) => void;
}

/** Runs the functions that lib/services.ts schedules in their intervals, one run of each at a time, as EventBridge does. */
export function startSchedules({ invoke, sooner, atOnce, onError }: ScheduleOptions): Schedules {
  const now = (name: FunctionName) => invoke(name, {}, invocationContext(name));
  const underWay = new Map<FunctionName, Promise<unknown>>();
  const timers = SCHEDULED.map(({ name, everyMinutes }) => {
    const run = () => {
      if (underWay.has(name)) return;
      const running = now(name)
        .catch(onError)
        .finally(() => underWay.delete(name));
      underWay.set(name, running);
    };
    if (atOnce) run();
    return setInterval(run, Math.min(everyMinutes * 60_000, sooner[name] ?? Infinity)).unref();
  });
  return {
    run: now,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(underWay.values());
    },
  };
}
