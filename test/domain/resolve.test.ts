import { describe, expect, test } from "vitest";
import { type Attempt, type CallRecord, newCall } from "../../lambda/domain/call/record.ts";
import { keysToAsk, type Landed, PROCESS_MS_MAX, resolved } from "../../lambda/domain/call/resolve.ts";
import { microUsd } from "../../lambda/domain/money.ts";
import { attemptOf } from "../support/vault-facts.ts";

/** Guarantees what the resolver makes of each thing that may be unfinished, by each evidence that there may be. */

const AT_MS = 1_795_323_600_000;
const NOW_MS = AT_MS + 600_000;
const UNTIL_MS = NOW_MS - 300_000;
const CHAIN = [
  { keyId: "root", window: 0 },
  { keyId: "leaf", window: 2 },
];

const attempt = (change: Partial<Attempt> = {}): Attempt =>
  attemptOf({
    attemptId: "att_1",
    amount: microUsd(300n),
    windows: CHAIN,
    issuedAtMs: AT_MS,
    outcome: null,
    ...change,
  });

const recordWith = (attempts: readonly Attempt[], change: Partial<CallRecord> = {}): CallRecord => ({
  ...newCall("call_1", AT_MS),
  version: 3,
  attempts: Object.fromEntries(attempts.map((each) => [each.attemptId, each])),
  ...change,
});

/** Key -> what landed on it. */
const decide = (record: CallRecord, landed: Readonly<Record<string, Landed>>) =>
  resolved(record, (keyId) => landed[keyId] ?? "unknown", {
    writer: "resolve_1",
    nowMs: NOW_MS,
    untilMs: UNTIL_MS,
    denied: new Set(),
  });
const drew = (...ids: readonly string[]): Landed => new Set(ids);

const backTo = ({ corrections }: ReturnType<typeof decide>) =>
  corrections.map(({ keyId, window, amount }) => `${amount} to ${keyId}/${window}`);

describe("an attempt without outcome", () => {
  test.each([
    ["no draw landed", drew(), drew(), "released", [], "resolver"],
    ["the leaf's alone landed", drew("att_2"), drew("att_1"), "released", ["300 to leaf/2"], "resolver"],
    ["the root's alone landed", drew("att_1"), drew(), "released", ["300 to root/0"], "resolver"],
    ["all landed", drew("att_1"), drew("att_0", "att_1"), "unresolved", [], null],
    ["it is not known of one", drew("att_1"), "unknown", "open", [], null],
    ["a key is gone", "gone", drew("att_1"), "unresolved", [], null],
  ] as const)("where %s", (_, root, leaf, state, back, closedBy) => {
    const lease = { attemptId: "att_1", untilMs: AT_MS + 30_000 };
    const result = decide(recordWith([attempt()], { lease }), { root, leaf });

    expect(result.record.attempts["att_1"]).toMatchObject({ state, closedBy, outcome: null });
    expect(backTo(result)).toEqual(back);
    expect([result.waitsFor, result.isChanged]).toEqual(
      state === "open" ? ["evidence", false] : [null, true],
    );
    expect(result.record.lease).toEqual(state === "open" ? lease : null);
    expect(result.record.status).toBe(state === "unresolved" ? "unresolved" : "idle");
  });

  test("of a call that another attempt pays goes back, and so does one that is unresolved", () => {
    const paying = attempt({ attemptId: "att_2", state: "settled" });
    const unknown = attempt({ attemptId: "att_3", state: "unresolved" });
    const record = recordWith([attempt(), paying, unknown], { payingAttemptId: "att_2", status: "settled" });

    const result = decide(record, { root: drew("att_1"), leaf: drew("att_1") });

    expect(result.record.attempts).toMatchObject({
      att_1: { state: "paid_by_other" },
      att_2: { state: "settled" },
      att_3: { state: "paid_by_other" },
    });
    expect(backTo(result)).toEqual(["300 to root/0", "300 to leaf/2", "300 to root/0", "300 to leaf/2"]);
    expect(result.record.status).toBe("settled");
  });

  test("of a call that the vendor declined goes back", () => {
    const result = decide(recordWith([attempt()], { status: "final" }), {
      root: drew("att_1"),
      leaf: drew("att_1"),
    });

    expect(result.record).toMatchObject({ status: "final", attempts: { att_1: { state: "released" } } });
    expect(backTo(result)).toEqual(["300 to root/0", "300 to leaf/2"]);
  });

  test("is left alone while it may be under way, and no key is asked of it", () => {
    const record = recordWith([attempt({ issuedAtMs: UNTIL_MS + 1 })]);

    expect(decide(record, { root: drew(), leaf: drew() })).toMatchObject({
      isChanged: false,
      waitsFor: "age",
    });
    expect(keysToAsk(record, UNTIL_MS).size).toBe(0);
  });

  test("of a clock that is far ahead lacks evidence: it would be too young for ever, and nobody would hear of it", () => {
    const ofLater = (ms: number) => decide(recordWith([attempt({ issuedAtMs: NOW_MS + ms })]), {}).waitsFor;

    expect([ofLater(900_000), ofLater(900_001)]).toEqual(["age", "evidence"]);
  });

  test.each([
    ["free", "free"],
    ["joiner", "joined"],
  ] as const)("that holds nothing (%s) ends when its process cannot live any more", (kind, state) => {
    const young = attempt({ kind, issuedAtMs: NOW_MS - PROCESS_MS_MAX + 1 });
    const old = attempt({ kind, issuedAtMs: NOW_MS - PROCESS_MS_MAX });
    const decided = (each: Attempt) =>
      resolved(recordWith([each]), () => "unknown", {
        writer: "w",
        nowMs: NOW_MS,
        untilMs: NOW_MS,
        denied: new Set(),
      });

    expect(decided(young)).toMatchObject({ isChanged: false, waitsFor: "age" });
    expect(decided(old)).toMatchObject({ waitsFor: null, record: { attempts: { att_1: { state } } } });
    expect(decided(old).corrections).toEqual([]);
  });
});

