import { randomInt, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { build, DIST } from "../bin/build.ts";
import type { Vendor } from "../lambda/domain/vendor.ts";
import { ENV } from "../lambda/environment.ts";
import type { RateCardInput } from "../lambda/rate-card-input.ts";
import { type DefinitionInput, parseDefinitions } from "../lambda/vendors/configured/definition.ts";
import { BUILT_IN_NAMES, vendorRegistry } from "../lambda/vendors/index.ts";
import { RESOLVE_AFTER_S } from "../lib/limits.ts";
import { routesOf } from "../lib/routes.ts";
import { startDynamoDb } from "./aws/dynamodb.ts";
import { loadFunctions } from "./aws/functions.ts";
import { startGateway } from "./aws/gateway.ts";
import { type Invoke, invocationContext } from "./aws/invocation.ts";
import { startSchedules } from "./aws/schedules.ts";
import { startSecretsManager } from "./aws/secrets-manager.ts";
import { startStreamPoller } from "./aws/stream-poller.ts";
import { startStreamTrim } from "./aws/stream-trim.ts";
import { TABLES } from "./aws/tables.ts";
import { startTtlSweep } from "./aws/ttl-sweep.ts";
import type { Decision } from "./decision-line.ts";
import { consumedOf, decisionsFrom, refusalIn } from "./decisions.ts";
import { enterEnvironment } from "./environment.ts";
import { oneLine, StartError, systemReason } from "./start-error.ts";
import { type RunningVendor, startVendor, type VendorTarget, vendorNamed } from "./vendor-targets.ts";

const ADMIN_KEY_SECRET = "keybrake/admin-api-key";
const secretOf = ({ name, defaultCredential }: Vendor) => `keybrake/${name}/${defaultCredential}`;
const DEFINITION_RULES = { builtIn: BUILT_IN_NAMES, loopback: true };
const AUDIT_RETENTION_DAYS = 400;
const DRAIN_MS_MAX = 5_000;
/** One engine serves all functions here, so a burst of calls queues before it; a Lambda function has a second. */
const DYNAMODB_TIMEOUT_MS = 10_000;
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export interface LocalOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** The admin API key; a new one unless given. */
  readonly apiKey?: string | undefined;
  /** File that outlives the run; a temporary one unless given. */
  readonly dataFile?: string | undefined;
  readonly stage?: string | undefined;
  /** Names by which this machine is called beside its own, in lower case. */
  readonly hosts?: readonly string[];
  /** Vendor -> where its calls go. Each is simulated unless told. */
  readonly vendors?: Readonly<Record<string, VendorTarget>>;
  /** Vendors beside the built-in ones. */
  readonly definitions?: readonly DefinitionInput[];
  /** Rates and prices as lambda/rate-card-input.ts reads them; the defaults unless given. */
  readonly rateCard?: RateCardInput;
  /** Seconds after which an attempt without outcome is told as open; as deployed unless given. */
  readonly resolveAfterS?: number | undefined;
  /** An engine of the user's, for platforms without ours. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Folder with the bundles; they are built to dist unless given. */
  readonly functionsDirectory?: string;
  /** Told in a sentence what needs a person; stderr unless given. */
  readonly announce?: (message: string) => void;
  /** Told each decision once it is in the audit log, and each refusal that stands in none; nothing is read for it unless given. */
  readonly onDecision?: (decision: Decision) => void;
}

type Running = Pick<RunningVendor, "vendor" | "target" | "origin" | "booksUrl">;

export interface LocalRun {
  /** With the stage, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly dynamodbEndpoint: string;
  /** Where keys and rows are; undefined where the engine is the user's. */
  readonly data: { readonly file: string; readonly isTemporary: boolean } | undefined;
  readonly vendors: readonly Running[];
  /** The vendor of this name; throws where there is none. */
  vendor(name: string): Running;
  /** Resolves when every change of the Vault before the call is in the audit table, or in a dead letter. */
  drain(): Promise<void>;
  /** Tells the attempts that have been without outcome for too long now, and not with the next run of the schedule. */
  tellOpen(): Promise<void>;
  /** Calls whose function has not ended. */
  underWay(): number;
  /** Ends the calls under way, for which it waits `graceMs` at most, then the audit log, then everything else. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Runs the deployed bundles in this process with stand-ins for everything of AWS around them.
 *
 * One run at a time in a process: functions read its environment, which is put back at the end. Throws a StartError
 * where the user can mend it; what had been started is stopped then.
 */
export async function startLocal(options: LocalOptions = {}): Promise<LocalRun> {
  const announce = options.announce ?? ((message: string) => console.error(message));
  const apiKey = options.apiKey ?? newApiKey();
  const dataFile = options.dataFile === undefined ? undefined : resolve(options.dataFile);
  const closers: ((graceMs?: number) => Promise<void>)[] = [];
  const close = async (graceMs?: number) => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer(graceMs);
  };

