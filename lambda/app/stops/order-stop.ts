import { Problem } from "../../domain/problem.ts";
import { isInForce, STOPS_MAX, type Stop, type StopMatcher, stopIdOf } from "../../domain/stop.ts";
import { newStopRecord, type StopRecord } from "../../domain/stop-record.ts";
import type { ApiKeys } from "../../ports/api-keys.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { StopsVault } from "../../ports/stops.ts";
import type { Vault } from "../../ports/vault.ts";
import { type Caller, isAdmin, mayReach } from "../keys/caller.ts";

/** What a caller asks for. */
export interface StopRequest {
  readonly matcher: StopMatcher;
  readonly stopForS: number;
  readonly reason: string | null;
}

interface Ports {
  readonly vault: StopsVault;
  readonly clock: Clock;
  readonly ids: Ids;
}

const RANDOM_LENGTH = 6;
/** So many stops are left to the admin: whoever may revoke a few keys must not be able to keep the admin from stopping all. */
const STOPS_OF_ADMIN = 10;

/**
 * Orders a stop: one write, and from then on no matching key is issued. Its keys are revoked by whoever that write wakes
 * (apply-stops.ts). Throws a Problem where too many stops are in force.
 */
export async function orderStop(request: StopRequest, caller: Caller, ports: Ports): Promise<StopRecord> {
  const { vault, clock, ids } = ports;
  const atMs = clock.now();
  await refuseTooMany(caller, atMs, ports);
  const stop: Stop = {
    id: stopIdOf(atMs, ids.random(RANDOM_LENGTH)),
    matcher: request.matcher,
    reason: request.reason,
    by: caller.id,
    atMs,
    untilMs: atMs + request.stopForS * 1000,
  };
  await vault.stops.order(stop);
  const record = newStopRecord(stop);
  await vault.stopRecords.save(record, 0);
  return record;
}

/** What cannot be read must not keep anybody from stopping a run: then nothing is counted. */
async function refuseTooMany(caller: Caller, nowMs: number, { vault }: Ports): Promise<void> {
  const most = isAdmin(caller) ? STOPS_MAX : STOPS_MAX - STOPS_OF_ADMIN;
  const { stops } = await vault.stops.read().catch(() => ({ stops: [] }));
  if (stops.filter((stop) => isInForce(stop, nowMs)).length < most) return;
  throw new Problem(
    "too_many_stops",
    `${most} stops are in force, and every key that is issued reads them all; lift one, or order a wider one (a label with a last "*", a vendor, or "all": true) after that`,
  );
}

/**
 * What a caller may stop of what it asks for: an API key reaches the keys of its vendors and credentials alone. Throws a Problem
 * where the key that is named does not exist: such a stop would stop nobody.
 */
export async function withinReachOf(
  caller: Caller,
  matcher: StopMatcher,
  { vault }: { readonly vault: Pick<Vault, "policies"> & { readonly apiKeys: Pick<ApiKeys, "read"> } },
): Promise<StopMatcher> {
  const { parentId, apiKeyId } = matcher;
  const [parent, apiKey] = await Promise.all([
    parentId === null ? null : vault.policies.read(parentId),
    apiKeyId === null ? null : vault.apiKeys.read(apiKeyId),
  ]);
  if (parentId !== null && (parent === null || !mayReach(caller, parent)))
    throw unknown("parent_id", `vault key ${parentId}`);
  if (apiKeyId !== null && apiKey === null) throw unknown("api_key_id", `API key ${apiKeyId}`);
  const { vendors = null, credentials = null } = caller.apiKey ?? {};
  return { ...matcher, vendors, credentials };
}

const unknown = (field: string, what: string) =>
  new Problem(
    "invalid_request",
    `${field}: expected an id that exists; ${what} does not, or it is not yours`,
    {
      details: { field },
    },
  );
