/**
 * How often a key may be called: at most so many calls in each minute, by fixed minutes counted from its issue. Pure.
 *
 * A balance holds one minute and the calls in it. No write of DynamoDB can begin a new minute and go on in an old one, so
 * there are two forms of a write that counts (docs/protocol.md). A minute never goes back: a call by a clock that is behind
 * counts in the minute that another clock has begun.
 */
export interface MinuteCalls {
  readonly minute: number;
  readonly calls: number;
}

/** A call that is counted: the minute by the clock of whoever writes, and the most calls that a minute may have. */
export interface CallCount {
  readonly minute: number;
  readonly max: number;
}

/** `same`: one more in the minute that is stored. `next`: the first one, where the minute that is stored is still `after`. */
export type CountForm = { readonly kind: "same" } | { readonly kind: "next"; readonly after: number };

const MINUTE_MS = 60_000;

/** What a key with a rate begins with: then the calls of its first minute need one form only. */
export const NO_CALLS: MinuteCalls = { minute: 0, calls: 0 };

/** The minute of a key. Times in milliseconds. */
export const minuteAt = (issuedAtMs: number, atMs: number): number =>
  Math.max(0, Math.floor((atMs - issuedAtMs) / MINUTE_MS));

export const minuteEndMs = (issuedAtMs: number, minute: number): number =>
  issuedAtMs + (minute + 1) * MINUTE_MS;

/** Whether no more calls fit the minute that this one would be counted in. */
export const isFull = (stored: MinuteCalls | null, { minute, max }: CallCount): boolean =>
  stored !== null && stored.minute >= minute && stored.calls >= max;

/** Whether a write in this form finds what it is meant for. */
export const fitsForm = (stored: MinuteCalls | null, { minute }: CallCount, form: CountForm): boolean =>
  stored !== null && (form.kind === "same" ? stored.minute >= minute : stored.minute === form.after);

/** The form that fits what is stored. */
export const formFor = (stored: MinuteCalls, { minute }: CallCount): CountForm =>
  stored.minute >= minute ? { kind: "same" } : { kind: "next", after: stored.minute };

/** What is stored after a write in a form that fitted. */
export const afterCall = (stored: MinuteCalls, { minute }: CallCount, form: CountForm): MinuteCalls =>
  form.kind === "same" ? { ...stored, calls: stored.calls + 1 } : { minute, calls: 1 };
