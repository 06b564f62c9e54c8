/** `npm start`: Keybrake on this machine. The variables it reads are in local/settings.ts. */

import { exampleEntry } from "../lambda/vendors/did-you-mean.ts";
import { vendorRegistry } from "../lambda/vendors/index.ts";
import type { VendorRegistry } from "../lambda/vendors/registry.ts";
import { FUNCTION_TIMEOUT_S } from "../lib/limits.ts";
import { decisionLine } from "../local/decision-line.ts";
import { eventLine } from "../local/event-line.ts";
import { LineWriter, toStdout } from "../local/line-writer.ts";
import { type LocalRun, startLocal } from "../local/run.ts";
import { credentialVariables, parseArguments, parseSettings, type Settings } from "../local/settings.ts";
import { StartError, systemProblem } from "../local/start-error.ts";
import { stopOnSignal } from "../local/stopping.ts";

/** Every call ends by itself within this. */
const GRACE_S = FUNCTION_TIMEOUT_S;
const LAST_LINES_MS = 500;

// What is written here (data, dead letters, checkpoints) is for this user alone.
process.umask(0o077);

try {
  parseArguments(process.argv.slice(2));
  const settings = parseSettings(process.env);
  const vendors = vendorRegistry(settings.definitions);
  // Read, and not passed on to what is started from here.
  for (const name of [...credentialVariables(vendors.all), "KEYBRAKE_API_KEY"]) delete process.env[name];
  const lines = new LineWriter({ write: toStdout });
  const run = await startLocal({
    ...settings,
    ...(settings.tellsDecisions && {
      onDecision: tellTo(lines, vendors),
      onEvent: (event) => lines.line(eventLine(event)),
    }),
  });
  stopOnSignal({ begin: () => void stop(run, lines), atOnce: (code) => stopAtOnce(run, code) });
  console.log(banner(settings, run, await dashboardLine(run)));
  console.log(`ready ${run.baseUrl}`);
  lines.open();
} catch (error) {
  const problem = error instanceof StartError ? error.message : systemProblem(error);
  if (problem === undefined) throw error;
  console.error(`keybrake cannot start: ${problem}`);
  process.exitCode = 1;
}

/** Colours are for a person at a terminal who has not refused them (no-color.org, read 2026-11-27). */
function tellTo(lines: LineWriter, { secrets }: VendorRegistry) {
  const { NO_COLOR = "", TERM } = process.env;
  const isColoured = process.stdout.isTTY === true && NO_COLOR === "" && TERM !== "dumb";
  return (decision: Parameters<typeof decisionLine>[0]) =>
    lines.line(decisionLine(decision, isColoured, secrets));
}

const calls = (count: number) => `${count} call${count === 1 ? "" : "s"} in progress`;

async function stop(run: LocalRun, lines: LineWriter): Promise<void> {
  const waitedFor = run.underWay();
  if (waitedFor > 0)
    console.error(
      `stopping: waiting for ${calls(waitedFor)}, at most ${GRACE_S} s; press Ctrl-C again to stop at once`,
    );
  await run.close(GRACE_S * 1000);
  const isWritten = await lines.close(LAST_LINES_MS);
  // With a write that a terminal does not take the process would wait for it for ever.
  if (isWritten) process.exit(0);
  else process.kill(process.pid, "SIGKILL");
}

function stopAtOnce(run: LocalRun, exitCode: number): void {
  const cutOff = run.underWay();
  if (cutOff > 0)
    console.error(
      `stopped at once with ${calls(cutOff)}: it is unknown whether they are charged, so what they reserved stays held`,
    );
  process.exit(exitCode);
}

/** Its one-time code signs in whoever reads it first: it is for somebody at a terminal, and for no collector of logs. */
async function dashboardLine(run: LocalRun): Promise<string> {
  return process.stdout.isTTY === true
    ? `${await run.dashboardUrl()} (signs in once, within a minute; later: npx keybrake dashboard)`
    : `${run.baseUrl}/dashboard (npx keybrake dashboard makes an address that signs in)`;
}

function banner(settings: Settings, run: LocalRun, dashboard: string): string {
  const rows = [
    ["base URL", run.baseUrl],
    ["dashboard", dashboard],
    ["API key", settings.apiKey === undefined ? run.apiKey : "from KEYBRAKE_API_KEY"],
    ...run.vendors.map((running) => [running.vendor.title, vendorLine(running)]),
    ["data", dataLine(run)],
    [
      "DynamoDB",
      `${run.dynamodbEndpoint} (tables keybrake-vault, keybrake-audit; for aws dynamodb --endpoint-url)`,
    ],
  ];
  const width = Math.max(...rows.map(([label = ""]) => label.length)) + 2;
  const lines = rows.map(([label = "", text]) => `  ${label.padEnd(width)}${text}`);
  return [
    "",
    "Keybrake",
    ...lines,
    "",
    "  issue a first key:",
    `  ${firstKeyCommand(settings, run)}`,
    "",
  ].join("\n");
}

function dataLine({ data, dynamodbEndpoint }: LocalRun): string {
  if (data === undefined) return `in the tables at ${dynamodbEndpoint}`;
  return data.isTemporary
    ? `${data.file}, removed at the end (set KEYBRAKE_DATA to a file to keep it)`
    : data.file;
}

function vendorLine({ vendor, target, origin, booksUrl }: LocalRun["vendors"][number]): string {
  const { title, local } = vendor;
  const variables = local.credential.map(({ name }) => name).join(" and ");
  switch (target) {
    case "real":
      return `${origin}: THE REAL ${title.toUpperCase()}, CALLS MOVE WHAT ITS CREDENTIAL CAN MOVE`;
    case "upstream":
      return `${origin} (${local.origin})`;
    case "simulated":
      return `simulated, its books: ${booksUrl} (real with ${variables})`;
    case "unset":
      return `calls are refused: set ${variables} for the real one, or ${local.origin} for a server of your own`;
  }
}

function firstKeyCommand(settings: Settings, run: LocalRun): string {
  const first = run.vendors[0]?.vendor;
  const body = {
    vendor: first?.name,
    daily_usd_cap: 50,
    allowed_endpoints: first && [exampleEntry(first)],
    expires_in: "1h",
    agent_run_label: "first/try",
  };
  const apiKey = settings.apiKey === undefined ? run.apiKey : "$KEYBRAKE_API_KEY";
  return `curl -s ${run.baseUrl}/vault/keys -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" -d '${JSON.stringify(body)}'`;
}
