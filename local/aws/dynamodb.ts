import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { StartError } from "../start-error.ts";
import { checkDataFile } from "./data-file.ts";
import { lockData } from "./data-lock.ts";
import { installedEngine, startEngine } from "./engine-process.ts";
import { standIn } from "./stand-in.ts";
import { prepareTables } from "./tables.ts";

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
