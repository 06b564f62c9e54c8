import { setTimeout as sleep } from "node:timers/promises";
import { sendFailure } from "./dynamo-errors.ts";

/** How one try ended. `again`: it may pass in a moment, and `cause` is thrown where no try is left. */
export type Tried<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "again"; readonly cause: unknown };

/** How time passes between two tries, and the chance that keeps two processes from trying again in step. */
export interface Waiting {
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<unknown>;
  /** From 0 up to, not including, 1. */
  readonly chance: () => number;
}

const REAL_TIME: Waiting = { wait: (ms) => sleep(ms), chance: () => Math.random() };

const FIRST_WAIT_MS = 20;

/**
 * The one back-off of all that is sent again to DynamoDB: tries until it is done, `againMax` times more at most. It waits
 * 10 to 30 milliseconds at first and twice as long each time. What a try throws is thrown at once.
 */
export async function withBackOff<T>(
  againMax: number,
  tryOnce: () => Promise<Tried<T>>,
  { wait, chance }: Waiting = REAL_TIME,
): Promise<T> {
  for (let again = 0; ; again++) {
    const tried = await tryOnce();
    if (tried.kind === "done") return tried.value;
    if (again >= againMax) throw tried.cause;
    await wait(FIRST_WAIT_MS * 2 ** again * (0.5 + chance()));
  }
}

export const RESENDS_MAX = 4;

/** Sends again, a few times, what certainly was not applied and may pass. */
export const resent = <T>(send: () => Promise<T>): Promise<T> =>
  withBackOff(RESENDS_MAX, async () => {
    try {
      return { kind: "done", value: await send() };
    } catch (cause) {
      if (sendFailure(cause) !== "passing") throw cause;
      return { kind: "again", cause };
    }
  });
