import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build } from "../../bin/build.ts";
import { FUNCTIONS, type FunctionName } from "../../lib/services.ts";
import { ask, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that a bundle stays small, since a function reads all of it before its first answer, and holds what it needs. */

/** Bytes that a function may have: what it had in November 2026, and a little more. */
const BYTES_MAX: Readonly<Record<FunctionName, number>> = {
  "issue-key": 387_000,
  "manage-key": 381_000,
  "manage-api-keys": 375_000,
  "list-keys": 369_000,
  "own-key": 350_000,
  "query-audit": 357_000,
  "manage-stops": 390_000,
  "resolve-by-hand": 370_000,
  "query-spend": 376_000,
  "proxy-call": 411_000,
  "record-audit": 395_000,
  "apply-stops": 342_000,
  "resolve-calls": 386_000,
  "settle-late-prices": 361_000,
  dashboard: 357_000,
  health: 142_000,
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keybrake-bundles-"));
  await build({ outDirectory: folder });
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(FUNCTIONS)("%s", (name) => {
  test("is small", async () => {
    const { size } = await stat(join(folder, name, "index.js"));
    expect(size).toBeLessThanOrEqual(BYTES_MAX[name]);
    // A budget that nothing comes near to would notice nothing.
    expect(size).toBeGreaterThan(0.9 * BYTES_MAX[name]);
  });

  test("has no way to credentials but the environment", async () => {
    const text = await readFile(join(folder, name, "index.js"), "utf8");
    const traces = ["AssumeRoleWithWebIdentity", "AWS_WEB_IDENTITY_TOKEN_FILE", "credential_process"];
    const more = ["sso_start_url", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    expect([...traces, ...more].filter((trace) => text.includes(trace))).toEqual([]);
  });
});

describe("the segments of a text", () => {
  let run: OwnRun;
  beforeAll(async () => {
    run = await startOwn();
  });
  afterAll(() => run.close());

  const isLoaded = () =>
    Object.keys(createRequire(import.meta.url).cache).some((file) =>
      file.endsWith(join("proxy-call", "sms-segments-calculator.js")),
    );

  test("are counted by a file that a call of Stripe's does not load", async () => {
    expect((await pay(run, await issue(run), 100)).status).toBe(200);
    expect(isLoaded()).toBe(false);

    const { token } = await issue(run, { vendor: "twilio" });
    const form = { To: "+15005550009", From: "+15005550006", Body: "x" };
    const path = "/twilio/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json";
    await ask(run, "POST", path, { token, form });
    expect(isLoaded()).toBe(true);
  });
});
