import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "./python.ts";

const REPOSITORY = join(import.meta.dirname, "..", "..");

/**
 * Installs a program `<module>@<version>` into .go/<version>, where it is not there yet, and returns its path. Throws Unavailable
 * where the machine lacks Go or cannot reach the module proxy, and an Error where the program does not compile.
 */
export function goProgram(module: string, version: string): string {
  const folder = join(REPOSITORY, ".go", version);
  const program = join(folder, module.slice(module.lastIndexOf("/") + 1));
  if (existsSync(program)) return program;

  const { error, status, stderr } = spawnSync("go", ["install", `${module}@${version}`], {
    encoding: "utf8",
    env: { ...process.env, GOBIN: folder },
  });
  if (error !== undefined) throw new Unavailable(`go does not start: ${error.message}`);
  if (status === 0) return program;
  if (/dial tcp|no such host|i\/o timeout|TLS handshake/.test(stderr))
    throw new Unavailable("the proxy of Go's modules cannot be reached");
  throw new Error(`go install ${module}@${version} ended with ${status}: ${stderr}`);
}
