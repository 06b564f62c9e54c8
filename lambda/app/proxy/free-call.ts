import { newCall, withAttempt } from "../../domain/call/record.ts";
import { NOTHING } from "../../domain/money.ts";
import type { Admitted } from "./admit-call.ts";
import type { AttemptContext } from "./attempt-context.ts";
import { finish } from "./call-ledger.ts";
import type { ProxyResult } from "./proxy-result.ts";

/**
 * A call that takes nothing from a balance. It never writes one, so its chain is read consistently before anything is
 * forwarded: revocation and expiry hold for reads too. Its record is durable first, so that none goes unseen.
 */
export async function freeCall(context: AttemptContext, admitted: Admitted): Promise<ProxyResult> {
  const { vault, clock, warn } = context.ports;
  const attempt = context.newAttempt("free");
  const record = withAttempt(newCall(context.recordId, attempt.issuedAtMs), attempt, null);
  // Nobody else knows the id, so a record that is there already is an earlier send of this very put.
  const [, balances] = await Promise.all([vault.calls.save(record, 0, null), context.readChain()]);

  const leaf = balances.at(-1) ?? null;
  const refused = context.standingProblem(balances) ?? context.outOfTime();
  if (refused !== null) return context.deny(record, refused, { leaf });

  const forwarded = await context.forward(admitted);
  const answer = {
    kind: "executed",
    price: NOTHING,
    replayed: false,
    objectId: null,
    estimateOf: null,
    uncounts: [],
  } as const;
  const facts = () => context.outcomeFacts(null, forwarded, null, leaf, admitted.vendor);
  await finish(
    record,
    context.attemptId,
    answer,
    { facts, effect: () => null, rerunsFailures: false },
    vault,
    clock,
  ).catch((error) => warn("the outcome of a free call was not recorded", error));
  return context.answered(forwarded, "no", leaf);
}
