import { type ChildProcess, execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutation } from "./mutations.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const COPIED = ["package.json", "lambda", "lib/table-schemas.ts", "test/simulation", "test/support"];

export interface Noticed {
  readonly promise: number;
  readonly seed: number;
  readonly message: string;
}

/**
 * Breaks a copy of the sources and simulates it: the first promise that was seen broken, or null when none was. Where a schedule
 * is known that noticed the break once, it is tried before all others.
 */
export async function simulateBroken(mutation: Mutation, knownSeed?: number): Promise<Noticed | null> {
  const copy = await mkdtemp(join(tmpdir(), "keybrake-broken-"));
  try {
    for (const path of COPIED) {
      await mkdir(dirname(join(copy, path)), { recursive: true });
      await cp(join(ROOT, path), join(copy, path), { recursive: true });
    }
    await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"), "dir");
    await breakFile(join(copy, mutation.file), mutation);
    const noticed = knownSeed === undefined ? null : await simulate(copy, knownSeed, 1);
    return noticed ?? (await simulate(copy, 1, mutation.schedulesMax));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function breakFile(file: string, { name, find, replace }: Mutation): Promise<void> {
  const text = await readFile(file, "utf8");
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`"${name}" finds ${places} places to break in ${file}; accepted is one`);
  await writeFile(
    file,
    text.replace(find, () => replace),
  );
}

function simulate(copy: string, from: number, schedules: number): Promise<Noticed | null> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, SIMULATION_FROM: `${from}`, SIMULATION_SCHEDULES: `${schedules}` };
    const entry = join(copy, "test", "simulation", "long.ts");
    const child: ChildProcess = execFile(
      process.execPath,
      [entry],
      { env, cwd: copy },
      (_, stdout, stderr) => {
        const [, seed, promise, message] = /^seed (\d+): promise (\d): (.*)$/m.exec(stdout) ?? [];
        if (message !== undefined) resolve({ promise: Number(promise), seed: Number(seed), message });
        else if (child.exitCode === 0) resolve(null);
        else reject(new Error(`the simulation did not run: ${stderr.slice(-2_000)}`));
      },
    );
  });
}
