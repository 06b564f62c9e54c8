import { type AuditEvent, attemptChanged, drawLanded } from "../../lambda/domain/audit-event.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { type Attempt, newAttempt, newCall, withAttempt } from "../../lambda/domain/call/record.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { VaultChange } from "../../lambda/ports/vault-change.ts";
import { UNLIMITED } from "./unlimited.ts";

/** Events of calls as their records make them, for tests of what is made of events. */

/** 2026-11-22T05:00:00Z. */
export const ISSUED_AT_MS = 1_795_323_600_000;

export const policyNamed = (keyId: string, label: string | null): Policy => ({
  keyId,
  secretHash: "h",
  vendor: "stripe",
  credential: "default",
  allowedEndpoints: null,
  limits: UNLIMITED,
  label,
  metadata: {},
  chain: [{ keyId, issuedAtMs: ISSUED_AT_MS }],
  issuerId: "admin",
  issuedAtMs: ISSUED_AT_MS,
  issuedWith: {
    caps: { daily: microUsd(5n), total: UNCAPPED, perCall: UNCAPPED },
    expiresAtMs: ISSUED_AT_MS + 1,
  },
});

/** The changes of the Vault that a call makes, in their order: claim, draw, outcome. */
export type CallChanges = readonly [VaultChange, VaultChange, VaultChange];

export interface ToldCall {
  readonly changes: CallChanges;
  readonly open: AuditEvent;
  readonly reserved: AuditEvent;
  readonly settled: AuditEvent;
}

/** What is told of the `n`th call of a key: it reserves `micros` and costs them. `atMs`: when it began. */
export function toldCall(policy: Policy, n: number, micros: bigint, atMs: number): ToldCall {
  const [callId, attemptId] = [`call_${n}`, `att_${`${n}`.padStart(20, "0")}`];
  const amount = microUsd(micros);
  const open = newAttempt({
    attemptId,
    kind: "own",
    amount,
    policy,
    issuedAtMs: atMs,
    request: {
      keyId: policy.keyId,
      method: "POST",
      path: "/v1/payment_intents",
      callLabel: null,
      idempotencyKey: `order-${n}`,
      amountText: "100",
      currency: "usd",
      fxRate: null,
      sourceIp: "127.0.0.1",
      userAgent: "Stripe/v1 NodeBindings/23.1.0",
    },
  });
  const settled: Attempt = {
    ...open,
    state: "settled",
    cost: amount,
    outcome: {
      reason: null,
      wouldDeny: null,
      remaining: microUsd(0n),
      amountText: null,
      currency: null,
      fxRate: null,
      vendorStatus: 200,
      vendorRequestId: `req_${n}`,
      vendorObjectId: `pi_${n}`,
      vendorCustomerId: null,
      replayed: false,
      vendorMs: 5,
      overheadMs: 2,
    },
  };
  const claimed = withAttempt(newCall(callId, atMs), open, null);
  const { window = 0 } = open.windows.at(-1) ?? {};
  const { method, path } = open.request;
  const draw = { callId, attemptId, atMs, window, amount, method, path, remaining: microUsd(0n) };
  const after = withAttempt(claimed, settled, null);
  return {
    changes: [
      { kind: "call", before: null, after: claimed },
      { kind: "drawn", keyId: policy.keyId, draw },
      { kind: "call", before: claimed, after },
    ],
    open: attemptChanged(policy, null, claimed, open),
    reserved: drawLanded(policy, draw),
    settled: attemptChanged(policy, claimed, after, settled),
  };
}
