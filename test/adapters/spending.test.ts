import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DynamoAttemptJournal } from "../../lambda/adapters/dynamo-attempt-journal.ts";
import { DynamoAuditLog } from "../../lambda/adapters/dynamo-audit-log.ts";
import { DynamoNames } from "../../lambda/adapters/dynamo-names.ts";
import { DynamoSpending } from "../../lambda/adapters/dynamo-spending.ts";
import { shardOf } from "../../lambda/adapters/shards.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { ISSUED_AT_MS, policyNamed, toldCall } from "../support/audit-events.ts";

/** Guarantees that sums are found by name and day, that the last minutes of a run are told, and that every name is found. */

const TABLE = "keybrake-audit";
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let engine: LocalDynamoDb;
let client: DynamoDBClient;
let spending: DynamoSpending;
let nowMs = ISSUED_AT_MS;
const clock = { now: () => nowMs };
let calls = 0;

beforeAll(async () => {
  engine = await startDynamoDb();
  client = engine.client;
  spending = new DynamoSpending(client, TABLE);
});
afterAll(() => engine.close());

/** A process of the consumer. */
function consumer() {
  const log = new DynamoAuditLog(client, TABLE, 400, clock);
  const names = new DynamoNames(client, TABLE, 400, clock);
  return async (...events: Parameters<typeof log.append>[0]) => {
    await names.note(events);
    await log.append(events);
  };
}

const paid = (label: string | null, micros: bigint, atMs: number, keyId = "key_1") =>
  toldCall(policyNamed(keyId, label), calls++, micros, atMs).settled;

async function itemsOf(pk: string) {
  const { Items = [] } = await client.send(
    new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: pk } },
    }),
  );
  return Items;
}

/** Guarantees that it is never said to be further than it is: nothing newer is told than what a batch had that is recorded. */
describe("how far the log is", () => {
  const idOfShard = (shard: number): string =>
    ["a", "b", "c", "d", "e", "f", "g", "h"].find((id) => shardOf(id) === shard) ?? "";
  const note = (writtenToMs: number | null, shard: number) =>
    new DynamoAttemptJournal(client, TABLE, clock, () => idOfShard(shard)).note({
      begun: [],
      looseEnds: [],
      ended: ["att_1"],
      ...(writtenToMs !== null && { writtenToMs }),
    });
  const day = 20 * DAY_MS;

  test.each([
    ["nothing was recorded", [], null],
    ["a batch was recorded", [[0, -3_000, 1]], -3_000],
    [
      "a batch of another reader is behind",
      [
        [1_000, -1_000, 1],
        [2_000, -90_000, 2],
      ],
      -1_000,
    ],
    [
      "a batch of another reader is behind in the same part, of which the last one counts",
      [
        [1_000, -1_000, 1],
        [2_000, -90_000, 1],
      ],
      -90_000,
    ],
    ["a version of before recorded", [[3_000, null, 1]], null],
    ["it was yesterday", [[-DAY_MS, -DAY_MS - 2_000, 1]], -DAY_MS - 2_000],
    ["it was the day before", [[-2 * DAY_MS, -2 * DAY_MS, 1]], null],
  ] as const)("where %s", async (name, notes, expected) => {
    // Each case has days of its own.
    const atMs =
      ISSUED_AT_MS + day * (1 + Math.abs([...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0)));
    for (const [noted, written, shard] of notes) {
      nowMs = atMs + noted;
      await note(written === null ? null : atMs + written, shard);
    }
    nowMs = ISSUED_AT_MS;
    const recorded = await spending.recordedToMs(atMs + 5_000);
    expect(recorded === null ? null : recorded - atMs).toBe(expected);
  });
});

