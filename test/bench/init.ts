/**
 * `node test/bench/init.ts`: the CPU that each function takes to load, over that of a handler that makes the SDK's two clients and
 * nothing else, bundled as everybody would. The processes take turns, so that all of them meet the same machine.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build as esbuild } from "esbuild";
import { build } from "../../bin/build.ts";
import { ENV } from "../../lambda/environment.ts";
import { FUNCTIONS } from "../../lib/services.ts";

const BARE = "sdk-alone";
const BARE_SOURCE = `
  import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
  import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
  const clients = [new DynamoDBClient({}), new SecretsManagerClient({})];
  export const handler = () => [clients, UpdateItemCommand, GetSecretValueCommand];`;

const MEASURED = `
  const before = process.cpuUsage();
  require(process.argv[1]);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(String((user + system) / 1000));`;

const ENVIRONMENT = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "local",
  AWS_LAMBDA_FUNCTION_NAME: "bench",
  [ENV.vaultTable]: "vault",
  [ENV.auditTable]: "audit",
  [ENV.adminKeySecret]: "admin",
  [ENV.credentialSecrets]: "{}",
  [ENV.resolveAfterS]: "300",
  [ENV.eventBus]: "bus",
};

export interface InitFigures {
  /** Function -> milliseconds of CPU until it is loaded, the median. */
  readonly ms: Readonly<Record<string, number>>;
  /** Of a handler with the SDK's clients alone. */
  readonly bareMs: number;
}

export async function measureInit(rounds = 11): Promise<InitFigures> {
  const folder = await mkdtemp(join(tmpdir(), "keybrake-init-"));
  try {
    await build({ outDirectory: folder });
    await mkdir(join(folder, BARE));
    await esbuild({
      stdin: { contents: BARE_SOURCE, resolveDir: join(import.meta.dirname, "..", "..") },
      outfile: join(folder, BARE, "index.js"),
      ...{ bundle: true, platform: "node", target: "node24", format: "cjs", minify: true },
      mainFields: ["module", "main"],
      logLevel: "silent",
    });
    const names = [BARE, ...FUNCTIONS];
    const taken = new Map<string, number[]>(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++)
      for (const name of names) {
        const file = join(folder, name, "index.js");
        const { stdout } = await promisify(execFile)(process.execPath, ["-e", MEASURED, file], {
          env: ENVIRONMENT,
        });
        taken.get(name)?.push(Number(stdout));
      }
    const median = (name: string) =>
      taken.get(name)?.sort((one, other) => one - other)[Math.floor(rounds / 2)] ?? Number.NaN;
    const ms = Object.fromEntries(FUNCTIONS.map((name) => [name, median(name)]));
    return { ms, bareMs: median(BARE) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const { ms, bareMs } = await measureInit();
  console.log(`${BARE}: ${bareMs.toFixed(1)} ms`);
  for (const [name, each] of Object.entries(ms))
    console.log(`${name}: ${each.toFixed(1)} ms, ${(each / bareMs).toFixed(2)} of it`);
}
