import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Lane } from "../../lambda/adapters/audit-items/lane.ts";
import { DynamoAttemptJournal } from "../../lambda/adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoAuditReader } from "../../lambda/adapters/dynamo-audit-reader.ts";
import { type AuditQuery, queryAudit } from "../../lambda/app/audit/query-audit.ts";
import { ADMIN } from "../../lambda/app/keys/caller.ts";
import { eventAttributes, eventId } from "../../lambda/audit-wire.ts";
import { keyIssued, withKey } from "../../lambda/domain/audit-event.ts";
import { WINDOW_MS } from "../../lambda/domain/balance.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../support/audit-events.ts";

/** Guarantees that the Audit table holds each event once, adds it to each sum once, and gives rows back in order. */

const TABLE = "keybrake-audit";
const RETENTION_DAYS = 400;

let engine: LocalDynamoDb;
let client: DynamoDBClient;
let reader: DynamoAuditReader;

beforeAll(async () => {
  engine = await startDynamoDb();
  client = engine.client;
  reader = new DynamoAuditReader(client, TABLE);
});

afterAll(() => engine.close());

const logOf = () => new DynamoAuditLog(client, TABLE, RETENTION_DAYS, { now: () => ISSUED_AT_MS });

/** Dollars and allowed calls of all items of a sum. */
async function total(pk: string, begins: string): Promise<readonly [number, number]> {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: "pk = :pk AND begins_with(sk, :begins)",
      ExpressionAttributeValues: { ":pk": { S: pk }, ":begins": { S: begins } },
    }),
  );
  const sum = (name: string) => Items.reduce((all, item) => all + Number(item[name]?.N), 0);
  return [Math.round(sum("spent_usd") * 1e6), sum("allowed_calls")];
}

describe("sums", () => {
  const policy = policyNamed("key_sums", "sums/1");
  const calls = Array.from({ length: 150 }, (_, n) => toldCall(policy, n, 100_000n, ISSUED_AT_MS).settled);

  test("an event that comes again, alone or among new ones, to one process or to another, adds nothing", async () => {
    const [one, other] = [logOf(), logOf()];
    await one.append([keyIssued(policy), ...calls.slice(0, 10)]);
    await other.append(calls.slice(5, 130));
    await one.append(calls);
    await Promise.all([one.append([...calls, ...calls]), other.append(calls)]);

    expect(await reader.spent("key_sums", 0, true)).toEqual({ window: 15_000_000n, total: 15_000_000n });
    expect(await total("TOTAL#key#key_sums", "WINDOW#0#DAY#2026-11-22#")).toEqual([15_000_000, 150]);
    expect(await total("TOTAL#vendor#stripe", "DAY#2026-11-22#")).toEqual([15_000_000, 150]);
    expect(await total("TOTAL#label#sums/1", "DAY#2026-11-22#")).toEqual([15_000_000, 150]);
    expect(await total("TOTAL#label_group#sums", "DAY#2026-11-22#")).toEqual([15_000_000, 150]);
  });

  test("a key's windows are told apart, and its total is read where it is asked for", async () => {
    const later = toldCall(policyNamed("key_windows", null), 200, 7n, ISSUED_AT_MS + WINDOW_MS);
    const first = toldCall(policyNamed("key_windows", null), 201, 3n, ISSUED_AT_MS);
    await logOf().append([later.settled, first.settled]);

    expect(await reader.spent("key_windows", 1, true)).toEqual({ window: 7n, total: 10n });
    expect(await reader.spent("key_windows", 0, false)).toEqual({ window: 3n, total: 0n });
    expect(await reader.spent("key_windows", 10, false)).toEqual({ window: 0n, total: 0n });
  });

  test("more events and sums than one transaction takes are written in several", async () => {
    const many = Array.from(
      { length: 120 },
      (_, n) => toldCall(policyNamed(`key_many_${n}`, `many-${n}/x`), 1_000 + n, 1n, ISSUED_AT_MS).settled,
    );
    await logOf().append(many);

    for (const n of [0, 60, 119])
      expect(await reader.spent(`key_many_${n}`, 0, false)).toEqual({ window: 1n, total: 0n });
  });
});

test("a process that meets another one in its lane goes to a lane by chance, among more of them", () => {
  const lane = new Lane((below) => below - 1);
  const lanes = Array.from({ length: 6 }, () => {
    const { number } = lane;
    lane.leave();
    return number;
  });

  expect(lanes).toEqual([63, 127, 255, 255, 255, 255]);
});

