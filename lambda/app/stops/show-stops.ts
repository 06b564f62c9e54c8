import { Problem } from "../../domain/problem.ts";
import type { Stop } from "../../domain/stop.ts";
import { newStopRecord, type StopRecord } from "../../domain/stop-record.ts";
import type { StopsVault } from "../../ports/stops.ts";
import { type Caller, isAdmin } from "../keys/caller.ts";

interface Ports {
  readonly vault: StopsVault;
}

/** What an id that is unknown or not yours gets, in the same words. */
const notFound = () => new Problem("not_found", "there is no such stop, or it is not yours");

/** Whether the caller may see this stop: its own, and every one if it may see every key. */
export const maySee = (caller: Caller, stop: Stop): boolean =>
  isAdmin(caller) ||
  stop.by === caller.id ||
  (caller.apiKey !== null && caller.apiKey.vendors === null && caller.apiKey.credentials === null);

/** Whether the caller may lift this stop: what an admin has stopped, an admin lets go on. */
export const mayLift = (caller: Caller, stop: Stop): boolean => isAdmin(caller) || stop.by === caller.id;

/**
 * The record of a stop; of one that was ordered by hand a moment ago, before anybody wrote one. `isTheirs`: which stops the
 * caller may see. Throws `not_found`.
 */
export async function findStop(
  stopId: string,
  isTheirs: (stop: Stop) => boolean,
  { vault }: Ports,
): Promise<StopRecord> {
  const record = (await vault.stopRecords.read(stopId)) ?? (await orderedByHand(stopId, { vault }));
  if (record === null || !isTheirs(record.stop)) throw notFound();
  return record;
}

async function orderedByHand(stopId: string, { vault }: Ports): Promise<StopRecord | null> {
  const { stops } = await vault.stops.read();
  const stop = stops.find(({ id }) => id === stopId);
  return stop === undefined ? null : newStopRecord(stop);
}

export interface StopList {
  readonly records: readonly StopRecord[];
  /** Null ends the list; a page may be short. */
  readonly next: string | null;
}

/** Stops, the newest first. */
export async function listStops(
  { before, limit }: { readonly before: string | null; readonly limit: number },
  isTheirs: (stop: Stop) => boolean,
  { vault }: Ports,
): Promise<StopList> {
  const { records, next } = await vault.stopRecords.page({ before, limit });
  return { records: records.filter(({ stop }) => isTheirs(stop)), next };
}
