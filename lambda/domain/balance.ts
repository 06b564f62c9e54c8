import { assert } from "./assert.ts";
import { type CallCount, isFull, type MinuteCalls, NO_CALLS } from "./call-rate.ts";
import { larger, type MicroUsd, microUsd, minus, NOTHING, plus, smaller } from "./money.ts";

/**
 * What is left of a key in each window. Pure; `DynamoVault` enforces the same rules by conditional writes, and both
 * pass the same contract (test/adapters/vault.contract.ts): change them together.
 *
 * Each window has an entry of its own, absent while it is full. So nothing rolls over, no write opens a window, and a
 * give-back that comes late lands in the window it was taken from.
 */
export interface Balance {
  readonly keyId: string;
  readonly issuedAtMs: number;
  readonly caps: Caps;
  /** What is left of the daily cap, by window. */
  readonly leftByWindow: Readonly<Record<number, MicroUsd>>;
  /** What is left of the total cap. */
  readonly leftInTotal: MicroUsd;
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
  /** The stop that revoked it, where one did. */
  readonly stoppedBy?: StopCause;
  /** Writes issued at or before this time (milliseconds) are refused. Raised by the resolver only. */
  readonly fenceMs: number;
  /** Number of writes so far, but for those that only count a call: a gap in the stream shows. */
  readonly writes: number;
  /** The calls of a minute, where the key has a rate. */
  readonly minuteCalls: MinuteCalls | null;
}

/** A stop as the keys that it revoked know it: who ordered it, and why. */
export interface StopCause {
  readonly stopId: string;
  readonly by: string;
  readonly reason: string | null;
}

/** The balance of a new key, which is full. `hasRate`: its calls are counted by the minute. */
export const fullBalance = (
  { keyId, issuedAtMs, caps, expiresAtMs }: Pick<Balance, "keyId" | "issuedAtMs" | "caps" | "expiresAtMs">,
  { hasRate }: { readonly hasRate: boolean },
): Balance => ({
  keyId,
  issuedAtMs,
  caps,
  leftByWindow: {},
  leftInTotal: caps.total,
  expiresAtMs,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 0,
  minuteCalls: hasRate ? NO_CALLS : null,
});

/** The most a key may spend. A cap that is not set is `UNCAPPED`: one rule for all, and spending is counted anyway. */
export interface Caps {
  readonly daily: MicroUsd;
  readonly total: MicroUsd;
  readonly perCall: MicroUsd;
}

/** More than any sum of prices, and exact in DynamoDB's 38 digits. */
export const UNCAPPED = microUsd(10n ** 24n);

/** Whether a cap over more than one call is set. */
export const isCapped = ({ daily, total }: Caps): boolean => daily < UNCAPPED || total < UNCAPPED;

export const WINDOW_MS = 24 * 60 * 60 * 1000;

/** Windows that a balance remembers: the current one and those a late give-back can belong to. */
const WINDOWS_KEPT = 3;
/** A key that rests for days leaves windows behind; so many before the kept ones go with the next draw. */
const WINDOWS_FORGOTTEN = 10;

/** The windows that a draw from `window` removes, so that the balance stays small. */
export const forgottenWindows = (window: number): readonly number[] =>
  Array.from({ length: WINDOWS_FORGOTTEN }, (_, index) => window - WINDOWS_KEPT - index).filter(
    (forgotten) => forgotten >= 0,
  );

/** The day of a key: days of 24 hours counted from its issue. */
export const windowAt = (issuedAtMs: number, atMs: number): number =>
  Math.max(0, Math.floor((atMs - issuedAtMs) / WINDOW_MS));

export const windowEndMs = (issuedAtMs: number, window: number): number =>
  issuedAtMs + (window + 1) * WINDOW_MS;

export const leftInWindow = (balance: Balance, window: number): MicroUsd =>
  balance.leftByWindow[window] ?? balance.caps.daily;

/** A call with one key, whatever it takes from it. Times in milliseconds. */
interface CallOfKey {
  readonly keyId: string;
  readonly nowMs: number;
  /** The key only observes: neither its caps nor its rate refuse the call. */
  readonly observes: boolean;
}

/** A reservation on one key: taken by an attempt, in a window of that key. */
export interface Draw extends CallOfKey {
  readonly attemptId: string;
  readonly window: number;
  readonly amount: MicroUsd;
  /** When the attempt began: refused at or below the fence. */
  readonly issuedAtMs: number;
  /** The draw counts the call too; null where the key has no rate. */
  readonly count: CallCount | null;
}

/** A call that takes nothing from a key with a rate, and is counted. */
export interface CountedCall extends CallOfKey {
  readonly count: CallCount;
}

