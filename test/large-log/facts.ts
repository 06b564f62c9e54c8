import type { Random } from "../simulation/random.ts";

/**
 * What a large audit log is made of: keys and calls of some months, as plain facts. Nothing of the product is used here, so
 * that what is counted from them (count.ts) shares no mistake with it. Money in micro-dollars, times in milliseconds.
 */
export interface Facts {
  readonly keys: readonly KeyFacts[];
  /** Oldest first. */
  readonly calls: readonly CallFacts[];
}

export interface KeyFacts {
  readonly id: string;
  readonly vendor: string;
  readonly label: string | null;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  /** The key that issued it; null for one of an operator. */
  readonly parent: KeyFacts | null;
  /** Whether the Vault still has it: keys go 30 days after they expire. */
  readonly isKept: boolean;
}

export type Outcome =
  | "settled"
  | "denied"
  | "released"
  | "free"
  | "unresolved"
  /** Unresolved first, and settled by a retry. */
  | "found_out"
  /** Settled at an estimate, and at another price later. */
  | "repriced"
  | "open";

export interface CallFacts {
  readonly id: string;
  readonly attemptId: string;
  readonly key: KeyFacts;
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly reserved: bigint;
  /** What it cost in the end; 0 where it cost nothing. */
  readonly cost: bigint;
  /** What it was settled at first, where another price came later. */
  readonly estimate: bigint;
}

export const VENDORS = ["stripe", "twilio", "resend"] as const;

/** Labels with `/`, `:` and without; a group whose name begins another's; letters beyond ASCII; and none. */
export const LABELS: readonly (string | null)[] = [
  ...Array.from({ length: 12 }, (_, n) => `modal-billing/cus_${n}`),
  "modal-billing-eu/cus_1",
  "modal-billing-eu/cus_10",
  ...Array.from({ length: 6 }, (_, n) => `metaflow:flow-${n}`),
  "nightly",
  "grüße/😀",
  "grüße/zoë",
  null,
];

const DAY_MS = 86_400_000;
/** Days from the issue of a key to its end, and back to its issue from now: the last keys are those that can be used. */
const LIFE_DAYS = 14;
const GENERATIONS_DAYS_AGO = [85, 57, 40, 13];
/** A key is in the Vault until so many days after its end. */
const KEPT_DAYS = 30;
/** What is old ended so long ago: no run of it is active any more. */
const QUIET_MS = 2 * 3_600_000;
const RECENT_MS = 4 * 60_000;

/** Keys of four times within three months, and calls over the life of each. */
export function oldFacts(calls: number, nowMs: number, random: Random): Facts {
  const made: CallFacts[] = [];
  const generations = GENERATIONS_DAYS_AGO.map((daysAgo, index) => {
    const beganMs = nowMs - daysAgo * DAY_MS;
    const keys = keysOf(beganMs, nowMs, random);
    const times = { fromMs: beganMs + 1_000, toMs: Math.min(beganMs + LIFE_DAYS * DAY_MS, nowMs - QUIET_MS) };
    const count = Math.floor((calls * (index + 1)) / 4) - Math.floor((calls * index) / 4);
    made.push(...callsOf(keys, count, times, random));
    return keys;
  });
  return { keys: generations.flat(), calls: made };
}

/** Calls of the last minutes by the keys that can still be used. */
export function recentCalls(
  { keys }: Facts,
  count: number,
  nowMs: number,
  random: Random,
): readonly CallFacts[] {
  const usable = keys.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  return callsOf(usable, count, { fromMs: nowMs - RECENT_MS, toMs: nowMs }, random);
}

/** As many calls, evenly over a time. Runs take turns: one makes some calls, then another one. */
function callsOf(
  keys: readonly KeyFacts[],
  count: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  random: Random,
): readonly CallFacts[] {
  const made: CallFacts[] = [];
  let working: readonly KeyFacts[] = [];
  let left = 0;
  for (let n = 0; n < count; n++, left--) {
    if (left === 0) {
      const { label } = random.pick(keys);
      working = keys.filter((key) => key.label === label);
      left = random.between(1, Math.min(60, Math.ceil(count / 50)));
    }
    const atMs = Math.floor(fromMs + (n * (toMs - fromMs)) / count);
    made.push(callOf(made.at(-1), random.pick(working), atMs, random));
  }
  return made;
}

/** Two keys of each label, of two vendors, and a child of some. */
function keysOf(issuedAtMs: number, nowMs: number, random: Random): readonly KeyFacts[] {
  const expiresAtMs = issuedAtMs + LIFE_DAYS * DAY_MS;
  const isKept = expiresAtMs + KEPT_DAYS * DAY_MS > nowMs;
  const made: KeyFacts[] = [];
  for (const [at, label] of LABELS.entries())
    for (const more of [0, 1]) {
      const vendor = VENDORS[(at + more) % VENDORS.length] ?? "stripe";
      const key = {
        id: `key_${random.text(16)}`,
        vendor,
        label,
        // Not all at once, so that lists have an order.
        issuedAtMs: issuedAtMs - made.length * 10,
        expiresAtMs,
        parent: null,
        isKept,
      };
      made.push(key);
      if (at % 4 === 0)
        made.push({
          ...key,
          id: `key_${random.text(16)}`,
          issuedAtMs: issuedAtMs - made.length * 10,
          parent: key,
        });
    }
  return made;
}

/** By parts of a hundred. */
const OUTCOMES: readonly (readonly [Outcome, number])[] = [
  ["settled", 62],
  ["denied", 15],
  ["released", 7],
  ["free", 8],
  ["unresolved", 2],
  ["found_out", 2],
  ["repriced", 3],
  ["open", 1],
];

/** `last`: the call before it. */
function callOf(last: CallFacts | undefined, key: KeyFacts, atMs: number, random: Random): CallFacts {
  const outcome = outcomeBy(random);
  const reserved = outcome === "free" ? 0n : BigInt(random.between(1, 900)) * 7_900n;
  // Some of the calls of a program begin in the same millisecond.
  const sameMs = last !== undefined && random.chance(0.02);
  return {
    id: `call_${random.text(40)}`,
    attemptId: `att_${random.text(20)}`,
    key,
    atMs: sameMs ? last.atMs : atMs,
    outcome,
    reserved,
    cost: costOf(outcome, reserved, random),
    estimate: outcome === "repriced" ? reserved : 0n,
  };
}

function outcomeBy(random: Random): Outcome {
  let left = random.int(100);
  for (const [outcome, parts] of OUTCOMES) {
    left -= parts;
    if (left < 0) return outcome;
  }
  return "settled";
}

/** Mostly what was reserved, sometimes less, and now and then more. */
function costOf(outcome: Outcome, reserved: bigint, random: Random): bigint {
  if (outcome !== "settled" && outcome !== "found_out" && outcome !== "repriced") return 0n;
  const chance = random.int(20);
  if (chance === 0) return reserved + 1n;
  return chance < 4 || outcome === "repriced" ? (reserved * 2n) / 3n : reserved;
}
