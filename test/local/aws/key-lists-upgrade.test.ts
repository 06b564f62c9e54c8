import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AttributeValue, PutItemCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalDynamoDb, startDynamoDb } from "../../../local/aws/dynamodb.ts";

/** Guarantees that the keys of a data file of before stand in the lists of keys. */

type Item = Record<string, AttributeValue>;

const VAULT = "keybrake-vault";
const POLICIES = (await readFile(join(import.meta.dirname, "../../adapters/stored-items.ndjson"), "utf8"))
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as { readonly kind: string; readonly item: Item })
  .filter(({ kind }) => kind === "policy")
  .map(({ item }) => item);

let folder: string;
let dataFile: string;
let running: LocalDynamoDb[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-lists-"));
  dataFile = join(folder, "data");
  running = [];
});
afterEach(async () => {
  for (const each of running) await each.close();
  await rm(folder, { recursive: true });
});

async function start(): Promise<LocalDynamoDb> {
  const dynamodb = await startDynamoDb({ dataFile });
  running.push(dynamodb);
  return dynamodb;
}

/** A file with these policies, as a program of this layout left it. */
async function fileOf(layout: number, policies: readonly Item[]): Promise<void> {
  const older = await start();
  const marked = { pk: { S: "LAYOUT" }, sk: { S: "LAYOUT" }, version: { N: `${layout}` } };
  for (const item of [...policies, marked])
    await older.client.send(new PutItemCommand({ TableName: VAULT, Item: item }));
  await older.close();
}

async function entriesIn({ client }: LocalDynamoDb): Promise<readonly Item[]> {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: VAULT }));
  return Items.filter((item) => item["pk"]?.S?.startsWith("LISTED#"));
}

/** Which lists a stored policy belongs into, by the names that are stored. */
const listsOf = ({ vendor, label_group: group, issuer_id: issuer }: Item): readonly string[] => [
  `vendor#${vendor?.S}`,
  ...(group === undefined ? [] : [`label_group#${group.S}`]),
  ...(issuer?.S === "admin" ? [] : [`issuer#${issuer?.S}`]),
];

test.each([1, 2, 3])(
  "each key of layout %i gets into its lists, and stays there as long as its policy",
  async (layout) => {
    await fileOf(layout, POLICIES);

    const entries = await entriesIn(await start());
    const found = entries.map(
      ({ pk, key_id, ttl }) => `${pk?.S?.replace(/^LISTED#|#\d$/g, "")} ${key_id?.S} ${ttl?.N}`,
    );
    const wanted = POLICIES.flatMap((item) =>
      listsOf(item).map((list) => `${list} ${item["key_id"]?.S} ${item["ttl"]?.N}`),
    );
    expect(found.sort()).toEqual(wanted.sort());
    expect(wanted.length).toBeGreaterThan(POLICIES.length);
  },
);

test("a file of the present layout is not looked through", async () => {
  await fileOf(4, POLICIES);
  expect(await entriesIn(await start())).toEqual([]);
});
