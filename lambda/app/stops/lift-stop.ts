import { Problem } from "../../domain/problem.ts";
import { isInForce, type Stop } from "../../domain/stop.ts";
import { afterLifting, newStopRecord, type StopRecord } from "../../domain/stop-record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StopsVault } from "../../ports/stops.ts";
import { findStop } from "./show-stops.ts";

interface Ports {
  readonly vault: StopsVault;
  readonly clock: Clock;
}

const TRIES_MAX = 10;

/**
 * Lifts a stop: keys are issued again, and what was revoked stays revoked. Repeating it changes nothing. `isTheirs`: which stops
 * the caller may lift; others get `not_found`, as unknown ones do.
 */
export async function liftStop(
  stopId: string,
  { by, isTheirs }: { readonly by: string; readonly isTheirs: (stop: Stop) => boolean },
  ports: Ports,
): Promise<StopRecord> {
  const { vault, clock } = ports;
  const nowMs = clock.now();
  const found = await findStop(stopId, isTheirs, ports);
  await vault.stops.lift({ stopId, by, nowMs });
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const written = await vault.stopRecords.read(stopId);
    const record = written ?? newStopRecord(found.stop);
    if (record.lifted !== null || !isInForce(record.stop, nowMs)) return record;
    const lifted = afterLifting(record, by, nowMs);
    if (await vault.stopRecords.save(lifted, written?.version ?? 0)) return lifted;
  }
  throw new Problem(
    "key_changed_meanwhile",
    "the stop is lifted, but its record could not be written; repeat the request",
  );
}
