import { DatabaseSync } from "node:sqlite";

/**
 * The engine finds the next number of a stream, and reads a stream, by these columns, without an index for them: so every
 * write looks through all records of before (dynoxide 1.2.1, read and run 2026-11-28).
 */
const STREAM_INDEX = "keybrake_stream_position";
const STREAM_TABLE = "_stream_records";
const POSITION = "CAST(sequence_number AS INTEGER)";

/** From how many records on making the index is to be told to a person: some seconds on a slow disk. */
export const MANY_RECORDS = 100_000;

/** `ERROR_BUSY`: the engine writes at this moment (sqlite.org/rescode.html, read 2026-11-28). The upper bits tell more. */
const SQLITE_BUSY = 5;

/** Records of one shard of a table's stream. */
export interface ShardOfTable {
  readonly table: string;
  readonly shardId: string;
}

/** The engine's SQLite file, opened beside the engine. Nothing here waits: what meets a write of the engine comes again. */
export interface EngineFile {
  /**
   * Deletes the oldest records of a shard that stand before `sequenceNumber`, at most `most`, in one short transaction.
   * The newest record of the table always stays: the engine takes the next number from it.
   *
   * Returns how many it deleted; undefined where the engine was writing, so that nothing was done.
   */
  trimStream(shard: ShardOfTable, sequenceNumber: string, most: number): number | undefined;
  /** How many records the stream of a table has. */
  streamLength(table: string): number;
  close(): void;
}

/**
 * Makes the index in a file that the engine made before, while no engine uses it. A new file has nothing to index yet.
 * `tell` gets a sentence when it takes long. A process that is killed in the middle leaves the file as it was.
 */
export function mendEngineFile(file: string, tell: (message: string) => void): void {
  const database = open(file);
  try {
    if (!hasStreamTable(database) || hasIndex(database)) return;
    const newest = database.prepare(`SELECT MAX(id) AS id FROM ${STREAM_TABLE}`).get()?.["id"];
    const isLong = typeof newest === "number" && newest >= MANY_RECORDS;
    if (isLong)
      tell(`${file} was made by an older Keybrake: preparing it once for many calls, which takes a moment`);
    makeIndex(database);
    if (isLong) tell(`${file} is prepared`);
  } finally {
    database.close();
  }
}

/** Opens the file of a running engine, and makes the index where it is missing. Throws what SQLite throws. */
export function openEngineFile(file: string): EngineFile {
  const database = open(file);
  try {
    if (!hasIndex(database)) makeIndex(database);
    return trimming(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function open(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  // What is lost here at a power failure is done again. Writing back to the file is left to the engine: it would make us wait.
  database.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0");
  return database;
}

const hasStreamTable = (database: DatabaseSync) => isThere(database, "table", STREAM_TABLE);
const hasIndex = (database: DatabaseSync) => isThere(database, "index", STREAM_INDEX);

const isThere = (database: DatabaseSync, type: "table" | "index", name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE type = ? AND name = ?").get(type, name) !== undefined;

const makeIndex = (database: DatabaseSync): void =>
  database.exec(`CREATE INDEX IF NOT EXISTS ${STREAM_INDEX} ON ${STREAM_TABLE} (table_name, ${POSITION})`);

function trimming(database: DatabaseSync): EngineFile {
  const length = database.prepare(`SELECT COUNT(*) AS count FROM ${STREAM_TABLE} WHERE table_name = ?`);
  const remove = database.prepare(`
    DELETE FROM ${STREAM_TABLE} WHERE id IN (
      SELECT id FROM ${STREAM_TABLE}
      WHERE table_name = :table AND shard_id = :shard
        AND ${POSITION} < CAST(:before AS INTEGER)
        AND ${POSITION} < (SELECT MAX(${POSITION}) FROM ${STREAM_TABLE} WHERE table_name = :table)
      ORDER BY ${POSITION}
      LIMIT :most
    )`);
  return {
    trimStream: ({ table, shardId }, sequenceNumber, most) => {
      try {
        const { changes } = remove.run({ table, shard: shardId, before: sequenceNumber, most });
        return Number(changes);
      } catch (error) {
        if (isBusy(error)) return undefined;
        throw error;
      }
    },
    streamLength: (table) => Number(length.get(table)?.["count"] ?? 0),
    close: () => database.close(),
  };
}

function isBusy(error: unknown): boolean {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) : Number.NaN;
  return (code & 0xff) === SQLITE_BUSY;
}
