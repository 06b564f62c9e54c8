import type { Random } from "./random.ts";

/** How likely each fault is, from 0 to 1, each time it may happen. */
export type Faults = Readonly<Record<FaultName, number>>;

const FAULTS = [
  // writes and reads of the table
  "replyLost",
  "late",
  "vanished",
  "readFailed",
  "throttled",
  "conflict",
  "indexLags",
  // processes
  "crash",
  "suspend",
  "stall",
  "jump",
  // the vendor and the way to it
  "unreachable",
  "requestLost",
  "broken",
  "timeout",
  "tooMany",
  "decline",
  "errorAfterCommit",
  "errorBeforeCommit",
  "refusalStored",
  "rotate",
  // the shop's own backend
  "raisedElsewhere",
] as const;

export type FaultName = (typeof FAULTS)[number];

export const NO_FAULTS = Object.fromEntries(FAULTS.map((name) => [name, 0])) as Faults;

/** Rarer than the rest, since each ends a process, moves time for all or puts an object out of reach. */
const RARE: readonly FaultName[] = ["crash", "jump", "stall", "suspend", "rotate", "raisedElsewhere"];

/**
 * Half of the faults, each rare, common or frequent. All at once hide each other: a schedule in which every write is
 * lost never gets as far as a late answer.
 */
export function someFaults(random: Random): Faults {
  const likely = FAULTS.map((name) => {
    if (random.chance(0.5)) return [name, 0] as const;
    const level = random.pick([0.03, 0.1, 0.3]);
    return [name, RARE.includes(name) ? level / 10 : level] as const;
  });
  return Object.fromEntries(likely) as Faults;
}
