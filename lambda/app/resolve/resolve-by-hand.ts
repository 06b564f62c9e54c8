import { chargedAt, type Verdict } from "../../domain/call/close.ts";
import { type Attempt, type CallRecord, RESOLVER } from "../../domain/call/record.ts";
import { dollars, type MicroUsd, NOTHING, sum } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { isoTime } from "../../domain/time.ts";
import type { Vault } from "../../ports/vault.ts";
import { type ClosePorts, closeCall } from "./close-call.ts";

export interface ByHandPorts extends ClosePorts {
  readonly vault: Pick<Vault, "calls" | "balances" | "policies">;
}

/** What somebody knows of a call who has looked it up. Micro-dollars; null: what was reserved. */
export type Found =
  | { readonly charged: true; readonly amount: MicroUsd | null }
  | { readonly charged: false };

/** A call that was unresolved. Micro-dollars. */
export interface ClosedCall {
  readonly callId: string;
  readonly state: "settled" | "released";
  /** What was held for it. */
  readonly reserved: MicroUsd;
  readonly cost: MicroUsd;
  readonly by: string;
}

const CALL_ID = /^call_[A-Za-z0-9]{1,64}(~\d{1,16})?$/;
/** A compare-and-set that keeps failing is contention that a client should wait out. */
const TRIES_MAX = 10;

/**
 * Closes an unresolved call by the word of an admin (`by`, as rows name whoever it is). The same word again gets the same answer. Throws 404 for
 * a call that is unknown, and 409 while a repeat of it is in flight, or where nothing of it is unresolved.
 */
export async function resolveByHand(
  callId: string,
  found: Found,
  by: string,
  ports: ByHandPorts,
): Promise<ClosedCall> {
  const { vault, clock } = ports;
  const verdict: Verdict = found.charged ? chargedAt(found.amount) : { kind: "not_charged" };
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const record = CALL_ID.test(callId) ? await vault.calls.read(callId) : null;
    const [attempt] = Object.values(record?.attempts ?? {});
    if (record === null || attempt === undefined) throw notFound();
    const policy = await vault.policies.read(attempt.request.keyId);

    const { lease } = record;
    if (lease !== null && lease.untilMs >= clock.now()) throw inFlight(callId, lease.untilMs);
    const result = await closeCall({ record, verdict, by, policy }, ports);
    if (result.kind === "closed") return closedCall(result.record) ?? nothingToClose(record);
    if (result.kind === "nothing") {
      const before = closedCall(record);
      return before !== null && isSame(before, found) ? before : nothingToClose(record);
    }
  }
  throw new Problem("call_in_flight", `${callId} keeps changing; repeat the request in a moment`);
}

const notFound = () => new Problem("not_found", "there is no such call");

const inFlight = (callId: string, untilMs: number) =>
  new Problem(
    "call_in_flight",
    `a repeat of ${callId} is in flight, and its answer may tell what became of it; look again after ${isoTime(untilMs)}`,
    { details: { call_id: callId } },
  );

/** What was closed of a call from outside; null where nothing was. */
function closedCall({ callId, payingAttemptId, attempts }: CallRecord): ClosedCall | null {
  const from = Object.values(attempts).filter(({ closedBy }) => closedBy !== null && closedBy !== RESOLVER);
  const payer = from.find(({ attemptId }) => attemptId === payingAttemptId);
  const by = (payer ?? from[0])?.closedBy ?? null;
  if (by === null) return null;
  return {
    callId,
    state: payingAttemptId === null ? "released" : "settled",
    reserved: sum(from.map(({ amount }) => amount)),
    cost: payingAttemptId === null ? NOTHING : costOf(attempts[payingAttemptId]),
    by,
  };
}

const costOf = (attempt: Attempt | undefined): MicroUsd => attempt?.cost ?? NOTHING;

/** Whether this is what was said before. A price that was not named then is not known any more. */
const isSame = ({ state, cost }: ClosedCall, found: Found): boolean =>
  found.charged
    ? state === "settled" && (found.amount === null || found.amount === cost)
    : state === "released";

function nothingToClose({ callId, payingAttemptId, attempts }: CallRecord): never {
  const isOpen = Object.values(attempts).some(({ kind, state }) => kind === "own" && state === "open");
  const is =
    payingAttemptId !== null
      ? `it is settled at ${dollars(costOf(attempts[payingAttemptId]))}`
      : isOpen
        ? "an attempt of it has no outcome yet: the resolver looks what became of it within minutes"
        : "nothing is held for it";
  throw new Problem("nothing_unresolved", `${callId} has no attempt whose outcome is unknown: ${is}`, {
    details: { call_id: callId },
  });
}
