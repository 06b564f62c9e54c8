import type { Clock } from "../../ports/clock.ts";
import type { DueList } from "../../ports/due-list.ts";

export interface WakePorts {
  readonly dueList: Pick<DueList, "isAnyDue">;
  readonly clock: Clock;
  /** Runs the resolver, once it is told; it resolves as soon as that is certain, and rejects where nobody took it. */
  readonly wake: () => Promise<void>;
}

/**
 * Wakes the resolver where a call is due: nothing else does, so it costs nothing while nothing is open. `put`: how many calls
 * were just put on the due list, which a look may not show yet. Returns whether it was woken; throws where it should have been,
 * and could not.
 */
export async function wakeResolver(put: number, { dueList, clock, wake }: WakePorts): Promise<boolean> {
  const isDue = put > 0 || (await dueList.isAnyDue(clock.now()));
  if (isDue) await wake();
  return isDue;
}
