import { parseArgs } from "node:util";
import { ACTS, type Act } from "./round.ts";

/** What `npm run faults` was asked for. */
export interface FaultsOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly acts: readonly Act[];
  /** Seconds of traffic in a round. */
  readonly roundS: number;
  readonly judgesHeld: boolean;
}

const USAGE = `npm run faults -- [--minutes <number>] [--seed <number>] [--only ${Object.keys(ACTS).join("|")}] [--round-s <number>] [--held]
  --minutes  how long it runs (5)
  --seed     decides what goes wrong and what agents do (1)
  --only     one kind of rounds; else they take turns
  --round-s  seconds of traffic in a round (45)
  --held     what is held or open at the end of a round is printed and not judged`;

/** Reads the arguments; throws an Error that says what is accepted. */
export function parseOptions(args: readonly string[]): FaultsOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      seed: { type: "string" },
      only: { type: "string" },
      "round-s": { type: "string" },
      held: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const { only } = values;
  if (values.help === true || (only !== undefined && !isAct(only))) throw new Error(USAGE);
  return {
    minutes: numberOf(values.minutes, 5),
    seed: numberOf(values.seed, 1),
    acts: only === undefined ? (Object.keys(ACTS) as Act[]) : [only],
    roundS: numberOf(values["round-s"], 45),
    judgesHeld: values.held !== true,
  };
}

const isAct = (name: string): name is Act => Object.hasOwn(ACTS, name);

function numberOf(text: string | undefined, standard: number): number {
  const number = text === undefined ? standard : Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(USAGE);
}
