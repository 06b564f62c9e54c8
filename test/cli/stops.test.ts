import { afterAll, beforeAll, expect, test } from "vitest";
import { cli, jsonOf, printed, variablesOf } from "../support/cli.ts";
import { issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";

/** Guarantees that a run is looked at, stopped and let go again from the command line. */

let run: OwnRun;
let environment: Readonly<Record<string, string>>;
beforeAll(async () => {
  run = await startOwn();
  environment = variablesOf(run);
});
afterAll(() => run.close());

test("a run is looked at, stopped and resumed", async () => {
  const [one] = await Promise.all([
    issue(run, { agent_run_label: "billing/cus_A", daily_usd_cap: 20 }),
    issue(run, { agent_run_label: "billing/cus_B", daily_usd_cap: 20 }),
    issue(run, { agent_run_label: "another", daily_usd_cap: 20 }),
  ]);
  await pay(run, one, 1999);
  await run.drain();

  const reach = await cli(["stop", "--label", "billing/*", "--dry-run"], environment);
  expect(reach).toMatchObject({ code: 0, stdout: expect.stringMatching(/^would stop +2 keys of 2 runs$/m) });
  expect(reach.stdout).toMatch(/^they may still spend +\$20\.01$/m);
  expect((await pay(run, one, 1)).status).toBe(200);

  const stopped = await cli(
    ["stop", "--label", "billing/*", "--reason", "charges twice", "--for", "1h", "--json"],
    environment,
  );
  const id = printed(stopped, "id");
  expect(jsonOf(stopped)).toMatchObject({
    agent_run_label: "billing/*",
    reason: "charges twice",
    state: "in_force",
    keys_revoked: 2,
    in_flight: { calls: 0 },
  });
  expect((await pay(run, one, 1)).status).toBe(401);

  const again = ["issue", "--vendor", "stripe", "--cap", "5", "--label", "billing/cus_C"];
  const refused = await cli(again, environment);
  expect(refused).toMatchObject({ code: 3, stdout: "" });
  expect(refused.stderr).toContain("charges twice");
  expect(refused.stderr).toContain(`next: \`keybrake resume ${id}\` lifts the stop`);

  expect((await cli(["stops"], environment)).stdout).toMatch(
    new RegExp(`^${id} +in force +label billing/\\* +2 `, "m"),
  );
  expect((await cli(["stops", id], environment)).stdout).toMatch(/^keys revoked +2$/m);
  expect(await cli(["resume", id], environment)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(`^${id} lifted .*: label billing/\\*\n$`),
  });
  expect((await cli(again, environment)).code).toBe(0);
});

test("without waiting a stop is told as it was ordered; without a criterion none is ordered", async () => {
  const stopped = await cli(["stop", "--label", "no-such-run", "--no-wait"], environment);

  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringMatching(/^stops +label no-such-run$/m) });
  expect(await cli(["stop"], environment)).toMatchObject({ code: 2 });
  expect(await cli(["resume", "stop_0000000000000"], environment)).toMatchObject({ code: 5 });
});
