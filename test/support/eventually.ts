import { setTimeout as delay } from "node:timers/promises";

const STEP_MS = 20;

/** Repeats `check` until it does not throw and returns what it returns; throws its last failure after `withinMs`. */
export async function eventually<T>(check: () => T | Promise<T>, withinMs = 10_000): Promise<T> {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > untilMs) throw error;
    }
    await delay(STEP_MS);
  }
}
