import { Random } from "../simulation/random.ts";
import type { Asked, FaultyWay, Mishap } from "../support/faulty-way.ts";
import { MISHAP_NAMES, type MishapName, mishapOf } from "./mishaps.ts";

/** How likely each mishap is, from 0 to 1, for each request. */
export type Likely = Readonly<Record<MishapName, number>>;

/** One weather lasts this long. */
const SPELL_MS = 3_000;
/** In one of so many spells nothing goes wrong: what was begun gets on. */
const CALM_ONE_IN = 6;
/** All mishaps at once hide each other: a spell has some, each rare, common or frequent. */
const LEVELS = [0.015, 0.05, 0.15];
const CHANCE_OF_A_KIND = 0.5;
/** How likely a spell is to have times in which no connection opens, and how long such a time is. */
const CHANCE_OF_REFUSAL = 0.25;
const REFUSED_MS = [50, 700] as const;

/** What is never disturbed: a start makes its tables by these, and a start that fails is no call. */
const UNDISTURBED: readonly string[] = ["ListTables", "CreateTable", "DescribeTable", "UpdateTable"];

export interface WeatherOptions {
  /** Names the sequence of mishaps, with `name`: the same two make the same ones. */
  readonly seed: number;
  readonly name: string;
  /** Told each fault, and the operation that it befell. */
  readonly onFault: (kind: string, operation: string) => void;
  /** Milliseconds that a slow answer may take more. */
  readonly slowMs?: readonly [least: number, most: number];
  readonly nowMs?: () => number;
}

const SLOW_MS = [20, 800] as const;

export interface Weather {
  /** What befalls the next request of an operation. */
  befall(asked: Asked): Mishap | null;
  /** Refuses connections from time to time. */
  refuseOn(way: Pick<FaultyWay, "refuse">): void;
  /** Nothing goes wrong from here on. */
  calm(): void;
  /** Things go wrong again. */
  resume(): void;
  end(): void;
}

/**
 * Chance that decides what goes wrong, by a seed: the kinds and how likely they are change from spell to spell, and each
 * operation has a sequence of its own. Which call meets which of them depends on how calls interleave.
 */
export function openWeather({
  seed,
  name,
  onFault,
  slowMs = SLOW_MS,
  nowMs = Date.now,
}: WeatherOptions): Weather {
  const beganMs = nowMs();
  const sequences = new Map<string, Random>();
  let isCalm = false;
  let refusing: NodeJS.Timeout | undefined;
  const spellNow = () => Math.floor((nowMs() - beganMs) / SPELL_MS);
  let spell = { number: -1, likely: spellOf(seed, name, 0) };

  const sequenceOf = (operation: string): Random => {
    const known = sequences.get(operation);
    if (known !== undefined) return known;
    const made = new Random(seedOf(seed, name, operation));
    sequences.set(operation, made);
    return made;
  };

  return {
    befall(asked) {
      if (isCalm || UNDISTURBED.includes(asked.operation)) return null;
      const number = spellNow();
      if (number !== spell.number) spell = { number, likely: spellOf(seed, name, number) };
      const random = sequenceOf(asked.operation);
      for (const kind of MISHAP_NAMES) {
        if (!random.chance(spell.likely[kind])) continue;
        const mishap = mishapOf(kind, asked, random);
        if (mishap === null) continue;
        onFault(kind, asked.operation);
        return kind === "slow" ? { ...mishap, waitMs: random.between(...slowMs) } : mishap;
      }
      return null;
    },
    refuseOn(way) {
      const random = new Random(seedOf(seed, name, "refused"));
      refusing = setInterval(() => {
        if (isCalm || !random.chance(CHANCE_OF_REFUSAL)) return;
        onFault("refused", "any");
        void way.refuse(random.between(...REFUSED_MS));
      }, SPELL_MS).unref();
    },
    calm() {
      isCalm = true;
    },
    resume() {
      isCalm = false;
    },
    end() {
      isCalm = true;
      clearInterval(refusing);
    },
  };
}

/** Which mishaps a spell has. */
export function spellOf(seed: number, name: string, number: number): Likely {
  const random = new Random(seedOf(seed, name, `spell ${number}`));
  const isCalm = random.int(CALM_ONE_IN) === 0;
  const likely = MISHAP_NAMES.map((kind) => {
    const level = random.chance(CHANCE_OF_A_KIND) ? random.pick(LEVELS) : 0;
    return [kind, isCalm ? 0 : level] as const;
  });
  return Object.fromEntries(likely) as Likely;
}

/** A number for a seed and names, the same everywhere (FNV-1a). */
export function seedOf(seed: number, ...names: readonly string[]): number {
  let hash = 0x811c9dc5 ^ seed;
  for (const letter of names.join("\n")) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
