import { type FunctionName, SCHEDULED } from "../../lib/services.ts";
import { type Invoke, invocationContext } from "./invocation.ts";

export interface Schedules {
  /** Runs no more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

/** Runs the functions that lib/services.ts schedules in their intervals, one run of each at a time, as EventBridge does. */
export function startSchedules(invoke: Invoke, onError: (error: unknown) => void): Schedules {
  const underWay = new Map<FunctionName, Promise<unknown>>();
  const timers = SCHEDULED.map(({ name, everyMinutes }) => {
    const run = () => {
      if (underWay.has(name)) return;
      const running = invoke(name, {}, invocationContext(name))
        .catch(onError)
        .finally(() => underWay.delete(name));
      underWay.set(name, running);
    };
    return setInterval(run, everyMinutes * 60_000).unref();
  });
  return {
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(underWay.values());
    },
  };
}
