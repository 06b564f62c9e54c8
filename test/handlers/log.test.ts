import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { log } from "../../lambda/handlers/log.ts";

/** Guarantees that a line is one of JSON with level, time and service, and stands where the environment asks for its level. */

let written: string[];
let streams: ("stdout" | "stderr")[];
beforeEach(() => {
  written = [];
  streams = [];
  for (const stream of ["stdout", "stderr"] as const)
    vi.spyOn(process[stream], "write").mockImplementation((text) => {
      written.push(String(text));
      streams.push(stream);
      return true;
    });
  vi.stubEnv("POWERTOOLS_SERVICE_NAME", "Keybrake");
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test("a line is one of JSON, whatever stands in it", () => {
  log("WARN", "two\nlines", { cause: { name: "Error", message: 'a "quote"' } });
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^[^\n]+\n$/);
  const { timestamp, ...line } = JSON.parse(written[0] ?? "");
  expect(line).toEqual({
    level: "WARN",
    message: "two\nlines",
    service: "Keybrake",
    cause: { name: "Error", message: 'a "quote"' },
  });
  expect(Math.abs(Date.parse(timestamp) - Date.now())).toBeLessThan(60_000);
});

test.each([
  [undefined, ["INFO", "WARN"]],
  ["", ["INFO", "WARN"]],
  ["DEBUG", ["INFO", "WARN"]],
  ["info", ["INFO", "WARN"]],
  ["WARN", ["WARN"]],
  ["ERROR", []],
  ["SILENT", []],
])("with the level %s", (level, shown) => {
  vi.stubEnv("POWERTOOLS_LOG_LEVEL", level);
  log("INFO", "one");
  log("WARN", "other");
  expect(written.map((line) => JSON.parse(line).level)).toEqual(shown);
});

test("a warning stands on stderr, where no program reads", () => {
  log("INFO", "one");
  log("WARN", "other");
  expect(streams).toEqual(["stdout", "stderr"]);
});
