/**
 * `npm run test:deploy`: a real deployment without an account.
 *
 * Installs MiniStack into a virtual environment, runs `cdk bootstrap` and `cdk deploy` of this stack into it, follows the
 * printed commands as an operator would, and runs the end-to-end tests against the deployed API. Says `skipped: …` where there
 * is no Python or PyPI cannot be reached.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../local/listen.ts";
import { DEPLOYMENT_VARIABLE, type Deployment } from "../support/deployed.ts";
import { skippedWhereUnavailable, virtualEnvironment } from "../support/python.ts";
import { CANNOT_HOLD } from "./cannot-hold.ts";
import { deploy, OUTPUTS_VARIABLE, type Outputs, printed } from "./deployment.ts";
import { startMiniStack } from "./ministack.ts";

const HERE = import.meta.dirname;
const STRIPE_SECRET = "sk_test_setByThePrintedCommand";

/** What is left out here, and why: told at every run. */
const NOT_HERE = [
  "TLS and host names: MiniStack serves plain HTTP, so the printed base URL is translated to its own, and the bootstrap bucket's policy, which asks for TLS, is removed",
  "stripe-node pointed by a host alone: that needs a custom domain, which would need a certificate and DNS",
  "requests that no HTTP client sends (test/e2e/smuggling.test.ts): the parser in front would be MiniStack's and not AWS's",
  "a broken upstream and a restart (faults, restart) and the search for secrets in files and logs (secrets): they start the process that they look into",
  "a function that throws, dies or takes too long: MiniStack answers 502 with a body of its own, and not by the gateway responses of the stack",
  "PATCH and DELETE of /vault/keys/self: AWS goes on to /vault/keys/{id}, MiniStack to /{proxy+}",
  "retries, bisecting and S3 dead letters of the stream: its poller ignores them; the replay command is run on a letter put there by hand",
  "at most 24 calls at once: every one of them is a Node process here; 500 at once run on one machine (npm run demo)",
  "the alphabet of the generated API key: MiniStack puts punctuation into it, AWS letters and digits alone",
  "an alarm of metric math (GatewayRefuses, with alarms: all): it is refused, so it is deployed with another metric; TLS policies, throttles, termination protection: accepted, without effect",
  "point-in-time recovery, TTL and deletion protection of the tables, alarms that ring: accepted, without effect",
];

await skippedWhereUnavailable(async () => {
  const bin = virtualEnvironment("deploy", join(HERE, "requirements.txt"));
  const folder = await mkdtemp(join(tmpdir(), "keybrake-deploy-"));
  const account = await startMiniStack(bin, folder);
  let passed = false;
  try {
    console.log(`MiniStack listens on ${account.endpoint}, with policies enforced`);
    const stripePort = await freePort();
    console.log("cdk bootstrap and cdk deploy");
    const outputs = await deploy(account, folder, { stripe: `http://127.0.0.1:${stripePort}` });
    for (const [name, value] of Object.entries(outputs)) console.log(`  ${name.padEnd(26)}${value}`);

    const deployment: Deployment = {
      baseUrl: `${account.endpoint}/_aws/execute-api/${apiIdOf(outputs)}/prod`,
      apiKey: (await printed(account, outputs["ApiKeyCommand"] ?? "")).trim(),
      awsEndpoint: account.endpoint,
      stripePort,
      stripeSecret: STRIPE_SECRET,
    };
    passed = await vitest({
      ...account.environment,
      [DEPLOYMENT_VARIABLE]: JSON.stringify(deployment),
      [OUTPUTS_VARIABLE]: JSON.stringify(outputs),
    });
  } finally {
    await account.close();
    if (!passed) {
      process.exitCode = 1;
      const log = await readFile(join(folder, "ministack.log"), "utf8");
      console.log(`\nthe end of MiniStack's log:\n${log.split("\n").slice(-60).join("\n")}`);
    }
    await rm(folder, { recursive: true, force: true });
  }
  const skipped = CANNOT_HOLD.map(({ file, test, reason }) => `${file}: "${test}": ${reason}`);
  console.log(`\nskipped, because MiniStack differs from AWS here:\n${listed(skipped)}`);
  console.log(`\nnot tried on MiniStack:\n${listed(NOT_HERE)}`);
});

function listed(lines: readonly string[]): string {
  return lines.map((line) => `  - ${line}`).join("\n");
}

function apiIdOf(outputs: Outputs): string {
  const [, id] = /^https:\/\/([a-z0-9]+)\.execute-api\./.exec(outputs["BaseUrl"] ?? "") ?? [];
  if (id === undefined) throw new Error(`the base URL is not one of a REST API: ${outputs["BaseUrl"]}`);
  return id;
}

/** Runs the tests, all or those that the command line names; whether they passed. */
function vitest(environment: Readonly<Record<string, string>>): Promise<boolean> {
  const program = join(HERE, "..", "..", "node_modules", "vitest", "vitest.mjs");
  const config = join(HERE, "vitest.config.ts");
  const child = spawn(process.execPath, [program, "run", "--config", config, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: environment,
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });
}
