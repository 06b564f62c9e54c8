import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DynamoAuditReader } from "../../../lambda/adapters/dynamo-audit-reader.ts";
import { type AuditQuery, queryAudit } from "../../../lambda/app/audit/query-audit.ts";
import { ADMIN } from "../../../lambda/app/keys/caller.ts";
import { upgradeAuditItems } from "../../../local/aws/audit-upgrade.ts";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";

/** Guarantees that the audit log of a data file of before is found and adds up as it did. */

type Item = Record<string, AttributeValue>;

const AUDIT = "keybrake-audit";
const STORED = (await readFile(join(import.meta.dirname, "../../adapters/stored-items.ndjson"), "utf8"))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { readonly kind: string; readonly item: Item });
const OLD = STORED.filter(({ kind }) => kind === "event_of_layout_2").map(({ item }) => item);
const NEW = STORED.filter(({ kind }) => kind === "event").map(({ item }) => item);

const sum = (pk: string, sk: string, spent: string, allowed: number): Item => ({
  pk: { S: pk },
  sk: { S: sk },
  spent_usd: { N: spent },
  held_usd: { N: "3" },
  allowed_calls: { N: `${allowed}` },
  denied_calls: { N: "1" },
});
const OLD_SUMS = [
  sum("TOTAL#vendor#stripe", "DAY#2026-11-22", "11.5", 4),
  sum("TOTAL#label#modal-billing/cus_A", "DAY#2026-11-22", "11.5", 4),
  sum("TOTAL#label_group#modal-billing", "DAY#2026-11-22", "11.5", 4),
  sum("TOTAL#key#key_leaf", "DAY#2026-11-22", "8", 3),
  sum("TOTAL#key#key_leaf", "DAY#2026-11-23", "3.5", 1),
  sum("TOTAL#key#key_leaf", "WINDOW#0", "8.5", 3),
  sum("TOTAL#key#key_leaf", "WINDOW#1", "3", 1),
];

let folder: string;
let dataFile: string;
let running: LocalDynamoDb[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-upgrade-"));
  dataFile = join(folder, "data");
  running = [];
});
afterEach(async () => {
  for (const each of running) await each.close();
  await rm(folder, { recursive: true });
});

async function start(announce: (message: string) => void = () => {}): Promise<LocalDynamoDb> {
  const dynamodb = await startDynamoDb({ dataFile, announce });
  running.push(dynamodb);
  return dynamodb;
}

async function writeItems(client: DynamoDBClient, items: readonly Item[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    const PutRequests = items.slice(start, start + 25).map((item) => ({ PutRequest: { Item: item } }));
    await client.send(new BatchWriteItemCommand({ RequestItems: { [AUDIT]: PutRequests } }));
  }
}

/** A file as a program of layout 2 left it. `items`: of its Audit table. */
async function oldFile(items: readonly Item[]): Promise<void> {
  const older = await start();
  await writeItems(older.client, items);
  const layout = { pk: { S: "LAYOUT" }, sk: { S: "LAYOUT" }, version: { N: "2" } };
  await older.client.send(new PutItemCommand({ TableName: "keybrake-vault", Item: layout }));
  await older.close();
}

async function itemsOf({ client }: LocalDynamoDb): Promise<readonly Item[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: AUDIT }));
  return Items;
}

const named = (items: readonly Item[]) =>
  new Map(items.map((item) => [`${item["pk"]?.S} ${item["sk"]?.S}`, item]));

test("events become what they would be if they were written now, but for what they never said", async () => {
  await oldFile(OLD);

  const found = named(await itemsOf(await start()));
  const wanted = named(NEW);
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  for (const [name, item] of found) {
    const { reserved_usd: _, ...rest } = wanted.get(name) ?? {};
    expect({ ...item, reserved_usd: undefined }, name).toEqual({ ...rest, reserved_usd: undefined });
  }
});

test("rows are found by every index, and sums say what they said", async () => {
  await oldFile([...OLD, ...OLD_SUMS]);
  const { client } = await start();
  const reader = new DynamoAuditReader(client, AUDIT);
  const all: AuditQuery = {
    vendor: null,
    fromMs: 0,
    toMs: Date.parse("2027-01-01"),
    label: null,
    keyId: null,
    callId: null,
    state: null,
    decision: null,
    overrun: null,
    limit: 100,
    before: null,
  };
  const rowsOf = async (query: Partial<AuditQuery>) =>
    (await queryAudit({ ...all, ...query }, { vendors: ["stripe", "resend"], caller: ADMIN }, reader)).rows
      .length;

  expect(await rowsOf({ keyId: "key_leaf" })).toBe(5);
  expect(await rowsOf({ label: { kind: "exact", text: "modal-billing/cus_A" } })).toBe(5);
  expect(await rowsOf({ label: { kind: "prefix", text: "modal-billing/" } })).toBe(5);
  expect(await rowsOf({ callId: "call_1" })).toBe(1);
  expect(await rowsOf({})).toBe(6);
  expect(await reader.spent("key_leaf", 0, true)).toEqual({ window: 8_500_000n, total: 11_500_000n });
  expect(await reader.spent("key_leaf", 1, false)).toEqual({ window: 3_000_000n, total: 0n });
});

