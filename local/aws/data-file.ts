import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { oneLine, reasonOf, StartError } from "../start-error.ts";

/** How every SQLite file begins (sqlite.org/fileformat.html, read 2026-11-27). */
const SQLITE = "SQLite format 3\0";

/** Tables that the engine makes in a new file before anything else (dynoxide 1.2.1). */
const OF_THE_ENGINE = ["_config", "_tables"];

/**
 * Refuses a data file that cannot be used: a folder, a file of another program, a file that cannot be written. Throws a
 * StartError. Nothing is written, because the engine would create its tables in any SQLite file. A new and an empty
 * file are fine.
 */
export async function checkDataFile(dataFile: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new StartError(`KEYBRAKE_DATA is ${dataFile}: ${why}`);
  };
  const folder = dirname(dataFile);
  // With a separator at its end a path that is a file says so.
  await access(folder + sep, constants.W_OK | constants.X_OK).catch((error: unknown) =>
    refuse(
      `cannot write to its folder: ${reasonOf(error)}; name a file in an existing folder that you can write to`,
    ),
  );
  const found = await stat(dataFile).catch((error: unknown) =>
    isMissing(error) ? null : refuse(`cannot read it: ${reasonOf(error)}; name another file`),
  );
  if (found === null) return;
  if (found.isDirectory())
    refuse(`it is a folder; expected a file, such as ${join(dataFile, "keybrake.db")}`);
  if (!found.isFile())
    refuse("it is not a regular file; name another one, which is created if it does not exist");
  await access(dataFile, constants.R_OK | constants.W_OK).catch((error: unknown) =>
    refuse(`cannot read and write it: ${reasonOf(error)}; make it writable, or name another file`),
  );
  if (found.size > 0 && !(await isOfTheEngine(dataFile)))
    refuse(
      "it is a file of another program, and was not changed; name another one, which is created if it does not exist",
    );
}

async function isOfTheEngine(dataFile: string): Promise<boolean> {
  const file = await open(dataFile);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SQLITE.length), 0, SQLITE.length, 0);
    if (bytesRead < SQLITE.length || buffer.toString("latin1") !== SQLITE) return false;
  } finally {
    await file.close();
  }
  try {
    const database = new DatabaseSync(dataFile, { readOnly: true });
    try {
      const names = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .all()
        .map(({ name }) => name);
      return names.length === 0 || OF_THE_ENGINE.every((name) => names.includes(name));
    } finally {
      database.close();
    }
  } catch (error) {
    throw new StartError(
      `KEYBRAKE_DATA is ${dataFile}: it cannot be read as a database (${oneLine(error)}); name another file`,
    );
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";
