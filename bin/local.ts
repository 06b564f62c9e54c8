/** `npm start`: Keybrake on this machine. The variables it reads are in lib/local/settings.ts. */

import { watchNpm } from "../lib/local/npm-watch.ts";
import { type LocalRun, startLocal } from "../lib/local/run.ts";
import { CREDENTIAL_VARIABLES, parseSettings, type Settings } from "../lib/local/settings.ts";
import { StartError } from "../lib/local/start-error.ts";
import { LOCAL_VENDORS } from "../lib/local/vendor-targets.ts";
import { VENDOR_NAMES, type VendorName } from "../lib/routes.ts";

// What is written here (data, dead letters, checkpoints) is for this user alone.
process.umask(0o077);

try {
  const settings = parseSettings(process.env);
  // Read, and not passed on to what is started from here.
  for (const name of [...CREDENTIAL_VARIABLES, "KEYBRAKE_API_KEY"]) delete process.env[name];
  const run = await startLocal(settings);
  stopOnSignal(run);
  console.log(banner(settings, run));
  console.log(`ready ${run.baseUrl}`);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(`keybrake cannot start: ${error.message}`);
  process.exitCode = 1;
}

function banner(settings: Settings, run: LocalRun): string {
  const rows = [
    ["base URL", run.baseUrl],
    ["API key", settings.apiKey === undefined ? run.apiKey : "from KEYBRAKE_API_KEY"],
    ...VENDOR_NAMES.map((name) => [LOCAL_VENDORS[name].title, vendorLine(name, run)]),
    ["data", settings.dataFile ?? "in memory, gone at the end (KEYBRAKE_DATA names a file)"],
    [
      "DynamoDB",
      `${run.dynamodbEndpoint} (tables keybrake-vault, keybrake-audit; for aws dynamodb --endpoint-url)`,
    ],
  ];
  const lines = rows.map(([label = "", text]) => `  ${label.padEnd(10)}${text}`);
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

function vendorLine(name: VendorName, { vendors }: LocalRun): string {
  const { title, variables } = LOCAL_VENDORS[name];
  const { target, origin, booksUrl } = vendors[name];
  switch (target) {
    case "real":
      return `${origin}: THE REAL ${title.toUpperCase()}, CALLS MOVE WHAT ITS CREDENTIAL CAN MOVE`;
    case "upstream":
      return `${origin} (KEYBRAKE_${name.toUpperCase()}_ORIGIN)`;
    case "simulated":
      return `simulated, its books: ${booksUrl} (real with ${variables})`;
  }
}

function firstKeyCommand(settings: Settings, run: LocalRun): string {
  const body = {
    vendor: "stripe",
    daily_usd_cap: 50,
    allowed_endpoints: ["POST /v1/payment_intents"],
    expires_in: "1h",
    agent_run_label: "first/try",
  };
  const apiKey = settings.apiKey === undefined ? run.apiKey : "$KEYBRAKE_API_KEY";
  return `curl -s ${run.baseUrl}/vault/keys -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" -d '${JSON.stringify(body)}'`;
}

/** A second signal ends the process at once. */
function stopOnSignal(run: LocalRun): void {
  const stop = () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    void run.close().then(() => process.exit(0));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  watchNpm({ ended: stop, killed: () => process.exit(1) });
}
