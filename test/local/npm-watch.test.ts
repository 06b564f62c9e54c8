import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";

/** Guarantees that the product ends when npm is killed. */

const ROOT = join(import.meta.dirname, "..", "..");

/** Starts the product as a person does and waits for its address. */
async function npmStart() {
  const { PATH = "", HOME = "" } = process.env;
  const npm = spawn("npm", ["start"], {
    cwd: ROOT,
    env: { PATH, HOME, PORT: "0", KEYBRAKE_API_KEY: "admin-key-of-the-tests" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  let stdout = "";
  npm.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  const baseUrl = await eventually(() => {
    const [, url = ""] = /^ready (\S+)\n/m.exec(stdout) ?? [];
    if (url === "") throw new Error(`not ready: ${stdout}`);
    return url;
  }, 20_000);
  return { npm, baseUrl };
}

test.runIf(process.platform === "linux").each(["SIGTERM", "SIGKILL"] as const)(
  "a %s to npm alone ends what it started",
  async (signal) => {
    const { npm, baseUrl } = await npmStart();
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);

    npm.kill(signal);

    await eventually(() => expect(fetch(`${baseUrl}/healthz`)).rejects.toThrow());
  },
);
