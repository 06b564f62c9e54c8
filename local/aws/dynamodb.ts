import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  PutItemCommand,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { LAYOUT_KEY, LAYOUT_VERSION } from "../../lambda/layout.ts";
import { AUDIT_TABLE, type IndexSchema, type TableSchema, VAULT_TABLE } from "../../lib/table-schemas.ts";
import { freePort } from "../listen.ts";
import { oneLine, StartError } from "../start-error.ts";
import { checkDataFile } from "./data-file.ts";
import { type DataLock, lockData } from "./data-lock.ts";

const STARTS_MAX = 3;
const ANSWER_WITHIN_MS = 10_000;

/** What the tables are called on one machine. */
export const TABLES = [
  { name: "keybrake-vault", schema: VAULT_TABLE },
  { name: "keybrake-audit", schema: AUDIT_TABLE },
] as const satisfies readonly NamedTable[];

export interface NamedTable {
  readonly name: string;
  readonly schema: TableSchema;
}

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** Connected to the endpoint with credentials that are worth nothing. */
  readonly client: DynamoDBClient;
  /** Process that ends only after the engine; undefined where the engine is not ours. */
  readonly pid: number | undefined;
  close(): Promise<void>;
}

export interface LocalDynamoDbOptions {
  /** File that outlives the process; in memory where undefined. */
  readonly dataFile?: string | undefined;
  /** Engine to use where no dynoxide exists for this platform. */
  readonly fallbackEndpoint?: string | undefined;
  /** Path of the engine's binary, undefined where there is none; looked up in the installed packages unless told. */
  readonly engine?: string | undefined;
}

/** An endpoint and credentials for the SDK's clients of stand-ins: never the user's own. */
export const standIn = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

/**
 * Starts the database engine on a free port and makes both tables in it, unless the file has them already.
 *
 * The engine dies with this process, however this process ends. Throws a StartError where there is no engine for this
 * platform, where the file is in use, is no database, or was written by a newer layout; then nothing in it was changed.
 */
