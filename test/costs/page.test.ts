import { expect, test } from "vitest";
import { textOf } from "../docs/markdown.ts";
import { callLines, idleLines, keptLines, totalOf } from "./costs.ts";
import { deploymentOf } from "./deployment.ts";
import { keptFigures } from "./kept.ts";
import { FREE_ALARMS, pageWith, partsOf, table } from "./page.ts";

/**
 * Guarantees that docs/limits.md says what `npm run costs` computes of the template, of the prices and of what was
 * measured last (test/costs/units.test.ts holds that to the product), and that no change makes it dearer unseen.
 */

const figures = keptFigures();
const standard = deploymentOf();

test("the page says what is computed: if this fails, run npm run costs", () => {
  const page = textOf("docs/limits.md");
  expect(page).toBe(pageWith(page, partsOf(figures)));
});

test("a million paid calls of half a second cost at most $18, and $15 to keep", () => {
  const calls = totalOf(callLines("paid", figures, standard));
  expect(calls).toBeGreaterThan(10);
  expect(calls).toBeLessThanOrEqual(18);
  const kept = totalOf(keptLines("paid", figures, standard));
  expect(kept).toBeGreaterThan(5);
  expect(kept).toBeLessThanOrEqual(15);
});

test("an idle month costs at most $3, and $2 with one vendor or with the free alarms of the account", () => {
  const ofStripe = totalOf(idleLines(figures, deploymentOf({ credentials: { stripe: ["default"] } })));
  expect(ofStripe).toBeGreaterThan(1);
  expect(ofStripe).toBeLessThanOrEqual(2);
  expect(totalOf(idleLines(figures, standard, { freeAlarms: FREE_ALARMS }))).toBeLessThanOrEqual(2);
  expect(totalOf(idleLines(figures, standard))).toBeLessThanOrEqual(3);
});

test("a bill by hand is the computed one", () => {
  // One request, 0.275 GB-s on arm64; then 6 and 7.02 write units and 1.77 read.
  const figuresByHand = {
    ...figures,
    units: {
      ...figures.units,
      paid: { ledgerWrites: 6, ledgerReads: 0, auditWrites: 7.02, auditReads: 1.77 },
    },
  };
  const [gateway, lambda, ledger, audit] = callLines("paid", figuresByHand, {
    ...standard,
    functions: { ...standard.functions, "proxy-call": { memoryMb: 512, isArm: true } },
  }).map(({ usd }) => usd);
  expect(gateway).toBeCloseTo(3.5, 5);
  expect(lambda).toBeCloseTo(0.2 + 0.275 * 13.3334, 5);
  expect(ledger).toBeCloseTo(3.75, 5);
  expect(audit).toBeCloseTo(4.3875 + 0.22125, 5);
});

test("an idle month is counted from the template, an alarm by its metrics", () => {
  const usdOf = (what: string) => idleLines(figures, standard).find((line) => line.what === what)?.usd;
  expect(usdOf("secrets")).toBeCloseTo(standard.secrets * 0.4, 5);
  expect(usdOf("alarms")).toBeCloseTo(standard.alarmMetrics * 0.1, 5);
  expect(standard.alarmMetrics).toBeGreaterThanOrEqual(standard.alarms);
  expect(standard.runsOfMonth).toEqual({
    "record-audit": 8_760,
    "apply-stops": 2_190,
    "settle-late-prices": 7_300,
  });
  expect(deploymentOf({ credentials: { stripe: ["default", "test"] } }).secrets).toBe(3);
  // A dashboard with more than 50 is not free.
  expect(standard.dashboards).toEqual([39]);
});

test("the columns of a table stand below one another", () => {
  expect(
    table(
      ["what", "usd"],
      [
        ["a", "$1.00"],
        ["longer", "$10.00"],
      ],
    ),
  ).toBe(
    ["| what   |    usd |", "| ------ | -----: |", "| a      |  $1.00 |", "| longer | $10.00 |"].join("\n"),
  );
});
