import type { Clock } from "../../ports/clock.ts";
import type { DueList } from "../../ports/due-list.ts";

export interface WakePorts {
  readonly dueList: Pick<DueList, "isAnyDue">;
  readonly clock: Clock;
  /** Runs the resolver, once it is told; it resolves as soon as that is certain, and rejects where nobody took it. */
  readonly wake: () => Promise<void>;
}

/** Six times as long as it takes until the resolver is woken again. */
const OVERDUE_MS = 30 * 60_000;

/**
 * Wakes the resolver where a call is due: nothing else does, so it costs nothing while nothing is open. Returns whether it was
 * woken; throws where it should have been and could not, and where it was woken and calls stay due all the same.
 */
export async function wakeResolver({ dueList, clock, wake }: WakePorts): Promise<boolean> {
  const nowMs = clock.now();
  if (!(await dueList.isAnyDue(nowMs))) return false;
  await wake();
  if (await dueList.isAnyDue(nowMs - OVERDUE_MS))
    throw new Error(
      "calls have been due for half an hour and more: the resolver did not finish them, and was woken again",
    );
  return true;
}