export async function startDynamoDb(options: LocalDynamoDbOptions = {}): Promise<LocalDynamoDb> {
  const engine = "engine" in options ? options.engine : installedEngine();
  if (engine === undefined) return useEndpoint(options.fallbackEndpoint);

  if (options.dataFile !== undefined) await checkDataFile(options.dataFile);
  const lock = options.dataFile === undefined ? undefined : await lockData(options.dataFile);
  try {
    const running = await startEngine(engine, options.dataFile, lock);
    const client = new DynamoDBClient(standIn(running.endpoint));
    const close = async () => {
      client.destroy();
      await running.stop();
      await lock?.release();
    };
    try {
      await prepareTables(client, options.dataFile ?? running.endpoint);
    } catch (error) {
      await close();
      throw error;
    }
    return { endpoint: running.endpoint, client, pid: running.pid, close };
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

/** Path of the dynoxide binary for this platform, from the optional npm package that holds it; undefined where none is. */
function installedEngine(): string | undefined {
  const binary = process.platform === "win32" ? "dynoxide.exe" : "dynoxide";
  try {
    const manifest = `@dynoxide/${process.platform}-${process.arch}/package.json`;
    return join(dirname(createRequire(import.meta.url).resolve(manifest)), binary);
  } catch {
    return undefined;
  }
}

async function useEndpoint(endpoint: string | undefined): Promise<LocalDynamoDb> {
  if (endpoint === undefined) {
    throw new StartError(
      `no database engine for ${process.platform}-${process.arch}: the npm package @dynoxide/${process.platform}-${process.arch} is not installed; ` +
        "run `npm ci` without --omit=optional, or start your own DynamoDB (such as DynamoDB Local) and set AWS_ENDPOINT_URL_DYNAMODB to its address",
    );
  }
  const client = new DynamoDBClient({ ...standIn(endpoint), maxAttempts: 1 });
  try {
    await client.send(new ListTablesCommand({}));
  } catch (error) {
    throw new StartError(
      `AWS_ENDPOINT_URL_DYNAMODB is ${endpoint}, which does not answer like DynamoDB: ${String(error)}`,
    );
  }
  await prepareTables(client, endpoint);
  return { endpoint, client, pid: undefined, close: async () => client.destroy() };
}

interface Engine {
  readonly endpoint: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** The engine cannot tell which port it took for 0, so we choose one; another program may take it first: try again. */
async function startEngine(
  binary: string,
  dataFile: string | undefined,
  lock: DataLock | undefined,
): Promise<Engine> {
  for (let start = 1; ; start++) {
    const port = await freePort();
    const child = spawnEngine(binary, port, dataFile);
    let complaint = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint += chunk.toString();
    });
    const ended = new Promise<void>((resolve) => {
      child.once("error", (error) => {
        complaint += error.message;
        resolve();
      });
      child.once("close", () => resolve());
    });
    // The engine may be gone before we tell it to go.
    child.stdin?.on("error", () => {});
    if (child.pid !== undefined) await lock?.add(child.pid);

    const stop = async () => {
      child.stdin?.end();
      if (process.platform === "win32") child.kill();
      await ended;
    };

    const endpoint = `http://127.0.0.1:${port}`;
    if (await answers(endpoint, ended)) return { endpoint, pid: child.pid, stop };

    await stop();
    if (!/address.*in use/i.test(complaint) || start === STARTS_MAX) {
      throw new StartError(
        `the database engine did not start${dataFile ? ` on ${dataFile}` : ""}: ${oneLine(complaint)}`,
      );
    }
  }
}

/**
 * Kills the engine as soon as stdin ends, which it does when our process is gone, by SIGKILL too; and ends only after
 * the engine. `read` waits without polling.
 */
const WATCH = `exec 3<&0
"$@" </dev/null 3<&- &
engine=$!
( while read -r _ <&3; do :; done; kill -9 $engine ) &
watcher=$!
exec 3<&-
wait $engine
status=$?
kill $watcher 2>/dev/null
exit $status`;

function spawnEngine(binary: string, port: number, dataFile: string | undefined): ChildProcess {
  const command = [binary, "serve", "--host", "127.0.0.1", "--port", String(port)];
  if (dataFile !== undefined) command.push("--db-path", dataFile);

  // Detached: a Ctrl-C in the terminal is for us alone, who still need the engine to stop in good order.
  const isWindows = process.platform === "win32";
  // Of our environment it needs no more than this: a credential there would be in its own for all to see.
  const { PATH, SystemRoot } = process.env;
  const env = { ...(PATH !== undefined && { PATH }), ...(SystemRoot !== undefined && { SystemRoot }) };
  const options: SpawnOptions = { stdio: ["pipe", "ignore", "pipe"], detached: !isWindows, env };
  if (isWindows) return spawn(binary, command.slice(1), options);
  return spawn("/bin/sh", ["-c", WATCH, "keybrake-engine", ...command], options);
}

async function answers(endpoint: string, ended: Promise<void>): Promise<boolean> {
  const client = new DynamoDBClient({ ...standIn(endpoint), maxAttempts: 1 });
  const deadlineMs = Date.now() + ANSWER_WITHIN_MS;
  let isOver = false;
  const over = ended.then(() => {
    isOver = true;
  });
  try {
    while (!isOver && Date.now() < deadlineMs) {
      const asked = client.send(new ListTablesCommand({})).then(
        () => true,
        () => false,
      );
      if ((await Promise.race([asked, over])) === true) return true;
      await Promise.race([delay(5), over]);
    }
    return false;
  } finally {
    client.destroy();
  }
}

/** What the engine refuses here (a full disk, a damaged file) is for the user to mend. */
async function prepareTables(client: DynamoDBClient, where: string): Promise<void> {
  try {
    await prepare(client, where);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`the tables cannot be prepared in ${where}: ${oneLine(error)}`);
  }
}

async function prepare(client: DynamoDBClient, where: string): Promise<void> {
  const version = await layoutVersion(client);
  if (version !== undefined && version > LAYOUT_VERSION) {
    throw new StartError(
      `${where} has layout ${version}, written by a newer Keybrake; this one reads layout ${LAYOUT_VERSION}: use the newer version, or another file`,
    );
  }
  await Promise.all(TABLES.map(({ name, schema }) => createTable(client, name, schema)));
  if (version !== undefined && version < LAYOUT_VERSION)
    for (const { name, schema } of TABLES) await addIndexes(client, name, schema);
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
  Projection: { ProjectionType: index.keysOnly === true ? ("KEYS_ONLY" as const) : ("ALL" as const) },
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

/** The indexes that a table of an older layout lacks. */
async function addIndexes(client: DynamoDBClient, name: string, schema: TableSchema): Promise<void> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
  const there = new Set(table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName));
  for (const index of schema.indexes.filter((each) => !there.has(each.name))) {
    await client.send(
      new UpdateTableCommand({
        TableName: name,
        AttributeDefinitions: attributesOf([schema, index]),
        GlobalSecondaryIndexUpdates: [{ Create: indexOf(index) }],
      }),
    );
    await untilActive(client, name);
  }
}

async function untilActive(client: DynamoDBClient, name: string): Promise<void> {
  for (;;) {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (table?.TableStatus === "ACTIVE") return;
    await delay(20);
  }
}
