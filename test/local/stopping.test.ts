import { expect, test } from "vitest";
import { signalsInTurn } from "../../local/stopping.ts";

/** Guarantees that a signal that npm passes on once more is no second one, and that a second one is not missed. */
test.each([
  ["one signal begins", [["SIGINT", 0]], ["begin"]],
  [
    "twice at once, as from npm, is one",
    [
      ["SIGINT", 0],
      ["SIGINT", 1],
      ["SIGINT", 299],
    ],
    ["begin"],
  ],
  [
    "a second one ends it",
    [
      ["SIGINT", 0],
      ["SIGINT", 300],
    ],
    ["begin", 130],
  ],
  [
    "so does another one",
    [
      ["SIGINT", 0],
      ["SIGTERM", 900],
    ],
    ["begin", 143],
  ],
  ["the end of npm begins", [["npm", 0]], ["begin"]],
  [
    "the end of npm after a signal is nothing new",
    [
      ["SIGINT", 0],
      ["npm", 900],
    ],
    ["begin"],
  ],
  [
    "a signal after the end of npm is a second one",
    [
      ["npm", 0],
      ["SIGTERM", 900],
    ],
    ["begin", 143],
  ],
] as const)("%s", (_, events, expected) => {
  const happened: (string | number)[] = [];
  let atMs = 0;
  const { start, signal } = signalsInTurn({
    begin: () => happened.push("begin"),
    atOnce: (code) => happened.push(code),
    nowMs: () => atMs,
  });

  for (const [what, whenMs] of events) {
    atMs = whenMs;
    if (what === "npm") start();
    else signal(what);
  }

  expect(happened).toEqual(expected);
});
