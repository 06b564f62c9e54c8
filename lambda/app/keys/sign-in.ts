import { parseApiKey } from "../../domain/api-key.ts";
import {
  addressGroup,
  adminProof,
  CODE_LASTS_MS,
  CODE_LENGTH,
  FAILED_LOGINS_MAX,
  isCode,
  LOGIN_LASTS_MS,
  LOGIN_SECRET_LENGTH,
  type Login,
  TRIES_WINDOW_MS,
  triesWindowMs,
} from "../../domain/login.ts";
import { Problem } from "../../domain/problem.ts";
import { sha256 } from "../../domain/token.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Logins } from "../../ports/logins.ts";
import type { Caller } from "./caller.ts";
import { callerBehind, type Door, findCaller } from "./find-caller.ts";

/** Logins of the dashboard: how they begin and end (docs/decisions/0052-signing-in.md). */

export interface LoginPorts {
  readonly door: Door;
  readonly logins: Logins;
  readonly ids: Ids;
}

/** What somebody signs in with. */
export type Shown =
  | { readonly kind: "api_key"; readonly apiKey: string }
  | { readonly kind: "code"; readonly code: string };

/** A login that began, and the secret that shows it. */
export interface Started {
  readonly secret: string;
  readonly caller: Caller;
  readonly login: Login;
}

/**
 * Starts a login for whoever shows an API key or a code that is not used. Its secret is always a new one, and `former`, the
 * login that the browser had, ends: nobody can be made to use a login that somebody else knows.
 *
 * An attempt with what may be a weak admin API key is counted for the caller's address before it is looked at, and given back
 * unless it was a wrong guess. Codes and API keys have 190 random bits and more: they are not counted. Throws 429 `too_many_logins`
 * where too many were wrong, and 401 for what is unknown, used or over.
 */
export async function signIn(
  shown: Shown,
  { address, former }: { readonly address: string; readonly former: string | null },
  ports: LoginPorts,
): Promise<Started> {
  const { door, logins } = ports;
  const nowMs = door.clock.now();
  const caller =
    shown.kind === "code"
      ? await callerOfCode(shown.code, nowMs, ports)
      : parseApiKey(shown.apiKey) !== null
        ? await findCaller(shown.apiKey, null, door)
        : await guess(shown.apiKey, address, nowMs, ports);
  const secret = ports.ids.random(LOGIN_SECRET_LENGTH);
  const login = {
    apiKeyId: caller.id,
    adminProof: await proofFor(caller, secret, door),
    startedAtMs: nowMs,
    endsAtMs: nowMs + LOGIN_LASTS_MS,
    endedAtMs: null,
  };
  await logins.start(sha256(secret), login);
  if (former !== null) await logins.end(sha256(former), nowMs);
  return { secret, caller, login };
}

/** Who shows what may be the admin API key. */
async function guess(
  apiKey: string,
  address: string,
  nowMs: number,
  { door, logins }: LoginPorts,
): Promise<Caller> {
  const tries = [addressGroup(address), triesWindowMs(nowMs)] as const;
  if (!(await logins.takeTry(...tries))) throw tooMany(nowMs);
  try {
    const caller = await findCaller(apiKey, null, door);
    await logins.giveTryBack(...tries);
    return caller;
  } catch (error) {
    if (!(error instanceof Problem && error.code === "api_key_invalid")) await logins.giveTryBack(...tries);
    throw error;
  }
}

/** Makes a code with which a browser signs in for this caller, once. */
export async function makeCode(
  caller: Caller,
  { door, logins, ids }: LoginPorts,
): Promise<{ readonly code: string; readonly endsAtMs: number }> {
  const code = ids.random(CODE_LENGTH);
  const endsAtMs = door.clock.now() + CODE_LASTS_MS;
  const proof = await proofFor(caller, code, door);
  await logins.putCode(sha256(code), { apiKeyId: caller.id, adminProof: proof, endsAtMs });
  return { code, endsAtMs };
}

async function callerOfCode(code: string, nowMs: number, { door, logins }: LoginPorts): Promise<Caller> {
  const found = isCode(code) ? await logins.useCode(sha256(code), nowMs) : null;
  if (found !== null) return callerBehind(found, code, door);
  throw new Problem(
    "code_invalid",
    "this code was used, is over or is unknown; a code serves once and for a minute: ask for another one with keybrake dashboard",
  );
}

async function proofFor({ apiKey }: Caller, secret: string, { adminKey }: Door): Promise<string | null> {
  return apiKey === null ? adminProof(secret, (await adminKey()) ?? "") : null;
}

function tooMany(nowMs: number): Problem {
  const waitS = Math.ceil((triesWindowMs(nowMs) + TRIES_WINDOW_MS - nowMs) / 1000);
  return new Problem(
    "too_many_logins",
    `${FAILED_LOGINS_MAX} logins failed from this address; wait ${waitS} s, or work with the command keybrake meanwhile`,
    { retryAfterS: waitS },
  );
}
