import { describe, expect, test } from "vitest";
import { counted, percentOf } from "../../dashboard/format/count.ts";
import { clockText, spanText, timeText } from "../../dashboard/format/time.ts";
import { missingPlaces, placesOf, roughUsd, sumUsd, usd } from "../../dashboard/format/usd.ts";

/** Guarantees how numbers and times of the dashboard are read. */

describe("dollars", () => {
  test.each([
    [0, "$0.00", "$0.00"],
    [1, "$1.00", "$1.00"],
    [29.99, "$29.99", "$29.99"],
    [0.0079, "$0.0079", "$0.01"],
    [0.0004, "$0.0004", "< $0.01"],
    [0.000001, "$0.000001", "< $0.01"],
    [999.5, "$999.50", "$999.50"],
    [1234.5, "$1,234.50", "$1,235"],
    [-3.5, "-$3.50", "-$3.50"],
    [70000, "$70,000.00", "$70,000"],
  ])("%d is %s, at a glance %s", (amount, exact, rough) => {
    expect([usd(amount), roughUsd(amount)]).toEqual([exact, rough]);
  });

  test.each([
    ["$1.00", 2, 0],
    ["$1.00", 6, 4],
    ["$0.0079", 6, 2],
    ["$0.0079", 2, 0],
    ["–", 6, 0],
  ])("%s in a column of %d places lacks %d", (text, places, missing) => {
    expect(missingPlaces(text, places)).toBe(missing);
  });

  test.each([
    [[], 2],
    [[1, 29.99], 2],
    [[1, 0.0079], 4],
  ])("%j in a column have %d places", (amounts, places) => {
    expect(placesOf(amounts)).toBe(places);
  });

  test.each([
    [[], 0],
    [[0.1, 0.2], 0.3],
    [[0.000001, 0.000002], 0.000003],
    [[5, -5], 0],
    [new Array(1000).fill(0.01), 10],
  ])("add up without noise", (amounts, sum) => {
    expect(sumUsd(amounts)).toBe(sum);
  });
});

test.each([
  [0, "0 keys"],
  [1, "1 key"],
  [2000, "2,000 keys"],
])("%d is counted as %s", (count, text) => {
  expect(counted(count, "key")).toBe(text);
});

test.each([
  [1, 4, 25],
  [5, 4, 100],
  [-1, 4, 0],
  [1, 0, 0],
])("%d of %d is %d %%", (part, whole, percent) => {
  expect(percentOf(part, whole)).toBe(percent);
});

describe("times", () => {
  const AT = Date.UTC(2026, 10, 28, 14, 3, 22);
  const NEW_YORK = -5 * 3_600_000;
  const INDIA = 5.5 * 3_600_000;

  test.each([
    [0, "14:03:22"],
    [NEW_YORK, "09:03:22"],
    [INDIA, "19:33:22"],
  ])("a zone %d ms ahead of UTC reads %s", (shiftMs, text) => {
    expect(clockText(AT, shiftMs)).toBe(text);
  });

  test.each([
    ["the same day", AT + 3_600_000, 0, "14:03:22"],
    ["the next day", AT + 12 * 3_600_000, 0, "28 Nov 14:03:22"],
    ["the same day there", AT + 12 * 3_600_000, NEW_YORK, "09:03:22"],
    ["another year", AT + 300 * 86_400_000, 0, "28 Nov 2026 14:03:22"],
  ])("has the day before it unless it is today: %s", (_, nowMs, shiftMs, text) => {
    expect(timeText(AT, shiftMs, nowMs)).toBe(text);
  });

  test.each([
    [-5, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min"],
    [3_599_999, "59 min"],
    [7_200_000, "2 h"],
    [86_400_000, "1 day"],
    [3 * 86_400_000, "3 days"],
  ])("%d ms are %s", (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