describe("sums by day", () => {
  const day = (n: number) => new Date(Date.parse("2026-10-01") + n * DAY_MS).toISOString().slice(0, 10);

  test("of a vendor, a label, a label group and a key are those of the days that are asked for", async () => {
    const append = consumer();
    const other = consumer();
    for (let n = 0; n < 5; n++) {
      const atMs = Date.parse(day(n));
      await append(paid("sums/a", 10n, atMs, "key_sums"), paid("sums/b", 1n, atMs, "key_sums"));
      await other(paid("sums/a", 100n, atMs + DAY_MS - 1, "key_sums"));
    }
    const of = async (kind: "vendor" | "label" | "label_group" | "key", name: string) =>
      (await spending.days({ kind, name }, day(1), day(3))).map((each) => [
        each.day,
        each.spent,
        each.allowed,
      ]);

    expect(await of("label", "sums/a")).toEqual([
      [day(1), 110n, 2],
      [day(2), 110n, 2],
    ]);
    for (const [kind, name] of [
      ["label_group", "sums"],
      ["key", "key_sums"],
      ["vendor", "stripe"],
    ] as const)
      expect(await of(kind, name), kind).toEqual([
        [day(1), 111n, 3],
        [day(2), 111n, 3],
      ]);
    expect(await of("label", "sums/none")).toEqual([]);
    expect(await spending.days({ kind: "vendor", name: "stripe" }, day(3), day(3))).toEqual([]);
    expect(await spending.days({ kind: "vendor", name: "stripe" }, day(3), day(1))).toEqual([]);
  });
});

describe("the last minutes of a run", () => {
  const start = Date.parse("2026-11-20T23:50:00Z");
  const minute = (n: number) => start / MINUTE_MS + n;
  const activity = async (label: string) => {
    const { minutes, ...rest } = await spending.activity({ kind: "label", name: label }, "2026-11-01");
    return { ...rest, minutes: new Map(minutes.map((each) => [each.minute, [each.calls, each.spent]])) };
  };

  test("are told by minute, over midnight and over processes", async () => {
    const processes = [consumer(), consumer(), consumer()];
    for (let n = 0; n < 20; n++) {
      nowMs = start + n * MINUTE_MS + 30_000;
      await processes[n % 3]?.(paid("minutes/a", 5n, nowMs - 100), paid("minutes/a", 2n, nowMs - 50));
    }
    const { minutes, ...rest } = await activity("minutes/a");
    expect(rest).toEqual({ spent: 140n, allowed: 40, denied: 0, lastCallAtMs: nowMs - 50 });
    for (let n = 14; n < 20; n++) expect(minutes.get(minute(n)), `minute ${n}`).toEqual([2, 7n]);
    const group = await spending.activity({ kind: "label_group", name: "minutes" }, "2026-11-01");
    expect(group.minutes.find((each) => each.minute === minute(19))).toMatchObject({ calls: 2, spent: 7n });
  });

  test("that are old go with later writes, so that an item stays below a kilobyte", async () => {
    const append = consumer();
    const noon = Date.parse("2026-11-21T06:00:00Z");
    for (let n = 0; n < 200; n++) {
      nowMs = noon + n * MINUTE_MS;
      await append(paid("long/a", 1n, nowMs));
    }
    const [item = {}] = (await itemsOf("TOTAL#label#long/a")).filter(({ sk }) =>
      sk?.S?.includes("2026-11-21"),
    );
    const kept = Object.keys(item).filter((name) => name.startsWith("calls_"));
    expect(kept).toHaveLength(10);
    expect(JSON.stringify(item).length).toBeLessThan(1_500);
    expect((await activity("long/a")).spent).toBe(200n);
  });

  test("do not have what was told late, which the day's sum has", async () => {
    const append = consumer();
    nowMs = Date.parse("2026-11-21T12:00:00Z");
    await append(paid("late/a", 3n, nowMs - 11 * MINUTE_MS), paid("late/a", 4n, nowMs - 9 * MINUTE_MS));
    const { minutes, spent, lastCallAtMs } = await activity("late/a");
    expect([...minutes.values()]).toEqual([[1, 4n]]);
    expect([spent, lastCallAtMs]).toEqual([7n, nowMs - 9 * MINUTE_MS]);
  });
});