/** Why a balance refuses. `unknown`: there is no such balance. */
export type BalanceRefusal =
  | "revoked"
  | "expired"
  | "fenced"
  | "rate"
  | "per_call_cap"
  | "daily_cap"
  | "total_cap"
  | "unknown";

/** Whether a key may be used at all, for calls that take nothing from its balance. */
export function standing(
  balance: Balance | null,
  nowMs: number,
): "active" | "revoked" | "expired" | "unknown" {
  if (balance === null) return "unknown";
  if (balance.revokedAtMs !== null) return "revoked";
  return balance.expiresAtMs > nowMs ? "active" : "expired";
}

/** Why a key may not be used at all, or null. */
function endOf(balance: Balance | null, nowMs: number): BalanceRefusal | null {
  const state = standing(balance, nowMs);
  return state === "active" ? null : state;
}

/**
 * Why this draw does not fit, or null when it does. A call is denied whole: nothing is shrunk to fit. One that takes
 * nothing fits whatever is left, below zero too: what it needs has been counted before.
 */
export function refusalOf(balance: Balance | null, draw: Draw): BalanceRefusal | null {
  const ended = endOf(balance, draw.nowMs);
  if (balance === null || ended !== null) return ended ?? "unknown";
  if (draw.issuedAtMs <= balance.fenceMs) return "fenced";
  return draw.observes ? null : limitRefusal(balance, draw);
}

/** The refusals that a key may be told to observe only. */
function limitRefusal(balance: Balance, { amount, window, count }: Draw): BalanceRefusal | null {
  if (count !== null && isFull(balance.minuteCalls, count)) return "rate";
  if (amount === 0n) return null;
  if (amount > balance.caps.perCall) return "per_call_cap";
  if (amount > leftInWindow(balance, window)) return "daily_cap";
  if (amount > balance.leftInTotal) return "total_cap";
  return null;
}

/**
 * Why an observing key would have refused a draw, by its balance right after it: what was there before is what is there now
 * and what the draw took. So nothing that happened in between counts.
 */
export function observedRefusal(after: Balance, draw: Draw): BalanceRefusal | null {
  if (!draw.observes) return null;
  const { window, amount } = draw;
  const before: Balance = {
    ...after,
    leftByWindow: { ...after.leftByWindow, [window]: plus(leftInWindow(after, window), amount) },
    leftInTotal: plus(after.leftInTotal, amount),
    minuteCalls: uncounted(after.minuteCalls),
  };
  return limitRefusal(before, draw);
}

/** Why a call that takes nothing may not be made, or null when it may. */
export function countRefusal(balance: Balance | null, call: CountedCall): BalanceRefusal | null {
  const ended = endOf(balance, call.nowMs);
  if (balance === null || ended !== null) return ended ?? "unknown";
  return !call.observes && isFull(balance.minuteCalls, call.count) ? "rate" : null;
}

/** Whether an observing key would have refused a call that is counted, by its balance right after it. */
export const isOverRate = ({ minuteCalls }: Balance, { count }: CountedCall): boolean =>
  isFull(uncounted(minuteCalls), count);

/** As it was before the last call was counted. */
const uncounted = (after: MinuteCalls | null): MinuteCalls | null =>
  after === null ? null : { ...after, calls: after.calls - 1 };

/**
 * When a draw of `amount` that was refused will fit by itself, in milliseconds, or null where time alone does not help: it
 * is above a whole cap, the total cap has no room for it either, or the key ends before.
 */
export function fitsAtMs(balance: Balance, amount: MicroUsd, nowMs: number): number | null {
  const { caps, leftInTotal, issuedAtMs, expiresAtMs } = balance;
  if (standing(balance, nowMs) !== "active") return null;
  if (amount === 0n) return nowMs;
  if (amount > caps.perCall || amount > caps.daily || amount > leftInTotal) return null;
  const window = windowAt(issuedAtMs, nowMs);
  const atMs = amount <= leftInWindow(balance, window) ? nowMs : windowEndMs(issuedAtMs, window);
  return expiresAtMs > atMs ? atMs : null;
}

/** The balance after a draw that was not refused. */
export function afterDraw(balance: Balance, draw: Draw): Balance {
  assert(draw.amount >= 0n, "a reservation cannot be negative");
  const forgotten = forgottenWindows(draw.window);
  const kept = Object.entries(balance.leftByWindow).filter(([window]) => !forgotten.includes(Number(window)));
  return moved({ ...balance, leftByWindow: Object.fromEntries(kept) }, draw.window, microUsd(-draw.amount));
}

/** What goes back to a key, or (negative) is counted beyond its caps. Named, sent once, never repeated. */
export interface Correction {
  readonly opId: string;
  readonly keyId: string;
  readonly window: number;
  readonly amount: MicroUsd;
  readonly issuedAtMs: number;
}