test("a start that was killed in between is finished by the next one, and counts nothing twice", async () => {
  await oldFile([...OLD, ...OLD_SUMS]);
  const whole = await itemsOf(await start());
  for (const each of running) await each.close();

  // Half of it is new already, the rest is old, and some of the new stands beside the old it was made of.
  await rm(folder, { recursive: true });
  folder = await mkdtemp(join(tmpdir(), "keybrake-upgrade-"));
  dataFile = join(folder, "data");
  await oldFile([...OLD.slice(0, 4), ...OLD_SUMS, ...whole.slice(0, Math.floor(whole.length / 2))]);
  const again = await itemsOf(await start());

  const wanted = named(whole);
  for (const [name, item] of named(again)) expect(item, name).toEqual(wanted.get(name));
  for (const pk of new Set(OLD_SUMS.map((item) => item["pk"]?.S)))
    expect(again.filter((item) => item["pk"]?.S === pk).length, pk).toBe(
      whole.filter((item) => item["pk"]?.S === pk).length,
    );
});

describe("a key of two months", () => {
  const DAYS = 60;
  const SPENT = BigInt(DAYS) * 1_000_000n;
  const oldSums = (keyId: string) =>
    Array.from({ length: DAYS }, (_, n) => {
      const day = new Date(Date.parse("2026-09-20") + n * 86_400_000).toISOString().slice(0, 10);
      return [
        sum(`TOTAL#key#${keyId}`, `DAY#${day}`, "1", 1),
        sum(`TOTAL#key#${keyId}`, `WINDOW#${n}`, "1", 1),
      ];
    }).flat();

  /** A client whose process is killed in its `kill`th write: half of what it asked for is written. */
  const killedAt = (client: DynamoDBClient, kill: number): DynamoDBClient => {
    let writes = 0;
    const send = async (command: unknown) => {
      if (!(command instanceof BatchWriteItemCommand) || ++writes < kill)
        return client.send(command as BatchWriteItemCommand);
      const [[table, requests = []] = [""]] = Object.entries(command.input.RequestItems ?? {});
      const half = requests.slice(Math.ceil(requests.length / 2));
      if (half.length > 0) await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: half } }));
      throw new Error("killed");
    };
    return { send } as unknown as DynamoDBClient;
  };

  test("adds up to what it did, wherever the start before was killed", async () => {
    const { client } = await start();
    const reader = new DynamoAuditReader(client, AUDIT);
    for (let kill = 1; ; kill++) {
      const keyId = `key_killed_${kill}`;
      await writeItems(client, oldSums(keyId));
      const isWhole = await upgradeAuditItems(killedAt(client, kill), AUDIT, () => {}).then(
        () => true,
        () => false,
      );
      await upgradeAuditItems(client, AUDIT, () => {});

      expect(await reader.spent(keyId, 40, true), `killed at ${kill}`).toEqual({
        window: 1_000_000n,
        total: SPENT,
      });
      if (isWhole) break;
      expect(kill).toBeLessThan(20);
    }
  }, 60_000);
});

test("a file of the present layout is left as it is", async () => {
  const first = await start();
  for (const item of [...NEW, sum("TOTAL#vendor#stripe", "DAY#2026-11-22#7", "1", 1)])
    await first.client.send(new PutItemCommand({ TableName: AUDIT, Item: item }));
  const before = named(await itemsOf(first));
  await first.close();

  expect(named(await itemsOf(await start()))).toEqual(before);
});

test("a long log tells how far it is", async () => {
  const many = Array.from({ length: 20_500 }, (_, n) =>
    sum(`TOTAL#label#run-${n}`, "DAY#2026-11-22#3", "1", 1),
  );
  await oldFile(many);
  const said: string[] = [];
  await start((message) => said.push(message));

  expect(said.some((message) => message.startsWith("20,000 items of an older audit log"))).toBe(true);
}, 120_000);
