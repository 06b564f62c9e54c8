import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import { Problem } from "../domain/problem.ts";
import type { Clock } from "../ports/clock.ts";
import type { Credentials } from "../ports/credentials.ts";
import { SECRETS_MANAGER, sendDirectly } from "./direct-sender.ts";
import { environmentProvider } from "./environment-credentials.ts";
import { keptAgents } from "./kept-agents.ts";

const FRESH_MS = 300_000;
const STALE_MS_MAX = 3_600_000;
/** For so long an unset secret is not asked for again, since each question costs: it works soon after it is set. */
const UNSET_MS = 5_000;

const SENDS_MAX = 2;
const SOCKETS_MAX = 50;

/** `timeoutMs`: for one request, of which there are two at most. */
export function secretsManagerClient(timeoutMs: number): SecretsManagerClient {
  const client = new SecretsManagerClient({
    maxAttempts: SENDS_MAX,
    cacheMiddleware: true,
    credentials: environmentProvider,
  });
  sendDirectly(client, SECRETS_MANAGER, { agents: keptAgents(SOCKETS_MAX), timeoutMs });
  return client;
}

/**
 * Reads secrets, each at most once in five minutes however many calls ask at once. When Secrets Manager fails, what is
 * known serves for up to an hour; then a Problem is thrown. A secret without a value is null.
 */
export class CachedSecrets {
  readonly #client: SecretsManagerClient;
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly value: string; readonly readAtMs: number }>();
  readonly #unset = new Map<string, number>();
  readonly #reading = new Map<string, Promise<string | null>>();

  constructor(client: SecretsManagerClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** `fresh`: goes past what is known. */
  async get(secretId: string, fresh: boolean): Promise<string | null> {
    const known = this.#known.get(secretId);
    if (!fresh && known !== undefined && this.#clock.now() - known.readAtMs < FRESH_MS) return known.value;
    const unsetAtMs = this.#unset.get(secretId);
    if (unsetAtMs !== undefined && this.#clock.now() - unsetAtMs < UNSET_MS) return null;
    const reading =
      this.#reading.get(secretId) ?? this.#read(secretId).finally(() => this.#reading.delete(secretId));
    this.#reading.set(secretId, reading);
    return reading;
  }

  async #read(secretId: string): Promise<string | null> {
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: secretId }));
      const value = SecretString?.trim() ?? "";
      if (value === "") return this.#isUnset(secretId);
      this.#known.set(secretId, { value, readAtMs: this.#clock.now() });
      return value;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return this.#isUnset(secretId);
      const known = this.#known.get(secretId);
      if (known !== undefined && this.#clock.now() - known.readAtMs < STALE_MS_MAX) return known.value;
      throw new Problem(
        "secrets_unavailable",
        "Secrets Manager did not answer, and nothing was done; repeat the request",
        { cause: error },
      );
    }
  }

  #isUnset(secretId: string): null {
    this.#known.delete(secretId);
    this.#unset.set(secretId, this.#clock.now());
    return null;
  }
}

/** `secretIds`: vendor -> credential -> name of its secret. `hints`: vendor -> how to set it, where it is not by AWS. */
export const vendorCredentials = (
  secrets: CachedSecrets,
  secretIds: Readonly<Record<string, Readonly<Record<string, string>>>>,
  hints: Readonly<Record<string, string>>,
): Credentials => ({
  async read({ vendor, credential, fresh }) {
    const secretId = secretIds[vendor]?.[credential];
    return secretId === undefined ? null : secrets.get(secretId, fresh);
  },
  howToSet({ vendor, credential }) {
    const secretId = secretIds[vendor]?.[credential];
    if (secretId === undefined)
      return `name it in the configuration of the deployment, under credentials.${vendor}`;
    return (
      hints[vendor] ??
      `set it with: aws secretsmanager put-secret-value --secret-id ${secretId} --secret-string file:///dev/stdin`
    );
  },
});
