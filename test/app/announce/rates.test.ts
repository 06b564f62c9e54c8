import { expect, test } from "vitest";
import { ratesExceeded } from "../../../lambda/app/announce/rates.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import type { RunActivity, SeenRun } from "../../../lambda/ports/spending.ts";

/** Guarantees that a run is told of when one of its last minutes was dearer than allowed, and at no other time. */

const NOW_MS = 1_795_323_600_000;
const NOW = NOW_MS / 60_000;

type Minute = readonly [ago: number, micros: bigint];

const asked = (minutes: readonly Minute[], separators: readonly string[] = ["/"]) => {
  const run: SeenRun = { kind: "label_group", name: "billing", separators, seenAtMs: NOW_MS };
  const activity: RunActivity = {
    spent: microUsd(0n),
    allowed: 1,
    denied: 0,
    lastCallAtMs: NOW_MS,
    minutes: minutes.map(([ago, micros]) => ({ minute: NOW - ago, calls: 2, spent: microUsd(micros) })),
  };
  return ratesExceeded(
    microUsd(100n),
    { seenSince: async () => ({ runs: [run], isComplete: true }), activity: async () => activity },
    NOW_MS,
  );
};

test.each<[string, Minute[], bigint | null]>([
  ["nothing", [], null],
  ["exactly what is allowed", [[1, 100n]], null],
  ["a millionth more", [[1, 101n]], 101n],
  ["the minute that is now", [[0, 500n]], 500n],
  [
    "two minutes that are dear only together",
    [
      [1, 60n],
      [2, 60n],
    ],
    null,
  ],
  [
    "the dearest of several",
    [
      [1, 150n],
      [2, 300n],
      [3, 200n],
    ],
    300n,
  ],
  ["an older minute than is looked at", [[11, 500n]], null],
])("%s", async (_, minutes, spent) => {
  const told = await asked(minutes);
  expect(told.map(({ facts }) => facts["spent_usd"])).toEqual(spent === null ? [] : [spent]);
});

test.each<[string[], string]>([
  [["/"], "billing/*"],
  [[":"], "billing:*"],
  [[""], "billing"],
  [["/", ":"], "billing*"],
])("a run with the separators %j is stopped by %s", async (separators, label) => {
  const [told] = await asked([[1, 500n]], separators);
  expect(told?.stop).toEqual({ kind: "run", label });
});
