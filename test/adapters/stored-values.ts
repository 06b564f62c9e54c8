import {
  type AuditEvent,
  attemptChanged,
  drawLanded,
  keyChanged,
  keyIssued,
} from "../../lambda/domain/audit-event.ts";
import { type Balance, UNCAPPED } from "../../lambda/domain/balance.ts";
import type { Attempt, CallRecord } from "../../lambda/domain/call/record.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";

/** What the items of `stored-items.json` say: each field of each kind of item has a value somewhere. */

const ISSUED_MS = 1_795_323_600_000;
const AT_MS = 1_795_327_916_789;
const WINDOWS = [
  { keyId: "key_root", window: 4 },
  { keyId: "key_leaf", window: 2 },
];

export const POLICIES: Readonly<Record<string, Policy>> = {
  policy: {
    keyId: "key_leaf",
    secretHash: "0f".repeat(32),
    vendor: "stripe",
    credential: "eu",
    allowedEndpoints: ["POST /v1/payment_intents", "GET /v1/*"],
    limits: {
      accounts: ["acct_1"],
      currencies: ["eur", "usd"],
      recipients: ["+44"],
      maxRecipients: 3,
    },
    label: "modal-billing/cus_A",
    metadata: { team: "a", "run id": "7" },
    chain: [
      { keyId: "key_root", issuedAtMs: ISSUED_MS - 5 },
      { keyId: "key_leaf", issuedAtMs: ISSUED_MS },
    ],
    issuerId: "admin",
    issuedAtMs: ISSUED_MS,
    issuedWith: {
      caps: { daily: microUsd(20_010_000n), total: UNCAPPED, perCall: microUsd(5_000_000n) },
      expiresAtMs: ISSUED_MS + 86_400_000,
    },
  },
  plainPolicy: {
    keyId: "key_plain",
    secretHash: "1e".repeat(32),
    vendor: "resend",
    credential: "default",
    allowedEndpoints: null,
    limits: { accounts: null, currencies: null, recipients: null, maxRecipients: null },
    label: null,
    metadata: {},
    chain: [{ keyId: "key_plain", issuedAtMs: ISSUED_MS }],
    issuerId: "admin",
    issuedAtMs: ISSUED_MS,
    issuedWith: {
      caps: { daily: UNCAPPED, total: UNCAPPED, perCall: UNCAPPED },
      expiresAtMs: ISSUED_MS + 1,
    },
  },
};

const attemptOf = (attemptId: string, change: Partial<Attempt>): Attempt => ({
  attemptId,
  state: "open",
  kind: "own",
  amount: microUsd(10_000_000n),
  windows: WINDOWS,
  issuedAtMs: AT_MS,
  ambiguous: [],
  settledAtJoin: false,
  cost: NOTHING,
  overrun: false,
  lateAtMs: null,
  closedBy: null,
  request: {
    keyId: "key_leaf",
    method: "POST",
    path: "/v1/payment_intents",
    callLabel: null,
    idempotencyKey: null,
    amountText: null,
    currency: null,
    fxRate: null,
    sourceIp: null,
    userAgent: null,
  },
  outcome: null,
  ...change,
});

const SETTLED = attemptOf("att_settled", {
  state: "settled",
  cost: microUsd(11_070_001n),
  overrun: true,
  lateAtMs: AT_MS + 60_000,
  request: {
    keyId: "key_leaf",
    method: "POST",
    path: "/v1/payment_intents",
    callLabel: "step-1",
    idempotencyKey: "order-1",
    amountText: "1000",
    currency: "eur",
    fxRate: 1.1,
    sourceIp: "127.0.0.1",
    userAgent: "curl/7.88.1",
  },
  outcome: {
    reason: "joined",
    wouldDeny: null,
    remaining: microUsd(8_939_999n),
    amountText: "1006",
    currency: "gbp",
    fxRate: 0.000_001,
    vendorStatus: 200,
    vendorRequestId: "req_1",
    vendorObjectId: "pi_1",
    vendorCustomerId: "cus_1",
    replayed: true,
    vendorMs: 5,
    overheadMs: 19,
  },
});

const SILENT: NonNullable<Attempt["outcome"]> = {
  reason: null,
  wouldDeny: null,
  remaining: null,
  amountText: null,
  currency: null,
  fxRate: null,
  vendorStatus: null,
  vendorRequestId: null,
  vendorObjectId: null,
  vendorCustomerId: null,
  replayed: false,
  vendorMs: null,
  overheadMs: 0,
};

