/**
 * `node test/bench/cpu.ts`: the CPU that one paid call takes in the proxy function, and in the consumer of its changes.
 *
 * The bundles run in processes of their own; the engine, the vendor and the secrets in others.
 */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { APIGatewayProxyEvent, DynamoDBRecord } from "aws-lambda";
import { build } from "../../bin/build.ts";
import { ENV } from "../../lambda/environment.ts";
import { RESOLVE_AFTER_S, STREAM_READING } from "../../lib/limits.ts";
import type { FunctionName } from "../../lib/services.ts";
import { startDynamoDb } from "../../local/aws/dynamodb.ts";
import { gatewayEvent } from "../../local/aws/gateway-event.ts";
import { startSecretsManager } from "../../local/aws/secrets-manager.ts";
import { openTableStream, type TableStream } from "../../local/aws/table-stream.ts";
import { TABLES } from "../../local/aws/tables.ts";
import { startStripeSimulator } from "../../local/simulators/stripe/server.ts";
import type { CpuAnswer, CpuTask } from "./cpu-process.ts";
import { SENT_AGAIN } from "./same-requests.ts";

export interface CpuOptions {
  /** Folder with the bundles; they are built anew unless given. */
  readonly dist?: string;
  /** Paid calls that are counted. */
  readonly calls?: number;
  /** Folder that gets a profile of each process; none is made unless given. */
  readonly profiles?: string;
}

/** Milliseconds of CPU for one paid call with an idempotency key; medians over chunks. */
export interface CpuFigures {
  readonly proxyMs: number;
  /** Its four requests alone, made again by node:http and nothing else in the same process, by turns. */
  readonly requestsMs: number;
  readonly consumerMs: number;
}

type Taken = Pick<CpuTask, "warmUp" | "chunk" | "bareFor">;

const WARM_UP = 1_500;
const CHUNK = 20;
const STRIPE_SECRET = "sk_test_bench00000000000000000000";
const ADMIN_KEY = "kb_bench";