  try {
    const accessKeyId = randomUUID();
    const leaveEnvironment = enterEnvironment({ AWS_ACCESS_KEY_ID: accessKeyId });
    closers.push(async () => leaveEnvironment());

    // First, since it is refused most often and the bundles take longer.
    const dynamodb = await startDynamoDb({ dataFile, fallbackEndpoint: options.dynamodbEndpoint, announce });
    closers.push(() => dynamodb.close());
    if (options.functionsDirectory === undefined) await buildFunctions();

    const definitions = parseDefinitions(options.definitions ?? [], DEFINITION_RULES);
    const registry = vendorRegistry(definitions);
    const vendors: RunningVendor[] = [];
    for (const vendor of registry.all) {
      const running = await startVendor(vendor, options.vendors?.[vendor.name] ?? { kind: "simulated" });
      closers.push(() => running.close());
      vendors.push(running);
    }

    const secrets = await startSecretsManager(
      new Map([
        [ADMIN_KEY_SECRET, apiKey],
        ...vendors.flatMap(({ vendor, credential }) =>
          credential === null ? [] : [[secretOf(vendor), credential] as const],
        ),
      ]),
      accessKeyId,
    );
    closers.push(() => secrets.close());

    Object.assign(
      process.env,
      functionEnvironment(dynamodb.endpoint, secrets.endpoint, vendors, options.rateCard ?? {}),
      definitions.length > 0 && { [ENV.vendors]: JSON.stringify(definitions) },
      { [ENV.resolveAfterS]: `${options.resolveAfterS ?? RESOLVE_AFTER_S}` },
      hints(options),
    );
    const invoke = loadFunctions(options.functionsDirectory ?? DIST);

    const sweep = startTtlSweep({
      client: dynamodb.client,
      tables: TABLES,
      onError: (error) => announce(`the TTL sweep failed: ${String(error)}`),
    });
    closers.push(() => sweep.close());

    const { resolveAfterS } = options;
    const schedules = startSchedules(
      invoke,
      resolveAfterS === undefined ? {} : { "record-audit": Math.max(1, resolveAfterS) * 1_000 },
      (error) => announce(`a scheduled function threw: ${described(error)}`),
    );
    closers.push(() => schedules.close());

    const { onDecision } = options;
    const decisionsIn = onDecision && decisionsFrom(dynamodb.client);
    const consume = async (event: DynamoDBStreamEvent) => {
      const answer = await invokeConsumer(invoke, event, announce);
      try {
        const decisions = await decisionsIn?.(consumedOf(event.Records, answer));
        for (const decision of decisions ?? []) onDecision?.(decision);
      } catch (error) {
        announce(`a decision cannot be shown here (the audit log has it): ${String(error)}`);
      }
      return answer;
    };

    const { engineFile } = dynamodb;
    const trim =
      engineFile && startStreamTrim({ file: engineFile, table: TABLES[0].name, announce, tell: announce });
    if (trim !== undefined) closers.push(() => trim.close());

    const poller = await startStreamPoller({
      client: dynamodb.client,
      endpoint: dynamodb.endpoint,
      table: TABLES[0],
      functionName: "record-audit",
      invoke: consume,
      checkpointFile: dataFile && `${dataFile}.checkpoint`,
      deadLetterDirectory: dataFile
        ? `${dataFile}.dead-letters`
        : join(tmpdir(), `keybrake-dead-letters-${randomUUID()}`),
      trim,
      announce,
    });
    closers.push(async () => {
      await Promise.race([poller.drain(), delay(DRAIN_MS_MAX, undefined, { ref: false })]);
      await poller.close();
    });

    const gateway = await startGateway({
      invoke,
      routes: routesOf(registry.names),
      port: options.port ?? 0,
      stage: options.stage,
      ...(options.hosts && { hosts: options.hosts }),
      onFunctionError: (error) => announce(`a function threw: ${described(error)}`),
      onAnswer: (exchange) => {
        const refusal = onDecision === undefined ? null : refusalIn(exchange);
        if (refusal !== null) onDecision?.(refusal);
      },
    });
    closers.push((graceMs) => gateway.close(graceMs));

    return {
      baseUrl: gateway.baseUrl,
      apiKey,
      dynamodbEndpoint: dynamodb.endpoint,
      data: dynamodb.data && { file: dynamodb.data.file, isTemporary: dynamodb.data.isTemporary },
      vendors,
      vendor: (name) => vendorNamed(vendors, name),
      drain: () => poller.drain(),
      tellOpen: async () => {
        await poller.drain();
        await schedules.run("record-audit");
      },
      underWay: () => gateway.underWay(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Builds the bundles; throws a StartError where the machine does not let us, or the sources do not compile. */
async function buildFunctions(): Promise<void> {
  try {
    await build();
  } catch (error) {
    const refused = systemReason(error);
    if (refused !== undefined)
      throw new StartError(
        `cannot write the built functions to ${DIST}: ${refused}; make it writable for this user`,
      );
    if (/"@esbuild\/|esbuild for another platform/i.test(oneLine(error)))
      throw new StartError(
        `esbuild has no binary for this platform: run \`npm ci\` on this machine without --omit=optional`,
      );
    throw new StartError(`the functions cannot be built: ${oneLine(error)}`);
  }
}

/** Everything our functions read, and what keeps their logs to warnings and errors, on stderr. */
function functionEnvironment(
  dynamodb: string,
  secrets: string,
  vendors: readonly RunningVendor[],
  rateCard: RateCardInput,
): Record<string, string> {
  const replaced = vendors.filter(({ target }) => target === "simulated" || target === "upstream");
  return {
    [ENV.vaultTable]: TABLES[0].name,
    [ENV.auditTable]: TABLES[1].name,
    [ENV.adminKeySecret]: ADMIN_KEY_SECRET,
    [ENV.credentialSecrets]: JSON.stringify(
      Object.fromEntries(
        vendors.map(({ vendor }) => [vendor.name, { [vendor.defaultCredential]: secretOf(vendor) }]),
      ),
    ),
    [ENV.vendorOrigins]: JSON.stringify(
      Object.fromEntries(replaced.map(({ vendor, origin }) => [vendor.name, origin])),
    ),
    [ENV.rateCard]: JSON.stringify(rateCard),
    [ENV.auditRetentionDays]: String(AUDIT_RETENTION_DAYS),
    [ENV.dynamodbTimeoutMs]: String(DYNAMODB_TIMEOUT_MS),
    [ENV.requestTokens]: "off",
    [ENV.credentialHints]: JSON.stringify(
      Object.fromEntries(vendors.map(({ vendor }) => [vendor.name, startItWith(vendor)])),
    ),
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets,
    POWERTOOLS_LOG_LEVEL: process.env["POWERTOOLS_LOG_LEVEL"] ?? "WARN",
    POWERTOOLS_METRICS_DISABLED: "true",
    POWERTOOLS_SERVICE_NAME: "keybrake",
  };
}

const startItWith = ({ local }: Vendor): string =>
  `start Keybrake with ${local.credential.map(({ name }) => name).join(" and ")}, or with ${local.origin} for a server of their own`;

/** Why a key of before is not known here: in the first hour that is why most calls are refused. */
function hints({ apiKey, dataFile }: LocalOptions): Record<string, string> {
  const given = "this run was started with KEYBRAKE_API_KEY; send the value that it had then";
  const made = "npm start makes a new API key at each start and prints it; set KEYBRAKE_API_KEY to keep one";
  const forgotten =
    "npm start forgets its keys when it ends, so the keys of an earlier start are gone; set KEYBRAKE_DATA to a file to keep them";
  return {
    [ENV.apiKeyHint]: apiKey === undefined ? made : given,
    ...(dataFile === undefined && { [ENV.vaultKeyHint]: forgotten }),
  };
}

/** What a consumer throws would otherwise show only once its retries have run out. */
async function invokeConsumer(
  invoke: Invoke,
  event: DynamoDBStreamEvent,
  announce: (message: string) => void,
): Promise<unknown> {
  try {
    return await invoke("record-audit", event, invocationContext("record-audit"));
  } catch (error) {
    announce(`record-audit threw: ${described(error)}`);
    throw error;
  }
}

const described = (error: unknown) =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

function newApiKey(): string {
  return `kb_${Array.from({ length: 40 }, () => BASE62[randomInt(BASE62.length)]).join("")}`;
}
