import { expect, test } from "vitest";
import { isoDay, isoTime, parseDuration, parseTime } from "../../lambda/domain/time.ts";

/** Guarantees that times and durations are read and written in one form. */

test("a time is written so that Python 3.7 reads it and text sorts it", () => {
  expect(isoTime(1_795_323_600_123)).toBe("2026-11-22T05:00:00.123+00:00");
  expect(isoDay(1_795_323_600_123)).toBe("2026-11-22");
});

test.each([
  ["2026-11-22T05:00:00+00:00", 1_795_323_600_000],
  ["2026-11-22T05:00:00Z", 1_795_323_600_000],
  ["2026-11-22T06:00:00.5+01:00", 1_795_323_600_500],
  ["2026-11-22", 1_795_305_600_000],
  ["2026-13-22", null],
  ["yesterday", null],
  ["2026-11-22T05:00:00", null],
  ["1795323600", null],
])("%s is read as %s", (text, ms) => {
  expect(parseTime(text)).toBe(ms);
});

test.each([
  ["30s", 30],
  ["5m", 300],
  ["4h", 14_400],
  ["7d", 604_800],
  ["0s", null],
  ["5", null],
  ["5 m", null],
  ["-5m", null],
  ["1w", null],
])("the duration %s is %s seconds", (text, seconds) => {
  expect(parseDuration(text)).toBe(seconds);
});
