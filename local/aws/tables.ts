import { setTimeout as delay } from "node:timers/promises";
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  type GlobalSecondaryIndexDescription,
  type GlobalSecondaryIndexUpdate,
  type Projection,
  PutItemCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { LAYOUT_KEY, LAYOUT_VERSION } from "../../lambda/layout.ts";
import { AUDIT_TABLE, type IndexSchema, type TableSchema, VAULT_TABLE } from "../../lib/table-schemas.ts";
import { oneLine, StartError } from "../start-error.ts";
import { upgradeAuditItems } from "./audit-upgrade.ts";
import { listOldKeys } from "./key-lists-upgrade.ts";

/** What the tables are called on one machine. */
export const TABLES = [
  { name: "keybrake-vault", schema: VAULT_TABLE },
  { name: "keybrake-audit", schema: AUDIT_TABLE },
] as const satisfies readonly NamedTable[];

export interface NamedTable {
  readonly name: string;
  readonly schema: TableSchema;
}

/** What the engine refuses here (a full disk, a damaged file) is for the user to mend. */
export async function prepareTables(
  client: DynamoDBClient,
  where: string,
  announce: (message: string) => void,
): Promise<void> {
  try {
    await prepare(client, where, announce);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`the tables cannot be prepared in ${where}: ${oneLine(error)}`);
  }
}

async function prepare(
  client: DynamoDBClient,
  where: string,
  announce: (message: string) => void,
): Promise<void> {
  const version = await layoutVersion(client);
  if (version !== undefined && version > LAYOUT_VERSION) {
    throw new StartError(
      `${where} has layout ${version}, written by a newer Keybrake; this one reads layout ${LAYOUT_VERSION}: use the newer version, or another file`,
    );
  }
  await Promise.all(TABLES.map(({ name, schema }) => createTable(client, name, schema)));
  if (version !== undefined) for (const { name, schema } of TABLES) await renewIndexes(client, name, schema);
  if (version !== undefined && version < LAYOUT_OF_THE_AUDIT_LOG)
    await upgradeAuditItems(client, TABLES[1].name, announce);
  if (version !== undefined && version < LAYOUT_OF_THE_LISTS) await listOldKeys(client, TABLES[0].name);
  if (version !== LAYOUT_VERSION) await writeLayoutVersion(client);
}

async function layoutVersion(client: DynamoDBClient): Promise<number | undefined> {
  try {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: TABLES[0].name, Key: layoutKey(), ConsistentRead: true }),
    );
    return item?.["version"]?.N === undefined ? undefined : Number(item["version"].N);
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

async function writeLayoutVersion(client: DynamoDBClient): Promise<void> {
  const item = { ...layoutKey(), version: { N: String(LAYOUT_VERSION) } };
  await client.send(new PutItemCommand({ TableName: TABLES[0].name, Item: item }));
}

/** Since this layout the items of the Audit table are what they are. */
const LAYOUT_OF_THE_AUDIT_LOG = 3;
/** Since this layout each key stands in the lists of keys. */
const LAYOUT_OF_THE_LISTS = 4;

const layoutKey = () => ({ pk: { S: LAYOUT_KEY.pk }, sk: { S: LAYOUT_KEY.sk } });

interface Keys {
  readonly partitionKey: string;
  readonly sortKey: string;
}

const keySchema = ({ partitionKey, sortKey }: Keys) => [
  { AttributeName: partitionKey, KeyType: "HASH" as const },
  { AttributeName: sortKey, KeyType: "RANGE" as const },
];

const attributesOf = (keys: readonly Keys[]) =>
  [...new Set(keys.flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey]))].map((name) => ({
    AttributeName: name,
    AttributeType: "S" as const,
  }));

const indexOf = (index: IndexSchema) => ({
  IndexName: index.name,
  KeySchema: keySchema(index),
  Projection:
    index.holds.length === 0
      ? { ProjectionType: "KEYS_ONLY" as const }
      : { ProjectionType: "INCLUDE" as const, NonKeyAttributes: [...index.holds] },
});

async function createTable(client: DynamoDBClient, name: string, schema: TableSchema): Promise<void> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: attributesOf([schema, ...schema.indexes]),
        KeySchema: keySchema(schema),
        ...(schema.indexes.length > 0 && { GlobalSecondaryIndexes: schema.indexes.map(indexOf) }),
        ...(schema.stream && {
          StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" as const },
        }),
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await untilActive(client, name);
}

/** Makes the indexes of a table of an older layout what they are now: one with other keys or less in it is made anew. */
async function renewIndexes(client: DynamoDBClient, name: string, schema: TableSchema): Promise<void> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
  const wanted = new Map(schema.indexes.map((index) => [index.name, index]));
  const update = async (keys: readonly Keys[], change: GlobalSecondaryIndexUpdate) => {
    await client.send(
      new UpdateTableCommand({
        TableName: name,
        AttributeDefinitions: attributesOf([schema, ...keys]),
        GlobalSecondaryIndexUpdates: [change],
      }),
    );
    await untilActive(client, name);
  };
  const kept = new Set<string>();
  for (const found of table?.GlobalSecondaryIndexes ?? []) {
    const { IndexName: indexName = "" } = found;
    const index = wanted.get(indexName);
    if (index !== undefined && isSame(found, index)) kept.add(indexName);
    else await update([], { Delete: { IndexName: indexName } });
  }
  for (const index of schema.indexes.filter((each) => !kept.has(each.name)))
    await update([index], { Create: indexOf(index) });
}

function isSame(
  { KeySchema, Projection: projection }: GlobalSecondaryIndexDescription,
  index: IndexSchema,
): boolean {
  const keys = KeySchema?.map(({ AttributeName }) => AttributeName).join();
  const { ProjectionType, NonKeyAttributes = [] }: Projection = indexOf(index).Projection;
  return (
    keys === [index.partitionKey, index.sortKey].join() &&
    projection?.ProjectionType === ProjectionType &&
    [...(projection?.NonKeyAttributes ?? [])].sort().join() === [...NonKeyAttributes].sort().join()
  );
}

async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  for (;;) {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (table?.TableStatus === "ACTIVE") return;
    await delay(20);
  }
}
