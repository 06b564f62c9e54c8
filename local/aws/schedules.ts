import { type FunctionName, SCHEDULED } from "../../lib/services.ts";
import { type Invoke, invocationContext } from "./invocation.ts";

export interface Schedules {
  /** Runs a function now, beside its schedule. */
  run(name: FunctionName): Promise<unknown>;
  /** Runs a function now; where it runs already, once more after that, however often it is woken until then. */
  wake(name: FunctionName): void;
  /** Resolves when no run of a function is under way, of those that its interval or a wake began. */
  idle(name: FunctionName): Promise<void>;
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

/** Runs the functions that lib/services.ts schedules in their intervals, and others when they are woken, as EventBridge does: one run of each at a time. */
export function startSchedules({ invoke, sooner, atOnce, onError }: ScheduleOptions): Schedules {
  const now = (name: FunctionName) => invoke(name, {}, invocationContext(name));
  const underWay = new Map<FunctionName, Promise<unknown>>();
  const askedAgain = new Set<FunctionName>();
  const begin = (name: FunctionName) => {
    const running = now(name)
      .catch(onError)
      .finally(() => {
        underWay.delete(name);
        if (askedAgain.delete(name)) begin(name);
      });
    underWay.set(name, running);
  };
  const timers = SCHEDULED.map(({ name, everyMinutes }) => {
    const run = () => {
      if (!underWay.has(name)) begin(name);
    };
    if (atOnce) run();
    return setInterval(run, Math.min(everyMinutes * 60_000, sooner[name] ?? Infinity)).unref();
  });
  return {
    run: now,
    wake: (name) => {
      if (underWay.has(name)) askedAgain.add(name);
      else begin(name);
    },
    idle: async (name) => {
      while (underWay.has(name)) await underWay.get(name);
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      askedAgain.clear();
      await Promise.all(underWay.values());
    },
  };
}
