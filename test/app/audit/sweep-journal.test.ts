import { type DynamoDBClient, QueryCommand } from "@aws-sdk/client-dynamodb";
import { beforeEach, describe, expect, test } from "vitest";
import { DynamoAttemptJournal } from "../../../lambda/adapters/dynamo-attempt-journal.ts";
import { sweepJournal } from "../../../lambda/app/audit/sweep-journal.ts";
import { AUDIT_TABLE } from "../../../lib/table-schemas.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../../support/audit-events.ts";
import { dynamoStub } from "../../support/dynamo-stub.ts";
import { MemoryAuditLog, MemoryDueList } from "../../support/memory-audit.ts";
import { MemoryVault } from "../../support/memory-vault.ts";
import { balanceOf } from "../../support/vault-facts.ts";

/** Guarantees that the sweep tells every attempt that died, whenever it comes and however much there is. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AFTER_MS = 5 * MINUTE_MS;

const policy = policyNamed("key_sweep", "sweep/1");
const callAt = (n: number, atMs: number) => toldCall(policy, n, 5n, atMs);

let nowMs: number;
let log: MemoryAuditLog;
let vault: MemoryVault;
let dueList: MemoryDueList;
let client: DynamoDBClient;
/** Notes that queries gave back; each takes so many milliseconds. */
let read: { notes: number; readonly msEach: number; readonly killedAfter: number };

beforeEach(async () => {
  nowMs = ISSUED_AT_MS;
  log = new MemoryAuditLog();
  vault = new MemoryVault();
  dueList = new MemoryDueList();
  await vault.policies.create(policy, balanceOf(policy.keyId), null);
  read = { notes: 0, msEach: 0, killedAfter: Infinity };
  // Its units are endless, so it needs no time.
  const clock = { now: () => 0, sleep: async () => {} };
  const stub = dynamoStub(AUDIT_TABLE, { lockMs: 0, unitsPerKey: 1e12, clock });
  const send = async (command: unknown) => {
    const answer = (await stub.client.send(command as QueryCommand)) as { Items?: readonly unknown[] };
    if (!(command instanceof QueryCommand)) return answer;
    const notes = answer.Items?.length ?? 0;
    read.notes += notes;
    nowMs += notes * read.msEach;
    if (read.notes > read.killedAfter) throw new Error("killed");
    return answer;
  };
  client = { send } as unknown as DynamoDBClient;
});

const journal = () => new DynamoAttemptJournal(client, "Audit", { now: () => nowMs });
const sweep = (untilMs = Infinity) =>
  sweepJournal(
    { vault, log, journal: journal(), dueList, clock: { now: () => nowMs } },
    { afterMs: AFTER_MS, untilMs },
  );
const told = () => [...log.events.values()].map(({ subject }) => subject).sort();

/** A call begins and its process dies. */
const dies = (n: number) => journal().note({ begun: [callAt(n, nowMs).open], looseEnds: [], ended: [] });

describe("an attempt that died is told", () => {
  test.each([
    ["hours", 5 * HOUR_MS],
    ["days", 6 * DAY_MS],
  ])("where the first sweep of all comes %s later: a short run ends before it sweeps", async (_, laterMs) => {
    await dies(1);
    nowMs += laterMs;
    await sweep();

    expect(told()).toEqual(["call_1"]);
  });

  test("where the sweep stood still for days", async () => {
    await sweep();
    nowMs += MINUTE_MS;
    await dies(1);
    nowMs += 5 * DAY_MS;
    await sweep();

    expect(told()).toEqual(["call_1"]);
  });

  test("where the clock was put back behind what is swept", async () => {
    nowMs += DAY_MS;
    await sweep();
    nowMs -= DAY_MS;
    await dies(1);
    nowMs += HOUR_MS;
    await sweep();
    await dies(2);
    nowMs += 2 * AFTER_MS;
    await sweep();

    expect(told()).toEqual(["call_1", "call_2"]);
  });
});

describe("a journal with much in it", () => {
  const NOTES_PER_MINUTE = 20;
  /** One of the calls of each hour dies. */
  async function fill(hours: number): Promise<void> {
    for (let n = 0; n < hours * 60 * NOTES_PER_MINUTE; n++) {
      const { open } = callAt(n, nowMs);
      const isDead = n % (60 * NOTES_PER_MINUTE) === 0;
      await journal().note({ begun: [open], looseEnds: [], ended: isDead ? [] : [open.attemptId ?? ""] });
      nowMs += MINUTE_MS / NOTES_PER_MINUTE;
    }
  }

  test("is not read again and again: a sweep on time reads less than half an hour of it", async () => {
    await fill(1);
    await sweep();
    await fill(1);
    await sweep();
    await fill(5 / 60);
    read.notes = 0;
    await sweep();

    expect(read.notes).toBeGreaterThan(5 * NOTES_PER_MINUTE);
    expect(read.notes).toBeLessThan(30 * NOTES_PER_MINUTE);
  });

  test("is swept in the end, though each run is killed after an hour of it", async () => {
    await fill(6);
    nowMs += AFTER_MS + MINUTE_MS;
    let killed = 0;
    for (let runs = 0; runs < 60; runs++) {
      read = { notes: 0, msEach: 1, killedAfter: 60 * NOTES_PER_MINUTE };
      const ended = await sweep().then(
        () => true,
        () => false,
      );
      if (ended) break;
      killed++;
    }

    expect(killed).toBeGreaterThan(1);
    expect(killed).toBeLessThan(60);
    expect(told()).toEqual([0, 1, 2, 3, 4, 5].map((hour) => `call_${hour * 60 * NOTES_PER_MINUTE}`).sort());
  });
});
