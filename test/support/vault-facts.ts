import type { Balance, Correction, Draw } from "../../lambda/domain/balance.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import { type Attempt, type CallRecord, newCall, withAttempt } from "../../lambda/domain/call/record.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import type { AttemptNote } from "../../lambda/ports/balances.ts";
import { UNLIMITED } from "./unlimited.ts";

/** Items of the vault for tests: whatever does not matter to one has a value here. Amounts in micro-dollars. */

export const START_MS = 1_700_000_000_000;
export const HOUR_MS = 3_600_000;
const EXPIRES_AT_MS = START_MS + 1_000 * HOUR_MS;
const CAPS = { daily: microUsd(10n), total: UNCAPPED, perCall: UNCAPPED };
let names = 0;

/** A name that no other test has: one table serves all. */
export const newName = (prefix: string): string => `${prefix}_${++names}_${process.pid}`;

export const policyOf = (keyId: string, change: Partial<Policy> = {}): Policy => ({
  keyId,
  secretHash: "0".repeat(64),
  vendor: "stripe",
  credential: "default",
  allowedEndpoints: null,
  limits: UNLIMITED,
  label: null,
  metadata: {},
  chain: [{ keyId, issuedAtMs: START_MS }],
  issuerId: "api_1",
  issuedAtMs: START_MS,
  issuedWith: { caps: CAPS, expiresAtMs: EXPIRES_AT_MS },
  ...change,
});

export const balanceOf = (keyId: string, change: Partial<Balance> = {}): Balance => ({
  keyId,
  issuedAtMs: START_MS,
  caps: CAPS,
  leftByWindow: {},
  leftInTotal: change.caps?.total ?? UNCAPPED,
  expiresAtMs: EXPIRES_AT_MS,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 0,
  minuteCalls: null,
  ...change,
});

export const drawOf = (
  keyId: string,
  amount: bigint,
  change: Partial<Draw & AttemptNote> = {},
): Draw & AttemptNote => ({
  keyId,
  attemptId: newName("att"),
  window: 0,
  amount: microUsd(amount),
  issuedAtMs: START_MS + 1,
  nowMs: START_MS + 1,
  callId: "call_1",
  isLeaf: true,
  leafId: null,
  method: "POST",
  path: "/v1/charges",
  observes: false,
  count: null,
  ...change,
});

export const correctionOf = (
  keyId: string,
  amount: bigint,
  change: Partial<Correction> = {},
): Correction => ({
  opId: newName("op"),
  keyId,
  window: 0,
  amount: microUsd(amount),
  issuedAtMs: START_MS + 2,
  ...change,
});

export const attemptOf = (change: Partial<Attempt> = {}): Attempt => ({
  attemptId: newName("att"),
  state: "open",
  kind: "own",
  amount: microUsd(3n),
  windows: [{ keyId: "key_1", window: 0 }],
  issuedAtMs: START_MS,
  ambiguous: [],
  settledAtJoin: false,
  cost: NOTHING,
  overrun: false,
  lateAtMs: null,
  closedBy: null,
  request: {
    keyId: "key_1",
    method: "POST",
    path: "/v1/charges",
    callLabel: null,
    idempotencyKey: "k1",
    amountText: "3",
    currency: "usd",
    fxRate: null,
    sourceIp: null,
    userAgent: null,
  },
  outcome: null,
  ...change,
});

/** A record that nobody has written yet, with one attempt on it and no lease. */
export const recordOf = (callId: string, change: Partial<CallRecord> = {}): CallRecord => ({
  ...withAttempt(newCall(callId, START_MS), attemptOf(), null),
  ...change,
});
