import { describe, expect, test } from "vitest";
import { claimDecision, ENTRIES_MAX, othersHold } from "../../lambda/domain/call/claim.ts";
import { confirmed } from "../../lambda/domain/call/corrections.ts";
import { type AttemptResult, fold } from "../../lambda/domain/call/fold.ts";
import { postponed, repriced } from "../../lambda/domain/call/late-price.ts";
import { deniedRecordId, rowCallId } from "../../lambda/domain/call/names.ts";
import {
  type Attempt,
  type AttemptState,
  type CallRecord,
  newCall,
  withAttempt,
} from "../../lambda/domain/call/record.ts";
import { keptUntilMs, pruned } from "../../lambda/domain/call/retention.ts";
import { microUsd, NOTHING } from "../../lambda/domain/money.ts";

/** Guarantees the rules of a call: what an answer, a repeat and a late price do to its record and its money. */

const attempt = (attemptId: string, state: AttemptState, change: Partial<Attempt> = {}): Attempt => ({
  attemptId,
  state,
  kind: state === "joined" ? "joiner" : "own",
  amount: microUsd(10n),
  windows: [{ keyId: "key_1", window: 0 }],
  issuedAtMs: 1,
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

const recordOf = (attempts: readonly Attempt[], change: Partial<CallRecord> = {}): CallRecord => ({
  ...newCall("call_1", 1),
  version: 5,
  attempts: Object.fromEntries(attempts.map((each) => [each.attemptId, each])),
  ...change,
});

const executed = (
  price: bigint,
  change: Partial<Extract<AttemptResult, { kind: "executed" }>> = {},
): AttemptResult => ({
  kind: "executed",
  price: microUsd(price),
  replayed: false,
  objectId: "pi_1",
  estimateOf: null,
  uncounts: [],
  ...change,
});
const replay = (price: bigint) => executed(price, { replayed: true });
const refused: AttemptResult = { kind: "refused" };
const unknown: AttemptResult = { kind: "unknown" };
const declined: AttemptResult = { kind: "declined", replayed: false };
const denied = (drawn: readonly string[], ambiguous: readonly string[] = []): AttemptResult => ({
  kind: "denied",
  drawn,
  ambiguous,
});

const mine = attempt("a", "open");
const joiner = attempt("a", "open", { kind: "joiner" });
const held = attempt("u", "unresolved");
const paying = attempt("c", "settled", { cost: microUsd(10n) });
const crashed = attempt("o", "open");

/** One row per rule of docs/protocol.md, W5: what is there, the answer to attempt `a`, then what becomes of it all. */
describe("an answer decides", () => {
  type Row = [
    string,
    CallRecord,
    AttemptResult,
    { a: AttemptState; status: string; back: bigint[]; other?: [string, AttemptState]; cost?: bigint },
  ];
  const rows: Row[] = [
    [
      "denied here: what was drawn goes back",
      recordOf([mine]),
      denied(["key_1"]),
      { a: "denied", status: "idle", back: [10n] },
    ],
    [
      "denied here before any draw: nothing goes back",
      recordOf([mine]),
      denied([]),
      { a: "denied", status: "idle", back: [] },
    ],
    [
      "refused by the vendor: its own draw goes back",
      recordOf([mine]),
      refused,
      { a: "released", status: "idle", back: [10n] },
    ],
    [
      "executed: it pays, the difference goes back",
      recordOf([mine]),
      executed(7n),
      { a: "settled", status: "settled", back: [3n], cost: 7n },
    ],
    [
      "executed at the bound: nothing goes back",
      recordOf([mine]),
      executed(10n),
      { a: "settled", status: "settled", back: [], cost: 10n },
    ],
    [
      "executed above the bound: the rest is counted all the same",
      recordOf([mine]),
      executed(12n),
      { a: "settled", status: "settled", back: [-2n], cost: 12n },
    ],
    [
      "executed while another attempt pays: all goes back",
      recordOf([mine, paying], { payingAttemptId: "c", status: "settled" }),
      executed(10n),
      { a: "paid_by_other", status: "settled", back: [10n] },
    ],
    [
      "a replay that no attempt of ours can have caused: counted elsewhere, all goes back",
      recordOf([mine]),
      replay(10n),
      { a: "released", status: "idle", back: [10n] },
    ],
    [
      "a replay of what a crashed attempt may have caused: it pays",
      recordOf([mine, crashed]),
      replay(10n),
      { a: "settled", status: "settled", back: [], cost: 10n, other: ["o", "open"] },
    ],
    [
      "declined: all goes back and the call is over",
      recordOf([mine]),
      declined,
      { a: "released", status: "final", back: [10n] },
    ],
    [
      "declined while another is unresolved: that one is not this answer's to decide",
      recordOf([mine, held]),
      declined,
      { a: "released", status: "unresolved", back: [10n], other: ["u", "unresolved"] },
    ],
    ["unknown: held", recordOf([mine]), unknown, { a: "unresolved", status: "unresolved", back: [] }],
    [
      "unknown after another attempt was declined: all goes back",
      recordOf([mine], { status: "final" }),
      unknown,
      { a: "released", status: "final", back: [10n] },
    ],
    [
      "unknown while another attempt pays: all goes back",
      recordOf([mine, paying], { payingAttemptId: "c", status: "settled" }),
      unknown,
      { a: "paid_by_other", status: "settled", back: [10n] },
    ],

    [
      "a joiner that is executed settles what is held",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      executed(7n),
      { a: "joined", status: "settled", back: [3n], other: ["u", "settled"] },
    ],
    [
      "a joiner that is replayed settles what is held at its price",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      replay(10n),
      { a: "joined", status: "settled", back: [], other: ["u", "settled"] },
    ],
    [
      "a joiner that is refused releases nothing",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      refused,
      { a: "joined", status: "unresolved", back: [], other: ["u", "unresolved"] },
    ],
    [
      "a joiner whose outcome is unknown changes nothing",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      unknown,
      { a: "joined", status: "unresolved", back: [], other: ["u", "unresolved"] },
    ],
    [
      "a joiner that is declined ends what is held",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      declined,
      { a: "joined", status: "final", back: [10n], other: ["u", "released"] },
    ],
    [
      "a joiner that is denied releases nothing",
      recordOf([joiner, held], { status: "unresolved", joiners: 1 }),
      denied([]),
      { a: "denied", status: "unresolved", back: [], other: ["u", "unresolved"] },
    ],
    [
      "a replay to a joiner on a settled call adds nothing",
      recordOf([{ ...joiner, settledAtJoin: true }, paying], {
        payingAttemptId: "c",
        status: "settled",
        objectId: "pi_1",
      }),
      replay(10n),
      { a: "joined", status: "settled", back: [] },
    ],
    [
      "the same object without a marker is a replay too",
      recordOf([{ ...joiner, settledAtJoin: true }, paying], {
        payingAttemptId: "c",
        status: "settled",
        objectId: "pi_1",
      }),
      executed(10n),
      { a: "joined", status: "settled", back: [] },
    ],
    ...(["pi_1", null] as const).flatMap((first) =>
      [null, ...(first === null ? ["pi_1"] : [])].map(
        (repeated): Row => [
          `an answer that names ${repeated ?? "nothing"} to a joiner on a call settled with ${first ?? "nothing"} adds nothing`,
          recordOf([{ ...joiner, settledAtJoin: true }, paying], {
            payingAttemptId: "c",
            status: "settled",
            objectId: first,
          }),
          executed(10n, { objectId: repeated }),
          { a: "joined", status: "settled", back: [] },
        ],
      ),
    ),
    [
      "a new execution on a settled call is counted without a reservation",
      recordOf([{ ...joiner, settledAtJoin: true }, paying], {
        payingAttemptId: "c",
        status: "settled",
        objectId: "pi_0",
      }),
      executed(10n),
      { a: "joined", status: "settled", back: [-10n], cost: 10n },
    ],
    [
      "a joiner whose call was settled after it joined adds nothing",
      recordOf([joiner, paying], { payingAttemptId: "c", status: "settled", objectId: "pi_0" }),
      executed(10n),
      { a: "joined", status: "settled", back: [] },
    ],
    [
      "an execution with nothing held to ride on is counted",
      recordOf([joiner], { status: "final", joiners: 1 }),
      executed(10n),
      { a: "joined", status: "final", back: [-10n], cost: 10n },
    ],

    [
      "moved to unresolved meanwhile, refused, nobody rides: released",
      recordOf([attempt("a", "unresolved")], { status: "unresolved" }),
      refused,
      { a: "released", status: "idle", back: [10n] },
    ],
    [
      "moved to unresolved meanwhile, refused, somebody rides: held",
      recordOf([attempt("a", "unresolved")], { status: "unresolved", joiners: 1 }),
      refused,
      { a: "unresolved", status: "unresolved", back: [] },
    ],
    [
      "moved to unresolved meanwhile, executed: it pays",
      recordOf([attempt("a", "unresolved")], { status: "unresolved", joiners: 1 }),
      executed(10n),
      { a: "settled", status: "settled", back: [], cost: 10n },
    ],
    [
      "finished already: nothing changes",
      recordOf([attempt("a", "released")]),
      executed(10n),
      { a: "released", status: "idle", back: [] },
    ],
  ];

  test.each(rows)("%s", (_, before, answer, expected) => {
    const { record, corrections } = fold(before, "a", answer, 99, false);

    expect(record.attempts["a"]?.state).toBe(expected.a);
    expect(record.status).toBe(expected.status);
    expect(corrections.map(({ amount }) => amount)).toEqual(expected.back);
    expect(record.attempts["a"]?.cost).toBe(expected.cost ?? 0n);
    if (expected.other !== undefined)
      expect(record.attempts[expected.other[0]]?.state).toBe(expected.other[1]);
    expect(record.version).toBe(6);
  });
});

describe("a vendor that runs failed work again", () => {
  test("a decline ends its own attempt only", () => {
    const { record } = fold(recordOf([mine]), "a", declined, 99, true);
    expect(record).toMatchObject({ status: "idle", attempts: { a: { state: "released" } } });
  });

  test("a replayed decline of an own attempt leaves it held", () => {
    const { record, corrections } = fold(
      recordOf([mine]),
      "a",
      { kind: "declined", replayed: true },
      99,
      true,
    );
    expect(record).toMatchObject({ status: "unresolved", attempts: { a: { state: "unresolved" } } });
    expect(corrections).toEqual([]);
  });

  test("a decline of a joiner releases nothing", () => {
    const { record, corrections } = fold(
      recordOf([joiner, held], { status: "unresolved" }),
      "a",
      declined,
      99,
      true,
    );
    expect(record.status).toBe("unresolved");
    expect(corrections).toEqual([]);
  });
});

describe("corrections", () => {
  const chain = [
    { keyId: "root", window: 3 },
    { keyId: "leaf", window: 0 },
  ];

  test("are decided on the record, named by the attempt that sends them, one for each key in its own window", () => {
    const { record, corrections } = fold(
      recordOf([attempt("a", "open", { windows: chain })]),
      "a",
      executed(4n),
      99,
      false,
    );
    expect(corrections).toEqual([
      { opId: "a.0", keyId: "root", window: 3, amount: 6n, issuedAtMs: 99 },
      { opId: "a.1", keyId: "leaf", window: 0, amount: 6n, issuedAtMs: 99 },
    ]);
    expect(Object.keys(record.corrections)).toEqual(["a.0", "a.1"]);
  });

  test("of a denial go to the keys that acknowledged their draw, and the ambiguous ones are remembered", () => {
    const { record, corrections } = fold(
      recordOf([attempt("a", "open", { windows: chain })]),
      "a",
      denied(["leaf"], ["root"]),
      99,
      false,
    );
    expect(corrections.map(({ keyId }) => keyId)).toEqual(["leaf"]);
    expect(record.attempts["a"]?.ambiguous).toEqual(["root"]);
    expect(keptUntilMs(record)).toBeNull();
  });

  test.each([
    ["a price within its reservation is held by the draw", attempt("a", "open"), 4n, 4n],
    ["of a price beyond it the draw holds what it took", attempt("a", "open"), 70n, 10n],
  ])("%s", (_, own, price, drawn) => {
    const { paidBy } = fold(recordOf([own]), "a", executed(price), 99, false);
    expect(paidBy).toMatchObject({ attempt: { attemptId: "a" }, price, drawn });
  });

  test("what is executed anew for a joiner is paid by nobody's draw", () => {
    const settled = { ...joiner, settledAtJoin: true };
    const settledWith = { status: "settled", payingAttemptId: "b", objectId: "pi_1" } as const;
    const before = recordOf([settled, attempt("b", "settled")], settledWith);
    const { paidBy, corrections } = fold(before, "a", executed(4n, { objectId: "pi_2" }), 99, false);
    expect(paidBy).toMatchObject({ attempt: { attemptId: "a" }, price: 4n, drawn: 0n });
    expect(corrections).toMatchObject([{ amount: -4n }]);
  });

  test("of a cancelled object go where each of its draws was taken, and the cost of the cancellation is below zero", () => {
    const uncounts = [
      { amount: microUsd(5n), windows: chain },
      { amount: microUsd(2n), windows: [{ keyId: "root", window: 4 }] },
    ];
    const { record, corrections } = fold(
      recordOf([attempt("a", "open", { amount: NOTHING })]),
      "a",
      executed(0n, { uncounts }),
      99,
      false,
    );
    expect(corrections.map(({ keyId, window, amount }) => [keyId, window, amount])).toEqual([
      ["root", 3, 5n],
      ["leaf", 0, 5n],
      ["root", 4, 2n],
    ]);
    expect(record.attempts["a"]?.cost).toBe(-7n);
  });
});

describe("a new attempt", () => {
  const now = 1_000_000;
  const young = recordOf([], { firstAtMs: now - 10 });
  test.each([
    ["of a new call claims it", null, "claim"],
    ["of a call that holds nothing claims it", young, "claim"],
    ["of a call that was declined claims it", { ...young, status: "final" as const }, "claim"],
    ["of a call in flight waits", { ...young, lease: { attemptId: "b", untilMs: now } }, "busy"],
    [
      "of a call whose lease ran out claims it",
      { ...young, lease: { attemptId: "b", untilMs: now - 1 } },
      "claim",
    ],
    ["of an unresolved call joins", { ...young, status: "unresolved" as const }, "join"],
    ["of a settled call joins", { ...young, status: "settled" as const }, "join"],
    [
      "of a call that the vendor may have forgotten begins the next generation",
      { ...young, status: "settled" as const, firstAtMs: now - 100 },
      "too_old",
    ],
    [
      "of a call in flight waits even if it is old",
      { ...young, firstAtMs: now - 100, lease: { attemptId: "b", untilMs: now + 1 } },
      "busy",
    ],
  ])("%s", (_, record, decision) => {
    expect(claimDecision(record, { nowMs: now, replayableSinceMs: now - 100 })).toBe(decision);
  });

  test("takes the lease; joiners are counted and never uncounted", () => {
    const joined = withAttempt(recordOf([held], { status: "unresolved" }), joiner, 50);
    expect(joined).toMatchObject({ joiners: 1, lease: { attemptId: "a", untilMs: 50 }, version: 6 });
    expect(fold(joined, "a", refused, 99, false).record).toMatchObject({ joiners: 1, lease: null });
  });
});

test.each([
  ["open", true],
  ["unresolved", true],
  ["settled", true],
  ["released", false],
  ["denied", false],
  ["paid_by_other", false],
] as const)("another attempt that is %s holds budget, or may: %s", (state, holds) => {
  expect(othersHold(recordOf([mine, attempt("b", state)]), "a")).toBe(holds);
  expect(othersHold(recordOf([attempt("a", state)]), "a")).toBe(false);
});

test("a record keeps what decides something: open, unresolved and paying attempts, and what is ambiguous", () => {
  const record = recordOf(
    [
      mine,
      attempt("r", "released"),
      attempt("d", "denied"),
      attempt("m", "denied", { ambiguous: ["key_1"] }),
      attempt("j", "joined"),
      held,
      paying,
      crashed,
    ],
    { payingAttemptId: "c" },
  );
  expect(Object.keys(pruned(record, "a").attempts).sort()).toEqual(["a", "c", "m", "o", "u"]);
});

const correction = (amount: bigint) => ({
  keyId: "key_1",
  window: 0,
  amount: microUsd(amount),
  issuedAtMs: 1,
});
const free = attempt("f", "open", { kind: "free" });
const DAY = 24 * 3_600_000;

test.each([
  ["all is decided", recordOf([attempt("a", "released"), paying]), 2 * DAY],
  ["a free call has its outcome", recordOf([{ ...free, state: "free" }]), 2 * DAY],
  ["a correction stands", recordOf([paying], { corrections: { "c.0": correction(5n) } }), 400 * DAY],
  ["a free call has no outcome", recordOf([free]), 400 * DAY],
  ["an attempt is open", recordOf([paying, crashed]), null],
  ["a joiner is open", recordOf([paying, joiner]), null],
  ["an attempt is unresolved", recordOf([held]), null],
  ["a draw may have landed", recordOf([attempt("d", "denied", { ambiguous: ["key_1"] })]), null],
  ["a price is late", recordOf([paying], { latePrice: { vendor: "twilio", dueMs: 1 } }), null],
  [
    "an attempt is open and a correction stands",
    recordOf([crashed], { corrections: { "c.0": correction(5n) } }),
    null,
  ],
] as const)("where %s a record is kept for so long", (_, record, keptMs) => {
  expect(keptUntilMs(record)).toBe(keptMs === null ? null : record.firstAtMs + keptMs);
});

test("a record is kept from its last attempt on, and from when it was closed from outside", () => {
  const late = { ...attempt("b", "joined", { kind: "joiner" }), issuedAtMs: 30_000 };
  const record = { ...recordOf([paying, late]), firstAtMs: 0 };
  expect(keptUntilMs(record)).toBe(30_000 + 2 * DAY);

  const closed = { ...paying, closedAtMs: 40_000 };
  expect(keptUntilMs({ ...record, attempts: { a: closed, b: late } })).toBe(40_000 + 2 * DAY);
});

test("of a record are taken the corrections that are named, under a new version", () => {
  const record = recordOf([paying], { corrections: { "a.0": correction(5n), "a.1": correction(6n) } });
  expect(confirmed(record, ["a.0"])).toEqual({
    ...record,
    version: record.version + 1,
    corrections: { "a.1": correction(6n) },
  });
});

test("what was drawn for an object in the same windows goes back as one", () => {
  const [root, leaf] = [
    { keyId: "root", window: 3 },
    { keyId: "leaf", window: 1 },
  ];
  const draw = (amount: bigint, ...windows: (typeof root)[]) => ({ amount: microUsd(amount), windows });
  const uncounts = [draw(1n, root, leaf), draw(2n, root), draw(4n, root, leaf), draw(8n, root)];
  const { record, corrections } = fold(recordOf([mine]), "a", executed(10n, { uncounts }), 9, false);

  expect(corrections.map(({ keyId, amount }) => [keyId, amount])).toEqual([
    ["root", 5n],
    ["leaf", 5n],
    ["root", 10n],
  ]);
  expect(record.attempts["a"]?.cost).toBe(10n - 15n);
});

test("a record with as many entries as one may hold takes no attempt more, until it is too old", () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => attempt(`o${index}`, "open"));
  const full = recordOf(many(ENTRIES_MAX - 1), { corrections: { "c.0": correction(5n) } });

  expect(claimDecision(full, { nowMs: 100, replayableSinceMs: 0 })).toBe("full");
  expect(claimDecision({ ...full, status: "unresolved" }, { nowMs: 100, replayableSinceMs: 0 })).toBe("full");
  expect(
    claimDecision({ ...full, lease: { attemptId: "b", untilMs: 200 } }, { nowMs: 100, replayableSinceMs: 0 }),
  ).toBe("busy");
  expect(claimDecision(full, { nowMs: 100, replayableSinceMs: full.firstAtMs })).toBe("too_old");
  expect(claimDecision(recordOf(many(ENTRIES_MAX - 1)), { nowMs: 100, replayableSinceMs: 0 })).toBe("claim");
});

