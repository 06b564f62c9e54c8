import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openerOf } from "../../cli/open-browser.ts";
import { cli, jsonOf, variablesOf } from "../support/cli.ts";
import { at, textAt } from "../support/json.ts";
import { ask, type OwnRun, startOwn } from "../support/keybrake.ts";

/** Guarantees that the dashboard is opened signed in, and that its address is printed where nothing can open it. */

let run: OwnRun;
let folder: string;
beforeAll(async () => {
  run = await startOwn({ stage: "prod" });
  folder = mkdtempSync(join(tmpdir(), "keybrake-opener-"));
});
afterAll(async () => {
  await run.close();
  rmSync(folder, { recursive: true });
});

const signInAt = (url: string) => {
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/prod\/dashboard#code=[A-Za-z0-9]{32}$/);
  const [, code = ""] = url.split("#code=");
  const headers = { "Sec-Fetch-Site": "same-origin", "Keybrake-Dashboard": "1" };
  return ask(run, "POST", "/dashboard/login", { json: { code }, headers });
};

test("without a browser its address is printed, and signs in once", async () => {
  const { code, stdout, stderr } = await cli(["dashboard"], variablesOf(run));
  expect([code, stderr]).toEqual([0, "open it within a minute: the code in it serves once\n"]);
  const url = stdout.trimEnd();
  expect((await signInAt(url)).json).toMatchObject({ api_key_id: "admin" });
  expect((await signInAt(url)).status).toBe(401);
});

test("as JSON it has the end of the code too", async () => {
  const json = jsonOf(await cli(["dashboard", "--json"], variablesOf(run)));
  expect(json).toMatchObject({ code: expect.any(String), expires_in_s: 60, expires_at: expect.any(String) });
  expect((await signInAt(textAt(json, "url"))).status).toBe(200);
});

test("a key that is not known gets no address", async () => {
  const said = await cli(["dashboard"], { ...variablesOf(run), KEYBRAKE_API_KEY: "another-key" });
  expect(said).toMatchObject({ code: 4, stdout: "" });
});

describe.runIf(process.platform === "linux")("on a desktop", () => {
  const opened = () => join(folder, "opened");
  /** With a program of this name that keeps what it was asked to open, and ends so. */
  const withOpener = (exitCode: number, more: Readonly<Record<string, string>> = { DISPLAY: ":0" }) => {
    const program = join(folder, "xdg-open");
    writeFileSync(program, `#!/bin/sh\nprintf %s "$1" > '${opened()}'\nexit ${exitCode}\n`);
    chmodSync(program, 0o755);
    const path = `${folder}${delimiter}${process.env["PATH"]}`;
    return { ...variablesOf(run), PATH: path, ...more };
  };

  test("the browser gets the address, and the terminal no code", async () => {
    const { code, stdout, stderr } = await cli(["dashboard"], withOpener(0));
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain(`opened ${run.baseUrl}/dashboard in the browser`);
    const url = readFileSync(opened(), "utf8");
    expect(stderr).not.toContain(url.split("#code=")[1]);
    expect((await signInAt(url)).status).toBe(200);
  });

  test("with an opener that fails the address is printed", async () => {
    const { code, stdout } = await cli(["dashboard"], withOpener(3));
    expect(code).toBe(0);
    expect((await signInAt(stdout.trimEnd())).status).toBe(200);
  });

  test("with --no-open nothing is opened", async () => {
    rmSync(opened(), { force: true });
    const { stdout } = await cli(["dashboard", "--no-open"], withOpener(0));
    expect(() => readFileSync(opened())).toThrow();
    expect(stdout).toContain("#code=");
  });
});

test.each([
  ["linux", {}, null],
  ["linux", { DISPLAY: "" }, null],
  ["linux", { DISPLAY: ":0" }, "xdg-open"],
  ["linux", { WAYLAND_DISPLAY: "wayland-0" }, "xdg-open"],
  ["linux", { SSH_CONNECTION: "1 2 3 4", DISPLAY: "localhost:10.0" }, "xdg-open"],
  ["darwin", {}, "open"],
  ["darwin", { SSH_CONNECTION: "1 2 3 4" }, null],
  ["win32", {}, "rundll32"],
])("on %s with %j the opener is %j", (platform, environment, command) => {
  expect(openerOf(platform, environment)?.command ?? null).toBe(command);
});

test("the run on one machine has the same address", async () => {
  const reply = await signInAt(await run.dashboardUrl());
  expect([reply.status, at(reply.json, "base_url")]).toEqual([200, run.baseUrl]);
});