describe("a denied attempt with draws of which it was not known whether they landed", () => {
  const record = recordWith([attempt({ state: "denied", ambiguous: ["leaf"] })]);

  test.each([
    ["landed", drew("att_1"), ["300 to leaf/2"], []],
    ["did not land", drew("att_2"), [], []],
    ["is not known", "unknown", [], ["leaf"]],
  ] as const)("%s", (_, leaf, back, ambiguous) => {
    const result = decide(record, { leaf });

    expect(backTo(result)).toEqual(back);
    expect(result.record.attempts["att_1"]).toMatchObject({ state: "denied", ambiguous });
  });

  test("asks of no key but that one", () => {
    expect([...keysToAsk(record, UNTIL_MS)]).toEqual([["leaf", { sinceMs: AT_MS, lastMs: AT_MS }]]);
  });
});

describe("a correction that nobody confirmed", () => {
  const correction = { keyId: "leaf", window: 2, amount: microUsd(200n), issuedAtMs: AT_MS };
  const record = recordWith([attempt({ state: "settled" })], {
    payingAttemptId: "att_1",
    status: "settled",
    corrections: { "att_1.0": correction },
  });

  test.each([
    ["is taken off the record where it landed", drew("att_1.0"), [], []],
    [
      "is decided anew, under another name, where it did not",
      drew("att_1"),
      ["resolve_1.0"],
      ["200 to leaf/2"],
    ],
    ["stays where that is not known", "unknown", ["att_1.0"], []],
    ["is over where its key is gone", "gone", [], []],
  ] as const)("%s", (_, leaf, left, sent) => {
    const result = decide(record, { leaf });

    expect(Object.keys(result.record.corrections)).toEqual(left);
    expect(backTo(result)).toEqual(sent);
    expect(result.record.status).toBe("settled");
  });

  test("of more than six days ago has landed, or it would have been found: it stays, and nothing waits for it", () => {
    const old = { ...correction, issuedAtMs: NOW_MS - 6 * 24 * 3_600_000 - 1 };
    const result = decide({ ...record, corrections: { "att_1.0": old } }, {});

    expect([result.isChanged, result.waitsFor]).toEqual([false, null]);
    expect(
      keysToAsk({ ...record, corrections: { "att_1.0": { ...old, issuedAtMs: 0 } } }, UNTIL_MS).size,
    ).toBe(0);
  });

  test("is counted beyond the caps again where it was that", () => {
    const forced = { ...correction, amount: microUsd(-200n) };

    expect(backTo(decide({ ...record, corrections: { "late_1.0": forced } }, { leaf: drew() }))).toEqual([
      "-200 to leaf/2",
    ]);
  });
});

test("an attempt that was denied on a record of its own is denied here too, and needs no evidence", () => {
  const decided = resolved(recordWith([attempt({})]), () => "unknown", {
    writer: "w",
    nowMs: NOW_MS,
    untilMs: UNTIL_MS,
    denied: new Set(["att_1"]),
  });

  expect(decided).toMatchObject({ isChanged: true, waitsFor: null, corrections: [] });
  expect(decided.record.attempts["att_1"]?.state).toBe("denied");
});

test.each([
  [
    "on the record",
    { "att_1.0": { keyId: "root", window: 0, amount: microUsd(300n), issuedAtMs: AT_MS } },
    [],
    1,
  ],
  ["among what landed", {}, ["att_1.0"], 0],
] as const)(
  "an attempt whose give-back is %s is over, and gives back nothing more",
  (_, corrections, landed, again) => {
    const decided = decide(recordWith([attempt()], { corrections }), {
      root: new Set(["att_1", ...landed]),
      leaf: new Set(["other"]),
    });

    expect(decided.record.attempts).toEqual({});
    expect(decided.corrections).toHaveLength(again);
    expect(decided.isChanged).toBe(true);
  },
);
