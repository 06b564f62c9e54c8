import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "./python.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");

interface GoOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command of Go. Throws Unavailable where the machine lacks Go or the command cannot reach the module proxy. */
export function go(rest: readonly string[], { cwd = ".", env = {} }: GoOptions): SpawnSyncReturns<string> {
  const ended = spawnSync("go", rest, { cwd, encoding: "utf8", env: { ...process.env, ...env } });
  if (ended.error !== undefined) throw new Unavailable(`go does not start: ${ended.error.message}`);
  if (ended.status !== 0 && /dial tcp|no such host|i\/o timeout|TLS handshake/.test(ended.stderr))
    throw new Unavailable("the proxy of Go's modules cannot be reached");
  return ended;
}

/**
 * Installs a program `<module>@<version>` into .go/<version>, where it is not there yet, and returns its path. Throws an Error
 * where the program does not compile.
 */
export function goProgram(module: string, version: string): string {
  const folder = join(REPOSITORY, ".go", version);
  const program = join(folder, module.slice(module.lastIndexOf("/") + 1));
  if (existsSync(program)) return program;

  const { status, stderr } = go(["install", `${module}@${version}`], { env: { GOBIN: folder } });
  if (status === 0) return program;
  throw new Error(`go install ${module}@${version} ended with ${status}: ${stderr}`);
}
