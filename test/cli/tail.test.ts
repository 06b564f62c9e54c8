import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Running, startCli, startProgram, variablesOf } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";
import { issue, type OwnRun, pay, startOwn } from "../support/keybrake.ts";
import { type OwnUpstream, type Script, startOwnUpstream } from "../support/own-upstream.ts";

/** Guarantees that every row is printed once, a moment after its call. */

let run: OwnRun;
let upstream: OwnUpstream;
beforeAll(async () => {
  [run, upstream] = await Promise.all([startOwn(), startOwnUpstream()]);
});
afterAll(() => Promise.all([run.close(), upstream.close()]));

const running: Running[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
});

function tail(rest: readonly string[], environment = variablesOf(run)): Running {
  const started = startCli(["tail", ...rest], environment);
  running.push(started);
  return started;
}

const linesOf = ({ stdout }: Running) => stdout().trimEnd().split("\n");

test("rows that are there and rows that come, oldest first, each once", async () => {
  const key = await issue(run, { agent_run_label: "tail/1" });
  await pay(run, key, 2999);
  await run.drain();
  const tailing = tail(["--label", "tail/*"]);
  await eventually(() => expect(linesOf(tailing)).toHaveLength(2));
  await pay(run, key, 2999);
  await run.drain();
  await eventually(() => expect(linesOf(tailing)).toHaveLength(3));
  await pay(run, key, 100);
  await run.drain();
  await eventually(() => expect(linesOf(tailing)).toHaveLength(4));

  expect(linesOf(tailing).map((line) => line.replace(/^\d\d:\d\d:\d\dZ {2}key_\w+ {2}/, ""))).toEqual([
    "tail/1  key.issued by admin",
    "tail/1  POST /stripe/v1/payment_intents  settled, $29.99, left $20.01",
    "tail/1  POST /stripe/v1/payment_intents  denied: spend_cap_exceeded, ($29.99), left $20.01",
    "tail/1  POST /stripe/v1/payment_intents  settled, $1.00, left $19.01",
  ]);
});

test("--json prints a JSON object a line, and a closed pipe ends it", async () => {
  const key = await issue(run, { agent_run_label: "tail-json" });
  await pay(run, key, 100);
  await run.drain();
  const tailing = tail(["--label", "tail-json", "--json"]);
  await eventually(() => expect(linesOf(tailing)).toHaveLength(2));

  expect(linesOf(tailing).map((line) => JSON.parse(line))).toMatchObject([
    { type: "key.issued", key_id: key.id },
    { type: "call", cost_usd: 1 },
  ]);
  tailing.child.stdout?.destroy();
  await pay(run, key, 100);
  expect((await tailing.ended).code).toBe(0);
});

test("it goes on when Keybrake did not answer once, and ends when it may not read", async () => {
  const answers =
    (status: number, body: string): Script =>
    (response) => {
      response.writeHead(status).end(body);
    };
  upstream.next(
    answers(503, '{"error":{"code":"ledger_unavailable","message":"not now"}}'),
    answers(
      200,
      '{"data":[{"id":"1","at":"2026-11-22T10:00:00.000+00:00","type":"key.issued"}],"next_cursor":null}',
    ),
    answers(401, '{"error":{"code":"api_key_invalid","message":"unknown API key"}}'),
  );
  const tailing = tail([], { KEYBRAKE_URL: upstream.origin, KEYBRAKE_API_KEY: "an-api-key" });
  const said = await tailing.ended;

  expect(said).toMatchObject({ code: 4, stdout: "10:00:00Z  key.issued\n" });
  expect(said.stderr).toMatch(/^keybrake: not now; trying again\nkeybrake: unknown API key\n/);
});

test("head(1) may close the pipe", async () => {
  const program = `"$0" bin/cli.js tail --minutes 60 | head -n 1`;
  const { ended } = startProgram("sh", ["-c", program, process.execPath], variablesOf(run));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  // A pipe says that it is closed at the next write alone.
  await eventually(async () => {
    if (!isOver) await issue(run, {});
    expect(isOver).toBe(true);
  }, 60_000);
  const { code, stdout, stderr } = await ended;

  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^\d\d:\d\d:\d\dZ {2}.*\n$/);
  expect(stderr).toBe("");
});