describe("rows", () => {
  const all: AuditQuery = {
    vendor: null,
    fromMs: 0,
    toMs: ISSUED_AT_MS * 2,
    label: null,
    keyId: null,
    callId: null,
    state: null,
    decision: null,
    overrun: null,
    limit: 7,
    before: null,
  };

  async function pages(query: AuditQuery): Promise<readonly string[]> {
    const seen: string[] = [];
    for (let before: string | null = null; ; ) {
      const { rows, next } = await queryAudit(
        { ...query, before },
        { vendors: ["stripe"], caller: ADMIN },
        reader,
      );
      for (const { subject, fields } of rows) {
        expect(fields.userAgent, "the row is whole").toBe("Stripe/v1 NodeBindings/23.1.0");
        seen.push(subject);
      }
      if (next === null) return seen;
      before = next;
    }
  }

  test("come newest first over all parts of an index, by key, label, label group, call and vendor", async () => {
    const policy = policyNamed("key_rows", "rows/1");
    const calls = Array.from({ length: 60 }, (_, n) =>
      toldCall(policy, 2_000 + n, 1n, ISSUED_AT_MS + Math.floor(n / 3)),
    );
    await logOf().append(calls.flatMap(({ open, settled }) => [settled, open]));
    const newestFirst = calls.map(({ settled }) => settled.subject).reverse();

    expect(await pages({ ...all, keyId: "key_rows" })).toEqual(newestFirst);
    expect(await pages({ ...all, label: { kind: "exact", text: "rows/1" } })).toEqual(newestFirst);
    expect(await pages({ ...all, label: { kind: "prefix", text: "rows/" } })).toEqual(newestFirst);
    expect(await pages({ ...all, callId: "call_2007" })).toEqual(["call_2007"]);
    const ofVendor = await pages({ ...all, vendor: "stripe", limit: 100, state: "settled" });
    expect(ofVendor.filter((callId) => newestFirst.includes(callId))).toEqual(newestFirst);
  });
});

describe("the journal", () => {
  const DAY_MS = 86_400_000;
  const policy = policyNamed("key_journal", "journal/1");
  const calls = Array.from({ length: 5 }, (_, n) => toldCall(policy, 3_000 + n, 1n, ISSUED_AT_MS));
  let nowMs = ISSUED_AT_MS;
  let journal: DynamoAttemptJournal;
  beforeAll(() => {
    journal = new DynamoAttemptJournal(client, TABLE, { now: () => nowMs });
  });

  test("gives back what began and did not end, with all that its key does not tell", async () => {
    const begun = calls.flatMap(({ open, reserved }) => [open, reserved]);
    const [first, second, third] = calls.map(({ open }) => open.attemptId ?? "");
    if (first === undefined || second === undefined || third === undefined) throw new Error("five calls");

    await journal.note({ begun: [], looseEnds: [], ended: [first] });
    nowMs += 60_000;
    await journal.note({ begun, looseEnds: [], ended: [] });
    nowMs += 60_000;
    await journal.note({ begun: [], looseEnds: [], ended: [second] });
    await journal.note({ begun: begun.slice(4, 6), looseEnds: [], ended: [third] });

    const { events: unended } = await journal.unended(ISSUED_AT_MS, nowMs);
    const told = unended.map((event) => withKey(event, policy));
    const wanted = calls.slice(3).flatMap(({ open, reserved }) => [open, reserved]);
    const byId = (events: typeof told) =>
      new Map(events.map((event) => [eventId(event), eventAttributes(event)]));
    expect(told).toHaveLength(4);
    expect(byId(told)).toEqual(byId(wanted));
  });

  test("looks at the times it is asked for, across days, and at ends beyond them", async () => {
    const atMs = Math.ceil(ISSUED_AT_MS / DAY_MS) * DAY_MS + 9 * DAY_MS;
    const [one, two, three] = [4_000, 4_001, 4_002].map((n) => toldCall(policy, n, 1n, atMs));
    if (one === undefined || two === undefined || three === undefined) throw new Error("three calls");
    nowMs = atMs - 1;
    await journal.note({ begun: [one.open], looseEnds: [], ended: [] });
    nowMs = atMs;
    await journal.note({ begun: [two.open, three.open], looseEnds: [], ended: [] });
    nowMs = atMs + 600_000;
    await journal.note({ begun: [], looseEnds: [], ended: [three.open.attemptId ?? ""] });

    const subjects = async (fromMs: number, toMs: number) =>
      (await journal.unended(fromMs, toMs)).events.map(({ subject }) => subject);
    expect(await subjects(atMs, atMs + 1)).toEqual(["call_4001"]);
    expect((await subjects(atMs - 1, atMs + 1)).sort()).toEqual(["call_4000", "call_4001"]);
    expect(await subjects(atMs + 1, atMs + DAY_MS)).toEqual([]);
  });

  test("takes a batch with more text than an item has", async () => {
    const atMs = ISSUED_AT_MS + 100 * DAY_MS;
    nowMs = atMs;
    const long = "€".repeat(500);
    const begun = Array.from({ length: 100 }, (_, n) => {
      const { open } = toldCall(policy, 5_000 + n, 1n, atMs);
      const fields = { ...open.fields, path: long, userAgent: long, idempotencyKey: long, callLabel: long };
      return { ...open, fields };
    });
    await journal.note({ begun, looseEnds: [], ended: [begun[0]?.attemptId ?? ""] });

    const { events: unended } = await journal.unended(atMs, atMs + 1);
    expect(unended.map(({ subject }) => subject).sort()).toEqual(
      begun
        .slice(1)
        .map(({ subject }) => subject)
        .sort(),
    );
  });

  test("remembers how far it is swept", async () => {
    expect(await journal.sweptUntilMs()).toBeNull();
    await journal.markSwept(ISSUED_AT_MS);
    await journal.markSwept(ISSUED_AT_MS + 5);
    expect(await journal.sweptUntilMs()).toBe(ISSUED_AT_MS + 5);
  });
});
