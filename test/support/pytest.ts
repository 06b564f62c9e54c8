import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { breachesIn } from "./breaches.ts";
import { start } from "./start.ts";

/**
 * Starts the product in a process of its own and runs pytest against it, with the files of a folder; whether all passed and
 * the product ended well. Its complaints are shown where one fails. `environment`: variables beside those of the product.
 */
export async function pytest(
  bin: string,
  folder: string,
  files: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const keybrake = await start();
  const { status } = spawnSync(
    join(bin, "python"),
    [
      "-m",
      "pytest",
      "-p",
      "no:cacheprovider",
      "-W",
      "ignore::DeprecationWarning:httpx._content",
      "-q",
      ...files.map((file) => join(folder, file)),
    ],
    {
      cwd: folder,
      stdio: "inherit",
      env: {
        ...process.env,
        PYTHONDONTWRITEBYTECODE: "1",
        KEYBRAKE_URL: keybrake.baseUrl,
        KEYBRAKE_API_KEY: keybrake.apiKey,
        ...simulatorVariables(keybrake.stdout()),
        ...environment,
      },
    },
  );
  const breaches = await breachesIn(keybrake.booksUrls);
  for (const breach of breaches) console.log(`reached a simulated vendor that does not serve it: ${breach}`);
  const ended = await keybrake.kill("SIGTERM");
  const passed = status === 0 && ended === 0 && breaches.length === 0;
  if (!passed) console.log(`the product ended with ${ended}; it said on stderr:\n${keybrake.stderr()}`);
  return passed;
}

/** Where each simulated vendor is, as the product said it: STRIPE_SIMULATOR, TWILIO_SIMULATOR, RESEND_SIMULATOR. */
function simulatorVariables(stdout: string): Record<string, string> {
  const lines = stdout.matchAll(/^ {2}(\S+) +simulated, its books: (\S+)\/books/gm);
  return Object.fromEntries(
    [...lines].map(([, title = "", origin = ""]) => [`${title.toUpperCase()}_SIMULATOR`, origin]),
  );
}
