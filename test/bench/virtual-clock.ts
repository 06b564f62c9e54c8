import { setImmediate as othersDone } from "node:timers/promises";

/**
 * A clock that goes on as soon as nobody has anything to do before: what is measured by it is decided by waiting alone, and
 * by no machine. Times in milliseconds from 0 on.
 */
export class VirtualClock {
  #nowMs = 0;
  readonly #sleeping: { readonly atMs: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => {
      const atMs = this.#nowMs + ms;
      let [low, high] = [0, this.#sleeping.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        // Latest first; of those that wake at one time the first one that went to sleep is last.
        if ((this.#sleeping[middle]?.atMs ?? 0) > atMs) low = middle + 1;
        else high = middle;
      }
      this.#sleeping.splice(low, 0, { atMs, wake });
    });
  }

  /** Runs until `done` is settled. */
  async run<T>(done: Promise<T>): Promise<T> {
    let isDone = false;
    const settled = done.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await othersDone();
      const next = this.#sleeping.pop();
      if (next === undefined) continue;
      this.#nowMs = next.atMs;
      next.wake();
    }
    return settled;
  }
}
