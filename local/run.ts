import { randomInt, randomUUID } from "node:crypto";
import { dirname, resolve } from "node:path";
import { stop } from "esbuild";
import { build, DIST } from "../bin/build.ts";
import { ENV } from "../lambda/environment.ts";
import type { RateCardInput } from "../lambda/rate-card-input.ts";
import { type DefinitionInput, parseDefinitions } from "../lambda/vendors/configured/definition.ts";
import { BUILT_IN_NAMES, vendorRegistry } from "../lambda/vendors/index.ts";
import { routesOf } from "../lib/routes.ts";
import { startAuditFeed } from "./audit-feed.ts";
import { startDynamoDb } from "./aws/dynamodb.ts";
import { type EventDetail, startEventBridge } from "./aws/event-bridge.ts";
import { loadFunctions } from "./aws/functions.ts";
import { startGateway } from "./aws/gateway.ts";
import type { Invoke } from "./aws/invocation.ts";
import { watchRoom } from "./aws/room-watch.ts";
import { startSchedules } from "./aws/schedules.ts";
import { startSecretsManager } from "./aws/secrets-manager.ts";
import { TABLES } from "./aws/tables.ts";
import { startTtlSweep } from "./aws/ttl-sweep.ts";
import type { Decision } from "./decision-line.ts";
import { refusalIn } from "./decisions.ts";
import { enterEnvironment } from "./environment.ts";
import { eventsAnswer } from "./events-answer.ts";
import { EVENT_BUS, functionEnvironment, secretsOf } from "./function-environment.ts";
import { described, oneLine, StartError, systemReason } from "./start-error.ts";
import { type RunningVendor, startVendor, type VendorTarget, vendorNamed } from "./vendor-targets.ts";

const DEFINITION_RULES = { builtIn: BUILT_IN_NAMES, loopback: true };
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
  /** Seconds after which an attempt without outcome is looked at, and finished; as deployed unless given. */
  readonly resolveAfterS?: number | undefined;
  /** Another DynamoDB in place of our engine. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Puts something between the functions and the engine: is given the engine's address, and gives the one to use. */
  readonly beforeDynamoDb?: (endpoint: string) => Promise<string>;
  /** The same before Secrets Manager. */
  readonly beforeSecretsManager?: (endpoint: string) => Promise<string>;
  /** Puts something around the functions: is given what invokes them, and gives what to invoke in its place. */
  readonly aroundFunctions?: (invoke: Invoke) => Invoke;
  /** Folder with the bundles; they are built to dist unless given. */
  readonly functionsDirectory?: string;
  /** Told in a sentence what needs a person; stderr unless given. */
  readonly announce?: (message: string) => void;
  /** Told each decision once it is in the audit log, and each refusal that stands in none; nothing is read for it unless given. */
  readonly onDecision?: (decision: Decision) => void;
  /** Told each event that is sent. */
  readonly onEvent?: (event: EventDetail) => void;
}

type Running = Pick<RunningVendor, "vendor" | "target" | "origin" | "booksUrl">;

