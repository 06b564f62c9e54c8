import { beforeAll, expect, test } from "vitest";
import { keptFigures } from "./kept.ts";
import { type Measured, measured, USES } from "./measured.ts";

/**
 * Guarantees that no change makes a call dearer unseen: write units and stored bytes, as the engine tells them of real calls
 * by stripe-node. A limit here is what docs/limits.md promises; what is measured stands below it by little.
 */

let found: Measured;
beforeAll(async () => {
  found = await measured();
  for (const use of USES) {
    const { ledgerWrites, auditWrites } = found.units[use];
    const { table, indexes } = found.stored[use];
    console.log(
      `${use.padEnd(14)} ledger ${ledgerWrites.toFixed(2)}, audit ${auditWrites.toFixed(2)} write units; ${Math.round(table)} + ${Math.round(indexes)} bytes`,
    );
  }
}, 400_000);

test.each([
  ["paid", 9, 6.1],
  ["paidWithoutKey", 9, 5.1],
  ["ownKey", 25, 12],
  ["free", 9, 3],
  ["denied", 9, 4],
  ["givesBack", 9, 7.1],
  ["lookup", 9, 3.1],
  ["alone", 16, 6.1],
  ["latePrice", 15, 6.1],
] as const)("%s: at most %d write units of the audit log, and %d of the ledger", (use, audit, ledger) => {
  expect(found.units[use].auditWrites).toBeGreaterThan(audit / 3);
  expect(found.units[use].auditWrites).toBeLessThanOrEqual(audit);
  expect(found.units[use].ledgerWrites).toBeLessThanOrEqual(ledger);
});

test("a vault key for each invocation costs at most 16 audit units more than a shared one", () => {
  expect(found.units.ownKey.auditWrites - found.units.paid.auditWrites).toBeLessThanOrEqual(16);
});

test("a paid call is kept in at most 4 KB, with all indexes", () => {
  const { table, indexes } = found.stored.paid;
  expect(table + indexes).toBeGreaterThan(1_000);
  expect(table + indexes).toBeLessThanOrEqual(4_096);
});

test("what docs/limits.md is computed of is what is measured: if this fails, run npm run costs", () => {
  const kept = keptFigures();
  for (const use of USES) {
    for (const name of ["ledgerWrites", "ledgerReads", "auditWrites"] as const) {
      const [now, then] = [found.units[use][name], kept.units[use][name]];
      expect(Math.abs(now - then), `${use} ${name}: ${now}, kept ${then}`).toBeLessThan(0.2 + then * 0.1);
    }
    for (const name of ["table", "indexes", "ledgerByteDays"] as const) {
      const [now, then] = [found.stored[use][name], kept.stored[use][name]];
      expect(Math.abs(now - then), `${use} ${name}: ${now}, kept ${then}`).toBeLessThan(20 + then * 0.02);
    }
  }
  expect(found.idle).toEqual(kept.idle);
});
