import { Random } from "../simulation/random.ts";
import { brokenAtEnd, brokenPromise } from "./promises.ts";
import { initial, type Setting, type State } from "./state.ts";
import { stepsFrom } from "./world.ts";

/** What an exploration found. `isWhole`: it saw every state there is. */
export interface Explored {
  readonly broken: string | null;
  /** The steps to the broken state. */
  readonly trace: readonly string[];
  readonly isWhole: boolean;
  readonly states: number;
  readonly steps: number;
  /** States in which nothing more happens. */
  readonly ends: number;
  readonly depth: number;
  readonly ms: number;
}

export interface Bounds {
  readonly statesMax?: number;
  readonly msMax?: number;
  /** Looks at each step; says what is wrong with it, or null. */
  readonly look?: (before: State, what: string, after: State) => string | null;
}

interface Node {
  readonly what: string;
  readonly from: Node | null;
}

/** Looks at every state that can be reached, the nearest first: the first trace to a broken promise is a shortest one. */
export function explore(
  setting: Setting,
  { statesMax = 15_000_000, msMax = Number.POSITIVE_INFINITY, look }: Bounds = {},
): Explored {
  const beganMs = Date.now();
  const first = written(initial(setting), setting);
  const seen = new Set([hash(first)]);
  let steps = 0;
  let ends = 0;
  let depth = 0;
  let frontier: { readonly state: string; readonly node: Node | null }[] = [{ state: first, node: null }];
  const result = (broken: string | null, node: Node | null, isWhole: boolean): Explored => ({
    broken,
    trace: traceOf(node),
    isWhole,
    states: seen.size,
    steps,
    ends,
    depth,
    ms: Date.now() - beganMs,
  });

  while (frontier.length > 0) {
    const next: typeof frontier = [];
    for (const { state, node } of frontier) {
      const before: State = JSON.parse(state);
      const found = stepsFrom(before, setting);
      for (const [what, after] of found) {
        steps++;
        const wrong = look?.(before, what, after) ?? null;
        if (wrong !== null) return result(wrong, { what, from: node }, false);
        const text = written(after, setting);
        const mark = hash(text);
        if (seen.has(mark)) continue;
        seen.add(mark);
        const reached = { what, from: node };
        const broken = brokenPromise(after, setting);
        if (broken !== null) return result(broken, reached, false);
        next.push({ state: text, node: reached });
      }
      if (found.length === 0) {
        ends++;
        const broken = brokenAtEnd(before, setting);
        if (broken !== null) return result(broken, node, false);
      }
      if (seen.size >= statesMax || Date.now() - beganMs > msMax) return result(null, null, false);
    }
    if (next.length > 0) depth++;
    frontier = next;
  }
  return result(null, null, true);
}

/** Runs schedules by chance to their end. `ends` counts them; states are not told apart. */
export function wander(
  setting: Setting,
  seed: number,
  {
    schedulesMax = Number.POSITIVE_INFINITY,
    msMax = Number.POSITIVE_INFINITY,
  }: { readonly schedulesMax?: number; readonly msMax?: number },
): Explored {
  const beganMs = Date.now();
  const random = new Random(seed);
  let steps = 0;
  let ends = 0;
  let depth = 0;
  while (ends < schedulesMax && Date.now() - beganMs < msMax) {
    let state = initial(setting);
    const trace: string[] = [];
    for (;;) {
      const found = stepsFrom(state, setting);
      const chosen = found[random.int(found.length)];
      const broken = chosen === undefined ? brokenAtEnd(state, setting) : brokenPromise(chosen[1], setting);
      if (chosen !== undefined) trace.push(chosen[0]);
      depth = Math.max(depth, trace.length);
      if (broken !== null)
        return { broken, trace, isWhole: false, states: 0, steps, ends, depth, ms: Date.now() - beganMs };
      if (chosen === undefined) break;
      steps++;
      state = chosen[1];
    }
    ends++;
  }
  return { broken: null, trace: [], isWhole: false, states: 0, steps, ends, depth, ms: Date.now() - beganMs };
}

function traceOf(last: Node | null): readonly string[] {
  const trace: string[] = [];
  for (let node = last; node !== null; node = node.from) trace.push(node.what);
  return trace.reverse();
}

/** The state as text, in one order where the order means nothing. */
function written(state: State, { streams }: Setting): string {
  const balances = Object.entries(state.balances).map(([key, balance]) => [
    key,
    // Without a stream only the names of the writes are looked at.
    streams
      ? balance
      : { ...balance, log: balance.log.map((write) => ({ ...write, at: 0 })).sort(by(({ id }) => id)) },
  ]);
  const { inbox, running, charges } = state.vendor;
  return JSON.stringify({
    ...state,
    balances: Object.fromEntries(balances),
    calls: Object.fromEntries(
      Object.entries(state.calls).map(([name, call]) => [name, { ...call, version: 0 }]),
    ),
    processes: state.processes.map((one) => (one.at === "done" ? { id: one.id, at: "done" } : one)),
    limbo: state.limbo.toSorted(by(({ id, key }) => id + key)),
    outbox: state.outbox.toSorted(by(({ id, key }) => id + key)),
    vendor: {
      ...state.vendor,
      inbox: inbox.toSorted(by(({ attempt }) => attempt)),
      running: running.toSorted(by(({ attempt }) => attempt)),
      charges: charges.toSorted(by(({ attempt }) => attempt)),
    },
  });
}

const by =
  <T>(name: (item: T) => string) =>
  (a: T, b: T): number =>
    name(a) < name(b) ? -1 : 1;

/** 53 bits of a text. Of ten million states two share a mark with a chance of half a percent. */
function hash(text: string): number {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0);
}
