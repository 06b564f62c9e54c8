import { describe, expect, test } from "vitest";
import {
  type AuditEvent,
  attemptChanged,
  changedAttempts,
  drawLanded,
  keyChanged,
  keyIssued,
  rowOf,
} from "../../lambda/domain/audit-event.ts";
import type { OutcomeFacts } from "../../lambda/domain/audit-fields.ts";
import { UNCAPPED } from "../../lambda/domain/balance.ts";
import {
  type Attempt,
  type AttemptState,
  type CallRecord,
  newCall,
} from "../../lambda/domain/call/record.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";
import type { Policy } from "../../lambda/domain/vault-key.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** Guarantees that every change of the Vault becomes the right events, and always the same ones. */

const AT = 1_795_323_600_000;
const policy: Policy = {
  keyId: "key_leaf",
  secretHash: "hash",
  vendor: "stripe",
  credential: "default",
  allowedEndpoints: null,
  limits: UNLIMITED,
  label: "modal-billing/cus_1",
  metadata: { team: "a" },
  chain: [
    { keyId: "key_root", issuedAtMs: 0 },
    { keyId: "key_leaf", issuedAtMs: 0 },
  ],
  issuerId: "admin",
  issuedAtMs: AT,
  issuedWith: { caps: { daily: microUsd(10n), total: UNCAPPED, perCall: UNCAPPED }, expiresAtMs: AT + 1 },
};
const outcome: OutcomeFacts = {
  reason: null,
  wouldDeny: null,
  remaining: microUsd(3n),
  amountText: null,
  currency: "usd",
  fxRate: null,
  vendorStatus: 200,
  vendorRequestId: "req_1",
  vendorObjectId: "pi_1",
  vendorCustomerId: null,
  replayed: false,
  vendorMs: 5,
  overheadMs: 2,
};
const attempt = (state: AttemptState, change: Partial<Attempt> = {}): Attempt => ({
  attemptId: "att_1",
  state,
  kind: "own",
  amount: microUsd(10n),
  windows: [
    { keyId: "key_root", window: 4 },
    { keyId: "key_leaf", window: 2 },
  ],
  issuedAtMs: AT,
  ambiguous: [],
  settledAtJoin: false,
  cost: NOTHING,
  overrun: false,
  lateAtMs: null,
  closedBy: null,
  request: {
    keyId: "key_leaf",
    method: "POST",
    path: "/v1/charges",
    callLabel: "step",
    idempotencyKey: "k",
    amountText: "100",
    currency: "usd",
    fxRate: null,
    sourceIp: "1.2.3.4",
    userAgent: "x",
  },
  outcome: state === "open" ? null : outcome,
  ...change,
});
const recordOf = (each: Attempt | null, version: number, change: Partial<CallRecord> = {}): CallRecord => ({
  ...newCall("call_1", AT),
  version,
  attempts: each === null ? {} : { [each.attemptId]: each },
  ...change,
});

const eventAfter = (before: Attempt | null, after: Attempt, change: Partial<CallRecord> = {}): AuditEvent =>
  attemptChanged(policy, before === null ? null : recordOf(before, 1), recordOf(after, 2, change), after);

const openEvent = eventAfter(null, attempt("open"));
const drawEvent = drawLanded(policy, {
  callId: "call_1",
  attemptId: "att_1",
  atMs: AT,
  window: 2,
  amount: microUsd(10n),
  method: "POST",
  path: "/v1/charges",
  remaining: microUsd(3n),
});
const settledEvent = eventAfter(attempt("open"), attempt("settled", { cost: microUsd(7n) }));

describe("the events of an attempt", () => {
  test.each([
    ["open", attempt("open"), "open", "allowed"],
    ["settled", attempt("settled"), "settled", "allowed"],
    ["covered by another attempt", attempt("paid_by_other"), "released", "allowed"],
    ["denied", attempt("denied"), "denied", "denied"],
    ["a joiner that was executed", attempt("joined", { kind: "joiner" }), "settled", "allowed"],
    [
      "a joiner that was refused",
      attempt("joined", { kind: "joiner", outcome: { ...outcome, vendorStatus: 429 } }),
      "released",
      "allowed",
    ],
    [
      "a joiner without an answer",
      attempt("joined", { kind: "joiner", outcome: { ...outcome, vendorStatus: null } }),
      "released",
      "allowed",
    ],
    ["free", attempt("free", { kind: "free" }), "free", "allowed"],
  ])("%s", (_, after, event, decision) => {
    expect(eventAfter(attempt("open", { state: "open" }), after)).toMatchObject({
      event,
      fields: { decision, keyId: "key_leaf", parentIds: ["key_root"], labelGroup: "modal-billing" },
    });
  });

  test("are made of attempts whose state changed, and of no other", () => {
    expect(changedAttempts(recordOf(attempt("open"), 1), recordOf(attempt("open"), 2))).toEqual([]);
    expect(changedAttempts(null, recordOf(attempt("open"), 1))).toHaveLength(1);
    expect(changedAttempts(recordOf(attempt("open"), 1), recordOf(null, 2))).toEqual([]);
  });
});

