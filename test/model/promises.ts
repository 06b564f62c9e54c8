import { balanceOf, capOf, isDropped, leftOf } from "./balance.ts";
import { drawIdOf, ownAttempts } from "./call.ts";
import type { Call, Charge, Setting, State } from "./state.ts";

/** The first promise (docs/architecture.md) that a state breaks, by its number; null for none. */
export function brokenPromise(state: State, setting: Setting): string | null {
  if (state.broken[0] !== undefined) return state.broken[0];
  for (const key of Object.keys(state.balances)) {
    const cap = capOf(setting.caps, key);
    const balance = balanceOf(state, key);
    const charged = chargedOf(state, key, setting);
    const sum = charged.reduce((all, one) => all + one, 0);
    const forced = charged.map((_, window) => forcedOf(state, key, window));
    if (balance.total > cap.total) return `1: ${key} has more left in all than its cap`;
    if (sum > cap.total - balance.total + forced.reduce((all, one) => all + one, 0)) {
      return `1: the vendor charged ${sum}, ${cap.total - balance.total} is counted in all on ${key}`;
    }
    for (const [window, some] of charged.entries()) {
      const isCounted = setting.rules.windowsApart || window === balance.latest;
      if (!isCounted || isDropped(balance, window, setting)) continue;
      const counted = cap.day - leftOf(balance, key, window, setting);
      if (counted < 0) return `1: ${key} has more left in window ${window} than its cap`;
      if (!mayOverrun(setting) && some > cap.day)
        return `1: the vendor charged ${some} in window ${window}, above the cap of ${key}`;
      if (some > counted + (forced[window] ?? 0)) {
        return `1: the vendor charged ${some}, ${counted} is counted in window ${window} of ${key}`;
      }
    }
  }
  return null;
}

const mayOverrun = ({ price, latePrice, requests }: Setting): boolean =>
  requests.some(({ amount }) => price > amount) || (latePrice !== null && latePrice > price);

/** What the vendor charged of a key, by window: that of the draw that pays, or that may pay. */
function chargedOf(state: State, key: string, setting: Setting): readonly number[] {
  const charged = Array.from({ length: setting.faults.roll + 1 }, () => 0);
  for (const charge of state.vendor.charges) {
    if (!charge.chain.includes(key)) continue;
    const { window, price } = counted(charge, state.calls[charge.call]);
    charged[window] = (charged[window] ?? 0) + price;
  }
  return charged;
}

/** Until a call is settled nobody knows of a price above what was reserved. */
function counted(charge: Charge, call: Call | undefined): Pick<Charge, "window" | "price"> {
  const paying = call?.payer == null ? undefined : call.attempts[call.payer];
  if (paying !== undefined) return { window: paying.window, price: charge.price };
  const reserved = call?.attempts[charge.attempt]?.amount ?? charge.price;
  return { window: charge.window, price: Math.min(charge.price, reserved) };
}

/** What is decided to be counted beyond a draw, and did not land yet: the record has it. */
function forcedOf(state: State, key: string, window: number): number {
  const { log } = balanceOf(state, key);
  return Object.values(state.calls)
    .flatMap(({ corrections }) => Object.entries(corrections))
    .filter(([, one]) => one.key === key && one.window === window && one.amount < 0)
    .filter(([id]) => !log.some((write) => write.id === id))
    .reduce((sum, [, { amount }]) => sum - amount, 0);
}

/**
 * What a quiet state breaks, after the resolver: nothing is open, a balance holds what its records say, only what is
 * unresolved is held, and whatever was sent has a row. With a dead letter too much may be held, never too little.
 */
export function brokenAtEnd(state: State, setting: Setting): string | null {
  const isBlocked = Object.values(state.balances).some(({ dead }) => dead.length > 0);
  return (
    (isBlocked ? null : looseEnd(state, setting)) ??
    wrongBalance(state, setting, isBlocked) ??
    noRow(state, setting)
  );
}

function looseEnd(state: State, setting: Setting): string | null {
  for (const [name, call] of Object.entries(state.calls)) {
    if (ownAttempts(call).filter(([, { state: is }]) => is === "settled").length > 1)
      return `4: ${name} is settled twice`;
    const isCountedAnew = Object.values(call.attempts).some(({ own, cost }) => !own && cost > 0);
    for (const [id, attempt] of ownAttempts(call)) {
      if (isCountedAnew && attempt.state === "unresolved") return `4: ${name} is counted twice`;
      const drawn = attempt.chain.filter((key) =>
        balanceOf(state, key).log.some((write) => write.id === drawIdOf(id, name, setting)),
      );
      if (attempt.state === "open" && (attempt.noted || drawn.length > 0)) return `held: ${id} stays open`;
      if (attempt.ambiguous.length > 0) return `held: ${id} has draws that nobody looked at`;
      if (attempt.state !== "unresolved") continue;
      if (drawn.length < attempt.chain.length) return `held: ${id} is unresolved, and was never sent`;
      if (call.payer !== null || call.ended) return `held: ${id} is held, though its call is over`;
    }
  }
  return null;
}

function wrongBalance(state: State, setting: Setting, isBlocked: boolean): string | null {
  for (const key of Object.keys(state.balances)) {
    const balance = balanceOf(state, key);
    const held = Array.from({ length: setting.faults.roll + 1 }, (_, window) => heldOf(state, key, window));
    const wrong = (has: number, records: number, where: string): string | null =>
      has < records
        ? `1: ${key} counts ${has} ${where}, its records say ${records}`
        : has > records && !isBlocked
          ? `held: ${key} counts ${has} ${where}, its records say ${records}`
          : null;
    const inAll = capOf(setting.caps, key).total - balance.total;
    const records = held.reduce((sum, one) => sum + one, 0);
    const wrongInAll = wrong(inAll, records, "in all");
    if (wrongInAll !== null) return wrongInAll;
    for (const [window, some] of held.entries()) {
      if (isDropped(balance, window, setting) || !setting.rules.windowsApart) continue;
      const has = capOf(setting.caps, key).day - leftOf(balance, key, window, setting);
      const wrongHere = wrong(has, some, `in window ${window}`);
      if (wrongHere !== null) return wrongHere;
    }
  }
  return null;
}

/** What the records say is spent or held of a key in a window. */
const heldOf = (state: State, key: string, window: number): number =>
  Object.values(state.calls)
    .flatMap(({ attempts }) => Object.values(attempts))
    .filter((attempt) => attempt.chain.includes(key) && attempt.window === window)
    .reduce((sum, { state: is, amount, cost }) => sum + (is === "unresolved" ? amount : cost), 0);

/** Whatever was sent is on a record, or its draw is on the stream. */
function noRow(state: State, setting: Setting): string | null {
  for (const id of state.forwarded) {
    const isTold = Object.entries(state.calls).some(
      ([name, { attempts }]) =>
        attempts[id]?.noted ||
        Object.values(state.balances).some(({ log }) =>
          log.some((write) => write.id === drawIdOf(id, name, setting)),
        ),
    );
    if (!isTold) return `6: ${id} was sent and has no row`;
  }
  return null;
}