test("the twin of a refused attempt belongs to the same call", () => {
  expect(rowCallId(deniedRecordId("call_1~5", "att_1"))).toBe("call_1~5");
});

describe("a call that is settled at an estimate", () => {
  const SECOND = 1_000;
  const DAY = 24 * 3_600_000;
  const estimated = (price: bigint, estimateOf: string | null = "twilio") =>
    fold(recordOf([mine]), "a", executed(price, { estimateOf }), 5, false).record;
  const final = (price: bigint) => ({
    price: microUsd(price),
    amountText: "-0.1",
    currency: "usd",
    fxRate: null,
  });

  test("waits for its price a minute, and is not forgotten while it waits", () => {
    const record = estimated(10n);
    expect(record).toMatchObject({
      status: "settled",
      latePrice: { vendor: "twilio", dueMs: 5 + 60 * SECOND },
    });
    expect(keptUntilMs(record)).toBeNull();
    expect(keptUntilMs({ ...record, latePrice: null })).toBe(record.firstAtMs + 48 * 3_600 * SECOND);
    expect(estimated(10n, null).latePrice).toBeNull();
  });

  test.each([
    ["less gives the rest back", 8n, 3n, 5n, false],
    ["more counts what is beyond the estimate", 8n, 9n, -1n, false],
    ["more than was reserved is an overrun", 8n, 12n, -4n, true],
    ["just that gives nothing back", 8n, 8n, null, false],
  ])("a final price of %s", (_, estimate, price, back, overrun) => {
    const folded = repriced(estimated(estimate), final(price), "late_x", 77);
    const corrections =
      back === null
        ? []
        : [{ opId: "late_x.0", keyId: "key_1", window: 0, amount: microUsd(back), issuedAtMs: 77 }];

    expect(folded?.corrections).toEqual(corrections);
    expect(folded?.record).toMatchObject({
      latePrice: null,
      version: 7,
      attempts: { a: { state: "settled", cost: price, overrun, lateAtMs: 77 } },
    });
  });

  test("is repriced once", () => {
    const record = repriced(estimated(8n), final(3n), "late_x", 77)?.record;
    expect(record && repriced(record, final(2n), "late_y", 78)).toBeNull();
    expect(repriced(estimated(8n, null), final(3n), "late_x", 77)).toBeNull();
  });

  test("is asked for again after as long as it has waited, at most every six hours, for a week after its end", () => {
    const record = { ...estimated(8n), firstAtMs: 0 };
    const ended = { kind: "ended", endedAtMs: null } as const;
    expect(postponed(record, ended, 10 * SECOND).latePrice?.dueMs).toBe(70 * SECOND);
    expect(postponed(record, ended, 600 * SECOND).latePrice?.dueMs).toBe(1_200 * SECOND);
    expect(postponed(record, null, DAY).latePrice?.dueMs).toBe(DAY + DAY / 4);
    expect(postponed(record, ended, 7 * DAY + 1)).toMatchObject({
      latePrice: null,
      attempts: { a: { cost: 8n } },
    });
  });

  test.each([
    ["is under way", { kind: "under_way" }, 42],
    ["is not answered for", null, 42],
    ["ended on the tenth day", { kind: "ended", endedAtMs: 10 * DAY }, 17],
  ] as const)("of what %s is asked for until then", (_, why, days) => {
    const record = { ...estimated(8n), firstAtMs: 0 };
    expect(postponed(record, why, days * DAY).latePrice).not.toBeNull();
    expect(postponed(record, why, days * DAY + 1).latePrice).toBeNull();
  });
});
