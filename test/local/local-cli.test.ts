import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { listen } from "../../lib/local/listen.ts";

const LOCAL = join(import.meta.dirname, "..", "..", "bin", "local.ts");

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

interface Started {
  /** Resolves with what stands on stdout as soon as it ends with a ready line; never when there is none. */
  readonly ready: Promise<string>;
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  kill(signal: NodeJS.Signals): void;
}

function npmStart(environment: Readonly<Record<string, string>>): Started {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, [LOCAL], {
    env: { PATH, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.push(child);
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ready = new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
      if (/^ready .*\n$/m.test(stdout)) resolve(stdout);
    });
  });
  const ended = new Promise<Awaited<Started["ended"]>>((resolve) => {
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { ready, ended, kill: (signal) => child.kill(signal) };
}

test.each(["SIGINT", "SIGTERM"] as const)(
  "npm start says what it is, has a command to paste that works, and is stopped cleanly by %s",
  async (signal) => {
    const run = npmStart({ PORT: "0", KEYBRAKE_STAGE: "prod" });
    const lines = (await run.ready).trimEnd().split("\n");

    const baseUrl = lines.at(-1)?.replace(/^ready /, "") ?? "";
    expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/prod$/);
    expect((await fetch(`${baseUrl}/healthz`)).status).toBe(200);
    const apiKey =
      lines
        .find((line) => line.startsWith("  API key"))
        ?.split(" ")
        .at(-1) ?? "";
    expect(apiKey).toMatch(/^kb_[0-9A-Za-z]{40}$/);
    const text = lines.join("\n");
    expect(text).toContain(`  base URL  ${baseUrl}\n`);
    for (const vendor of ["Stripe", "Twilio", "Resend"])
      expect(text).toMatch(
        new RegExp(
          `^ {2}${vendor} {4}simulated, its books: http://127\\.0\\.0\\.1:\\d+/books \\(real with [A-Z_]+`,
          "m",
        ),
      );
    expect(text).toMatch(/^ {2}DynamoDB {2}http:\/\/127\.0\.0\.1:\d+ /m);
    const command = lines.find((line) => line.startsWith("  curl "))?.trim() ?? "";
    const issued: unknown = JSON.parse(execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" }));
    expect(issued).toMatchObject({ vault_key: expect.stringMatching(/^kbvk/), agent_run_label: "first/try" });

    run.kill(signal);
    expect(await run.ended).toMatchObject({ code: 0, stderr: "" });
  },
);

test("a given API key is not printed, and the real Stripe is announced in capitals", async () => {
  const run = npmStart({ PORT: "0", KEYBRAKE_API_KEY: "mine-alone-1234", STRIPE_SECRET_KEY: "sk_test_mine" });
  const stdout = await run.ready;

  expect(stdout).toContain("  API key   from KEYBRAKE_API_KEY\n");
  expect(stdout).toContain("  Stripe    https://api.stripe.com: THE REAL STRIPE");
  expect(stdout).toContain("  Twilio    simulated");
  expect(stdout).not.toMatch(/mine-alone-1234|sk_test_mine/);
});

test("a wrong variable ends it at once with a message and code 1", async () => {
  expect(await npmStart({ PORT: "many" }).ended).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "keybrake cannot start: PORT is many; it takes a number from 0 to 65535, where 0 takes a free port\n",
  });
});

test("a taken port ends it with a message and code 1", async () => {
  const other = createServer();
  const port = await listen(other, 0);

  expect(await npmStart({ PORT: String(port) }).ended).toEqual({
    code: 1,
    stdout: "",
    stderr: `keybrake cannot start: port ${port} is taken; set PORT to another one, or to 0 for a free one\n`,
  });
  other.close();
});