export async function measureCpu(options: CpuOptions = {}): Promise<CpuFigures> {
  const folder = await mkdtemp(join(tmpdir(), "keybrake-cpu-"));
  const dist = options.dist ?? join(folder, "dist");
  if (options.dist === undefined) await build({ outDirectory: dist });
  const accessKeyId = randomUUID();
  const [engine, stripe, secrets] = await Promise.all([
    startDynamoDb(),
    startStripeSimulator({ secretKey: STRIPE_SECRET }),
    startSecretsManager(
      new Map([
        ["admin", ADMIN_KEY],
        ["stripe", STRIPE_SECRET],
      ]),
      accessKeyId,
    ),
  ]);
  const env = {
    PATH: process.env["PATH"],
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: "local",
    AWS_SESSION_TOKEN: "t".repeat(1_000),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    AWS_LAMBDA_FUNCTION_NAME: "bench",
    [ENV.vaultTable]: TABLES[0].name,
    [ENV.auditTable]: TABLES[1].name,
    [ENV.adminKeySecret]: "admin",
    [ENV.credentialSecrets]: JSON.stringify({ stripe: { default: "stripe" } }),
    [ENV.vendorOrigins]: JSON.stringify({ stripe: stripe.origin }),
    [ENV.auditRetentionDays]: "400",
    [ENV.dynamodbTimeoutMs]: "10000",
    [ENV.resolveAfterS]: `${RESOLVE_AFTER_S}`,
    [ENV.eventBus]: "bus",
    POWERTOOLS_LOG_LEVEL: "WARN",
    POWERTOOLS_METRICS_DISABLED: "true",
    POWERTOOLS_SERVICE_NAME: "bench",
  };
  const run = async (name: FunctionName, { warmUp, chunk, bareFor }: Taken, events: readonly unknown[]) => {
    const eventsFile = join(folder, `${name}.json`);
    await writeFile(eventsFile, JSON.stringify(events));
    const task: CpuTask = { dist, name, eventsFile, warmUp, chunk, ...(bareFor && { bareFor }) };
    const profiled =
      options.profiles === undefined
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${options.profiles}`, `--cpu-prof-name=${name}.cpuprofile`];
    const program = join(import.meta.dirname, "cpu-process.ts");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...profiled, program, JSON.stringify(task)],
      { env, maxBuffer: 2 ** 24 },
    );
    const answer: CpuAnswer = JSON.parse(stdout);
    return answer;
  };

  try {
    const { answers } = await run("issue-key", { warmUp: 1, chunk: 1 }, [issueEvent(), issueEvent()]);
    const [key, other] = [issuedIn(answers[0]), issuedIn(answers[1])];
    const calls = Array.from({ length: WARM_UP + (options.calls ?? 1_500) }, () => paidEvent(key.vault_key));
    const proxy = await run(
      "proxy-call",
      { warmUp: WARM_UP, chunk: CHUNK, bareFor: [key.id, other.id] },
      calls,
    );
    for (const answer of proxy.answers) expectStatus(answer, 200);

    const stream = await openTableStream(engine.client, engine.endpoint, TABLES[0]);
    const ofTheOther = ({ dynamodb }: DynamoDBRecord) => {
      const text = JSON.stringify(dynamodb?.NewImage);
      return text.includes(other.id) || SENT_AGAIN.test(text);
    };
    const records = (await recordsOf(stream)).filter((record) => !ofTheOther(record));
    stream.close();
    const { batchMax } = STREAM_READING;
    // The first records are those of the key; each call makes as many as the others.
    const perCall = (records.length - 3) / calls.length;
    const batches = Array.from({ length: Math.floor(records.length / batchMax) }, (_, at) => ({
      Records: records.slice(at * batchMax, (at + 1) * batchMax),
    }));
    const consumer = await run("record-audit", { warmUp: Math.floor(batches.length / 3), chunk: 1 }, batches);
    for (const answer of consumer.answers) expectRecorded(answer);

    return {
      proxyMs: median(proxy.cpuMs),
      requestsMs: median(proxy.bareMs),
      consumerMs: (median(consumer.cpuMs) / batchMax) * Math.round(perCall),
    };
  } finally {
    await Promise.all([engine.close(), stripe.close(), secrets.close()]);
    await rm(folder, { recursive: true });
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

function event(
  resource: string,
  path: string,
  proxy: string | null,
  headers: readonly string[],
  body: string,
): APIGatewayProxyEvent {
  return gatewayEvent({
    method: "POST",
    path,
    query: "",
    rawHeaders: [
      "Host",
      "127.0.0.1",
      "Accept",
      "application/json",
      "User-Agent",
      "Stripe/v1 NodeBindings/23.1.0",
      ...headers,
    ],
    body: Buffer.from(body),
    resource,
    pathParameters: proxy === null ? null : { proxy },
    sourceIp: "127.0.0.1",
    protocol: "HTTP/1.1",
    domainName: "127.0.0.1",
    port: 8787,
    stage: undefined,
    requestId: randomUUID(),
    extendedRequestId: randomUUID(),
    receivedMs: Date.now(),
  });
}

const issueEvent = () =>
  event(
    "/vault/keys",
    "/vault/keys",
    null,
    ["Authorization", `Bearer ${ADMIN_KEY}`, "Content-Type", "application/json"],
    JSON.stringify({
      vendor: "stripe",
      daily_usd_cap: 1_000_000,
      expires_in: "4h",
      agent_run_label: "bench/1",
    }),
  );

const paidEvent = (vaultKey: string) =>
  event(
    "/stripe/{proxy+}",
    "/stripe/v1/payment_intents",
    "v1/payment_intents",
    [
      "Authorization",
      `Bearer ${vaultKey}`,
      "Content-Type",
      "application/x-www-form-urlencoded",
      "Idempotency-Key",
      randomUUID(),
      "Stripe-Version",
      "2026-10-28",
    ],
    "amount=100&currency=usd&confirm=true&payment_method=pm_card_visa&customer=cus_123&metadata[order]=6735",
  );

interface HttpAnswer {
  readonly statusCode: number;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
}

function expectStatus(answer: unknown, status: number): HttpAnswer {
  const given = answer as HttpAnswer;
  if (given.statusCode !== status) throw new Error(`a call was answered with ${JSON.stringify(answer)}`);
  return given;
}

function issuedIn(answer: unknown): { readonly id: string; readonly vault_key: string } {
  const { body, isBase64Encoded } = expectStatus(answer, 201);
  return JSON.parse(Buffer.from(body, isBase64Encoded ? "base64" : "utf8").toString());
}

function expectRecorded(answer: unknown): void {
  const failures = JSON.stringify(answer);
  if (failures !== '{"batchItemFailures":[]}') throw new Error(`a batch was answered with ${failures}`);
}

async function recordsOf(stream: TableStream): Promise<readonly DynamoDBRecord[]> {
  const all: DynamoDBRecord[] = [];
  for await (const { ShardId: shardId = "" } of stream.shards()) {
    let iterator = await stream.iteratorAt(shardId, undefined);
    while (iterator !== undefined) {
      const { records, next } = await stream.read(iterator, 1_000);
      if (records.length === 0) break;
      all.push(...records);
      iterator = next;
    }
  }
  return all;
}

if (import.meta.main) {
  const [profiles] = process.argv.slice(2);
  const { proxyMs, requestsMs, consumerMs } = await measureCpu(profiles === undefined ? {} : { profiles });
  console.log(
    `a paid call takes ${proxyMs.toFixed(2)} ms of CPU in the proxy, its requests alone ${requestsMs.toFixed(2)} ms, and ${consumerMs.toFixed(2)} ms in the consumer`,
  );
}
