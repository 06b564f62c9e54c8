import { attemptOf, decide, isLeased, unresolvedOf } from "./call.ts";
import { compareAndSet } from "./resolver.ts";
import type { Attempt, Call, Setting, State, Write } from "./state.ts";
import type { Steps } from "./step.ts";

/** Runs that settle a late price: another writer of the record, beside requests and resolver. */
export function latePriceSteps(steps: Steps, { latePrice, rules }: Setting): void {
  if (latePrice === null || steps.before.lateRuns === 0) return;
  const run = steps.before.lateRuns;
  for (const [name, { late, payer }] of Object.entries(steps.before.calls)) {
    if (!late || payer === null) continue;
    compareAndSet(
      steps,
      `late price ${run}: settles ${name} at ${latePrice}`,
      name,
      rules.lateCompares,
      (state, call) => {
        const paid = attemptOf(call, payer);
        state.outbox.push(...correct(state, call, paid, paid.cost - latePrice, `l${run}`));
        paid.cost = latePrice;
        call.late = false;
        for (const charge of state.vendor.charges) if (charge.call === name) charge.price = latePrice;
      },
    );
  }
}

/** Somebody closes an unresolved call, by what the vendor's books say: an admin by hand, or a look-up. */
export function verdictSteps(steps: Steps, setting: Setting): void {
  const { before } = steps;
  const { rules, price } = setting;
  if (before.faults.verdict === 0) return;
  for (const [name, call] of Object.entries(before.calls)) {
    const [held] = unresolvedOf(call);
    if (held === undefined || call.payer !== null || call.ended) continue;
    if (rules.verdictNeedsNoLease && isLeased(call, before.clock)) continue;
    const close = (what: string, change: (state: State, closed: Call) => Write[]) =>
      compareAndSet(steps, `verdict: ${name} was ${what}`, name, true, (state, closed) => {
        state.faults.verdict--;
        state.outbox.push(...change(state, closed));
      });
    const isUnderWay = [...before.vendor.inbox, ...before.vendor.running].some((sent) => sent.call === name);
    if (before.vendor.charges.some((charge) => charge.call === name)) {
      close("charged", (state, closed) => {
        const paying = attemptOf(closed, held[0]);
        paying.state = "settled";
        paying.cost = price;
        closed.payer = held[0];
        return [
          ...correct(state, closed, paying, paying.amount - price, `v${held[0]}`),
          ...releaseUnresolved(state, closed, "paid_by_other"),
        ];
      });
    } else if (!isUnderWay || !rules.absenceIsNoVerdict) {
      close("not charged", (state, closed) => releaseUnresolved(state, closed, "released"));
    }
  }
}

const releaseUnresolved = (state: State, call: Call, to: Attempt["state"]): Write[] =>
  unresolvedOf(call).flatMap(([id, attempt]) => {
    attempt.state = to;
    return correct(state, call, attempt, attempt.amount, `v${id}`);
  });

function correct(
  state: State,
  call: Call,
  { chain, window }: Attempt,
  amount: number,
  writer: string,
): Write[] {
  if (amount === 0) return [];
  return chain.map((key) =>
    decide(call, { id: `${writer}${key}`, key, window, amount, issuedAt: state.clock }),
  );
}
