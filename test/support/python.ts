import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "..", "..");

/** Why there is nothing to run with on this machine. */
export class Unavailable extends Error {}

/**
 * Makes a virtual environment .venv/<name> with exactly what the files of requirements say, where there is none yet, and
 * returns the folder of its programs. Throws Unavailable where the machine lacks Python or cannot reach PyPI, and an Error where a
 * package is wrong.
 */
export function virtualEnvironment(name: string, ...requirements: readonly string[]): string {
  const folder = join(REPOSITORY, ".venv", name);
  const bin = join(folder, "bin");
  const installed = join(folder, "requirements.txt");
  const wanted = requirements.map((file) => readFileSync(file, "utf8")).join("");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return bin;

  rmSync(folder, { recursive: true, force: true });
  run("python3", ["-m", "venv", folder]);
  const quietly = ["--quiet", "--disable-pip-version-check", "--retries", "1"];
  run(join(bin, "python"), [
    "-m",
    "pip",
    "install",
    ...quietly,
    ...requirements.flatMap((file) => ["-r", file]),
  ]);
  writeFileSync(installed, wanted);
  return bin;
}

/** Says `skipped: …` where `work` finds that the machine lacks what it needs; anything else that it throws is thrown. */
export async function skippedWhereUnavailable(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped: ${error.message}`);
  }
}

function run(command: string, rest: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  if (error !== undefined) throw new Unavailable(`${command} does not start: ${error.message}`);
  if (status === 0) return;
  const offline =
    /NewConnectionError|ConnectTimeoutError|ReadTimeoutError|Max retries exceeded|Name or service not known/;
  if (offline.test(stderr)) throw new Unavailable("PyPI cannot be reached");
  if (stderr.includes("ensurepip")) throw new Unavailable("python3 has no venv");
  throw new Error(`${command} ${rest.join(" ")} ended with ${status}: ${stderr}`);
}