export interface LocalRun {
  /** With the stage, without a slash at the end. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly dynamodbEndpoint: string;
  /** Where keys and rows are; undefined where they are in another DynamoDB. */
  readonly data: { readonly file: string; readonly isTemporary: boolean } | undefined;
  readonly vendors: readonly Running[];
  /** The vendor of this name; throws where there is none. */
  vendor(name: string): Running;
  /** Resolves when every change of the Vault before the call is in the audit table, or in a dead letter. */
  drain(): Promise<void>;
  /** Tells the attempts that have been without outcome for too long now, and not with the next run of the schedule. */
  tellOpen(): Promise<void>;
  /** Finishes those on evidence now, and not after the next run of the schedule. */
  resolveCalls(): Promise<void>;
  /** Revokes what the stops in force have left, and not with the next run of the schedule. */
  applyStops(): Promise<void>;
  /** The address of the dashboard with a code that signs in once, within a minute. */
  dashboardUrl(): Promise<string>;
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
  const closers: ((graceMs?: number) => Promise<void> | void)[] = [];
  const close = async (graceMs?: number) => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer(graceMs);
  };

  try {
    const leaveEnvironment = enterEnvironment({ AWS_ACCESS_KEY_ID: newAccessKeyId() });
    closers.push(leaveEnvironment);

    // First, since it is refused most often and the bundles take longer.
    const dynamodb = await startDynamoDb({ dataFile, endpoint: options.dynamodbEndpoint, announce });
    closers.push(dynamodb.close);
    if (dynamodb.data !== undefined)
      closers.push(watchRoom({ path: dirname(dynamodb.data.file), announce }).close);
    if (options.functionsDirectory === undefined) await buildFunctions();

    const definitions = parseDefinitions(options.definitions ?? [], DEFINITION_RULES);
    const registry = vendorRegistry(definitions);
    const vendors: RunningVendor[] = [];
    for (const vendor of registry.all) {
      const running = await startVendor(vendor, options.vendors?.[vendor.name] ?? { kind: "simulated" });
      closers.push(running.close);
      vendors.push(running);
    }

    // Not the one that DynamoDB learns: that may be another one, which is to open no secret.
    const accessKeyId = newAccessKeyId();
    const secrets = await startSecretsManager(secretsOf(apiKey, vendors), accessKeyId);
    closers.push(secrets.close);
    // Told once there is what it wakes.
    const wake = { now: () => {} };
    const eventBridge = await startEventBridge(EVENT_BUS, accessKeyId, options.onEvent ?? (() => {}), () =>
      wake.now(),
    );
    closers.push(eventBridge.close);

    const surroundings = {
      dynamodbEndpoint: (await options.beforeDynamoDb?.(dynamodb.endpoint)) ?? dynamodb.endpoint,
      secretsEndpoint: withAccessKey(
        (await options.beforeSecretsManager?.(secrets.endpoint)) ?? secrets.endpoint,
        accessKeyId,
      ),
      eventsEndpoint: withAccessKey(eventBridge.endpoint, accessKeyId),
      vendors,
      definitions,
    };
    Object.assign(process.env, functionEnvironment(options, surroundings), {
      // Where it will be, unless any free port is taken: events that an earlier run left may go out before it listens.
      [ENV.baseUrl]: `http://127.0.0.1:${options.port ?? 0}${options.stage === undefined ? "" : `/${options.stage}`}`,
    });
    const loaded = loadFunctions(options.functionsDirectory ?? DIST);
    const invoke = options.aroundFunctions?.(loaded) ?? loaded;

    const sweep = startTtlSweep({
      client: dynamodb.client,
      tables: TABLES,
      onError: (error) => announce(`the TTL sweep failed: ${String(error)}`),
    });
    closers.push(sweep.close);

    const { resolveAfterS } = options;
    const soonerMs = resolveAfterS === undefined ? undefined : Math.max(1, resolveAfterS) * 1_000;
    const schedules = startSchedules({
      invoke,
      sooner: soonerMs === undefined ? {} : { "record-audit": soonerMs },
      atOnce: dataFile !== undefined,
      onError: (error) => announce(`a scheduled function threw: ${described(error)}`),
    });
    closers.push(schedules.close);
    wake.now = () => schedules.wake("resolve-calls");

    const { onDecision } = options;
    const audit = await startAuditFeed({ dynamodb, invoke, dataFile, announce, onDecision });
    closers.push(audit.close);

    const gateway = await startGateway({
      invoke,
      routes: routesOf(registry.names),
      own: [
        {
          method: "GET",
          path: "/vault/events",
          handler: eventsAnswer({
            client: dynamodb.client,
            apiKey,
            secrets: registry.secrets,
            events: eventBridge.events,
          }),
        },
      ],
      port: options.port ?? 0,
      stage: options.stage,
      ...(options.hosts && { hosts: options.hosts }),
      onFunctionError: (error) => announce(`a function threw: ${described(error)}`),
      onAnswer: (exchange) => {
        const refusal = onDecision === undefined ? null : refusalIn(exchange);
        if (refusal !== null) onDecision?.(refusal);
      },
    });
    closers.push(gateway.close);
    process.env[ENV.baseUrl] = gateway.baseUrl;

    return {
      baseUrl: gateway.baseUrl,
      apiKey,
      dynamodbEndpoint: dynamodb.endpoint,
      data: dynamodb.data && { file: dynamodb.data.file, isTemporary: dynamodb.data.isTemporary },
      vendors,
      vendor: (name) => vendorNamed(vendors, name),
      drain: () => audit.drain(),
      tellOpen: async () => {
        await audit.drain();
        await schedules.run("record-audit");
      },
      resolveCalls: async () => {
        await audit.drain();
        await schedules.run("record-audit");
        await schedules.idle("resolve-calls");
        await audit.drain();
      },
      applyStops: async () => {
        await schedules.run("apply-stops");
      },
      dashboardUrl: () => dashboardUrl(gateway.baseUrl, apiKey),
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
    // esbuild stays for the next build, with 200 MB; there is none.
    await stop();
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

async function dashboardUrl(baseUrl: string, apiKey: string): Promise<string> {
  const answer = await fetch(`${baseUrl}/dashboard/codes`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiKey}` },
  });
  if (!answer.ok) throw new Error(`the dashboard gave no code: ${answer.status} ${await answer.text()}`);
  const { url } = (await answer.json()) as { readonly url: string };
  return url;
}

/** Of letters and digits, which is all that DynamoDB Local takes. */
const newAccessKeyId = (): string => randomUUID().replaceAll("-", "");

/** The address of a stand-in, with the access key id that opens it. */
function withAccessKey(endpoint: string, accessKeyId: string): string {
  const url = new URL(endpoint);
  url.username = accessKeyId;
  return url.href;
}

function newApiKey(): string {
  return `kb_${Array.from({ length: 40 }, () => BASE62[randomInt(BASE62.length)]).join("")}`;
}
