import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf, StartError } from "../start-error.ts";

const WAIT_MS = 3_000;

/** The right to use one data file. */
export interface DataLock {
  /** Adds a process that must be gone before another run may use the file. */
  add(pid: number): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes `<dataFile>.lock`, so that no two engines have the file open: two runs on one file would be two pollers and
 * two writers, and a run that starts while the killed one's engine still dies would meet it.
 *
 * The lock names processes; it is stale as soon as all of them are gone. A holder that is going away is waited for;
 * throws a StartError when it stays.
 */
export async function lockData(dataFile: string, waitMs = WAIT_MS): Promise<DataLock> {
  const path = lockOf(dataFile);
  const pids = [process.pid];
  const deadlineMs = Date.now() + waitMs;

  while (!(await create(path, pids))) {
    const holders = await holdersOf(dataFile);
    if (holders.length === 0) {
      await rm(path, { force: true });
    } else if (holders.includes(process.pid) || Date.now() > deadlineMs) {
      throw new StartError(
        `${dataFile} is in use by process ${holders.join(" and ")}; stop it first, or remove ${path} if that process is not Keybrake`,
      );
    } else {
      await delay(20);
    }
  }

  return {
    add: async (pid) => {
      pids.push(pid);
      await rename(await draft(path, pids), path);
    },
    release: () => rm(path, { force: true }),
  };
}

/** The processes that hold a data file and still run. */
export async function holdersOf(dataFile: string): Promise<readonly number[]> {
  return (await pidsIn(lockOf(dataFile))).filter(isRunning);
}

/** Whether this process is there and has not ended. */
export const isRunning = (pid: number): boolean => isAlive(pid) && !isZombie(pid);

const lockOf = (dataFile: string) => `${dataFile}.lock`;

/** A hard link is made whole or not at all, and only where no file is: nobody reads half a lock. */
async function create(path: string, pids: readonly number[]): Promise<boolean> {
  const written = await draft(path, pids);
  try {
    await link(written, path);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw cannotLock(path, error);
  } finally {
    await rm(written, { force: true });
  }
}

async function draft(path: string, pids: readonly number[]): Promise<string> {
  const written = `${path}.${randomUUID()}`;
  try {
    await writeFile(written, pids.join("\n"));
  } catch (error) {
    throw cannotLock(path, error);
  }
  return written;
}

const cannotLock = (path: string, error: unknown): StartError =>
  new StartError(
    `cannot create ${path} beside the data file: ${reasonOf(error)}; name a data file in another folder`,
  );

async function pidsIn(path: string): Promise<number[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.split("\n").map(Number).filter(Number.isSafeInteger);
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/** Dead, but not yet reaped by its parent; in a container whose first process reaps nobody it stays so for ever. */
function isZombie(pid: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z");
  } catch {
    return false;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
