import { describe, expect, test } from "vitest";
import { kept, unlabelledNow } from "../../dashboard/overview/unlabelled.ts";
import { columnOf, columnsOf, lastDays, nameOf, roundUp } from "../../dashboard/spend/periods.ts";

/** Guarantees that sums of days are added up to the right days, weeks and months. */

test.each([
  ["2026-11-28", "day", "2026-11-28"],
  ["2026-11-28", "week", "2026-11-23"],
  ["2026-11-23", "week", "2026-11-23"],
  ["2026-11-22", "week", "2026-11-16"],
  ["2027-01-01", "week", "2026-12-28"],
  ["2026-11-28", "month", "2026-11"],
] as const)("%s is in the %s %s", (day, period, column) => {
  expect(columnOf(day, period)).toBe(column);
});

test("the last days end with today and go over the end of a month", () => {
  expect(lastDays(3, Date.UTC(2026, 2, 1, 23, 59))).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
});

describe("columns", () => {
  const days = lastDays(10, Date.UTC(2026, 10, 28));
  const series = [
    {
      name: "A",
      days: new Map([
        ["2026-11-22", 1],
        ["2026-11-23", 0.1],
        ["2026-11-24", 0.2],
      ]),
    },
    {
      name: "B",
      days: new Map([
        ["2026-11-28", 5],
        ["2026-01-01", 99],
      ]),
    },
  ];

  test("of days have every day, those without a call too", () => {
    const columns = columnsOf(series, days, "day");
    expect(columns).toHaveLength(10);
    expect(columns.at(-1)).toEqual({ from: "2026-11-28", last: "2026-11-28", values: [0, 5], sum: 5 });
    expect(columns.reduce((all, { sum }) => all + sum, 0)).toBeCloseTo(6.3, 6);
  });

  test("of weeks begin on a Monday, but for the first", () => {
    expect(columnsOf(series, days, "week")).toEqual([
      { from: "2026-11-19", last: "2026-11-22", values: [1, 0], sum: 1 },
      { from: "2026-11-23", last: "2026-11-28", values: [0.3, 5], sum: 5.3 },
    ]);
  });

  test.each([
    [{ from: "2026-11-28", last: "2026-11-28" }, "day", "28 Nov"],
    [{ from: "2026-11-23", last: "2026-11-28" }, "week", "23 – 28 Nov"],
    [{ from: "2026-11-30", last: "2026-12-06" }, "week", "30 Nov – 6 Dec"],
    [{ from: "2026-11-01", last: "2026-11-28" }, "month", "Nov 2026"],
  ] as const)("%j by %s are called %s", (column, period, name) => {
    expect(nameOf(column, period)).toBe(name);
  });

  test.each([
    [0, 1],
    [0.0031, 0.005],
    [1, 1],
    [1.01, 2],
    [2.2, 2.5],
    [989, 1000],
    [1001, 2000],
  ])("up to %d have a top of %d", (value, top) => {
    expect(roundUp(value)).toBe(top);
  });
});

describe("what keys without a label spend now", () => {
  const sample = (seconds: number, usd: number, vendors = {}) => ({ atMs: seconds * 1000, usd, vendors });

  const looks = (...usd: readonly number[]) => usd.map((each, at) => sample(at * 10, each));

  test.each([
    ["is unknown after one look", looks(5), null],
    ["is unknown after three, of which one may be off", looks(5, 6, 7), null],
    ["is nothing where the sums stay", looks(5, 5, 5, 5), null],
    ["is how fast the sums grow", looks(5, 6, 7, 8, 9), 6],
    ["is nothing where a price came out lower", looks(5, 5, 4, 4), null],
    ["is nothing where the last look alone is higher", looks(5, 5, 5, 35), null],
    ["is nothing where one look on the way is higher", looks(5, 5, 35, 5, 5), null],
    ["is nothing where the first look alone is lower", looks(0, 5, 5, 5), null],
  ])("%s", (_, samples, perMinute) => {
    expect(unlabelledNow(samples)?.perMinute ?? null).toBe(perMinute);
  });

  test("is of the vendor first whose spend grew most", () => {
    const samples = [
      sample(0, 5, { a: 90, b: 1 }),
      sample(10, 6),
      sample(20, 8),
      sample(30, 9, { a: 91, b: 4, c: 1 }),
    ];
    expect(unlabelledNow(samples)?.vendors).toEqual(["b", "a", "c"]);
  });

  test("is by the looks of the last two minutes", () => {
    const samples = [sample(0, 0), sample(60, 0)];
    expect(kept(samples, sample(130, 7)).map(({ atMs }) => atMs)).toEqual([60_000, 130_000]);
  });
});
