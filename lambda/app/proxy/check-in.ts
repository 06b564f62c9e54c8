import { type Balance, isOverRate } from "../../domain/balance.ts";
import { isFull } from "../../domain/call-rate.ts";
import type { Problem } from "../../domain/problem.ts";
import { type ChainMember, countOf } from "../../domain/vault-key.ts";
import { rateLimited, standingProblem } from "./denial-messages.ts";
import type { Refusal } from "./draw-chain.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import { keyIdsOf, type Row } from "./row.ts";

/** What the chain of a call says to it, where nothing is drawn. */
export interface CheckedIn {
  /** Counted, as far as its keys have a rate. */
  readonly row: Row;
  readonly leaf: Balance | null;
  /** Why the call may not be made, or null. */
  readonly problem: Problem | null;
}

type CheckInPorts = Pick<ProxyPorts, "vault" | "clock">;

/**
 * What stands in the place of a draw: one consistent read of the chain's balances, and for each member with a rate one write
 * that counts the call and tells the balance. All of them go out together.
 */
export async function checkIn(row: Row, { vault, clock }: CheckInPorts): Promise<CheckedIn> {
  const keyIds = keyIdsOf(row);
  if (row.uncounted.length === 0) {
    const balances = await vault.balances.read(keyIds);
    const problem = standingProblem(keyIds, balances, clock.now());
    return { row, leaf: balances.at(-1) ?? null, problem };
  }
  const nowMs = clock.now();
  const readIds = keyIds.filter((keyId) => !row.uncounted.some((member) => member.keyId === keyId));
  const [read, counted] = await Promise.all([
    readIds.length === 0 ? [] : vault.balances.read(readIds),
    Promise.all(row.uncounted.map((member) => countOnce(member, nowMs, vault))),
  ]);
  const known = new Map<string, Balance | null>(readIds.map((keyId, index) => [keyId, read[index] ?? null]));
  for (const { keyId, balance } of counted) known.set(keyId, balance);
  const balances = keyIds.map((keyId) => known.get(keyId) ?? null);
  const refusals = counted.flatMap(({ refusal }) => refusal ?? []);
  const isOver = counted.some(({ wouldRefuse }) => wouldRefuse);
  return {
    row: { ...row, ...(isOver && { wouldDeny: "rate_limited" as const }), uncounted: [] },
    leaf: balances.at(-1) ?? null,
    problem: standingProblem(keyIds, balances, clock.now()) ?? rateLimited(refusals, nowMs),
  };
}

interface Counted {
  readonly keyId: string;
  readonly balance: Balance | null;
  readonly refusal: Refusal | null;
  /** The key only observes, and the call is beyond its rate. */
  readonly wouldRefuse: boolean;
}

async function countOnce(member: ChainMember, nowMs: number, vault: CheckInPorts["vault"]): Promise<Counted> {
  const { keyId } = member;
  const observes = member.mode === "observe";
  const count = countOf(member, nowMs);
  if (count === null) return { keyId, balance: null, refusal: null, wouldRefuse: false };
  const call = { keyId, nowMs, observes, count };
  const result = await vault.balances.count(call);
  const { balance } = result;
  if (result.kind === "refused")
    return { keyId, balance, refusal: { keyId, reason: result.reason, balance, count }, wouldRefuse: false };
  return { keyId, balance, refusal: null, wouldRefuse: observes && isOverRate(result.balance, call) };
}

/** Counts a call that is refused, where it is not counted yet. What becomes of it changes nothing. */
export async function countRefused({ uncounted }: Row, { vault, clock }: CheckInPorts): Promise<void> {
  await Promise.allSettled(uncounted.map((member) => countOnce(member, clock.now(), vault)));
}

/** Before anything is asked of a vendor: whether the chain stands, and its rates are not used up. Counts nothing. */
export async function standsNow(row: Row, { vault, clock }: CheckInPorts): Promise<Problem | null> {
  const keyIds = keyIdsOf(row);
  const balances = await vault.balances.read(keyIds);
  const nowMs = clock.now();
  const full = row.uncounted.flatMap((member): readonly Refusal[] => {
    const [count, balance] = [countOf(member, nowMs), balances[keyIds.indexOf(member.keyId)] ?? null];
    if (count === null || balance === null || member.mode === "observe") return [];
    return isFull(balance.minuteCalls, count)
      ? [{ keyId: member.keyId, reason: "rate", balance, count }]
      : [];
  });
  return standingProblem(keyIds, balances, nowMs) ?? rateLimited(full, nowMs);
}
