import { describe, expect, test } from "vitest";
import { type BalanceWrite, Evidence, runsOf } from "../../lambda/domain/balance-write.ts";

/** Guarantees that evidence is complete only where no number is missing that could hold what is looked for. */

const write = (number: number, change: Partial<BalanceWrite> = {}): BalanceWrite => ({
  keyId: "key_1",
  number,
  id: `id_${number}`,
  isCorrection: false,
  writtenMs: number * 1_000,
  previousMs: Infinity,
  ...change,
});

test("writes of one balance are joined where they have no gap, whatever their order and however often they come", () => {
  const other = write(3, { keyId: "key_2" });
  const writes = [write(5), write(3), write(4, { id: null }), other, write(4, { id: null }), write(7)];

  expect(runsOf(writes)).toEqual([
    { keyId: "key_1", from: 3, ids: ["id_3", null, "id_5"], writtenMs: 5_000, previousMs: Infinity },
    { keyId: "key_1", from: 7, ids: ["id_7"], writtenMs: 7_000, previousMs: Infinity },
    { keyId: "key_2", from: 3, ids: ["id_3"], writtenMs: 3_000, previousMs: Infinity },
  ]);
});

describe("evidence up to write 6, of what was issued at 4 s", () => {
  const LAST = 6;
  const SINCE_MS = 4_000;
  const run = (from: number, to: number) =>
    runsOf(Array.from({ length: to - from + 1 }, (_, index) => write(from + index)));
  const ids = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `id_${from + index}`);

  test.each([
    ["all writes from the first on", [run(4, 6), run(1, 3)], ids(1, 6)],
    ["all that are young enough, and one before", [run(4, 6), run(3, 3)], ids(3, 6)],
    ["runs that overlap", [run(5, 6), run(3, 5), run(2, 3)], ids(2, 6)],
    ["a run that goes on behind the fence", [run(3, 9)], null],
    ["a run that goes on behind the fence, and older ones", [run(6, 9), run(4, 5), run(2, 3)], ids(2, 6)],
    ["none", [], null],
    ["a missing last one", [run(1, 5)], null],
    ["a missing one in between", [run(6, 6), run(1, 4)], null],
    ["nothing that is old enough", [run(5, 6)], null],
    ["one whose time is not known", [runsOf([write(6, { writtenMs: Infinity })])], null],
  ] as const)("%s", (_, runs, expected) => {
    const evidence = new Evidence(LAST, SINCE_MS);
    for (const each of runs.flat()) evidence.add(each);

    const landed = evidence.landed();

    expect(landed === null ? null : [...landed].sort()).toEqual(expected);
  });

  test("of a key that was quiet for longer than evidence is kept goes back to its first write since", () => {
    const HOUR_MS = 3_600_000;
    const landedBehind = (previousMs: number) => {
      const evidence = new Evidence(1_002, 100 * HOUR_MS);
      const [young] = runsOf([
        write(1_001, { writtenMs: 100 * HOUR_MS, previousMs }),
        write(1_002, { writtenMs: 101 * HOUR_MS }),
      ]);
      if (young !== undefined) evidence.add(young);
      return evidence.landed();
    };

    expect(landedBehind(98 * HOUR_MS)).toEqual(new Set(["id_1001", "id_1002"]));
    // The write before it may have landed later than it was issued.
    expect(landedBehind(99.5 * HOUR_MS)).toBeNull();
  });

  test("that contradicts itself is none: a table that was put back numbers its writes again", () => {
    const evidence = new Evidence(LAST, SINCE_MS);
    for (const each of [...run(4, 6), ...runsOf([write(3), write(4, { id: "other" })]), ...run(1, 3)])
      evidence.add(each);

    expect([evidence.isDone, evidence.landed()]).toEqual([true, null]);
  });

  test("is given up where a number is missing that no earlier run can have", () => {
    const evidence = new Evidence(5_000, 0);
    evidence.add({ from: 4_900, ids: Array(101).fill("id"), writtenMs: 9, previousMs: Infinity });
    evidence.add({ from: 4_700, ids: Array(100).fill("id"), writtenMs: 9, previousMs: Infinity });
    expect(evidence.isDone).toBe(false);
    evidence.add({ from: 3_800, ids: Array(100).fill("id"), writtenMs: 9, previousMs: Infinity });
    expect([evidence.isDone, evidence.landed()]).toEqual([true, null]);
  });

  test("of a balance that nothing was written on", () => {
    expect(new Evidence(0, SINCE_MS).landed()).toEqual(new Set());
  });
});
