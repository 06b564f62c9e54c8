import type { Balance, Setting, State, Write } from "./state.ts";

export type Landed = "applied" | "revoked" | "fenced" | "cap";

/** Applies a write to its balance, as DynamoDB does it, or says which condition failed (W2, W6, W7, W8.1). */
export function apply(state: State, write: Write, setting: Setting): Landed {
  const balance = balanceOf(state, write.key);
  const refusal = refusalOf(balance, write, setting);
  if (refusal !== null) return refusal;
  if (write.op === "fence") balance.fence = write.issuedAt;
  else move(balance, write, setting);
  balance.log.push({ op: write.op, id: write.id, issuedAt: write.issuedAt, at: state.clock });
  return "applied";
}

function refusalOf(balance: Balance, write: Write, setting: Setting): Landed | null {
  const { rules } = setting;
  if (write.op === "fence") return balance.fence >= write.issuedAt ? "fenced" : null;
  const meetsFence = write.op === "draw" ? rules.drawsMeetFence : rules.backsMeetFence;
  if (meetsFence && write.issuedAt <= balance.fence) return "fenced";
  if (write.op === "back") return null;
  if (balance.revoked) return "revoked";
  const left = Math.min(leftOf(balance, write.key, write.window, setting), balance.total);
  return left < write.amount ? "cap" : null;
}

function move(balance: Balance, write: Write, setting: Setting): void {
  const window = windowOf(balance, write, setting);
  const sign = write.op === "draw" ? -1 : 1;
  balance.total += sign * write.amount;
  const isGone = write.op === "back" && write.amount > 0 && balance.left[window] === null;
  if (!isGone) balance.left[window] = leftOf(balance, write.key, window, setting) + sign * write.amount;
  if (write.op === "draw") {
    for (let old = 0; old <= window - setting.windowsKept; old++) balance.left[old] = null;
  }
}

/** Whether a draw of a later window took the attribute of this one away. */
export const isDropped = ({ latest }: Balance, window: number, { windowsKept }: Setting): boolean =>
  window <= latest - windowsKept;

/** The window that a write goes to: its own; or the latest one where one attribute serves all. */
function windowOf(balance: Balance, write: Write, { rules }: Setting): number {
  if (write.op === "draw") balance.latest = Math.max(balance.latest, write.window);
  return rules.windowsApart ? write.window : balance.latest;
}

export const leftOf = (balance: Balance, key: string, window: number, { caps }: Setting): number =>
  balance.left[window] ?? capOf(caps, key).day;

export function balanceOf(state: State, key: string): Balance {
  const balance = state.balances[key];
  if (balance === undefined) throw new Error(`no balance ${key}`);
  return balance;
}

export function capOf(caps: Setting["caps"], key: string): { readonly day: number; readonly total: number } {
  const cap = caps[key];
  if (cap === undefined) throw new Error(`no cap ${key}`);
  return cap;
}
