import { beforeEach, describe, expect, test } from "vitest";
import { outgoingEvent } from "../../../lambda/announcement-wire.ts";
import { announce, sendKept } from "../../../lambda/app/announce/announce.ts";
import { announcementsFor } from "../../../lambda/app/announce/recorded.ts";
import { recordAudit } from "../../../lambda/app/audit/record-audit.ts";
import type { Announcement } from "../../../lambda/domain/announcement.ts";
import type { CapCrossing } from "../../../lambda/domain/cap-crossing.ts";
import { microUsd } from "../../../lambda/domain/money.ts";
import type { VaultChange } from "../../../lambda/ports/vault-change.ts";
import { vendorRegistry } from "../../../lambda/vendors/index.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../../support/audit-events.ts";
import { MemoryRegister, MemorySender } from "../../support/memory-announcements.ts";
import { MemoryAuditLog, MemoryEvidence, MemoryJournal } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { balanceOf } from "../../support/vault-facts.ts";

/** Guarantees that what is on the log is announced at least once, a crossing once, and that nothing stands in the log's way. */

const { redact } = vendorRegistry().secrets;
const written = (announcement: Announcement) =>
  outgoingEvent(announcement, { baseUrl: "https://h/prod", redact });

let sender: MemorySender;
let register: MemoryRegister;
beforeEach(() => {
  sender = new MemorySender();
  register = new MemoryRegister();
});
const types = () => sender.sent.map(({ type }) => type);

const policy = policyNamed("key_told", "told/1");
const crossing: CapCrossing = {
  keyId: policy.keyId,
  cap: "daily",
  window: 0,
  threshold: 80,
  capAmount: microUsd(10n),
  taken: microUsd(8n),
  resetsAtMs: ISSUED_AT_MS,
  atMs: ISSUED_AT_MS,
};

async function vaultWithKey(): Promise<MemoryVault> {
  const vault = new MemoryVault();
  await vault.policies.create(policy, balanceOf(policy.keyId), null);
  return vault;
}

/** Records changes with all that is announced of them. */
async function recorded(changes: readonly VaultChange[]) {
  const vault = await vaultWithKey();
  const log = new MemoryAuditLog();
  const failure = await recordAudit(
    changes.map((change) => () => change),
    {
      vault,
      log,
      journal: new MemoryJournal(),
      evidence: new MemoryEvidence(),
      afterwards: async (told) => {
        await announce(await announcementsFor(told, vault), { sender, register, written });
      },
    },
  );
  return { failure, log };
}

const drawn = toldCall(policy, 1, 5n, ISSUED_AT_MS).changes[1];
const revoked: VaultChange = {
  kind: "revoked",
  keyId: policy.keyId,
  after: balanceOf(policy.keyId),
  atMs: ISSUED_AT_MS,
  by: "admin",
};

test("the same batch twice announces a crossing once", async () => {
  const changes: VaultChange[] = [{ ...drawn, crossed: [crossing] }];
  await recorded(changes);
  await recorded(changes);
  expect(types()).toEqual(["cap.threshold"]);
  expect(JSON.parse(sender.sent[0]?.detail ?? "")).toMatchObject({
    agent_run_label: "told/1",
    vendor: "stripe",
    stop_command: expect.stringContaining('{"agent_run_label":"told/*"}'),
  });
});

test("a crossing of a key that stands on no row of its own is told, and of one without a policy without its label", async () => {
  await recorded([{ kind: "ignored", crossed: [crossing, { ...crossing, keyId: "ak_1" }] }]);
  expect(sender.sent.map(({ detail }) => JSON.parse(detail)["agent_run_label"])).toEqual(["told/1", null]);
});

test("traffic that crosses nothing asks nobody", async () => {
  await recorded([...toldCall(policy, 1, 5n, ISSUED_AT_MS).changes]);
  expect([types(), register.uses]).toEqual([[], 0]);
});

test("what cannot be recorded is not announced, nor what follows it", async () => {
  const stranger = toldCall(policyNamed("key_stranger", null), 2, 5n, ISSUED_AT_MS).changes[2];
  const { failure } = await recorded([revoked, { ...stranger, crossed: [crossing] }, revoked]);
  expect(failure).toMatchObject({ failedAt: 1 });
  expect(types()).toEqual(["key.revoked"]);
});

test("what the log does not take is not announced", async () => {
  const vault = await vaultWithKey();
  const failing = { append: () => Promise.reject(new Error("throttled")) };
  const told: unknown[] = [];
  const ports = {
    vault,
    log: failing,
    journal: new MemoryJournal(),
    evidence: new MemoryEvidence(),
    afterwards: async () => void told.push(1),
  };
  expect(await recordAudit([() => revoked], ports)).toMatchObject({ failedAt: 0 });
  expect(told).toEqual([]);
});

describe("a bus that is down", () => {
  test("has its events later, each once, and a crossing is not told again", async () => {
    sender.refuses = "all";
    const changes: VaultChange[] = [revoked, { ...drawn, crossed: [crossing] }];
    const { failure, log } = await recorded(changes);
    expect([failure, log.events.size > 0, types()]).toEqual([null, true, []]);
    await recorded([{ ...drawn, crossed: [crossing] }]);

    sender.refuses = new Set([...register.waiting.keys()].filter((id) => id.startsWith("key.revoked")));
    expect((await sendKept({ sender, register })).unsent.map(({ type }) => type)).toEqual(["key.revoked"]);
    sender.refuses = new Set();
    await sendKept({ sender, register });
    expect(types()).toEqual(["cap.threshold", "key.revoked"]);
    await sendKept({ sender, register });
    expect(types()).toHaveLength(2);
  });

  test("that takes some of them keeps the rest", async () => {
    const all = await announcementsFor(
      { changes: [{ kind: "ignored", crossed: [crossing] }], events: [] },
      await vaultWithKey(),
    );
    const other = { ...all[0], id: "other" } as Announcement;
    sender.refuses = new Set(["other"]);
    const { unsent } = await announce([...all, other], { sender, register, written });
    expect(unsent.map(({ id }) => id)).toEqual(["other"]);
    expect([...register.waiting.keys()]).toEqual(["other"]);
  });
});

test("where the marks cannot be read, an event is sent rather than not", async () => {
  register.marked = () => Promise.reject(new Error("throttled"));
  await recorded([{ ...drawn, crossed: [crossing] }]);
  expect(types()).toEqual(["cap.threshold"]);
});
