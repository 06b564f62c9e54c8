import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build, DIST } from "../../bin/build.ts";
import { ENV } from "../../lambda/environment.ts";
import { FUNCTIONS } from "../../lib/services.ts";
import { atMost, median, ms, ratio, type Section, told } from "./section.ts";

const run = promisify(execFile);
const ROUNDS = 15;
const PROXY_KB_MAX = 420;
const INIT_GOAL = 1.15;

/** A handler that holds the two clients of the SDK and nothing else. */
const BARE = `
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
const clients = [new DynamoDBClient({}), new SecretsManagerClient({})];
export const handler = async () => clients.length;
`;

/** How large the bundles are, and how long one takes to load. */
export const bundles: Section = {
  name: "bundles",
  title: "Bundles and their start",
  how: `The time from the start of \`require\` to the handler, in a new process of Node, ${ROUNDS} rounds that take turns with a handler that holds the clients of DynamoDB and Secrets Manager alone and is bundled in the same way.`,
  async run(bench) {
    await build();
    const folder = await mkdtemp(join(import.meta.dirname, ".bare-"));
    try {
      await writeFile(join(folder, "bare.ts"), BARE);
      await build({ entryDirectory: folder, outDirectory: folder, functions: ["bare"] });
      const bare: number[] = [];
      const proxy: number[] = [];
      for (let round = 0; round < (bench.options.smoke ? 2 : ROUNDS); round++) {
        bare.push(await initMs(join(folder, "bare/index.js")));
        proxy.push(await initMs(join(DIST, "proxy-call/index.js")));
      }
      const sizes = await Promise.all(
        FUNCTIONS.map(
          async (name) => [name, (await stat(join(DIST, name, "index.js"))).size / 1000] as const,
        ),
      );
      const proxyKb = sizes.find(([name]) => name === "proxy-call")?.[1] ?? 0;
      return {
        figures: [
          atMost("bundle of the proxy", proxyKb, PROXY_KB_MAX, (value) => `${Math.round(value)} KB`),
          ...sizes
            .filter(([name]) => name !== "proxy-call")
            .map(([name, kb]) => told(`  ${name}`, `${Math.round(kb)} KB`)),
          atMost("start of the proxy, over a bare handler's", median(proxy) / median(bare), INIT_GOAL, ratio),
          told("  start of the proxy, of the bare handler", `${ms(median(proxy))}, ${ms(median(bare))}`),
        ],
        wrong: [],
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function initMs(bundle: string): Promise<number> {
  const program = `const t = process.hrtime.bigint(); const { handler } = require(${JSON.stringify(bundle)}); if (typeof handler !== "function") process.exit(3); console.log(Number(process.hrtime.bigint() - t) / 1e6);`;
  const environment = {
    PATH: process.env["PATH"],
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_LAMBDA_FUNCTION_NAME: "bench",
    ...Object.fromEntries(Object.values(ENV).map((name) => [name, VALUES[name] ?? "1"])),
    POWERTOOLS_METRICS_DISABLED: "true",
  };
  const { stdout } = await run(process.execPath, ["-e", program], { env: environment, cwd: tmpdir() });
  return Number(stdout);
}

/** Variables whose values have a form. */
const VALUES: Readonly<Record<string, string>> = {
  [ENV.credentialSecrets]: "{}",
  [ENV.vendorOrigins]: "{}",
  [ENV.vendors]: "[]",
  [ENV.rateCard]: "{}",
  [ENV.credentialHints]: "{}",
};
