import { timingSafeEqual } from "node:crypto";
import { type ApiKey, hasScope, parseApiKey, type Scope } from "../../domain/api-key.ts";
import { Problem } from "../../domain/problem.ts";
import type { Secrets } from "../../domain/secrets.ts";
import { isSecretOf, sha256 } from "../../domain/token.ts";
import type { ApiKeys } from "../../ports/api-keys.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";
import { standingProblem } from "../proxy/denial-messages.ts";
import { ADMIN, type Caller } from "./caller.ts";

/** What the admin API key begins with, so that it is known when it turns up where it should not. A generated secret cannot have it. */
const PREFIX = "kb_";

const isSame = (token: string, expected: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(token)), Buffer.from(sha256(expected)));

/** What it takes to know who calls. */
export interface Door {
  readonly adminKey: () => Promise<string | null>;
  readonly vault: { readonly apiKeys: Pick<ApiKeys, "read"> } & Pick<Vault, "balances">;
  readonly clock: Clock;
  readonly secrets: Secrets;
  /** Where this runs, as far as it explains that a key is not known. */
  readonly apiKeyHint: string | null;
}

/**
 * Lets a caller pass that has this scope: the holder of an API key, or of the admin API key, which has all of them (the secret as
 * it is, or with `kb_` before it). Compares hashes, in a time that tells nothing.
 *
 * Throws 401 for a key that is missing, unknown or revoked, and 403 `scope_missing` for one without the scope.
 */
export async function findCaller(token: string | null, scope: Scope, door: Door): Promise<Caller> {
  if (token === null)
    throw new Problem(
      "api_key_invalid",
      "missing API key; send it as Authorization: Bearer <KEYBRAKE_API_KEY>",
    );
  const parsed = parseApiKey(token);
  const caller = parsed === null ? await admin(token, door) : await holder(parsed, door);
  if (caller === null) {
    const { secrets, apiKeyHint } = door;
    throw new Problem(
      "api_key_invalid",
      `unknown API key; it looks like ${secrets.looksLike(token)}; send an API key as Authorization: Bearer <KEYBRAKE_API_KEY>${apiKeyHint === null ? "" : `; ${apiKeyHint}`}`,
    );
  }
  if (caller.apiKey !== null && !hasScope(caller.apiKey, scope)) throw scopeMissing(caller.apiKey, scope);
  return caller;
}

async function admin(token: string, { adminKey }: Door): Promise<Caller | null> {
  const expected = await adminKey();
  const isAdmin = expected !== null && (isSame(token, expected) || isSame(token, `${PREFIX}${expected}`));
  return isAdmin ? ADMIN : null;
}

async function holder(
  { id, secret }: { readonly id: string; readonly secret: string },
  { vault, clock }: Door,
): Promise<Caller | null> {
  const apiKey = await vault.apiKeys.read(id);
  if (apiKey === null || !isSecretOf(secret, apiKey.secretHash)) return null;
  const chain = [...apiKey.above, id];
  const ended = standingProblem(chain, await vault.balances.read(chain), clock.now());
  if (ended !== null) throw ended;
  return { id, apiKey };
}

const scopeMissing = ({ apiKeyId, name, scopes }: ApiKey, scope: Scope) =>
  new Problem(
    "scope_missing",
    `API key ${apiKeyId} (${name}) lacks the scope "${scope}"; it has ${scopes.join(", ")}; use a key that has it`,
    { details: { api_key_id: apiKeyId, scope } },
  );
