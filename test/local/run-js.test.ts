import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

/** Guarantees that a missing installation is reported in one line. */

const ROOT = join(import.meta.dirname, "..", "..");

/** A checkout without node_modules. */
let checkout: string;
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), "keybrake-checkout-"));
  for (const name of ["bin", "cli", "lib", "local", "lambda", "package.json"])
    await cp(join(ROOT, name), join(checkout, name), { recursive: true });
});
afterAll(() => rm(checkout, { recursive: true }));

function run(...argv: readonly string[]) {
  const { PATH = "" } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: checkout,
    env: { PATH, PORT: "0" },
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const ANOTHER_NODE = (version: string) =>
  `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;

test.each(["local", "demo", "cli"])("%s before npm ci says what to do in one line", (program) => {
  expect(run("bin/run.js", program)).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /^keybrake cannot start: the package \S+ is not installed: run `npm ci` first\n$/,
    ),
  });
});

test.each(["18.20.8", "20.19.5", "22.18.0"])("Node %s is told to be too old, and what to do", (version) => {
  expect(run("--import", ANOTHER_NODE(version), "bin/run.js", "local")).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(
      new RegExp(
        `^keybrake cannot start: this is Node ${version}, and Keybrake needs Node 24: run \`npm ci\`, [^\\n]+\\n$`,
      ),
    ),
  });
});

/** A fault of ours is to be reported, with all that is known of it. */
test("what is none of these keeps its stack", async () => {
  await mkdir(join(checkout, "bin"), { recursive: true });
  await writeFile(join(checkout, "bin", "broken.ts"), 'throw new TypeError("a fault of ours");\n');

  const { status, stderr } = run("bin/run.js", "broken");

  expect(status).toBe(1);
  expect(stderr).toMatch(/TypeError: a fault of ours\n\s+at /);
});

test("a program sees its own arguments alone", async () => {
  await writeFile(
    join(checkout, "bin", "arguments.ts"),
    "console.log(JSON.stringify(process.argv.slice(2)));\n",
  );

  expect(run("bin/run.js", "arguments", "--one", "2").stdout).toBe('["--one","2"]\n');
});
