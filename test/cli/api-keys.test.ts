import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonOf, printed, variablesOf } from "../support/cli.ts";
import { type OwnRun, startOwn } from "../support/keybrake.ts";

/** Guarantees that API keys and child keys are made, used and taken away from the command line. */

let run: OwnRun;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  run = await startOwn();
  environment = variablesOf(run);
});
afterAll(() => run.close());

const keyOnly = async (rest: readonly string[], variables = environment): Promise<string> => {
  const { stdout, code, stderr } = await cli([...rest, "--key-only"], variables);
  expect(code, stderr).toBe(0);
  return stdout.trim();
};

test("an API key is created, listed, shown and revoked as its flags say", async () => {
  const created = await cli(
    [
      ...["api-keys", "create", "--json", "--name", "nightly", "--scope", "issue", "--scope", "read"],
      ...["--vendor", "stripe", "--endpoint", "POST /v1/charges", "--max-cap", "20", "--max-total-cap", "90"],
      ...["--max-per-call-cap", "5", "--max-expires", "2h", "--cap", "30", "--total-cap", "300"],
    ],
    environment,
  );
  const id = printed(created, "id");
  expect(jsonOf(created)).toMatchObject({
    api_key: expect.stringMatching(/^kbak/),
    name: "nightly",
    scopes: ["issue", "read"],
    allowed_vendors: ["stripe"],
    allowed_endpoints: ["POST /v1/charges"],
    max_daily_usd_cap: 20,
    max_total_usd_cap: 90,
    max_per_call_usd_cap: 5,
    max_expires_in_s: 7200,
    daily_usd_cap: 30,
    total_usd_cap: 300,
  });

  expect((await cli(["api-keys", "list"], environment)).stdout).toMatch(
    new RegExp(`^${id} +active +nightly +issue, read +stripe `, "m"),
  );
  const shown = await cli(["api-keys", "show", id], environment);
  expect(shown.stdout).toMatch(/^in this UTC day +\$30\.00 left of \$30\.00, \$0\.00 spent$/m);
  expect(shown.stdout).not.toContain("kbak");

  const revoked = await cli(["api-keys", "revoke", id], environment);
  expect(revoked).toMatchObject({ code: 0, stdout: expect.stringMatching(`^${id} revoked `) });
  expect(printed(await cli(["api-keys", "show", id, "--json"], environment), "status")).toBe("revoked");
});

test("without a scope a command is denied, above a ceiling too, and both say what to do", async () => {
  const apiKey = await keyOnly(["api-keys", "create", "--name", "job", "--scope", "issue", "--max-cap", "5"]);
  const own = { ...environment, KEYBRAKE_API_KEY: apiKey };

  const read = await cli(["audit"], own);
  const tooMuch = await cli(["issue", "--vendor", "stripe", "--cap", "9"], own);

  expect([read.code, tooMuch.code]).toEqual([3, 3]);
  expect(read.stderr).toMatch(
    /lacks the scope "read".*\nnext: set KEYBRAKE_API_KEY to an API key with that scope/,
  );
  expect(tooMuch.stderr).toMatch(/^keybrake: daily_usd_cap: .*\nnext: set it with --cap\n$/);
  // The ceiling is the cap of a key that names none.
  expect(jsonOf(await cli(["issue", "--vendor", "stripe", "--json"], own))).toMatchObject({
    daily_usd_cap: 5,
  });
});

test("a key with the scope issue alone runs a job, whose key is revoked at its end", async () => {
  const apiKey = await keyOnly(["api-keys", "create", "--name", "runner", "--scope", "issue"]);

  const said = await cli(["run", "--vendor", "stripe", "--cap", "5", "--", "sh", "-c", "exit 3"], {
    ...environment,
    KEYBRAKE_API_KEY: apiKey,
  });

  expect(said).toMatchObject({ code: 3, stderr: expect.stringMatching(/key_\w+ revoked, \$0\.00 used\n$/) });
});

test("a job of a job gets a narrower key below its own, without an API key", async () => {
  const { KEYBRAKE_URL = "" } = environment;
  const vaultKey = await keyOnly(["issue", "--vendor", "stripe", "--cap", "20", "--label", "batch/all"]);
  const own = { KEYBRAKE_URL, VAULT_KEY: vaultKey };

  const child = jsonOf(await cli(["issue", "--child", "--cap", "5", "--json"], own));
  const job = await cli(["run", "--child", "--cap", "5", "--", "printenv", "VAULT_KEY"], own);
  const tooMuch = await cli(["issue", "--child", "--cap", "21"], own);

  expect(child).toMatchObject({
    daily_usd_cap: 5,
    parent_id: `key_${vaultKey.slice(4, 20)}`,
    vendor: "stripe",
  });
  expect(job).toMatchObject({ code: 0, stdout: expect.stringMatching(/^kbvk/) });
  expect(job.stdout.trim()).not.toBe(vaultKey);
  expect(tooMuch.code).toBe(3);
});
