import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CHROMIUM_VARIABLE, chromiumHere } from "./chromium.ts";

const HERE = import.meta.dirname;

/** Runs the tests in Chromium; false where one failed. Throws Unavailable where there is no Chromium. */
export function browserTests(): boolean {
  const chromium = chromiumHere();
  const vitest = join(HERE, "..", "..", "node_modules", "vitest", "vitest.mjs");
  const config = join(HERE, "vitest.config.ts");
  const { status } = spawnSync(process.execPath, [vitest, "run", "--config", config], {
    stdio: "inherit",
    env: { ...process.env, [CHROMIUM_VARIABLE]: chromium },
  });
  return status === 0;
}
