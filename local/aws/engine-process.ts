import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { freePort } from "../listen.ts";
import { oneLine, StartError } from "../start-error.ts";
import type { DataLock } from "./data-lock.ts";
import { standIn } from "./stand-in.ts";

const STARTS_MAX = 3;
const ANSWER_WITHIN_MS = 10_000;

/** Path of the dynoxide binary for this platform, from the optional npm package that holds it; undefined where none is. */
export function installedEngine(): string | undefined {
  const binary = process.platform === "win32" ? "dynoxide.exe" : "dynoxide";
  try {
    const manifest = `@dynoxide/${process.platform}-${process.arch}/package.json`;
    return join(dirname(createRequire(import.meta.url).resolve(manifest)), binary);
  } catch {
    return undefined;
  }
}

/** The file that the engine keeps its data in. */
export interface EngineData {
  readonly file: string;
  /** Gets the engine's process, so that nobody uses the file while it runs. */
  readonly lock: DataLock;
  /** To be removed when the engine has ended, also where our own process cannot: it holds nothing but a temporary file. */
  readonly folder: string | undefined;
}

export interface Engine {
  readonly endpoint: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** The engine cannot tell which port it took for 0, so we choose one; another program may take it first: try again. */
export async function startEngine(binary: string, data: EngineData): Promise<Engine> {
  for (let start = 1; ; start++) {
    const port = await freePort();
    const child = spawnEngine(binary, port, data);
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
    if (child.pid !== undefined) await data.lock.add(child.pid);

    const stop = async () => {
      child.stdin?.end();
      if (process.platform === "win32") child.kill();
      await ended;
    };

    const endpoint = `http://127.0.0.1:${port}`;
    if (await answers(endpoint, ended)) return { endpoint, pid: child.pid, stop };

    await stop();
    if (!/address.*in use/i.test(complaint) || start === STARTS_MAX) {
      throw new StartError(`the database engine did not start on ${data.file}: ${oneLine(complaint)}`);
    }
  }
}

/**
 * Kills the engine as soon as stdin ends, which it does when our process is gone, by SIGKILL too; ends only after the
 * engine, and removes the folder of its first argument then, if one is named: the shell tells of the
 * kill on stderr, which nobody reads any more, and must not end by that. `read` waits without polling.
 */
const WATCH = `exec 3<&0
folder=$1
shift
"$@" </dev/null 3<&- &
engine=$!
( while read -r _ <&3; do :; done; kill -9 $engine ) &
watcher=$!
exec 3<&-
trap "" PIPE
wait $engine
status=$?
kill $watcher 2>/dev/null
[ -z "$folder" ] || rm -rf -- "$folder"
exit $status`;

function spawnEngine(binary: string, port: number, { file, folder }: EngineData): ChildProcess {
  const command = [binary, "serve", "--host", "127.0.0.1", "--port", String(port), "--db-path", file];

  // Detached: a Ctrl-C in the terminal is for us alone, who still need the engine to stop in good order.
  const isWindows = process.platform === "win32";
  // Of our environment it needs no more than this: a credential there would be in its own for all to see.
  const { PATH, SystemRoot } = process.env;
  const env = { ...(PATH !== undefined && { PATH }), ...(SystemRoot !== undefined && { SystemRoot }) };
  const options: SpawnOptions = { stdio: ["pipe", "ignore", "pipe"], detached: !isWindows, env };
  if (isWindows) return spawn(binary, command.slice(1), options);
  return spawn("/bin/sh", ["-c", WATCH, "keybrake-engine", folder ?? "", ...command], options);
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