describe("names", () => {
  const labels = [
    "a",
    "names/1",
    "names/2",
    "names/grüße",
    "names/\u{1f600}",
    "names/\uff5e",
    "names:9",
    "zz",
    ...Array.from({ length: 40 }, (_, n) => `wide/${n}`),
  ];
  const days = ["2026-09-01", "2026-09-02", "2026-09-03"];
  beforeAll(async () => {
    const append = consumer();
    for (const [index, label] of labels.entries()) {
      nowMs = Date.parse(days[index % 3] ?? "") + 1;
      await append(paid(label, 1n, nowMs));
      nowMs = Date.parse(days[0] ?? "") + 2;
      await append(paid(label, 1n, nowMs));
    }
  });

  async function allNames(limit: number, wanted: Partial<Parameters<DynamoSpending["names"]>[0]> = {}) {
    const found: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await spending.names({ kind: "label", days, beginning: "", limit, ...wanted, after });
      expect(page.names.length).toBeLessThanOrEqual(limit);
      found.push(...page.names);
      if (page.next === null) return found;
      after = page.next;
    }
  }
  const sorted = (names: readonly string[]) =>
    [...names].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));

  test.each([1, 3, 7, 100])("come each once, in pages of %i", async (limit) => {
    expect(await allNames(limit)).toEqual(sorted(labels));
  });

  test.each(["names/", "names", "wide/1", "names/\u{1f600}", "none"])(
    "come by their beginning: %s",
    async (beginning) => {
      const wanted = sorted(labels.filter((label) => label.startsWith(beginning)));
      expect(await allNames(2, { beginning })).toEqual(wanted);
    },
  );

  test("of groups stand once, and of days without calls there are none", async () => {
    expect(await allNames(2, { kind: "label_group" })).toEqual(["a", "names", "wide", "zz"]);
    expect(await allNames(2, { days: ["2026-09-04"] })).toEqual([]);
  });

  test("of runs tell when they were seen, and what their labels had after the group", async () => {
    const append = consumer();
    nowMs = Date.parse("2026-09-10T23:59:00Z");
    await append(paid("seen/1", 1n, nowMs));
    nowMs = Date.parse("2026-09-11T00:30:00Z");
    await append(paid("seen:2", 1n, nowMs), paid("seen", 1n, nowMs), paid("/nobody", 1n, nowMs));

    const { runs, isComplete } = await spending.seenSince("label_group", nowMs - 7_200_000, nowMs);
    expect(isComplete).toBe(true);
    expect(runs).toEqual([
      {
        kind: "label_group",
        name: "seen",
        separators: expect.arrayContaining(["/", ":", ""]),
        seenAtMs: nowMs,
      },
    ]);
    const seen = async (sinceMs: number) =>
      (await spending.seenSince("label", sinceMs, nowMs)).runs.map(({ name }) => name).sort();
    expect(await seen(nowMs - 7_200_000)).toEqual(["/nobody", "seen", "seen/1", "seen:2"]);
    expect(await seen(nowMs)).toEqual(["/nobody", "seen", "seen:2"]);
  });

  test("are written once an hour by a process, and once a day more", async () => {
    const sent: string[] = [];
    const counting = {
      send: async (command: { input: { Key: { sk: { S: string } } } }) =>
        void sent.push(command.input.Key.sk.S),
    } as unknown as DynamoDBClient;
    const names = new DynamoNames(counting, TABLE, 400, clock);
    nowMs = Date.parse("2026-09-20T10:00:00Z");
    for (let n = 0; n < 50; n++) {
      nowMs += 60_000;
      await names.note([paid("often/1", 1n, nowMs), paid("often/2", 1n, nowMs), paid(null, 1n, nowMs)]);
    }
    expect(sent.sort()).toEqual(["often", "often/1", "often/2"]);
    nowMs += 3_600_000;
    await names.note([paid("often/1", 1n, nowMs)]);
    expect(sent.sort()).toEqual(["often", "often", "often/1", "often/1", "often/2"]);
  });

  test("are written again where the write failed", async () => {
    const sent: unknown[] = [];
    const failing = {
      send: async (command: unknown) => {
        sent.push(command);
        if (sent.length === 1) throw new Error("no answer");
      },
    } as unknown as DynamoDBClient;
    const names = new DynamoNames(failing, TABLE, 400, clock);
    await expect(names.note([paid("alone", 1n, nowMs)])).rejects.toThrow("no answer");
    await names.note([paid("alone", 1n, nowMs)]);
    await names.note([paid("alone", 1n, nowMs)]);
    expect(sent.length).toBeLessThanOrEqual(4);
    expect(sent.length).toBeGreaterThan(2);
  });
});
