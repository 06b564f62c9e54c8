import { afterCorrections, type Balance } from "../../domain/balance.ts";
import type { AttemptResult } from "../../domain/call/fold.ts";
import { rowCallId } from "../../domain/call/names.ts";
import { dollars, NOTHING } from "../../domain/money.ts";
import type { Charged } from "../../domain/problem.ts";
import type { VendorOutcome } from "../../domain/vendor.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";
import type { Exchange } from "./call-vendor.ts";
import type { Joined } from "./claim.ts";
import { denialWithoutRow, problemOf, recordDenial } from "./denials.ts";
import { noAnswer } from "./no-answer.ts";
import { objectEffect } from "./object-effect.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyResult } from "./proxy-result.ts";
import type { PaidCall } from "./quote.ts";
import type { Recorded } from "./record-free-call.ts";
import { recordOutcome } from "./record-outcome.ts";
import type { Reserved } from "./reserve.ts";
import { callFacts, outcomeFacts, type Row } from "./row.ts";
import type { Sent } from "./send.ts";
import { vendorFacts } from "./vendor-facts.ts";

type SettlePorts = Pick<ProxyPorts, "vault" | "clock" | "warn">;

/** What did the call cost? The outcome is recorded and what was held too much goes back, before the caller is answered. */
export async function settle(sent: Sent, ports: SettlePorts): Promise<ProxyResult> {
  const { ready } = sent;
  try {
    return ready.kind === "recorded"
      ? await settleFree({ ...sent, ready }, ports)
      : await settlePaid({ ...sent, ready }, ports);
  } catch (error) {
    return recordDenial(denialWithoutRow(ready.row, problemOf(error, "unknown")), ports);
  }
}

async function settleFree(sent: Sent<Recorded>, ports: SettlePorts): Promise<ProxyResult> {
  const { record, row, leaf, call } = sent.ready;
  await recordOutcome(
    {
      record,
      attemptId: row.attempt.attemptId,
      result: {
        kind: "executed",
        price: NOTHING,
        replayed: false,
        objectId: null,
        estimateOf: null,
        uncounts: [],
      },
      facts: () =>
        outcomeFacts(row, {
          reason: null,
          leaf,
          nowMs: ports.clock.now(),
          vendor: vendorFacts(sent, call.vendor, null),
          wouldDeny: row.wouldDeny,
        }),
      effect: () => null,
      rerunsFailures: false,
    },
    ports,
  ).catch((error) => ports.warn("the outcome of a free call was not recorded", error));
  return answered(row, sent.exchange, { charged: "no", leaf }, ports);
}

async function settlePaid(sent: Sent<Reserved | Joined>, ports: SettlePorts): Promise<ProxyResult> {
  const { ready, exchange } = sent;
  const { record, row, leaf, call, price } = ready;
  const outcome = outcomeOf(exchange, ready);
  const result = resultOf(exchange, outcome, ready);
  const reason = reasonOf(result, exchange.reply) ?? (ready.kind === "joined" ? "joined" : null);

  const written = await recordOutcome(
    {
      record,
      attemptId: row.attempt.attemptId,
      result,
      facts: ({ corrections }) =>
        outcomeFacts(row, {
          reason,
          leaf: afterCorrections(leaf, corrections),
          nowMs: ports.clock.now(),
          vendor: vendorFacts(sent, call.vendor, outcome),
          wouldDeny: row.wouldDeny,
        }),
      effect: (folded) => objectEffect(ready, { outcome, result, folded, nowMs: ports.clock.now() }),
      rerunsFailures: price.rule.idempotency?.rerunsFailures ?? false,
    },
    ports,
  ).catch((error) => {
    // The vendor has answered, so its answer goes to the caller; the attempt stays open and its budget held.
    ports.warn("the outcome of a call was not recorded; its budget stays held", error);
    return null;
  });
  const corrections = written?.corrections ?? [];
  const beyond = corrections.find(({ amount }) => amount < 0n);
  if (beyond !== undefined)
    ports.warn(`${record.callId} cost more than was reserved: ${dollars(beyond.amount)} beyond`, null);
  const charged = chargedBy(result, outcome);
  return answered(row, exchange, { charged, leaf: afterCorrections(leaf, corrections) }, ports);
}

/** What the answer says of the money; null where there is none. */
function outcomeOf({ answer, withheld }: Exchange, { price, call }: PaidCall): VendorOutcome | null {
  if (answer === null) return null;
  const outcome = price.rule.read(answer, price.quote, price.known, call.request);
  return withheld === null ? outcome : withoutNames(outcome);
}

/** An answer that repeats the credential could do so in any name: the money counts, the names are not kept. */
const withoutNames = (outcome: VendorOutcome): VendorOutcome => ({
  ...outcome,
  objectId: null,
  customerId: null,
  currency: null,
  counts: null,
});

/** What became of the attempt, by its reply and what the answer says of the money. */
function resultOf(
  { reply }: Exchange,
  outcome: VendorOutcome | null,
  { call, price }: PaidCall,
): AttemptResult {
  const { object } = price.known;
  if (reply.kind === "unreachable") return { kind: "refused" };
  if (outcome === null) return { kind: "unknown" };
  const { kind, price: cost, replayed, objectId } = outcome;
  if (kind === "executed") {
    const ends = outcome.uncountsObject && object !== null && !object.cancelled;
    return {
      kind,
      price: cost,
      replayed,
      objectId,
      estimateOf: outcome.isEstimate ? call.vendor.name : null,
      uncounts: ends ? object.entries.filter(({ amount }) => amount > 0n) : [],
    };
  }
  return kind === "declined" ? { kind, replayed } : { kind };
}

function chargedBy(result: AttemptResult, outcome: VendorOutcome | null): Charged {
  if (result.kind !== "executed") return result.kind === "unknown" ? "unknown" : "no";
  return result.price > 0n || (outcome?.counts ?? null) !== null ? "yes" : "no";
}

/** Why an attempt that was forwarded cost nothing, or may have. */
function reasonOf(result: AttemptResult, reply: VendorReply): string | null {
  if (reply.kind === "unreachable") return "vendor_unreachable";
  if (reply.kind === "broken") return "vendor_connection_broken";
  if (reply.kind === "timeout") return "vendor_timeout";
  if (reply.kind === "too_large") return "vendor_answer_too_large";
  if (result.kind === "executed") return null;
  return result.kind === "unknown" ? "vendor_error" : `vendor_${result.kind}`;
}

/** The vendor's answer as it came, or ours in its place where there is none to show. */
function answered(
  row: Row,
  exchange: Exchange,
  { charged, leaf }: { readonly charged: Charged; readonly leaf: Balance | null },
  ports: SettlePorts,
): ProxyResult {
  const { reply, answer, withheld } = exchange;
  const { wouldDeny } = row;
  const facts = callFacts(row, { charged, leaf, nowMs: ports.clock.now(), wouldDeny });
  if (reply.kind !== "answer" || answer === null || withheld !== null)
    return { kind: "denied", problem: noAnswer(exchange, charged, rowCallId(row.recordId)), facts };
  return { kind: "forwarded", reply, decoded: answer.body, facts };
}
