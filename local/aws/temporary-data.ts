import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { lstat, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { reasonOf, StartError } from "../start-error.ts";
import { holdersOf, isRunning } from "./data-lock.ts";
import { freeBytes } from "./room-watch.ts";

/** Linux's file system in memory (shm_overview(7), read 2026-11-28). A write there waits for no disk. */
const SHARED_MEMORY = "/dev/shm";
/** Some 190,000 calls with their rows. With less room than this the disk is the safer place. */
const ROOM_BYTES_MIN = 2 * 1024 ** 3;

const PREFIX = "keybrake-data-";

/** A data file that lives as long as this process. */
export interface TemporaryData {
  readonly file: string;
  /** Holds nothing else. Whoever outlives this process may remove it. */
  readonly folder: string;
  remove(): Promise<void>;
}

/**
 * Makes an empty data file in a folder of its own, for this user alone, and removes the folders of processes that are gone.
 *
 * In memory where Linux offers it and has room, else in the folder for temporary files; in the folder that TMPDIR names
 * where it is set. Throws a StartError where it cannot be made.
 */
export async function makeTemporaryData(): Promise<TemporaryData> {
  const place = await chosenPlace();
  await Promise.all([...new Set([place, tmpdir(), SHARED_MEMORY])].map(removeAbandoned));
  try {
    const folder = await mkdtemp(join(place, `${PREFIX}${neighbourhood()}-${process.pid}-`));
    const file = join(folder, "keybrake.db");
    // SQLite gives the files that it makes beside this one the same mode.
    await writeFile(file, "", { mode: 0o600 });
    return { file, folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
  } catch (error) {
    throw new StartError(
      `cannot keep data in ${place}: ${reasonOf(error)}; set TMPDIR to a folder that you can write to, or KEYBRAKE_DATA to a file`,
    );
  }
}

async function chosenPlace(): Promise<string> {
  if (process.env["TMPDIR"] || process.platform !== "linux") return tmpdir();
  const room = await freeBytes(SHARED_MEMORY).catch(() => 0);
  return room >= ROOM_BYTES_MIN ? SHARED_MEMORY : tmpdir();
}

/**
 * Removes what a run left that was killed together with all that would have removed it. A folder is taken for abandoned only
 * where its name says that its process had numbers of the same kind as ours, and none of its processes runs.
 */
async function removeAbandoned(place: string): Promise<void> {
  const ours = new RegExp(`^${PREFIX}${neighbourhood()}-(\\d+)-`);
  for (const name of await readdir(place).catch(() => [])) {
    const [, pid] = ours.exec(name) ?? [];
    const folder = join(place, name);
    if (pid === undefined || isRunning(Number(pid)) || !(await isOwnFolder(folder))) continue;
    if ((await holdersOf(join(folder, "keybrake.db"))).length > 0) continue;
    // Another start may be at it too, and what cannot be removed now is in nobody's way.
    await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function isOwnFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid());
}

/** Where process numbers mean the same: a container may share the folder with others, and has numbers of its own. */
function neighbourhood(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has them.
  }
  return createHash("sha256").update(`${hostname()} ${namespace}`).digest("hex").slice(0, 8);
}
