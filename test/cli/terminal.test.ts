import { stripVTControlCharacters } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { displayWidth } from "../../cli/output/width.ts";
import { cli, cliOnTerminal, jsonOf, printed, variablesOf } from "../support/cli.ts";
import { listAt } from "../support/json.ts";
import { auditRows, issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that tables fit a real terminal, and that a pipe gets neither colours nor shortened texts. */

const LABEL = "modal-billing/予算/a-label-that-is-much-longer-than-any-column-of-a-terminal-can-be";

/** Turns a line of a terminal round, and begins a control sequence. */
const STEERING = "\u202e\u009b31m";

let run: OwnRun;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  run = await startOwn();
  environment = variablesOf(run);
  const key = await issue(run, { agent_run_label: LABEL, metadata: { note: STEERING } });
  await pay(run, key, 2999);
  await pay(run, key, 2999);
  await auditRows(run);
});
afterAll(() => run.close());

describe.runIf(process.platform === "linux")("on a terminal", () => {
  test.each([30, 60, 80, 120, 200])("of %s columns no line of a table is longer", async (columns) => {
    const { code, stdout } = await cliOnTerminal(columns, ["audit"], environment);
    const lines = stripVTControlCharacters(stdout).trimEnd().split("\n");

    expect(code).toBe(0);
    expect(lines).toHaveLength(4);
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(columns);
    expect(lines[0]).toContain("WHAT");
  });

  test.each([["--json"], ["--csv"], ["--ndjson"]])(
    "nothing that others wrote steers it: %s",
    async (flag) => {
      const { code, stdout } = await cliOnTerminal(120, ["audit", flag], environment);

      expect(code).toBe(0);
      expect(stdout).toContain("??31m");
      expect((await cli(["audit", flag], environment)).stdout).toContain(STEERING);
    },
  );

  test("a denial is red and a charge green", async () => {
    const { stdout } = await cliOnTerminal(120, ["audit"], environment);

    expect(stdout).toContain("\u001b[31mdenied: spend_cap_exceeded");
    expect(stdout).toContain("\u001b[32msettled");
  });

  test.each([
    ["NO_COLOR=1", { NO_COLOR: "1" }],
    ["a terminal that knows no colours", { TERM: "dumb" }],
  ])("%s turns colours off", async (_, variables) => {
    const { stdout } = await cliOnTerminal(120, ["audit"], { ...environment, ...variables });

    expect(stdout).toContain("settled");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("in a pipe", () => {
  test("a table has no colours and whole texts", async () => {
    const { stdout, stderr, code } = await cli(["audit"], environment);

    expect(code).toBe(0);
    expect(stdout).not.toContain("\u001b");
    expect(stdout).toContain(LABEL);
    expect(stderr).toBe("");
  });

  test("--json is one JSON object, with all that the API gives", async () => {
    const said = await cli(["audit", "--json", "--decision", "denied"], environment);

    expect(listAt(jsonOf(said), "data")).toEqual(await auditRows(run, { decision: "denied" }));
    expect(said.stderr).toBe("");
  });

  test("a list is read page by page, as far as is asked for", async () => {
    const three = jsonOf(await cli(["audit", "--limit", "2", "--json"], environment));
    const all = jsonOf(await cli(["audit", "--all", "--json"], environment));

    expect(listAt(three, "data")).toHaveLength(2);
    expect(three).toMatchObject({ next_cursor: expect.any(String) });
    expect(all).toMatchObject({ data: { length: 3 }, next_cursor: null });
    expect((await cli(["audit", "--limit", "2"], environment)).stderr).toContain(
      "there are more: --limit 4 or --all",
    );
  });
});

describe("a secret is shown once", () => {
  test("by issue, with the rest of the key", async () => {
    const said = await cli(["issue", "--vendor", "stripe", "--cap", "5"], environment);

    expect(said.stdout.match(/kbvk\w+/g)).toHaveLength(1);
    expect(said.stderr).toBe("\nKeep the vault key: it is not shown again.\n");
  });

  test("alone on stdout with --key-only, for a variable", async () => {
    const said = await cli(["issue", "--vendor", "stripe", "--cap", "5", "--key-only"], environment);

    expect(said.stdout).toMatch(/^kbvk\w+\n$/);
    expect(said.stderr).toMatch(/^issued key_\w+; /);
    expect(said.stderr).not.toContain("kbvk");
    expect(await cli(["show", "self"], { ...environment, VAULT_KEY: said.stdout })).toMatchObject({
      code: 0,
      stdout: expect.not.stringContaining("kbvk"),
    });
  });

  test("never by an error", async () => {
    const secret = (
      await cli(["issue", "--vendor", "stripe", "--cap", "5", "--key-only"], environment)
    ).stdout.trim();
    for (const rest of [["show", secret], ["audit", "--key", secret], [secret], ["issue", `--${secret}`]]) {
      const said = await cli(rest, environment);
      expect(said.code).toBe(2);
      expect(said.stdout + said.stderr).not.toContain(secret.slice(20));
    }
  });
});

test("a key is issued, shown, changed and revoked as its flags say", async () => {
  const issued = await cli(
    [
      ...[
        "issue",
        "--json",
        "--vendor",
        "stripe",
        "--cap",
        "$29.99",
        "--total-cap",
        "100",
        "--per-call-cap",
        "0.5",
      ],
      ...["--endpoint", "POST /v1/payment_intents", "--endpoint", "POST /v1/charges", "--currency", "usd"],
      ...["--expires", "5m", "--label", "a/b", "--metadata", "team=growth", "--metadata", "note=a=b"],
    ],
    environment,
  );
  const id = printed(issued, "id");
  expect(jsonOf(issued)).toMatchObject({
    vault_key: expect.stringMatching(/^kbvk/),
    daily_usd_cap: 29.99,
    total_usd_cap: 100,
    per_call_usd_cap: 0.5,
    allowed_endpoints: ["POST /v1/payment_intents", "POST /v1/charges"],
    allowed_currencies: ["usd"],
    expires_in_s: 300,
    agent_run_label: "a/b",
    metadata: { team: "growth", note: "a=b" },
  });

  const changed = await cli(["change", id, "--cap", "40", "--per-call-cap", "none", "--json"], environment);
  expect(jsonOf(changed)).toMatchObject({ daily_usd_cap: 40, per_call_usd_cap: null, total_usd_cap: 100 });

  const shown = await cli(["show", id], environment);
  expect(shown.stdout).toMatch(/^in 24 hours +\$40\.00 left of \$40\.00, \$0\.00 spent$/m);
  expect(shown.stdout).toMatch(/^metadata +note=a=b, team=growth$/m);

  const revoked = await cli(["revoke", id], environment);
  expect(revoked.stdout).toMatch(new RegExp(`^${id} revoked \\S+ \\S+Z, \\$0\\.00 spent\\n$`));
  expect(printed(await cli(["show", id, "--json"], environment), "status")).toBe("revoked");
});
