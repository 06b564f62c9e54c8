import { expect, test } from "vitest";
import { recordAudit } from "../../../lambda/app/audit/record-audit.ts";
import type { AuditLog } from "../../../lambda/ports/audit.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../../support/audit-events.ts";
import { MemoryAuditLog, MemoryEvidence, MemoryJournal } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { balanceOf } from "../../support/vault-facts.ts";

/** Guarantees that what is recorded is all of a batch or comes again, and that the sweep finds what did not end. */

const policy = policyNamed("key_record", "record/1");
const told = toldCall(policy, 1, 5n, ISSUED_AT_MS);
const changes = told.changes.map((change) => () => change);

async function vaultWithKey(): Promise<MemoryVault> {
  const vault = new MemoryVault();
  await vault.policies.create(policy, balanceOf(policy.keyId), null);
  return vault;
}

const open = async (journal: MemoryJournal) =>
  (await journal.unended(0, 1)).events.map(({ event }) => event).sort();

test("what began is noted, and is open until its outcome is on the log", async () => {
  const ports = {
    vault: await vaultWithKey(),
    log: new MemoryAuditLog(),
    journal: new MemoryJournal(),
    evidence: new MemoryEvidence(),
  };

  expect(await recordAudit(changes.slice(0, 2), ports)).toBeNull();
  expect([...ports.log.events.values()]).toEqual([]);
  expect(await open(ports.journal)).toEqual(["open", "reserved"]);

  expect(await recordAudit(changes.slice(2), ports)).toBeNull();
  expect([...ports.log.events.values()].map(({ event }) => event)).toEqual(["settled"]);
  expect(await open(ports.journal)).toEqual([]);
});

test("an outcome that is not on the log is noted as no end: the sweep still finds its attempt", async () => {
  const failing: AuditLog = { append: () => Promise.reject(new Error("throttled")) };
  const journal = new MemoryJournal();
  const vault = await vaultWithKey();
  expect(
    await recordAudit(changes.slice(0, 2), {
      vault,
      log: new MemoryAuditLog(),
      journal,
      evidence: new MemoryEvidence(),
    }),
  ).toBeNull();

  expect(
    await recordAudit(changes.slice(2), { vault, log: failing, journal, evidence: new MemoryEvidence() }),
  ).toMatchObject({
    failedAt: 0,
  });
  expect(await open(journal)).toEqual(["open", "reserved"]);
});

test("what stands before a change that cannot be read is recorded, and the change is named", async () => {
  const ports = {
    vault: await vaultWithKey(),
    log: new MemoryAuditLog(),
    journal: new MemoryJournal(),
    evidence: new MemoryEvidence(),
  };
  const unreadable = () => {
    throw new Error("no number");
  };

  const failure = await recordAudit([...changes, unreadable, ...changes], ports);
  expect(failure).toMatchObject({ failedAt: 3 });
  expect(ports.log.events.size).toBe(1);
});

test("a change of a key without a policy is named, and those before it are recorded", async () => {
  const ports = {
    vault: await vaultWithKey(),
    log: new MemoryAuditLog(),
    journal: new MemoryJournal(),
    evidence: new MemoryEvidence(),
  };
  const stranger = toldCall(policyNamed("key_stranger", null), 2, 5n, ISSUED_AT_MS).changes[2];

  expect(await recordAudit([...changes, () => stranger], ports)).toMatchObject({ failedAt: 3 });
  expect(ports.log.events.size).toBe(1);
});

test.each([
  ["all", 3, 30],
  ["what stands before a change that cannot be read", 2, 20],
])("the journal says how new the newest change is of %s", async (_, readable, writtenToMs) => {
  const noted: unknown[] = [];
  const journal = new MemoryJournal();
  const ports = {
    vault: await vaultWithKey(),
    log: new MemoryAuditLog(),
    journal: Object.assign(journal, {
      note: async (batch: { readonly writtenToMs?: number }) => {
        noted.push(batch.writtenToMs);
      },
    }),
    evidence: new MemoryEvidence(),
    writtenAtMs: [10, 20, 30],
  };
  const unreadable = () => {
    throw new Error("no number");
  };

  await recordAudit([...changes.slice(0, readable), ...Array(3 - readable).fill(unreadable)], ports);
  expect(noted).toEqual([writtenToMs]);
});