const DENIED = attemptOf("att_denied", {
  state: "denied",
  ambiguous: ["key_root"],
  outcome: { ...SILENT, reason: "spend_cap_exceeded", remaining: NOTHING },
});

export const CALLS: Readonly<Record<string, CallRecord>> = {
  fullCall: {
    callId: "call_full",
    version: 9,
    status: "settled",
    lease: { attemptId: "att_rider", untilMs: AT_MS + 30_000 },
    joiners: 2,
    firstAtMs: AT_MS,
    payingAttemptId: "att_settled",
    objectId: "pi_1",
    latePrice: { vendor: "twilio", dueMs: AT_MS + 60_000 },
    attempts: {
      att_settled: SETTLED,
      att_denied: DENIED,
      att_open: attemptOf("att_open", {}),
      att_rider: attemptOf("att_rider", {
        state: "joined",
        kind: "joiner",
        settledAtJoin: true,
        outcome: SILENT,
      }),
    },
    corrections: {
      "att_denied.0": { keyId: "key_leaf", window: 2, amount: microUsd(10_000_000n), issuedAtMs: AT_MS + 7 },
      "late_run.0": { keyId: "key_root", window: 4, amount: microUsd(-7n), issuedAtMs: AT_MS + 8 },
    },
  },
  freeCall: {
    callId: "call_free",
    version: 2,
    status: "idle",
    lease: null,
    joiners: 0,
    firstAtMs: AT_MS,
    payingAttemptId: null,
    objectId: null,
    latePrice: null,
    attempts: {
      att_free: attemptOf("att_free", {
        state: "free",
        kind: "free",
        amount: NOTHING,
        windows: [],
        outcome: SILENT,
      }),
    },
    corrections: {},
  },
  otherStates: {
    callId: "call_other",
    version: 2,
    status: "unresolved",
    lease: null,
    joiners: 0,
    firstAtMs: AT_MS,
    payingAttemptId: null,
    objectId: null,
    latePrice: null,
    attempts: {
      att_covered: attemptOf("att_covered", { state: "paid_by_other", outcome: SILENT }),
      att_released: attemptOf("att_released", { state: "released", outcome: SILENT }),
      att_unresolved: attemptOf("att_unresolved", { state: "unresolved", outcome: SILENT }),
    },
    corrections: {},
  },
};

const BALANCE: Balance = {
  keyId: "key_leaf",
  issuedAtMs: ISSUED_MS,
  caps: { daily: microUsd(20_010_000n), total: UNCAPPED, perCall: microUsd(5_000_000n) },
  leftByWindow: {},
  leftInTotal: UNCAPPED,
  expiresAtMs: ISSUED_MS + 86_400_000,
  revokedAtMs: null,
  fenceMs: 0,
  writes: 7,
  minuteCalls: null,
};

const policyOf = (name: string): Policy => {
  const policy = POLICIES[name];
  if (policy === undefined) throw new Error(`there is no policy ${name}`);
  return policy;
};
const leaf = policyOf("policy");

const after = (callId: string, version: number, attempt: Attempt): CallRecord => ({
  callId,
  version,
  status: "idle",
  lease: null,
  joiners: 0,
  firstAtMs: AT_MS,
  payingAttemptId: null,
  objectId: null,
  latePrice: null,
  attempts: { [attempt.attemptId]: attempt },
  corrections: {},
});
const open: Attempt = {
  ...SETTLED,
  state: "open",
  outcome: null,
  lateAtMs: null,
  closedBy: null,
  overrun: false,
  cost: NOTHING,
};
const estimated: Attempt = { ...SETTLED, lateAtMs: null, cost: microUsd(10_000_000n) };

export const EVENTS: readonly AuditEvent[] = [
  keyIssued(leaf),
  keyIssued(policyOf("plainPolicy")),
  keyChanged(leaf, "key.changed", BALANCE, AT_MS + 1, "admin"),
  keyChanged(leaf, "key.revoked", BALANCE, AT_MS + 2, "key_leaf"),
  drawLanded(leaf, {
    callId: "call_1",
    attemptId: "att_settled",
    atMs: AT_MS,
    window: 2,
    amount: microUsd(10_000_000n),
    method: "POST",
    path: "/v1/payment_intents",
    remaining: microUsd(10_010_000n),
  }),
  attemptChanged(leaf, null, after("call_1", 1, open), open),
  attemptChanged(leaf, after("call_1", 1, open), after("call_1", 2, estimated), estimated),
  attemptChanged(leaf, after("call_1", 2, estimated), after("call_1", 3, SETTLED), SETTLED),
  attemptChanged(leaf, null, after("call_2!att_denied", 1, DENIED), DENIED),
];
