import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type OwnRun, startOwn } from "../support/keybrake.ts";
import { codeBlocks, REPOSITORY, textOf } from "./markdown.ts";

/** Guarantees that the commands of docs/cli.md work as they stand, one after another in one shell. */

const BLOCKS = codeBlocks(textOf("docs/cli.md")).filter(({ language }) => language === "sh");

let run: OwnRun;
let folder: string;
beforeAll(async () => {
  run = await startOwn();
  folder = await mkdtemp(join(tmpdir(), "keybrake-cli-"));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${join(REPOSITORY, "bin/cli.js")}' "$@"\n`;
  await writeFile(join(folder, "keybrake"), program);
  await chmod(join(folder, "keybrake"), 0o755);
});
afterAll(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

test("every command of the page does what it says", async () => {
  const child = spawn("bash", ["--norc", "--noprofile", "-e"], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env["PATH"]}`,
      KEYBRAKE_URL: run.baseUrl,
      KEYBRAKE_API_KEY: run.apiKey,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      said += chunk;
    });
  child.stdin.end(BLOCKS.map(({ code }) => `set -x; ${code}\n`).join(""));
  const code = await new Promise((resolve) => child.once("close", resolve));

  expect(code, said).toBe(0);
  expect(BLOCKS.length).toBeGreaterThan(5);
  expect(said).toContain(`${run.baseUrl}/stripe`);
}, 120_000);
