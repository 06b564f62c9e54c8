import { describe, expect, test } from "vitest";
import { attemptChanged } from "../../lambda/domain/audit-event.ts";
import { chargedAt, closed, type Verdict } from "../../lambda/domain/call/close.ts";
import { fold } from "../../lambda/domain/call/fold.ts";
import {
  type Attempt,
  type AttemptState,
  type CallRecord,
  newAttempt,
  newCall,
  VENDOR_BOOKS,
} from "../../lambda/domain/call/record.ts";
import { pruned } from "../../lambda/domain/call/retention.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { policyOf, START_MS } from "../support/vault-facts.ts";

/** Guarantees what becomes of a call whose outcome nobody knows, once somebody does: its states and its money. */

const POLICY = policyOf("key_1");

const attempt = (attemptId: string, state: AttemptState, change: Partial<Attempt> = {}): Attempt => ({
  ...newAttempt({
    attemptId,
    kind: "own",
    amount: microUsd(10n),
    policy: POLICY,
    issuedAtMs: START_MS,
    request: {
      keyId: "key_1",
      method: "POST",
      path: "/v1/charges",
      callLabel: null,
      idempotencyKey: null,
      amountText: null,
      currency: null,
      fxRate: null,
      sourceIp: null,
      userAgent: null,
    },
  }),
  state,
  ...change,
});

const recordOf = (attempts: readonly Attempt[], change: Partial<CallRecord> = {}): CallRecord => ({
  ...newCall("call_1", START_MS),
  version: 5,
  status: "unresolved",
  attempts: Object.fromEntries(attempts.map((each) => [each.attemptId, each])),
  ...change,
});

const first = attempt("a", "unresolved");
const second = attempt("b", "unresolved", { issuedAtMs: START_MS + 1 });
const crashed = attempt("o", "open");
const paying = attempt("c", "settled", { cost: microUsd(10n) });
const not: Verdict = { kind: "not_charged" };
const found = (attemptId: string, price: bigint): Verdict => ({
  ...chargedAt(microUsd(price)),
  attemptId,
  objectId: "ch_1",
  estimateOf: "twilio",
});

describe("a verdict decides", () => {
  type Row = [
    string,
    CallRecord,
    Verdict,
    {
      states: Record<string, AttemptState>;
      status: string;
      back: bigint[];
      cost?: bigint;
      overrun?: boolean;
    },
  ];
  const rows: Row[] = [
    [
      "not charged: its draw goes back",
      recordOf([first]),
      not,
      { states: { a: "released" }, status: "idle", back: [10n] },
    ],
    [
      "charged, no price given: what was reserved",
      recordOf([first]),
      chargedAt(null),
      { states: { a: "settled" }, status: "settled", back: [], cost: 10n },
    ],
    [
      "charged for less: the rest goes back",
      recordOf([first]),
      chargedAt(microUsd(7n)),
      { states: { a: "settled" }, status: "settled", back: [3n], cost: 7n },
    ],
    [
      "charged for nothing: all goes back, and the call is settled",
      recordOf([first]),
      chargedAt(microUsd(0n)),
      { states: { a: "settled" }, status: "settled", back: [10n], cost: 0n },
    ],
    [
      "charged for more: the rest is counted beyond the caps",
      recordOf([first]),
      chargedAt(microUsd(12n)),
      { states: { a: "settled" }, status: "settled", back: [-2n], cost: 12n, overrun: true },
    ],
    [
      "charged, two unresolved: the first pays, the other goes back",
      recordOf([second, first]),
      chargedAt(null),
      { states: { a: "settled", b: "paid_by_other" }, status: "settled", back: [10n], cost: 10n },
    ],
    [
      "charged, found for the second: that one pays",
      recordOf([first, second]),
      found("b", 4n),
      { states: { a: "paid_by_other", b: "settled" }, status: "settled", back: [6n, 10n] },
    ],
    [
      "not charged, two unresolved: both go back",
      recordOf([first, second]),
      not,
      { states: { a: "released", b: "released" }, status: "idle", back: [10n, 10n] },
    ],
    [
      "an attempt that is open is not touched",
      recordOf([first, crashed]),
      not,
      { states: { a: "released", o: "open" }, status: "idle", back: [10n] },
    ],
    [
      "charged, and another attempt pays: a call is executed once",
      recordOf([first, paying], { status: "settled", payingAttemptId: "c" }),
      chargedAt(null),
      { states: { a: "paid_by_other", c: "settled" }, status: "settled", back: [10n], cost: 0n },
    ],
  ];

  test.each(rows)("%s", (_, before, verdict, { states, status, back, cost, overrun = false }) => {
    const folded = closed(before, verdict, "admin", "hand_1", START_MS + 9);
    const record = folded?.record;

    expect(
      Object.fromEntries(Object.entries(record?.attempts ?? {}).map(([id, { state }]) => [id, state])),
    ).toEqual(states);
    expect(record?.status).toBe(status);
    expect(record?.version).toBe(6);
    expect(folded?.corrections.map(({ amount }) => amount)).toEqual(back);
    expect(Object.keys(record?.corrections ?? {})).toEqual(back.map((_each, index) => `hand_1.${index}`));
    if (cost !== undefined) expect(record?.attempts["a"]?.cost).toBe(cost);
    expect(record?.attempts["a"]?.overrun).toBe(overrun);
  });

  test.each([
    ["settled", recordOf([paying], { status: "settled", payingAttemptId: "c" })],
    ["open", recordOf([crashed], { status: "idle" })],
    ["without attempts", newCall("call_1", START_MS)],
  ])("a call that is %s has nothing to close", (_, before) => {
    expect(closed(before, not, "admin", "hand_1", START_MS)).toBeNull();
  });
});

