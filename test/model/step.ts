import type { State } from "./state.ts";

/** One thing that may happen next: what it is, and the state after it. */
export type Step = readonly [what: string, after: State];

/** Gathers the steps that are possible in a state. Each is made on a copy. */
export class Steps {
  readonly found: Step[] = [];
  readonly before: State;

  constructor(before: State) {
    this.before = before;
  }

  add(what: string, change: (after: State) => void): void {
    const after = copy(this.before);
    change(after);
    this.found.push([what, after]);
  }
}

/** A deep copy of plain data. Faster than `structuredClone`, and explorations make millions. */
export function copy<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy) as T;
  const made: Record<string, unknown> = {};
  for (const key in value) made[key] = copy(value[key]);
  return made as T;
}
