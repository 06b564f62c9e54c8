import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../local/aws/dynamodb.ts";
import { eventually } from "../support/eventually.ts";
import { type FaultyWay, startFaultyWay } from "../support/faulty-way.ts";
import { balanceOf, callRows, issue, pay } from "../support/keybrake.ts";
import { killAllStarted, start } from "../support/start.ts";

/** Guarantees that `npm start` works on another DynamoDB, which lives on when the run is killed, and reads its stream. */

let engine: LocalDynamoDb | undefined;
let way: FaultyWay | undefined;
let folder = "";
afterEach(async () => {
  await killAllStarted();
  await way?.close();
  await engine?.close();
  await rm(folder, { recursive: true });
});

test("a run on another DynamoDB, killed and started again, goes on with its keys and reads on in the stream", async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-another-"));
  engine = await startDynamoDb();
  const asked = new Map<string, number>();
  way = await startFaultyWay(engine.endpoint, ({ operation, body }) => {
    const what =
      operation === "GetShardIterator"
        ? `${body}`.replace(/.*"ShardIteratorType":"(\w+)".*/, "$1")
        : operation;
    asked.set(what, (asked.get(what) ?? 0) + 1);
    return null;
  });
  const settings = { KEYBRAKE_DYNAMODB: way.endpoint, KEYBRAKE_DATA: join(folder, "data") };

  const first = await start(settings);
  expect(first.stdout()).toContain(`in the tables at ${way.endpoint}`);
  const key = await issue(first, { daily_usd_cap: 10 });
  expect((await pay(first, key, 300)).status).toBe(200);
  await eventually(async () => expect(await callRows(first, key)).toHaveLength(1));
  await first.kill("SIGKILL");
  expect(asked.get("TRIM_HORIZON")).toBe(1);
  for (const operation of ["UpdateItem", "PutItem", "GetRecords", "CreateTable"])
    expect(asked.has(operation)).toBe(true);

  const second = await start(settings);
  expect((await pay(second, key, 200)).status).toBe(200);
  await eventually(async () =>
    expect(await balanceOf(second, key)).toEqual({ spent: 500, reserved: 0, remaining: 500 }),
  );
  expect((await callRows(second, key)).map(({ state }) => state)).toEqual(["settled", "settled"]);
  expect([asked.get("TRIM_HORIZON"), asked.get("AFTER_SEQUENCE_NUMBER")]).toEqual([1, 1]);
});
