import { expect, test } from "vitest";
import { check, type ViolationKind } from "./check.ts";
import type { AuditRow, Facts, SentRequest, StoredBalance } from "./facts.ts";

/** Guarantees that the comparison of a run of faults notices each thing that must never be. */

const DOLLAR = 1_000_000n;

const request = (label: string, more: Partial<SentRequest> = {}): SentRequest => ({
  label,
  call: label.split(".")[0] ?? "",
  keyId: "key_leaf",
  isAfterRevocation: false,
  status: 200,
  callId: `call_${label}`,
  charged: "yes",
  code: null,
  ...more,
});

const row = (label: string, more: Partial<AuditRow> = {}): AuditRow => ({
  id: `row ${label}`,
  type: "call",
  keyId: "key_leaf",
  callId: `call_${label}`,
  label,
  state: "settled",
  cost: 0n,
  reserved: 0n,
  objectId: null,
  ...more,
});

const issued = (keyId: string): AuditRow =>
  row("", { id: `issued ${keyId}`, type: "key.issued", keyId, label: null, callId: null, state: null });

const balance = (keyId: string, counted: bigint): StoredBalance => ({
  keyId,
  dailyCap: 20n * DOLLAR,
  totalCap: 10n * DOLLAR,
  leftOfDays: [20n * DOLLAR - counted],
  leftOfTotal: 10n * DOLLAR - counted,
});

/** A key below another one: a call of $3 that was repeated, one of $2 without idempotency key, and one that was refused. */
const RIGHT: Facts = {
  keys: [
    { id: "key_root", name: "root", chain: ["ak_1", "key_root"], observes: false, revokedAtMs: null },
    {
      id: "key_leaf",
      name: "leaf",
      chain: ["ak_1", "key_root", "key_leaf"],
      observes: false,
      revokedAtMs: null,
    },
  ],
  calls: [
    { name: "c0", cents: 300, idempotencyKey: "k0", keyIds: ["key_leaf"] },
    { name: "c1", cents: 200, idempotencyKey: null, keyIds: ["key_leaf"] },
    { name: "c2", cents: 999, idempotencyKey: null, keyIds: ["key_leaf"] },
  ],
  requests: [
    request("c0.0", { status: 500, charged: "unknown" }),
    request("c0.1"),
    request("c1.0"),
    request("c2.0", { status: 429, charged: "no", code: "spend_cap_exceeded" }),
    request("c2.1", { status: 0, callId: null, charged: null }),
  ],
  charges: [
    { objectId: "pi_0", call: "c0", cents: 300 },
    { objectId: "pi_1", call: "c1", cents: 200 },
  ],
  balances: [balance("key_root", 5n * DOLLAR), balance("key_leaf", 5n * DOLLAR)],
  rows: [
    row("c0.0", { cost: 3n * DOLLAR }),
    row("c0.1"),
    row("c1.0", { cost: 2n * DOLLAR }),
    row("c2.0", { state: "denied" }),
    issued("key_root"),
    issued("key_leaf"),
  ],
  sums: new Map([
    ["key_root", 5n * DOLLAR],
    ["key_leaf", 5n * DOLLAR],
  ]),
};

const without = <T>(list: readonly T[], index: number): readonly T[] => list.filter((_, at) => at !== index);
const changed = <T>(list: readonly T[], index: number, more: Partial<T>): readonly T[] =>
  list.map((each, at) => (at === index ? { ...each, ...more } : each));

test("what is right is right, before the end and at it", () => {
  for (const isFinal of [false, true])
    expect(check(RIGHT, isFinal)).toMatchObject({ violations: [], held: 0n, charged: 5n * DOLLAR });
});

/** Both balances count so much; the rest is as it was. */
const counting = (counted: bigint): Partial<Facts> => ({
  balances: [balance("key_root", counted), balance("key_leaf", counted)],
});

