import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT, exitCodeOf } from "../../cli/exit-code.ts";
import { STATUS_BY_CODE } from "../../lambda/domain/problem.ts";
import { listen } from "../../local/listen.ts";
import { tableUnder, textOf } from "../docs/markdown.ts";
import { cli, variablesOf } from "../support/cli.ts";
import { issue, type OwnRun, startOwn } from "../support/keybrake.ts";
import { type OwnUpstream, startOwnUpstream } from "../support/own-upstream.ts";

/** Guarantees that a program can tell by the exit code alone what became of a command. */

let run: OwnRun;
let upstream: OwnUpstream;
beforeAll(async () => {
  [run, upstream] = await Promise.all([startOwn(), startOwnUpstream()]);
});
afterAll(() => Promise.all([run.close(), upstream.close()]));

describe("against a Keybrake", () => {
  test.each([
    ["a key is issued", ["issue", "--vendor", "stripe", "--cap", "5"], EXIT.done],
    ["help", ["--help"], EXIT.done],
    ["an unknown command", ["isue"], EXIT.wrongUse],
    ["an unknown flag", ["issue", "--cpa", "5"], EXIT.wrongUse],
    ["an amount with too many places", ["issue", "--vendor", "stripe", "--cap", "0.1234567"], EXIT.wrongUse],
    ["a key without a cap", ["issue", "--vendor", "stripe"], EXIT.wrongUse],
    ["a request that the API refuses", ["issue", "--vendor", "nobody", "--cap", "5"], EXIT.wrongUse],
    ["nothing to change", ["change", "key_0000000000000000"], EXIT.wrongUse],
    ["a secret in place of an id", ["show", "kbvk0000000000000000"], EXIT.wrongUse],
    ["an id that there is not", ["show", "key_0000000000000000"], EXIT.notFound],
    ["no base address", ["audit", "--url", "127.0.0.1:8787"], EXIT.wrongUse],
  ])("%s", async (_, rest, code) => {
    expect(await cli(rest, variablesOf(run))).toMatchObject({ code });
  });

  test("a wrong API key, and none", async () => {
    const { KEYBRAKE_URL = "" } = variablesOf(run);

    expect(await cli(["audit"], { KEYBRAKE_URL, KEYBRAKE_API_KEY: "another-key" })).toMatchObject({
      code: EXIT.notAuthorised,
    });
    expect(await cli(["audit"], { KEYBRAKE_URL })).toMatchObject({ code: EXIT.wrongUse });
  });

  test("what a key's state forbids, and a key that was issued before", async () => {
    const { id } = await issue(run);
    const again = ["issue", "--vendor", "stripe", "--cap", "5", "--idempotency-key", `once-${id}`];
    const codes = [];
    for (const rest of [["revoke", id], ["revoke", id], ["change", id, "--cap", "9"], again, again])
      codes.push((await cli(rest, variablesOf(run))).code);

    expect(codes).toEqual([EXIT.done, EXIT.done, EXIT.denied, EXIT.done, EXIT.denied]);
  });
});

describe("against answers that a run on one machine does not give", () => {
  const refusal = (code: string) =>
    JSON.stringify({ error: { code, message: `it was ${code}`, charged: "no" } });

  test.each([
    [403, refusal("run_stopped"), EXIT.denied],
    [403, refusal("gateway_access_denied"), EXIT.denied],
    [429, refusal("spend_cap_exceeded"), EXIT.denied],
    [429, refusal("gateway_throttled"), EXIT.worthRepeating],
    [409, refusal("key_changed_meanwhile"), EXIT.worthRepeating],
    [503, refusal("ledger_unavailable"), EXIT.worthRepeating],
    [504, refusal("gateway_integration_timeout"), EXIT.worthRepeating],
    [500, refusal("internal"), EXIT.fault],
    // A wrong stage: AWS answers before Keybrake is reached.
    [403, '{"message":"Forbidden"}', EXIT.wrongUse],
    [200, "<html>a page of somebody else</html>", EXIT.wrongUse],
    [301, "", EXIT.wrongUse],
    [502, "<html>bad gateway</html>", EXIT.worthRepeating],
  ])("%s %s", async (status, body, code) => {
    upstream.next((response) => {
      response.writeHead(status, { Location: "/" }).end(body);
    });

    expect(
      await cli(["audit"], { KEYBRAKE_URL: upstream.origin, KEYBRAKE_API_KEY: "an-api-key" }),
    ).toMatchObject({
      code,
      stdout: "",
    });
  });

  test("a connection that is closed, and an address where nobody listens", async () => {
    upstream.next((response) => {
      response.socket?.destroy();
    });
    const server = createServer();
    const port = await listen(server, 0);
    await new Promise((resolve) => server.close(resolve));

    for (const KEYBRAKE_URL of [upstream.origin, `http://127.0.0.1:${port}`]) {
      const said = await cli(["audit"], { KEYBRAKE_URL, KEYBRAKE_API_KEY: "an-api-key" });
      expect(said).toMatchObject({ code: EXIT.worthRepeating, stdout: "" });
      expect(said.stderr).toMatch(/^keybrake: http:\/\/127\.0\.0\.1:\d+ cannot be reached \(.+\)\nnext: /);
    }
  });
});

test("with --json an error is JSON on stderr, with the exit code", async () => {
  const { stderr, stdout } = await cli(["show", "key_0000000000000000", "--json"], variablesOf(run));

  expect(stdout).toBe("");
  expect(JSON.parse(stderr)).toMatchObject({
    error: { code: "not_found", charged: "no" },
    exit_code: EXIT.notFound,
  });
});

test("every status of a refusal has an exit code, and none is success", () => {
  const codes = Object.entries(STATUS_BY_CODE).map(([code, status]) => exitCodeOf(status, code));

  expect(codes).not.toContain(EXIT.done);
  expect(new Set(codes)).toEqual(
    new Set([EXIT.fault, EXIT.wrongUse, EXIT.denied, EXIT.notAuthorised, EXIT.notFound, EXIT.worthRepeating]),
  );
});

test("the table of the document has every exit code", () => {
  const rows = tableUnder(textOf("docs/cli.md"), "## Exit codes");

  expect(rows.map(([code]) => Number(code))).toEqual(Object.values(EXIT));
});