/**
 * The balance after a give-back (`amount` above zero) or a forced count (below zero), or null when it is fenced.
 * A window that is forgotten already gets nothing; what is forced opens its window.
 */
export function afterCorrection(balance: Balance, correction: Correction): Balance | null {
  if (correction.issuedAtMs <= balance.fenceMs) return null;
  const forgotten = correction.amount > 0n && balance.leftByWindow[correction.window] === undefined;
  if (forgotten)
    return {
      ...balance,
      leftInTotal: plus(balance.leftInTotal, correction.amount),
      writes: balance.writes + 1,
    };
  return moved(balance, correction.window, correction.amount);
}

/** The balance after a fence: what was issued at or before `atMs` (milliseconds) is refused from now on. */
export const afterFence = (balance: Balance, atMs: number): Balance =>
  balance.fenceMs >= atMs ? balance : { ...balance, fenceMs: atMs, writes: balance.writes + 1 };

/** The key's balance as it is after those corrections that are its own: what an answer shows. */
export function afterCorrections(
  balance: Balance | null,
  corrections: readonly Correction[],
): Balance | null {
  let after = balance;
  for (const correction of corrections) {
    if (after !== null && correction.keyId === after.keyId)
      after = afterCorrection(after, correction) ?? after;
  }
  return after;
}

const moved = (balance: Balance, window: number, amount: MicroUsd): Balance => ({
  ...balance,
  leftByWindow: { ...balance.leftByWindow, [window]: plus(leftInWindow(balance, window), amount) },
  leftInTotal: plus(balance.leftInTotal, amount),
  writes: balance.writes + 1,
});

/** One cap as an answer shows it. Amounts in micro-dollars; `spent + reserved` is `cap - remaining + exceededBy`. */
export interface CapStatus {
  readonly name: "daily" | "total";
  readonly cap: MicroUsd;
  readonly spent: MicroUsd;
  readonly reserved: MicroUsd;
  /** Never below zero. */
  readonly remaining: MicroUsd;
  /** What is taken beyond the cap: of a key that observes, after an overrun, or where the cap was lowered below the spend. */
  readonly exceededBy: MicroUsd;
  /** When the window ends, in milliseconds; null for a cap over the key's whole life. */
  readonly resetsAtMs: number | null;
}

export const hasTotalCap = ({ caps }: Balance): boolean => caps.total < UNCAPPED;

/** What is known to be spent of a key, in micro-dollars: in the window that is asked for, and over all of its life. */
export interface SpentSoFar {
  readonly window: MicroUsd;
  readonly total: MicroUsd;
}

/** For whoever asks only what remains: how much of the rest is reserved is not told apart from what is spent. */
export const ALL_SPENT: SpentSoFar = { window: UNCAPPED, total: UNCAPPED };

/** The cap that has the least left, or null where none is set. */
export const tightestCap = (balance: Balance, nowMs: number): CapStatus | null =>
  capStatuses(balance, nowMs, ALL_SPENT)[0] ?? null;

/**
 * The caps that are set, tightest first.
 *
 * What is taken is known from the balance, what of it is spent from the totals of the audit log, which follow by a moment:
 * the rest is reserved, or unresolved, or was settled just now.
 */
export function capStatuses(balance: Balance, nowMs: number, spentSoFar: SpentSoFar): readonly CapStatus[] {
  const window = windowAt(balance.issuedAtMs, nowMs);
  const status = (name: "daily" | "total", cap: MicroUsd, left: MicroUsd, known: MicroUsd): CapStatus => {
    const taken = minus(cap, left);
    const spent = known < 0n && taken > 0n ? NOTHING : smaller(known, taken);
    const resetsAtMs = name === "daily" ? windowEndMs(balance.issuedAtMs, window) : null;
    const remaining = larger(left, NOTHING);
    const exceededBy = minus(remaining, left);
    return { name, cap, spent, reserved: minus(taken, spent), remaining, exceededBy, resetsAtMs };
  };
  return [
    ...(balance.caps.daily < UNCAPPED
      ? [status("daily", balance.caps.daily, leftInWindow(balance, window), spentSoFar.window)]
      : []),
    ...(hasTotalCap(balance)
      ? [status("total", balance.caps.total, balance.leftInTotal, spentSoFar.total)]
      : []),
  ].sort((a, b) => compared(leftOf(a), leftOf(b)));
}

/** What is left of a cap, below zero where more than it is taken. */
export const leftOf = ({ remaining, exceededBy }: CapStatus): MicroUsd => minus(remaining, exceededBy);

const compared = (a: MicroUsd, b: MicroUsd): number => (a < b ? -1 : a > b ? 1 : 0);
