import type { Vendor } from "../lambda/domain/vendor.ts";
import { ENV } from "../lambda/environment.ts";
import type { RateCardInput } from "../lambda/rate-card-input.ts";
import type { DefinitionInput } from "../lambda/vendors/configured/definition.ts";
import { RESOLVE_AFTER_S } from "../lib/limits.ts";
import { TABLES } from "./aws/tables.ts";
import type { RunningVendor } from "./vendor-targets.ts";

const ADMIN_KEY_SECRET = "keybrake/admin-api-key";
const secretOf = ({ name, defaultCredential }: Vendor) => `keybrake/${name}/${defaultCredential}`;
/** As deployed by default. */
const SPEND_RATE_USD = "100";
/** The event bus of a local run. */
export const EVENT_BUS = "keybrake";
const AUDIT_RETENTION_DAYS = 400;
/** One engine serves all functions here, so a burst of calls queues before it; a Lambda function has a second. */
const DYNAMODB_TIMEOUT_MS = 10_000;

/** The secrets that the functions find: name -> value. */
export const secretsOf = (apiKey: string, vendors: readonly RunningVendor[]): ReadonlyMap<string, string> =>
  new Map([
    [ADMIN_KEY_SECRET, apiKey],
    ...vendors.flatMap(({ vendor, credential }) =>
      credential === null ? [] : [[secretOf(vendor), credential] as const],
    ),
  ]);

/** What a run was started with, as far as its functions read of it. */
export interface FunctionSettings {
  readonly apiKey?: string | undefined;
  readonly dataFile?: string | undefined;
  readonly rateCard?: RateCardInput;
  readonly resolveAfterS?: number | undefined;
}

export interface FunctionSurroundings {
  readonly dynamodbEndpoint: string;
  readonly secretsEndpoint: string;
  readonly eventsEndpoint: string;
  readonly vendors: readonly RunningVendor[];
  readonly definitions: readonly DefinitionInput[];
}

/** Everything our functions read, and what keeps their logs to warnings and errors, on stderr. */
export function functionEnvironment(
  settings: FunctionSettings,
  { dynamodbEndpoint, secretsEndpoint, eventsEndpoint, vendors, definitions }: FunctionSurroundings,
): Readonly<Record<string, string>> {
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
    [ENV.rateCard]: JSON.stringify(settings.rateCard ?? {}),
    [ENV.auditRetentionDays]: String(AUDIT_RETENTION_DAYS),
    [ENV.dynamodbTimeoutMs]: String(DYNAMODB_TIMEOUT_MS),
    [ENV.requestTokens]: "off",
    [ENV.credentialHints]: JSON.stringify(
      Object.fromEntries(vendors.map(({ vendor }) => [vendor.name, startItWith(vendor)])),
    ),
    AWS_ENDPOINT_URL_DYNAMODB: dynamodbEndpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsEndpoint,
    AWS_ENDPOINT_URL_EVENTBRIDGE: eventsEndpoint,
    [ENV.eventBus]: EVENT_BUS,
    [ENV.spendRateUsd]: SPEND_RATE_USD,
    POWERTOOLS_LOG_LEVEL: process.env["POWERTOOLS_LOG_LEVEL"] ?? "WARN",
    POWERTOOLS_METRICS_DISABLED: "true",
    POWERTOOLS_SERVICE_NAME: "keybrake",
    ...(definitions.length > 0 && { [ENV.vendors]: JSON.stringify(definitions) }),
    [ENV.resolveAfterS]: `${settings.resolveAfterS ?? RESOLVE_AFTER_S}`,
    ...hints(settings),
  };
}

const startItWith = ({ local }: Vendor): string =>
  `start Keybrake with ${local.credential.map(({ name }) => name).join(" and ")}, or with ${local.origin} for a server of their own`;

/** Why a key of before is not known here: in the first hour that is why most calls are refused. */
function hints({ apiKey, dataFile }: FunctionSettings): Record<string, string> {
  const given = "this run was started with KEYBRAKE_API_KEY; send the value that it had then";
  const made = "npm start makes a new API key at each start and prints it; set KEYBRAKE_API_KEY to keep one";
  const forgotten =
    "npm start forgets its keys when it ends, so the keys of an earlier start are gone; set KEYBRAKE_DATA to a file to keep them";
  return {
    [ENV.apiKeyHint]: apiKey === undefined ? made : given,
    ...(dataFile === undefined && { [ENV.vaultKeyHint]: forgotten }),
  };
}