describe("what an event adds to the totals", () => {
  const root = { keyId: "key_root", window: 4 };
  const leaf = { keyId: "key_leaf", window: 2 };
  /** What is added to both keys of the chain; the leaf has the counts. */
  const both = (spent: bigint, allowed: number, denied: number) => [
    ...(spent === 0n ? [] : [{ ...root, spent, allowed: 0, denied: 0 }]),
    ...(spent === 0n && allowed + denied === 0 ? [] : [{ ...leaf, spent, allowed, denied }]),
  ];
  const corrections = (...of: readonly (readonly [string, string, number, bigint])[]) => ({
    corrections: Object.fromEntries(
      of.map(([opId, keyId, window, amount]) => [
        opId,
        { keyId, window, amount: microUsd(amount), issuedAtMs: AT },
      ]),
    ),
  });

  test.each<[string, AuditEvent, bigint, number, number]>([
    ["a draw that landed adds nothing", drawEvent, 0n, 0, 0],
    ["an open attempt adds nothing", openEvent, 0n, 0, 0],
    [
      "a settled one is spent, on each key of its chain",
      eventAfter(
        attempt("open"),
        attempt("settled", { cost: microUsd(7n) }),
        corrections(["att_1.0", "key_root", 4, 3n], ["att_1.1", "key_leaf", 2, 3n]),
      ),
      7n,
      1,
      0,
    ],
    ["an unresolved one is a call", eventAfter(attempt("open"), attempt("unresolved")), 0n, 1, 0],
    [
      "an unresolved one that is settled is not counted as a call again",
      eventAfter(attempt("unresolved"), attempt("settled", { cost: microUsd(10n) })),
      10n,
      0,
      0,
    ],
    [
      "a released one spends nothing",
      eventAfter(
        attempt("open"),
        attempt("released"),
        corrections(["att_1.0", "key_root", 4, 10n], ["att_1.1", "key_leaf", 2, 10n]),
      ),
      0n,
      1,
      0,
    ],
    ["one denied before its leaf was drawn", eventAfter(attempt("open"), attempt("denied")), 0n, 0, 1],
    [
      "one denied after its leaf was drawn",
      eventAfter(
        attempt("open"),
        attempt("denied"),
        corrections(["att_1.0", "key_root", 4, 10n], ["att_1.1", "key_leaf", 2, 10n]),
      ),
      0n,
      0,
      1,
    ],
    [
      "a joiner spends nothing",
      eventAfter(attempt("open", { kind: "joiner" }), attempt("joined", { kind: "joiner" })),
      0n,
      1,
      0,
    ],
    [
      "a joiner that was executed anew is counted beyond the caps",
      eventAfter(
        attempt("open", { kind: "joiner" }),
        attempt("joined", { kind: "joiner", cost: microUsd(7n) }),
        corrections(["att_1.0", "key_root", 4, -7n], ["att_1.1", "key_leaf", 2, -7n]),
      ),
      7n,
      1,
      0,
    ],
  ])("%s", (_, event, spent, allowed, denied) => {
    expect(event.totals).toEqual({ spent, allowed, denied, keys: both(spent, allowed, denied) });
  });

  test("what goes back for a cancelled object belongs to the keys and windows it was drawn from", () => {
    const cancelled = attempt("settled", { amount: NOTHING, cost: microUsd(-9n) });
    const { totals } = eventAfter(
      attempt("open", { amount: NOTHING }),
      cancelled,
      corrections(["att_1.0", "key_root", 3, 9n], ["att_1.1", "key_other", 1, 9n]),
    );

    expect(totals).toEqual({
      spent: -9n,
      allowed: 1,
      denied: 0,
      keys: [
        { ...leaf, spent: 0n, allowed: 1, denied: 0 },
        { keyId: "key_root", window: 3, spent: -9n, allowed: 0, denied: 0 },
        { keyId: "key_other", window: 1, spent: -9n, allowed: 0, denied: 0 },
      ],
    });
  });

  test("a joiner that settles what another attempt holds spends nothing, and the other one does", () => {
    const held = attempt("unresolved", { attemptId: "att_0" });
    const joiner = attempt("open", { kind: "joiner" });
    const before = { ...recordOf(held, 1), attempts: { att_0: held, att_1: joiner } };
    const paid = attempt("settled", { attemptId: "att_0", cost: microUsd(7n) });
    const joined = attempt("joined", { kind: "joiner" });
    const after = {
      ...recordOf(paid, 2, corrections(["att_1.0", "key_root", 4, 3n], ["att_1.1", "key_leaf", 2, 3n])),
      attempts: { att_0: paid, att_1: joined },
    };

    expect(attemptChanged(policy, before, after, joined).totals).toMatchObject({
      spent: 0n,
      keys: both(0n, 1, 0),
    });
    expect(attemptChanged(policy, before, after, paid).totals).toMatchObject({
      spent: 7n,
      keys: both(7n, 0, 0),
    });
  });
});

