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
  test.each([
    ["a draw is held", drawEvent, { spent: 0n, held: 10n, window: 2, allowed: 0, denied: 0 }],
    ["an open attempt adds nothing", openEvent, { spent: 0n, held: 0n, window: 0, allowed: 0, denied: 0 }],
    [
      "a settled one is spent and no longer held",
      settledEvent,
      { spent: 7n, held: -10n, window: 2, allowed: 1, denied: 0 },
    ],
    [
      "an unresolved one stays held",
      eventAfter(attempt("open"), attempt("unresolved")),
      { spent: 0n, held: 0n, window: 2, allowed: 1, denied: 0 },
    ],
    [
      "an unresolved one that is settled is not counted as a call again",
      eventAfter(attempt("unresolved"), attempt("settled", { cost: microUsd(10n) })),
      { spent: 10n, held: -10n, window: 2, allowed: 0, denied: 0 },
    ],
    [
      "one denied before its leaf was drawn frees nothing",
      eventAfter(attempt("open"), attempt("denied")),
      { spent: 0n, held: 0n, window: 2, allowed: 0, denied: 1 },
    ],
    [
      "one denied after its leaf was drawn frees that",
      eventAfter(attempt("open"), attempt("denied"), {
        corrections: { "att_1.0": { keyId: "key_leaf", window: 2, amount: microUsd(10n), issuedAtMs: AT } },
      }),
      { spent: 0n, held: -10n, window: 2, allowed: 0, denied: 1 },
    ],
    [
      "a joiner frees nothing",
      eventAfter(attempt("open", { kind: "joiner" }), attempt("joined", { kind: "joiner" })),
      { spent: 0n, held: 0n, window: 2, allowed: 1, denied: 0 },
    ],
  ])("%s", (_, event, totals) => {
    expect(event.totals).toEqual(totals);
  });

  test("the draw and the outcome of an attempt cancel out, in either order", () => {
    expect(drawEvent.totals.held + settledEvent.totals.held).toBe(0n);
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
  expect(event.totals).toEqual({ spent: -3n, held: 0n, window: 2, allowed: 0, denied: 0 });
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
