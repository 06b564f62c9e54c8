import { afterCorrections, type Balance } from "../../domain/balance.ts";
import { othersHold } from "../../domain/call/claim.ts";
import { type CallRecord, unclaimed } from "../../domain/call/record.ts";
import { type Charged, Problem } from "../../domain/problem.ts";
import { checkIn, countRefused } from "./check-in.ts";
import { heldByAnother } from "./denial-messages.ts";
import type { Reservation } from "./draw-chain.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { DeniedResult } from "./proxy-result.ts";
import { recordOutcome } from "./record-outcome.ts";
import { callFacts, outcomeFacts, type Row } from "./row.ts";

/**
 * Why an attempt goes no further. The step that it left says by `writes` what may be written of it:
 *
 * - `own_record`: nothing of the attempt is written yet, so its denial is a record of its own.
 * - `outcome`: the attempt is on `record`, and nothing was drawn for it.
 * - `give_back`: draws were sent. What they took goes back with the outcome, and only with it.
 * - `nothing`: budget may be held, and what became of the call is not known. The attempt stays open, and is finished on evidence.
 */
export type Denial =
  | (Denied & { readonly writes: "own_record" })
  | (Denied & { readonly writes: "nothing" })
  | DenialOnRecord;

interface Denied {
  readonly kind: "denied";
  readonly problem: Problem;
  readonly row: Row;
}

type DenialOnRecord = Denied &
  (
    | { readonly writes: "outcome"; readonly record: CallRecord; readonly leaf: Balance | null }
    | { readonly writes: "give_back"; readonly record: CallRecord; readonly reservation: Reservation }
  );

/**
 * A step's own Problem, or what a caller is told of an error that has no name. `charged`: what is certain in that step. A
 * Problem that says "no" is not believed where the vendor may have been reached.
 */
export const problemOf = (error: unknown, charged: Charged): Problem =>
  error instanceof Problem && (charged === "no" || error.charged !== "no")
    ? error
    : new Problem("ledger_unavailable", "the ledger failed on this call; repeat it", {
        charged,
        cause: error,
      });

/** A denial before anything of the attempt was written. */
export const denialOnOwnRecord = (row: Row, problem: Problem): Denial => ({
  kind: "denied",
  writes: "own_record",
  problem,
  row,
});

/** A denial of which nothing may be written any more. */
export const denialWithoutRow = (row: Row, problem: Problem): Denial => ({
  kind: "denied",
  writes: "nothing",
  problem,
  row,
});

type DenialPorts = Pick<ProxyPorts, "vault" | "clock">;

/**
 * Writes the row of a denial where it may be written, and tells the caller; the answer is the last thing to happen. A denial
 * that cannot be written becomes one of the ledger, on a record of its own unless budget may be held.
 */
export async function recordDenial(denial: Denial, ports: DenialPorts): Promise<DeniedResult> {
  const { row, problem } = denial;
  if (denial.writes === "nothing") return deniedResult(row, problem, null, ports);
  try {
    return denial.writes === "own_record"
      ? await onOwnRecord(row, problem, ports)
      : await onItsRecord(denial, ports);
  } catch (error) {
    const failed = problemOf(error, "no");
    if (denial.writes === "give_back") return deniedResult(row, failed, null, ports);
    return onOwnRecord(row, failed, ports).catch((second: unknown) =>
      deniedResult(row, problemOf(second, "no"), null, ports),
    );
  }
}

/** An answer of ours, of a call whose row says all that can be said. */
const deniedResult = (
  row: Row,
  problem: Problem,
  leaf: Balance | null,
  { clock }: Pick<ProxyPorts, "clock">,
): DeniedResult => ({
  kind: "denied",
  problem,
  facts: callFacts(row, { charged: problem.charged, leaf, nowMs: clock.now() }),
});

/** A key that ended, or was called too often, says so first. */
async function onOwnRecord(row: Row, problem: Problem, ports: DenialPorts): Promise<DeniedResult> {
  const seen = await checkIn(row, ports);
  return onItsRecord(
    {
      kind: "denied",
      row: seen.row,
      problem: seen.problem ?? problem,
      writes: "outcome",
      record: unclaimed(row.recordId, row.attempt),
      leaf: seen.leaf,
    },
    ports,
  );
}

/** W5 of a denial: whatever was drawn is given back, and the row says why. */
async function onItsRecord(denial: DenialOnRecord, ports: DenialPorts): Promise<DeniedResult> {
  const { row, record } = denial;
  const { attemptId } = row.attempt;
  const reservation = denial.writes === "give_back" ? denial.reservation : null;
  const leaf = denial.writes === "give_back" ? denial.reservation.leaf : denial.leaf;
  let problem = denial.problem;
  const counted = countRefused(row, ports);
  const { corrections } = await recordOutcome(
    {
      record,
      attemptId,
      result: {
        kind: "denied",
        drawn: reservation?.drawn ?? [],
        ambiguous: reservation?.ambiguous ?? [],
      },
      facts: (folded) => {
        const reason = reservation?.refusal?.reason;
        const lacksBudget = reason === "daily_cap" || reason === "total_cap";
        problem = lacksBudget && othersHold(folded.record, attemptId) ? heldByAnother() : denial.problem;
        return outcomeFacts(row, {
          reason: problem.code,
          leaf: afterCorrections(leaf, folded.corrections),
          nowMs: ports.clock.now(),
        });
      },
      effect: () => null,
      rerunsFailures: false,
    },
    ports,
  ).finally(() => counted);
  return deniedResult(row, problem, afterCorrections(leaf, corrections), ports);
}