describe("a row", () => {
  const orders = (events: AuditEvent[]): AuditEvent[][] =>
    events.length < 2
      ? [events]
      : events.flatMap((event, index) => orders(events.toSpliced(index, 1)).map((rest) => [event, ...rest]));

  test("is the same whatever the order in which its events arrived", () => {
    const unresolved = eventAfter(attempt("open"), attempt("unresolved"));
    const late = {
      ...attemptChanged(
        policy,
        recordOf(attempt("unresolved"), 2),
        recordOf(attempt("settled", { cost: microUsd(7n) }), 3),
        attempt("settled", { cost: microUsd(7n) }),
      ),
    };
    for (const events of orders([openEvent, drawEvent, unresolved, late])) {
      expect(rowOf(events)).toMatchObject({
        state: "settled",
        fields: { reserved: 10n, cost: 7n, remaining: 3n, callLabel: "step", vendorObjectId: "pi_1" },
      });
    }
  });

  test("of an attempt whose process died is open, and says what is reserved for it", () => {
    expect(rowOf([drawEvent])).toMatchObject({
      state: "open",
      fields: { decision: "allowed", reserved: 10n, method: "POST", path: "/v1/charges" },
    });
    expect(rowOf([openEvent, drawEvent])).toMatchObject({
      state: "open",
      fields: { reserved: 10n, idempotencyKey: "k" },
    });
  });
});

test("a late price is an event of its own above the outcome, and changes what is spent and nothing else", () => {
  const estimated = attempt("settled", { cost: microUsd(7n) });
  const final = { ...outcome, amountText: "-0.000004", currency: "usd" };
  const priced = attempt("settled", { cost: microUsd(4n), lateAtMs: AT + 9, outcome: final });
  expect(changedAttempts(recordOf(estimated, 2), recordOf(priced, 3))).toEqual([priced]);
  const event = attemptChanged(policy, recordOf(estimated, 2), recordOf(priced, 3), priced);

  expect(event).toMatchObject({
    event: "late_price",
    rank: 3,
    fields: { cost: 4n, amountText: "-0.000004" },
  });
  expect(event.totals).toEqual({
    spent: -3n,
    allowed: 0,
    denied: 0,
    keys: [
      { keyId: "key_root", window: 4, spent: -3n, allowed: 0, denied: 0 },
      { keyId: "key_leaf", window: 2, spent: -3n, allowed: 0, denied: 0 },
    ],
  });
  for (const order of [
    [settledEvent, event],
    [event, openEvent, settledEvent],
  ])
    expect(rowOf(order)).toMatchObject({ state: "settled", fields: { cost: 4n, amountText: "-0.000004" } });
});

test("changes of a key are events of the key itself", () => {
  const after = {
    keyId: "key_leaf",
    issuedAtMs: AT,
    caps: { daily: microUsd(5n), total: UNCAPPED, perCall: UNCAPPED },
    leftByWindow: {},
    leftInTotal: UNCAPPED,
    expiresAtMs: AT + 1,
    revokedAtMs: null,
    fenceMs: 0,
    writes: 7,
    minuteCalls: null,
  };
  expect(keyIssued(policy)).toMatchObject({
    subject: "key_leaf",
    attemptId: null,
    event: "key.issued",
    fields: { by: "admin", dailyCap: 10n, expiresAtMs: AT + 1 },
  });
  expect(keyChanged(policy, "key.changed", after, AT + 5, "admin")).toMatchObject({
    rank: 7,
    fields: { atMs: AT + 5, dailyCap: 5n, expiresAtMs: AT + 1 },
  });
});
