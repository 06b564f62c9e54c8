/**
 * `npm run test:clients`: the real stripe-python, oldest and newest, against the running product.
 *
 * Makes one virtual environment per version under .venv/, starts the product for each and runs pytest in it. Where
 * there is no Python or PyPI cannot be reached it says `skipped: …`, since `npm test` must not need either.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { start } from "../support/start.ts";

const HERE = import.meta.dirname;
const REPOSITORY = join(HERE, "..", "..");

const ENVIRONMENTS = [
  { name: "newest", files: ["test_stripe.py", "test_stripe_client.py", "test_httpx.py"] },
  { name: "oldest", files: ["test_stripe.py"] },
] as const;

/** Why there is nothing to run with on this machine. */
class Unavailable extends Error {}

try {
  for (const { name, files } of ENVIRONMENTS) {
    const python = prepare(name);
    console.log(`\n${name}: ${readFileSync(requirementsOf(name), "utf8").trim().replaceAll("\n", ", ")}`);
    if (!(await tested(python, files))) process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.log(`skipped: ${error.message}`);
}

function requirementsOf(name: string): string {
  return join(HERE, `requirements-${name}.txt`);
}

/** The interpreter of a virtual environment that has exactly what the requirements say; it is made where it is missing. */
function prepare(name: string): string {
  const folder = join(REPOSITORY, ".venv", name);
  const python = join(folder, "bin", "python");
  const installed = join(folder, "requirements.txt");
  const wanted = readFileSync(requirementsOf(name), "utf8");
  if (existsSync(installed) && readFileSync(installed, "utf8") === wanted) return python;

  rmSync(folder, { recursive: true, force: true });
  run("python3", ["-m", "venv", folder]);
  run(python, [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--retries",
    "1",
    "-r",
    requirementsOf(name),
  ]);
  writeFileSync(installed, wanted);
  return python;
}

/** Throws Unavailable where the machine lacks something, and an Error where a package is wrong. */
function run(command: string, args: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (error !== undefined) throw new Unavailable(`${command} does not start: ${error.message}`);
  if (status === 0) return;
  const offline =
    /NewConnectionError|ConnectTimeoutError|ReadTimeoutError|Max retries exceeded|Name or service not known/;
  if (offline.test(stderr)) throw new Unavailable("PyPI cannot be reached");
  if (stderr.includes("ensurepip")) throw new Unavailable("python3 has no venv");
  throw new Error(`${command} ${args.join(" ")} ended with ${status}: ${stderr}`);
}

/** Whether all tests passed. The product runs in a process of its own, and its complaints are shown where one fails. */
async function tested(python: string, files: readonly string[]): Promise<boolean> {
  const keybrake = await start();
  const { status } = spawnSync(
    python,
    [
      "-m",
      "pytest",
      "-p",
      "no:cacheprovider",
      "-W",
      "ignore::DeprecationWarning:httpx._content",
      "-q",
      ...files.map((file) => join(HERE, file)),
    ],
    {
      cwd: HERE,
      stdio: "inherit",
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: "1",
        KEYBRAKE_URL: keybrake.baseUrl,
        KEYBRAKE_API_KEY: keybrake.apiKey,
        STRIPE_SIMULATOR: keybrake.simulatorOrigin ?? "",
      },
    },
  );
  const ended = await keybrake.kill("SIGTERM");
  const passed = status === 0 && ended === 0;
  if (!passed) console.log(`the product ended with ${ended}; it said on stderr:\n${keybrake.stderr()}`);
  return passed;
}