test.each<[what: string, more: Partial<Facts>, kinds: readonly ViolationKind[]]>([
  [
    "a cap below what was charged",
    { balances: RIGHT.balances.map((each) => ({ ...each, totalCap: 4n * DOLLAR, leftOfTotal: -DOLLAR })) },
    ["overspent", "overspent"],
  ],
  ["a balance that counts less than was charged", counting(4n * DOLLAR), ["not counted", "not counted"]],
  [
    "caps that count differently",
    { balances: changed(RIGHT.balances, 1, { leftOfTotal: 4n * DOLLAR }) },
    ["two balances"],
  ],
  ["a row that is there twice", { rows: [...RIGHT.rows, row("c0.1")] }, ["row doubled", "row doubled"]],
  ["two rows of one request", { rows: [...RIGHT.rows, row("c0.1", { id: "another" })] }, ["row doubled"]],
  ["an answered request without a row", { rows: without(RIGHT.rows, 3) }, ["row lost"]],
  ["an issue without a row", { rows: without(RIGHT.rows, 5) }, ["row lost"]],
  ["two rows of one issue", { rows: [...RIGHT.rows, { ...issued("key_leaf"), id: "x" }] }, ["row doubled"]],
  [
    "a charge without a row",
    {
      rows: without(RIGHT.rows, 2),
      requests: without(RIGHT.requests, 2),
      sums: new Map([
        ["key_root", 3n * DOLLAR],
        ["key_leaf", 3n * DOLLAR],
      ]),
    },
    ["row lost", "cost is not the charge"],
  ],
  ["a row of no request", { rows: [...RIGHT.rows, row("c9.0", { state: "denied" })] }, ["row of nothing"]],
  [
    "a row with another cost",
    {
      rows: changed(RIGHT.rows, 0, { cost: 2n * DOLLAR }),
      sums: new Map([
        ["key_root", 4n * DOLLAR],
        ["key_leaf", 4n * DOLLAR],
      ]),
    },
    ["cost is not the charge"],
  ],
  ["a sum that is not its rows'", { sums: new Map([["key_root", 5n * DOLLAR]]) }, ["sum is not the rows"]],
  [
    "a call that was charged twice",
    { charges: [...RIGHT.charges, { objectId: "pi_2", call: "c0", cents: 300 }] },
    ["not counted", "not counted", "charged twice", "cost is not the charge"],
  ],
  [
    "a caller who was told that nothing was charged",
    { requests: changed(RIGHT.requests, 2, { charged: "no" }) },
    ["told wrong"],
  ],
  [
    "a caller who was told of a charge that is none",
    { requests: changed(RIGHT.requests, 3, { charged: "yes" }) },
    ["told wrong"],
  ],
  [
    "an answer after the revocation was acknowledged",
    { requests: changed(RIGHT.requests, 2, { isAfterRevocation: true }) },
    ["after revocation"],
  ],
])("%s is noticed", (_, more, kinds) => {
  expect(
    check({ ...RIGHT, ...more }, false)
      .violations.map(({ kind }) => kind)
      .sort(),
  ).toEqual([...kinds].sort());
});

test("before the end more may be held than was charged, and a row may wait for its outcome; at the end neither", () => {
  const waiting: Facts = {
    ...RIGHT,
    ...counting(7n * DOLLAR),
    rows: changed(changed(RIGHT.rows, 2, { state: "open", cost: 0n, reserved: 2n * DOLLAR }), 1, {
      state: "unresolved",
      reserved: 0n,
    }),
    sums: new Map([
      ["key_root", 3n * DOLLAR],
      ["key_leaf", 3n * DOLLAR],
    ]),
  };
  expect(check(waiting, false)).toMatchObject({
    violations: [],
    held: 2n * DOLLAR,
    openRows: 1,
    unresolvedRows: 1,
  });
  expect(check(waiting, true).violations.map(({ kind }) => kind)).toEqual([
    "held for nothing",
    "held for nothing",
    "unresolved",
    "open",
  ]);
});

test("a call that died without a record has the row of its draw, which has no label", () => {
  const died: Facts = {
    ...RIGHT,
    calls: [...RIGHT.calls, { name: "c3", cents: 700, idempotencyKey: null, keyIds: ["key_leaf"] }],
    requests: [...RIGHT.requests, request("c3.0", { status: 0, callId: null, charged: null })],
    charges: [...RIGHT.charges, { objectId: "pi_3", call: "c3", cents: 700 }],
    rows: [...RIGHT.rows, row("", { id: "draw", label: null, state: "open", reserved: 7n * DOLLAR })],
    balances: RIGHT.balances.map((each) => ({
      ...balance(each.keyId, 12n * DOLLAR),
      dailyCap: null,
      totalCap: 20n * DOLLAR,
      leftOfTotal: 8n * DOLLAR,
    })),
  };
  expect(check(died, false).violations).toEqual([]);
  expect(check(died, true).violations.map(({ kind }) => kind)).toEqual(["open"]);
  const otherAmount = changed(died.rows, died.rows.length - 1, { reserved: 6n * DOLLAR });
  expect(check({ ...died, rows: otherAmount }, false).violations.map(({ kind }) => kind)).toEqual([
    "row lost",
    "cost is not the charge",
  ]);
});

test("what the ledger did not take: a refusal has no row and says so, a charge has the row of its draw by its call's id", () => {
  const refused = changed(RIGHT.requests, 3, { status: 503, code: "ledger_unavailable" });
  expect(check({ ...RIGHT, requests: refused, rows: without(RIGHT.rows, 3) }, true).violations).toEqual([]);

  const ofDraw = { label: null, cost: 2n * DOLLAR };
  expect(check({ ...RIGHT, rows: changed(RIGHT.rows, 2, ofDraw) }, true).violations).toEqual([]);
});

test("a key that observes may be charged beyond its cap, and counts it", () => {
  const observing: Facts = {
    ...RIGHT,
    keys: RIGHT.keys.map((key) => ({ ...key, observes: true })),
    balances: RIGHT.balances.map((each) => ({ ...each, totalCap: 4n * DOLLAR, leftOfTotal: -DOLLAR })),
  };
  expect(check(observing, true).violations).toEqual([]);
});
