import { timingSafeEqual } from "node:crypto";
import { type ApiKey, hasScope, parseApiKey, type Scope } from "../../domain/api-key.ts";
import { isLoginSecret, isOn, isProofOf, type Login } from "../../domain/login.ts";
import { Problem } from "../../domain/problem.ts";
import type { Secrets } from "../../domain/secrets.ts";
import { isSecretOf, sha256 } from "../../domain/token.ts";
import type { ApiKeys } from "../../ports/api-keys.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ReadLogins } from "../../ports/logins.ts";
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
  readonly vault: {
    readonly apiKeys: Pick<ApiKeys, "read">;
    readonly logins: ReadLogins;
  } & Pick<Vault, "balances">;
  readonly clock: Clock;
  readonly secrets: Secrets;
  /** Where this runs, as far as it explains that a key is not known. */
  readonly apiKeyHint: string | null;
}

/**
 * Lets a caller pass that has this scope (null: any): the holder of an API key, or of the admin API key, which has all of them
 * (the secret as it is, or with `kb_` before it). Compares hashes, in a time that tells nothing.
 *
 * Throws 401 for a key that is missing, unknown or revoked, and 403 `scope_missing` for one without the scope.
 */
export async function findCaller(token: string | null, scope: Scope | null, door: Door): Promise<Caller> {
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
  return withScope(caller, scope);
}

/** Who a login stands for. */
export interface LoggedIn {
  readonly caller: Caller;
  readonly login: Login;
}

/**
 * Lets whoever shows the secret of a login pass, with the scopes that the API key behind it has. The key is looked at anew: one
 * that was revoked, and an admin API key that was rotated, end the login.
 *
 * Throws 401 for a login that is unknown or over, or whose key is, and 403 `scope_missing`.
 */
export async function findLogin(secret: string, scope: Scope | null, door: Door): Promise<LoggedIn> {
  const login = isLoginSecret(secret) ? await door.vault.logins.read(sha256(secret)) : null;
  if (login === null || !isOn(login, door.clock.now())) throw loginEnded();
  return { caller: withScope(await callerBehind(login, secret, door), scope), login };
}

/** Who an API key belongs to that a login or a code was made with. `secret`: of that login or code. Throws 401 where it ended. */
export async function callerBehind(
  { apiKeyId, adminProof }: Pick<Login, "apiKeyId" | "adminProof">,
  secret: string,
  door: Door,
): Promise<Caller> {
  if (adminProof !== null) {
    const expected = await door.adminKey();
    if (expected !== null && isProofOf(adminProof, secret, expected)) return ADMIN;
    throw loginEnded();
  }
  const apiKey = await door.vault.apiKeys.read(apiKeyId);
  if (apiKey === null) throw loginEnded();
  return inUse(apiKey, door);
}

const loginEnded = () =>
  new Problem("login_ended", "this login is over or unknown; sign in to the dashboard again");

async function admin(token: string, { adminKey }: Door): Promise<Caller | null> {
  const expected = await adminKey();
  const isAdmin = expected !== null && (isSame(token, expected) || isSame(token, `${PREFIX}${expected}`));
  return isAdmin ? ADMIN : null;
}

async function holder(
  { id, secret }: { readonly id: string; readonly secret: string },
  door: Door,
): Promise<Caller | null> {
  const apiKey = await door.vault.apiKeys.read(id);
  if (apiKey === null || !isSecretOf(secret, apiKey.secretHash)) return null;
  return inUse(apiKey, door);
}

/** Throws where it, or a key above it, was revoked. */
async function inUse(apiKey: ApiKey, { vault, clock }: Door): Promise<Caller> {
  const chain = [...apiKey.above, apiKey.apiKeyId];
  const ended = standingProblem(chain, await vault.balances.read(chain), clock.now());
  if (ended !== null) throw ended;
  return { id: apiKey.apiKeyId, apiKey };
}

function withScope(caller: Caller, scope: Scope | null): Caller {
  if (scope !== null && caller.apiKey !== null && !hasScope(caller.apiKey, scope))
    throw scopeMissing(caller.apiKey, scope);
  return caller;
}

const scopeMissing = ({ apiKeyId, name, scopes }: ApiKey, scope: Scope) =>
  new Problem(
    "scope_missing",
    `API key ${apiKeyId} (${name}) lacks the scope "${scope}"; it has ${scopes.join(", ")}; use a key that has it`,
    { details: { api_key_id: apiKeyId, scope } },
  );
