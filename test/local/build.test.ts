import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { build } from "../../bin/build.ts";
import { loadFunctions } from "../../local/aws/functions.ts";
import { invocationContext } from "../../local/aws/invocation.ts";

/** Guarantees that the bundles are what Lambda and the local run load. */

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keybrake-build-"));
  await mkdir(join(directory, "entries"));
});

const write = (name: string, source: string) => writeFile(join(directory, "entries", name), source);

async function bundle(): Promise<string> {
  const outDirectory = join(directory, "dist");
  await build({ entryDirectory: join(directory, "entries"), outDirectory, functions: ["health"] });
  return outDirectory;
}

test("a handler and what it imports become one CommonJS file that Lambda and the local run load", async () => {
  await write("greeting.ts", 'export const greeting: string = "hello ";');
  await write(
    "health.ts",
    'import { greeting } from "./greeting.ts"; export const handler = async (event: { name: string }) => greeting + event.name;',
  );

  const out = await bundle();

  expect((await readdir(out, { recursive: true })).sort()).toEqual([
    "health",
    "health/index.js",
    "package.json",
  ]);
  expect(await readFile(join(out, "health", "index.js"), "utf8")).not.toMatch(/^import |^export /m);
  const invoke = loadFunctions(out, ["health"]);
  expect(await invoke("health", { name: "you" }, invocationContext("health"))).toBe("hello you");
});

test("a bundle is loaded anew each time, since it reads its environment while it loads", async () => {
  await write(
    "health.ts",
    "const loaded = process.env.KEYBRAKE_TEST_BUILD; export const handler = async () => loaded;",
  );
  const out = await bundle();

  for (const value of ["1", "2"]) {
    process.env["KEYBRAKE_TEST_BUILD"] = value;
    expect(await loadFunctions(out, ["health"])("health", {}, invocationContext("health"))).toBe(value);
  }
});

test("a function without an entry stops the build", async () => {
  await expect(bundle()).rejects.toThrow("Could not resolve");
});

test("a bundle without a handler is not loaded", async () => {
  await write("health.ts", "export const handle = 1;");
  const out = await bundle();

  expect(() => loadFunctions(out, ["health"])).toThrow(
    /health.index\.js does not export a function called handler$/,
  );
});
