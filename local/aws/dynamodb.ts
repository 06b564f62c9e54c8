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
  /** File that outlives the process; a temporary one where undefined. Locked, also where the data is elsewhere. */
  readonly dataFile?: string | undefined;
  /** Another DynamoDB, used as it is in place of our engine: only what has to be known of it is kept beside `dataFile`. */
  readonly endpoint?: string | undefined;
  /** Path of the engine's binary, undefined where there is none; looked up in the installed packages unless told. */
  readonly engine?: string | undefined;
  /** Told in a sentence what takes long, and what does not work though calls do. */
  readonly announce?: (message: string) => void;
}

/**
 * Starts the database engine on a free port and makes both tables in it, unless the file has them already; or makes them
 * in another DynamoDB, whose files and processes are nobody's here.
 *
 * The engine dies with this process, however this process ends. Throws a StartError where there is no engine for this
 * platform, where the file is in use, is no database, or was written by a newer layout; then nothing in it was changed.
 */
export async function startDynamoDb(options: LocalDynamoDbOptions = {}): Promise<LocalDynamoDb> {
  if (options.endpoint !== undefined) return useEndpoint(options.endpoint, options);
  const engine = "engine" in options ? options.engine : installedEngine();
  if (engine === undefined)
    throw new StartError(
      `no database engine for ${process.platform}-${process.arch}: the npm package @dynoxide/${process.platform}-${process.arch} is not installed; ` +
        "run `npm ci` without --omit=optional, or start your own DynamoDB (such as DynamoDB Local) and set KEYBRAKE_DYNAMODB to its address",
    );

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

async function useEndpoint(
  endpoint: string,
  { dataFile, announce = () => {} }: LocalDynamoDbOptions,
): Promise<LocalDynamoDb> {
  const client = new DynamoDBClient(standIn(endpoint));
  const lock = dataFile === undefined ? undefined : await lockBeside(dataFile);
  const close = async () => {
    client.destroy();
    await lock?.release();
  };
  try {
    await client.send(new ListTablesCommand({})).catch((error: unknown) => {
      throw new StartError(
        `KEYBRAKE_DYNAMODB is ${endpoint}, which does not answer like DynamoDB: ${String(error)}`,
      );
    });
    await prepareTables(client, endpoint, announce);
    return { endpoint, client, pid: undefined, data: undefined, engineFile: undefined, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How far the stream is read is kept beside this file, which itself stays as it is. */
async function lockBeside(dataFile: string) {
  await checkDataFile(dataFile);
  return lockData(dataFile);
}
