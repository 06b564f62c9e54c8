import { type AuditEvent, attemptChanged, drawLanded, keyIssued } from "../../lambda/domain/audit-event.ts";
import { NOTHING_KNOWN, type OutcomeFacts } from "../../lambda/domain/audit-fields.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { type AttemptResult, fold } from "../../lambda/domain/call/fold.ts";
import { repriced } from "../../lambda/domain/call/late-price.ts";
import {
  type Attempt,
  type CallRecord,
  newAttempt,
  newCall,
  withAttempt,
} from "../../lambda/domain/call/record.ts";
import { fromUsdCents, microUsd, NOTHING } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import { UNLIMITED } from "../support/unlimited.ts";
import type { CallFacts, KeyFacts } from "./facts.ts";

/** The events that the product tells of the facts: made by its own domain, from the records of the calls. */

const CAPS = { daily: fromUsdCents(100_000_000n), total: UNCAPPED, perCall: UNCAPPED };

export function policyOf(key: KeyFacts): Policy {
  const { id: keyId, issuedAtMs, parent } = key;
  const own = { keyId, issuedAtMs };
  return {
    keyId,
    secretHash: "0".repeat(64),
    vendor: key.vendor,
    credential: "default",
    allowedEndpoints: null,
    limits: UNLIMITED,
    label: key.label,
    metadata: {},
    chain: parent === null ? [own] : [{ keyId: parent.id, issuedAtMs: parent.issuedAtMs }, own],
    issuerId: parent?.id ?? "admin",
    issuedAtMs,
    issuedWith: { caps: CAPS, expiresAtMs: key.expiresAtMs },
  };
}

export const issueEvent = (key: KeyFacts): AuditEvent => keyIssued(policyOf(key));

export function eventsOf(call: CallFacts): readonly AuditEvent[] {
  const policy = policyOf(call.key);
  const open = attemptOf(call, policy);
  const claimed = withAttempt(newCall(call.id, call.atMs), open, null);
  const told = (before: CallRecord, after: CallRecord): AuditEvent => {
    const attempt = after.attempts[call.attemptId];
    if (attempt === undefined) throw new Error("a call has its attempt");
    return attemptChanged(policy, before, after, attempt);
  };
  if (call.outcome === "open")
    return [attemptChanged(policy, null, claimed, open), landed(call, policy, open)];
  const ended = after(claimed, call, first(call));
  const events = [told(claimed, ended)];
  if (call.outcome === "found_out") events.push(told(ended, after(ended, call, executed(call, call.cost))));
  if (call.outcome === "repriced") {
    const price = { price: microUsd(call.cost), amountText: "1", currency: "usd", fxRate: null };
    const late = repriced(ended, price, "late_1", call.atMs + 60_000);
    if (late === null) throw new Error("a call at an estimate waits for its price");
    events.push(told(ended, late.record));
  }
  return events;
}

const attemptOf = (call: CallFacts, policy: Policy): Attempt =>
  newAttempt({
    attemptId: call.attemptId,
    kind: call.outcome === "free" ? "free" : "own",
    amount: microUsd(call.reserved),
    policy,
    issuedAtMs: call.atMs,
    request: {
      keyId: policy.keyId,
      method: call.outcome === "free" ? "GET" : "POST",
      path: "/v1/payment_intents",
      callLabel: null,
      idempotencyKey: `order-${call.id}`,
      amountText: "100",
      currency: "usd",
      fxRate: null,
      sourceIp: "127.0.0.1",
      userAgent: "Stripe/v1 NodeBindings/23.1.0",
    },
  });

function landed(call: CallFacts, policy: Policy, { windows, amount, request }: Attempt): AuditEvent {
  const { id: callId, attemptId, atMs } = call;
  const { window = 0 } = windows.at(-1) ?? {};
  const { method, path } = request;
  return drawLanded(policy, { callId, attemptId, atMs, window, amount, method, path, remaining: NOTHING });
}

const executed = (call: CallFacts, price: bigint): AttemptResult => ({
  kind: "executed",
  price: microUsd(price),
  replayed: false,
  objectId: `pi_${call.attemptId}`,
  estimateOf: call.outcome === "repriced" ? call.key.vendor : null,
  uncounts: [],
});

/** What the first answer was. */
function first(call: CallFacts): AttemptResult {
  switch (call.outcome) {
    case "denied":
      return { kind: "denied", drawn: [], ambiguous: [] };
    case "released":
      return { kind: "refused" };
    case "unresolved":
    case "found_out":
      return { kind: "unknown" };
    case "repriced":
      return executed(call, call.estimate);
    default:
      return executed(call, call.cost);
  }
}

/** As the proxy writes it: the fold, and the facts of the outcome where the attempt has none yet. */
function after(before: CallRecord, call: CallFacts, result: AttemptResult): CallRecord {
  const { record } = fold(before, call.attemptId, result, call.atMs + 500, false);
  const attempt = record.attempts[call.attemptId];
  if (attempt === undefined || attempt.outcome !== null) return record;
  return {
    ...record,
    attempts: { ...record.attempts, [call.attemptId]: { ...attempt, outcome: outcomeOf(call) } },
  };
}

const outcomeOf = (call: CallFacts): OutcomeFacts => ({
  ...NOTHING_KNOWN,
  reason: call.outcome === "denied" ? "spend_cap_exceeded" : null,
  vendorStatus: call.outcome === "denied" ? null : 200,
  vendorRequestId: `req_${call.attemptId}`,
  vendorMs: 5,
  overheadMs: 2,
});