test("what was found stands on the record, and its final price is asked for later", () => {
  const folded = closed(recordOf([first]), found("a", 4n), VENDOR_BOOKS, "books_1", START_MS);

  expect(folded?.record).toMatchObject({
    payingAttemptId: "a",
    objectId: "ch_1",
    latePrice: { vendor: "twilio", dueMs: START_MS + 60_000 },
  });
});

describe("the row of a closed attempt", () => {
  const eventOf = (before: CallRecord, verdict: Verdict, by: string) => {
    const after = closed(before, verdict, by, "hand_1", START_MS)?.record ?? before;
    const changed = after.attempts["a"];
    if (changed === undefined) throw new Error("the attempt is gone");
    return attemptChanged(POLICY, before, after, changed);
  };

  test.each([
    ["by hand, charged", chargedAt(microUsd(7n)), "admin", "settled", "resolved_by_hand", 7n],
    ["by hand, dearer", chargedAt(microUsd(12n)), "ak_1", "settled", "resolved_by_hand", 12n],
    ["by hand, not charged", not, "admin", "released", "resolved_by_hand", 0n],
    ["by the books", found("a", 4n), VENDOR_BOOKS, "settled", "resolved_by_books", 4n],
  ] as const)(
    "says who closed it, and adds to the sums what it cost: %s",
    (_, verdict, by, event, reason, cost) => {
      const told = eventOf(recordOf([first]), verdict, by);

      expect(told).toMatchObject({ event, fields: { by, reason, cost, reserved: 10n } });
      expect(told.totals.spent).toBe(cost);
      expect(told.totals.keys.map(({ spent }) => spent)).toEqual(cost === 0n ? [] : [cost]);
      expect(told.totals.allowed).toBe(0);
    },
  );

  test("says what was found of an attempt that died before its outcome, at the same sums", () => {
    const verdict = { ...found("a", 4n), facts: { vendorObjectId: "ch_1", currency: "usd" } };
    const told = eventOf(recordOf([attempt("a", "unresolved", { outcome: null })]), verdict, VENDOR_BOOKS);

    expect(told.fields).toMatchObject({ vendorObjectId: "ch_1", currency: "usd", by: VENDOR_BOOKS });
    expect(told.totals.keys.map(({ spent }) => spent)).toEqual([4n]);
  });
});

describe("a call that was called not charged, and was", () => {
  const after = closed(recordOf([first]), not, "admin", "hand_1", START_MS)?.record ?? recordOf([]);
  const executed = (replayed: boolean) =>
    ({
      kind: "executed",
      price: microUsd(7n),
      replayed,
      objectId: "ch_1",
      estimateOf: null,
      uncounts: [],
    }) as const;

  test("is counted when a repeat gets its answer replayed", () => {
    const repeated = { ...after, attempts: { ...after.attempts, r: attempt("r", "open") } };
    const { record, corrections } = fold(pruned(repeated, "r"), "r", executed(true), START_MS, false);

    expect(record.attempts["r"]).toMatchObject({ state: "settled", cost: 7n });
    expect(corrections.map(({ amount }) => amount)).toEqual([3n]);
  });

  test("is counted beyond the caps when its own answer comes after all", () => {
    const { record, corrections } = fold(after, "a", executed(false), START_MS, false);

    expect(record.attempts["a"]).toMatchObject({ cost: 7n, overrun: true });
    expect(corrections.map(({ amount }) => amount)).toEqual([-7n]);
  });
});
