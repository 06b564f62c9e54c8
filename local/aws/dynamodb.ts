import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { oneLine, StartError } from "../start-error.ts";
import { checkDataFile } from "./data-file.ts";
import { lockData } from "./data-lock.ts";
import { type EngineFile, mendEngineFile, openEngineFile } from "./engine-file.ts";
import { installedEngine, startEngine } from "./engine-process.ts";
import { standIn } from "./stand-in.ts";
import { prepareTables } from "./tables.ts";
import { makeTemporaryData } from "./temporary-data.ts";

export interface LocalDynamoDb {
  readonly endpoint: string;
  /** Connected to the endpoint with credentials that are worth nothing. */
  readonly client: DynamoDBClient;
  /** Process that ends only after the engine; undefined where the engine is not ours. */
  readonly pid: number | undefined;
  /** Where the data is; undefined where the engine is not ours. */
  readonly data: { readonly file: string; readonly isTemporary: boolean } | undefined;
  /** The data file, opened beside the engine; undefined where the engine is not ours, or its file cannot be mended. */
  readonly engineFile: EngineFile | undefined;
  close(): Promise<void>;
}

export interface LocalDynamoDbOptions {
  /** File that outlives the process; a temporary one where undefined. */
  readonly dataFile?: string | undefined;
  /** Engine to use where no dynoxide exists for this platform. */
  readonly fallbackEndpoint?: string | undefined;
  /** Path of the engine's binary, undefined where there is none; looked up in the installed packages unless told. */
  readonly engine?: string | undefined;
  /** Told in a sentence what takes long, and what does not work though calls do. */
  readonly announce?: (message: string) => void;
}

/**
 * Starts the database engine on a free port and makes both tables in it, unless the file has them already.
 *
 * The engine dies with this process, however this process ends. Throws a StartError where there is no engine for this
 * platform, where the file is in use, is no database, or was written by a newer layout; then nothing in it was changed.
 */
export async function startDynamoDb(options: LocalDynamoDbOptions = {}): Promise<LocalDynamoDb> {
  const engine = "engine" in options ? options.engine : installedEngine();
  if (engine === undefined) return useEndpoint(options);

  const announce = options.announce ?? (() => {});
  const closers: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    const data = await openData(options.dataFile);
    closers.push(data.close);
    // Where this fails, so does opening it beside the engine, which is told.
    attempt(
      () => mendEngineFile(data.file, announce),
      () => {},
    );
    const running = await startEngine(engine, data);
    closers.push(running.stop);
    const client = new DynamoDBClient(standIn(running.endpoint));
    closers.push(() => client.destroy());
    await prepareTables(client, data.file, announce);
    const engineFile = attempt(() => openEngineFile(data.file), announce);
    if (engineFile !== undefined) closers.push(engineFile.close);
    const { endpoint, pid } = running;
    return { endpoint, client, pid, data, engineFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The file of the run, locked. */
async function openData(dataFile: string | undefined) {
  if (dataFile !== undefined) {
    await checkDataFile(dataFile);
    const lock = await lockData(dataFile);
    return { file: dataFile, isTemporary: false, folder: undefined, lock, close: () => lock.release() };
  }
  const { file, folder, remove } = await makeTemporaryData();
  return { file, isTemporary: true, folder, lock: await lockData(file), close: remove };
}

/** Without it all is right, only slower with every call: so the run goes on, and says why. */
function attempt<T>(act: () => T, announce: (message: string) => void): T | undefined {
  try {
    return act();
  } catch (error) {
    announce(`the data file cannot be prepared for many calls: ${oneLine(error)}`);
    return undefined;
  }
}

async function useEndpoint(options: LocalDynamoDbOptions): Promise<LocalDynamoDb> {
  const { fallbackEndpoint: endpoint } = options;
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
  await prepareTables(client, endpoint, options.announce ?? (() => {}));
  return {
    endpoint,
    client,
    pid: undefined,
    data: undefined,
    engineFile: undefined,
    close: async () => client.destroy(),
  };
}
