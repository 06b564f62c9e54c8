import { balanceOf } from "./balance.ts";
import type { Applied, Balance, Setting, State } from "./state.ts";
import type { Steps } from "./step.ts";

/**
 * What the consumer of the stream may do next. Writes of one balance come in their order, those of different balances in
 * any order, and any of them late. A batch that fails for good goes to the dead letters. A shard may be read again from an
 * earlier place. The stream of a record needs no steps: it only makes a call known, and the resolver may rest anyway.
 */
export function consumerSteps(steps: Steps, setting: Setting): void {
  if (!setting.streams) return;
  const { faults } = steps.before;
  for (const [key, balance] of Object.entries(steps.before.balances)) {
    const step = (what: string, change: (state: State, own: Balance) => void) =>
      steps.add(`consumer: ${key}: ${what}`, (state) => change(state, balanceOf(state, key)));
    const waiting = balance.log.length - balance.delivered;
    for (const size of new Set([1, waiting].filter((some) => some > 0 && some <= waiting))) {
      step(`notes ${size} from ${balance.delivered + 1}`, (_, own) => note(own, size, setting));
    }
    if (waiting > 0 && faults.deadLetter > 0) {
      step(`gives up ${balance.delivered + 1}`, (state, own) => {
        state.faults.deadLetter--;
        own.delivered++;
        if (!seenOf(own).has(own.delivered)) own.dead.push(own.delivered);
      });
    }
    if (balance.delivered > 0 && faults.rewind > 0) {
      for (let place = 0; place < balance.delivered; place++) {
        step(`reads again from ${place + 1}`, (state, own) => {
          state.faults.rewind--;
          own.delivered = place;
        });
      }
    }
    for (const [index, n] of faults.replay > 0 ? balance.dead.entries() : []) {
      step(`dead letter ${n} is replayed`, (state, own) => {
        state.faults.replay--;
        own.dead.splice(index, 1);
        own.evidence[n] = [n];
      });
    }
  }
}

/**
 * Writes the evidence of one batch. A batch that comes again in another size overwrites what has its name: by the first
 * write, what is lost of the longer one is delivered again after it.
 */
function note(balance: Balance, size: number, { rules }: Setting): void {
  const first = balance.delivered + 1;
  const numbers = Array.from({ length: size }, (_, index) => first + index);
  balance.delivered += size;
  balance.evidence[rules.evidenceByFirst ? first : balance.delivered] = numbers;
  balance.dead = balance.dead.filter((n) => !numbers.includes(n));
}

/** The numbers of the writes that the evidence has. */
const seenOf = ({ evidence }: Balance): ReadonlySet<number> => new Set(Object.values(evidence).flat());

/**
 * The names of the writes of a key since a time: all of them, and none can follow that was decided until then. Null while
 * that is not certain.
 */
export function evidenceSince(
  state: State,
  key: string,
  issuedAt: number,
  setting: Setting,
): ReadonlySet<string> | null {
  const { rules } = setting;
  const balance = balanceOf(state, key);
  if (rules.raisesFence && balance.fence < issuedAt) return null;
  if (!setting.streams) return new Set(balance.log.map(({ id }) => id));

  const seen = seenOf(balance);
  const fenceAt = rules.raisesFence
    ? balance.log.findLastIndex(({ op }) => op === "fence") + 1
    : balance.log.length;
  const from = lowerBound(balance.log, seen, issuedAt, setting);
  const isWhole = Array.from({ length: Math.max(fenceAt - from, 0) }, (_, index) => from + 1 + index).every(
    (n) => seen.has(n),
  );
  const isThere = rules.refusesGaps ? isWhole : seen.has(fenceAt);
  if (rules.waitsForFence && !isThere) return null;
  return new Set(
    balance.log.filter((_, index) => index + 1 > from && seen.has(index + 1)).map(({ id }) => id),
  );
}

/** The number of the last write in the evidence that is certainly older than what began at `issuedAt`; 0 for none. */
function lowerBound(
  log: readonly Applied[],
  seen: ReadonlySet<number>,
  issuedAt: number,
  { rules }: Setting,
): number {
  const isOlder = (write: Applied) => (rules.beginsAtApplied ? write.at : write.issuedAt) < issuedAt;
  return log.findLastIndex((write, index) => seen.has(index + 1) && isOlder(write)) + 1;
}

/** Whether the stream has shown a draw of this name. */
export function isShown(state: State, key: string, id: string, setting: Setting): boolean {
  const balance = balanceOf(state, key);
  const seen = seenOf(balance);
  return balance.log.some((write, index) => write.id === id && (!setting.streams || seen.has(index + 1)));
}
