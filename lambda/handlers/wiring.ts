import { DynamoAuditReader } from "../adapters/dynamo-audit-reader.ts";
import { dynamoClients } from "../adapters/dynamo-clients.ts";
import { DynamoSpending } from "../adapters/dynamo-spending.ts";
import { DynamoVault } from "../adapters/dynamo-vault.ts";
import { HttpsVendor } from "../adapters/https-vendor.ts";
import { randomIds } from "../adapters/random-ids.ts";
import { CachedSecrets, secretsManagerClient, vendorCredentials } from "../adapters/secrets-manager.ts";
import { TableLayout } from "../adapters/table-layout.ts";
import { dynamoApiKeys } from "../adapters/vault/api-keys.ts";
import { dynamoBalances } from "../adapters/vault/balances.ts";
import { dynamoCalls } from "../adapters/vault/calls.ts";
import { dynamoDueList } from "../adapters/vault/due-list.ts";
import { dynamoLogins, dynamoReadLogins } from "../adapters/vault/logins.ts";
import { dynamoObjects } from "../adapters/vault/objects.ts";
import { dynamoPolicies } from "../adapters/vault/policies.ts";
import { dynamoStopRecords, dynamoStops } from "../adapters/vault/stops.ts";
import { VaultTable } from "../adapters/vault/vault-table.ts";
import type { Door } from "../app/keys/find-caller.ts";
import type { ProxyPorts } from "../app/proxy/proxy-ports.ts";
import { ENV } from "../environment.ts";
import type { Clock } from "../ports/clock.ts";
import type { DueList } from "../ports/due-list.ts";
import type { StopsVault } from "../ports/stops.ts";
import type { CallVault } from "../ports/vault.ts";
import { type RateCardInput, rateCardOf } from "../rate-card-input.ts";
import { log } from "./log.ts";
import { vendors } from "./vendors.ts";

/** What the handlers share: made once for each process, from environment variables that are checked at once. */

export const systemClock: Clock = { now: () => Date.now() };

const DYNAMODB_TIMEOUT_MS = 1_000;

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** What a refusal says beside, for a person who runs this on one machine; null where nothing is set. */
export const hint = (name: typeof ENV.apiKeyHint | typeof ENV.vaultKeyHint): string | null =>
  process.env[name] || null;

type CredentialSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Vendor -> credential -> name or ARN of its secret. */
export const credentialSecrets = (): CredentialSecrets =>
  JSON.parse(required(ENV.credentialSecrets)) as CredentialSecrets;

/** Where a call goes. An origin that is configured for a vendor stands for all of its hosts. */
function destinationOf(): ProxyPorts["destinationOf"] {
  const instead = JSON.parse(process.env[ENV.vendorOrigins] ?? "{}") as Readonly<Record<string, string>>;
  return ({ name, origins }, { host, path, standInPath }) => {
    const origin = instead[name];
    return origin === undefined
      ? { origin: origins[host] ?? origins.main, path }
      : { origin, path: standInPath };
  };
}

/** What it takes to call a vendor. */
export const vendorPorts = () => ({
  vendors,
  credentials: vendorCredentials(
    cachedSecrets(),
    credentialSecrets(),
    JSON.parse(process.env[ENV.credentialHints] ?? "{}") as Readonly<Record<string, string>>,
  ),
  http: new HttpsVendor(),
  clock: systemClock,
  ids: randomIds,
  destinationOf: destinationOf(),
  rateCard: rateCardOf(JSON.parse(process.env[ENV.rateCard] ?? "{}") as RateCardInput, vendors.all),
  warn,
});

const { redact } = vendors.secrets;

/**
 * For an operator: what failed, by name and message. Never a request, a header, a body or an item, which errors of
 * parsers and clients carry along.
 */
export const warn = (message: string, cause: unknown): void => {
  const text = redact(message);
  if (cause instanceof Error)
    log("WARN", text, { cause: { name: cause.name, message: redact(cause.message) } });
  else log("WARN", text);
};

/** For an operator: what happened, in fields that a query finds. The caller sees to it that no secret is in them. */
export const note = (message: string, fields: Readonly<Record<string, string | number>>): void =>
  log("INFO", message, fields);

export const clients = () =>
  dynamoClients(
    Number(process.env[ENV.dynamodbTimeoutMs] ?? DYNAMODB_TIMEOUT_MS),
    process.env[ENV.requestTokens] !== "off",
  );
type Clients = ReturnType<typeof clients>;

export const dynamoVault = (using: Clients) => new DynamoVault(using, required(ENV.vaultTable), warn);
/** What a call needs, for functions that manage no keys: the rest would make their bundles larger. */
export const callVault = (using: Clients): CallVault => {
  const table = new VaultTable(using, required(ENV.vaultTable), warn);
  return {
    policies: dynamoPolicies(table),
    balances: dynamoBalances(table),
    calls: dynamoCalls(table),
    objects: dynamoObjects(table),
  };
};
/** What it takes to know who calls, for functions that need nothing else of the Vault table. */
export const callersVault = (using: Clients): Omit<Door["vault"], "logins"> => {
  const table = new VaultTable(using, required(ENV.vaultTable), warn);
  return { apiKeys: dynamoApiKeys(table), balances: dynamoBalances(table) };
};
/** Logins of the dashboard, for the function that starts and ends them. */
export const loginsOf = (using: Clients) =>
  dynamoLogins(new VaultTable(using, required(ENV.vaultTable), warn));
/** The stops, for functions that order them or heed them. */
export const stopsVault = (using: Clients): StopsVault => {
  const table = new VaultTable(using, required(ENV.vaultTable), warn);
  return { stops: dynamoStops(table), stopRecords: dynamoStopRecords(table) };
};
/** The calls that something of is not finished. */
export const dueList = (using: Clients): DueList =>
  dynamoDueList(new VaultTable(using, required(ENV.vaultTable), warn));
/** `marks`: whether the function writes items of the Vault table. */
export const tableLayout = (using: Clients, marks: boolean) =>
  new TableLayout(using.steady, required(ENV.vaultTable), marks, warn);
export const auditReader = (using: Clients) => new DynamoAuditReader(using.steady, required(ENV.auditTable));
export const spendingOf = (using: Clients) => new DynamoSpending(using.steady, required(ENV.auditTable));
const cachedSecrets = () => new CachedSecrets(secretsClient(), systemClock);

/** Soon given up: what is known serves for a while, and a call has to end in time with its row written. */
const SECRETS_TIMEOUT_MS = 2_000;

const secretsClient = () => secretsManagerClient(SECRETS_TIMEOUT_MS);

/** What it takes to know who calls; the admin API key is read when it is needed. */
export const frontDoor = (using: Clients, vault: Omit<Door["vault"], "logins">): Door => {
  const secrets = cachedSecrets();
  const secretId = required(ENV.adminKeySecret);
  return {
    adminKey: () => secrets.get(secretId, false),
    vault: {
      apiKeys: vault.apiKeys,
      balances: vault.balances,
      logins: dynamoReadLogins(new VaultTable(using, required(ENV.vaultTable), warn)),
    },
    clock: systemClock,
    secrets: vendors.secrets,
    apiKeyHint: hint(ENV.apiKeyHint),
  };
};
