import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli, jsonOf, variablesOf } from "../support/cli.ts";
import { at, listAt, textAt } from "../support/json.ts";
import { ask, issue, type Key, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that keys and sums are listed as they are, by every filter, however many pages that takes. */

const KEYS = 130;

let run: OwnRun;
let environment: Readonly<Record<string, string>>;
let spender: Key;
beforeAll(async () => {
  run = await startOwn();
  environment = variablesOf(run);
  for (let at = 0; at < KEYS; at++) await issue(run, { agent_run_label: `many/${at}` });
  spender = await issue(run, { agent_run_label: "spends/most", daily_usd_cap: 20 });
  await pay(run, spender, 1999);
  await pay(run, spender, 1999);
  const revoked = await issue(run, { agent_run_label: "spends/less", vendor: "resend" });
  await ask(run, "POST", `/vault/keys/${revoked.id}/revoke`, { token: run.apiKey });
  await run.drain();
});
afterAll(() => run.close());

const labelsOf = async (...rest: readonly string[]): Promise<readonly unknown[]> =>
  listAt(jsonOf(await cli(["keys", "--json", ...rest], environment)), "data").map((key) =>
    at(key, "agent_run_label"),
  );

test("keys are listed newest first, all of them over several pages", async () => {
  const many = Array.from({ length: KEYS }, (_, index) => `many/${KEYS - 1 - index}`);

  expect(await labelsOf("--all")).toEqual(["spends/less", "spends/most", ...many]);
  expect(await labelsOf("--limit", "3")).toEqual(["spends/less", "spends/most", `many/${KEYS - 1}`]);
  expect((await cli(["keys"], environment)).stderr).toBe("there are more: --limit 100 or --all\n");
});

test.each([
  [["--status", "revoked"], ["spends/less"]],
  [["--vendor", "resend"], ["spends/less"]],
  [
    ["--label", "spends/*"],
    ["spends/less", "spends/most"],
  ],
  [["--label", "spends/*", "--status", "active"], ["spends/most"]],
])("keys %j", async (rest, expected) => {
  expect(await labelsOf(...rest)).toEqual(expected);
});

test("a table has a key a line", async () => {
  const { stdout } = await cli(["keys", "--label", "spends/*"], environment);

  expect(stdout).toMatch(/^ID +STATUS +VENDOR +LABEL +SPENT +LEFT +EXPIRES +ISSUER\n/);
  expect(stdout).toMatch(
    new RegExp(`^${spender.id} +active +stripe +spends/most +\\$19\\.99 +\\$0\\.01 +in 59m +admin$`, "m"),
  );
});

test("what was spent is added up, with a total", async () => {
  const { stdout } = await cli(["spend", "--by", "label"], environment);
  const byDay = jsonOf(await cli(["spend", "--json"], environment));

  expect(stdout).toMatch(/^spends\/most +\$19\.99 +1 +1$/m);
  expect(stdout).toMatch(/^total +\$19\.99 +1 +1$/m);
  expect(byDay).toMatchObject({ data: [{ spent_usd: 19.99 }], total: { spent_usd: 19.99, denied_calls: 1 } });
});

test("runs are listed with a command that stops the first", async () => {
  const { stdout, stderr } = await cli(["runs"], environment);

  expect(stdout).toMatch(/^RUN +\$ IN 5M /);
  expect(stdout).toMatch(/^spends\/\* +\$19\.99 +\d+ +\$19\.99 +\$0\.01 +1 +1 +\d+s ago$/m);
  expect(stderr).toBe("\nto stop the first: keybrake stop --label 'spends/*' --dry-run\n");
});

test("with nothing to list it says so, and a program gets an empty list", async () => {
  const rest = ["keys", "--label", "nobody"];

  expect(await cli(rest, environment)).toEqual({
    code: 0,
    stdout: "",
    stderr: "no keys: `keybrake issue` issues one\n",
  });
  expect(jsonOf(await cli([...rest, "--json"], environment))).toEqual({ data: [], next_cursor: null });
});

describe("an export", () => {
  const rowsOf = (text: string) => text.trimEnd().split(/\r?\n/);

  test("has all rows as CSV, with the names once, or so many", async () => {
    const all = await cli(["audit", "--csv"], environment);
    const asJson = jsonOf(await cli(["audit", "--all", "--json"], environment));
    const ids = listAt(asJson, "data").map((row) => textAt(row, "id"));

    expect([all.code, all.stderr]).toEqual([0, ""]);
    const [names = "", ...rows] = rowsOf(all.stdout);
    expect(names).toMatch(/^id,at,type,/);
    expect(rows.map((row) => row.split(",", 1)[0])).toEqual(ids);
    expect(rowsOf((await cli(["audit", "--csv", "--limit", "2"], environment)).stdout)).toEqual([
      names,
      ...rows.slice(0, 2),
    ]);
  });

  test("is one JSON object a line with --ndjson, and takes the filters", async () => {
    const { stdout } = await cli(["audit", "--ndjson", "--decision", "denied"], environment);
    const rows = rowsOf(stdout).map((line) => JSON.parse(line) as unknown);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(textAt(row, "decision")).toBe("denied");
  });

  test.each([[["--csv", "--json"]], [["--csv", "--ndjson"]], [["--ndjson", "--events"]]])(
    "in two formats is refused: %j",
    async (flags) => {
      expect(await cli(["audit", ...flags], environment)).toMatchObject({ code: 2, stdout: "" });
    },
  );

  test("that fails says so, and prints nothing that looks like rows", async () => {
    const refused = await cli(["audit", "--csv"], { ...environment, KEYBRAKE_API_KEY: "another-key" });
    expect(refused).toMatchObject({ code: 4, stdout: "" });
  });
});
