import { Logger } from "@aws-lambda-powertools/logger";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { DynamoAuditReader } from "../adapters/dynamo-audit-reader.ts";
import { dynamoClients } from "../adapters/dynamo-clients.ts";
import { DynamoVault } from "../adapters/dynamo-vault.ts";
import { CachedSecrets } from "../adapters/secrets-manager.ts";
import { ENV } from "../environment.ts";
import type { Clock } from "../ports.ts";

/** What the handlers share: made once for each process, from environment variables that are checked at once. */

export const systemClock: Clock = { now: () => Date.now() };

const DYNAMODB_TIMEOUT_MS = 1_000;

export function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`the environment variable ${name} is not set`);
  return value;
}

type CredentialSecrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Vendor -> credential -> name or ARN of its secret. */
export const credentialSecrets = (): CredentialSecrets =>
  JSON.parse(required(ENV.credentialSecrets)) as CredentialSecrets;

const logger = new Logger();

/**
 * For an operator: what failed, by name and message. Never a request, a header, a body or an item, which errors of
 * parsers and clients carry along.
 */
export const warn = (message: string, cause: unknown): void => {
  if (cause instanceof Error) logger.warn(message, { cause: { name: cause.name, message: cause.message } });
  else logger.warn(message);
};

export const clients = () => dynamoClients(Number(process.env[ENV.dynamodbTimeoutMs] ?? DYNAMODB_TIMEOUT_MS));
type Clients = ReturnType<typeof clients>;

export const dynamoVault = (using: Clients) => new DynamoVault(using, required(ENV.vaultTable), warn);
export const auditReader = (using: Clients) => new DynamoAuditReader(using.steady, required(ENV.auditTable));
export const cachedSecrets = () => new CachedSecrets(new SecretsManagerClient({}), systemClock);

/** Reads the admin API key when it is needed. */
export const adminKeyReader = (): (() => Promise<string | null>) => {
  const secrets = cachedSecrets();
  const secretId = required(ENV.adminKeySecret);
  return () => secrets.get(secretId, false);
};
