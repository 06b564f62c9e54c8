import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkDataFile } from "../../../local/aws/data-file.ts";
import { startDynamoDb } from "../../../local/aws/dynamodb.ts";
import { StartError } from "../../../local/start-error.ts";

/** Guarantees that a data file that cannot be used is refused with the reason. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-data-file-"));
});
afterAll(() => rm(folder, { recursive: true }));

const sqlite = async (file: string, sql: string) => {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
};

const OTHERS: Readonly<Record<string, (file: string) => Promise<unknown>>> = {
  folder: (file) => mkdir(file),
  text: (file) => writeFile(file, "keys: none\n"),
  "text of one byte": (file) => writeFile(file, "k"),
  "SQLite of another program": (file) => sqlite(file, "CREATE TABLE users (id INTEGER)"),
  "SQLite cut short": (file) => writeFile(file, "SQLite format 3\0 and no more"),
};

test.each([
  ["folder", "it is a folder; expected a file, such as "],
  ["text", "it is a file of another program, and was not changed; name another one"],
  ["text of one byte", "it is a file of another program, and was not changed; name another one"],
  ["SQLite of another program", "it is a file of another program, and was not changed; name another one"],
  ["SQLite cut short", "it cannot be read as a database ("],
] as const)("a %s as data is refused in one line, and stays as it is", async (what, message) => {
  const file = join(folder, what);
  await OTHERS[what]?.(file);
  const before = what === "folder" ? null : await readFile(file);
  const names = await readdir(folder);

  const refused: unknown = await startDynamoDb({ dataFile: file }).catch((error: unknown) => error);

  expect(refused).toBeInstanceOf(StartError);
  const { message: said } = refused as StartError;
  expect(said).toContain(`KEYBRAKE_DATA is ${file}: ${message}`);
  expect(said).not.toContain("\n");
  if (before !== null) expect(await readFile(file)).toEqual(before);
  expect(await readdir(folder)).toEqual(names);
});

test.each([
  [["missing", "keys.db"], "cannot write to its folder: there is no such file or folder (ENOENT)"],
  [["a-file", "keys.db"], "cannot write to its folder: a part of its path is a file (ENOTDIR)"],
])("a file in %j is refused by its folder", async (path, message) => {
  await writeFile(join(folder, "a-file"), "");

  await expect(checkDataFile(join(folder, ...path))).rejects.toThrow(message);
});

test("anything but a regular file is refused", async () => {
  await expect(checkDataFile("/dev/null")).rejects.toThrow("it is not a regular file");
});

test("a new file, an empty one, and one that the engine made are taken", async () => {
  const file = join(folder, "own.db");
  await checkDataFile(file);
  await writeFile(file, "");
  await checkDataFile(file);

  const first = await startDynamoDb({ dataFile: file });
  await checkDataFile(file);
  await first.close();
  await checkDataFile(file);
});
