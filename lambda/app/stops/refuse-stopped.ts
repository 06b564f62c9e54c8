import type { StopCause } from "../../domain/balance.ts";
import { listedKey } from "../../domain/key-list.ts";
import { Problem } from "../../domain/problem.ts";
import { matcherText, type Stop, type StoppableKey, stopFor } from "../../domain/stop.ts";
import { cutBytes } from "../../domain/text.ts";
import { isoTime } from "../../domain/time.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StopsVault } from "../../ports/stops.ts";
import type { Vault } from "../../ports/vault.ts";

interface Ports {
  readonly vault: Pick<StopsVault, "stops">;
  readonly clock: Clock;
}

/** The stop that is for this key now, by one consistent read. Throws a Problem where the stops cannot be read. */
export async function stopOn(key: StoppableKey, { vault, clock }: Ports): Promise<Stop | null> {
  try {
    const { stops } = await vault.stops.read();
    return stopFor(stops, key, clock.now());
  } catch (cause) {
    throw new Problem(
      "ledger_unavailable",
      "the stops in force cannot be read, so no key is issued; repeat the request",
      {
        cause,
      },
    );
  }
}

/**
 * Refuses a key that was written, if a stop for it came in the meantime: it is revoked, and nobody gets its secret. A stop that
 * is ordered after this read finds the key in the lists, since it stands there before it can be used.
 */
export async function refuseStopped(
  policy: Policy,
  {
    vault,
    clock,
  }: { readonly vault: Pick<StopsVault, "stops"> & Pick<Vault, "balances">; readonly clock: Clock },
): Promise<void> {
  const stop = await stopOn(listedKey(policy), { vault, clock });
  if (stop === null) return;
  const { keyId } = policy;
  await vault.balances.revoke({ keyId, by: stop.by, nowMs: clock.now(), stop: causeOf(stop) });
  throw runStopped(stop);
}

/** What whoever asks for a key of a stopped run is told. */
export const runStopped = (stop: Stop): Problem => {
  const { id, matcher, by, reason, atMs, untilMs } = stop;
  const [at, until] = [isoTime(atMs), isoTime(untilMs)];
  return new Problem(
    "run_stopped",
    `${id} stops this run: ${by} ordered it at ${at} for ${matcherText(matcher)}${reason === null ? "" : ` (${JSON.stringify(reason)})`}; ` +
      `no key is issued until ${until}, or until the stop is lifted with DELETE /vault/stops/${id}`,
    { details: { stop_id: id, stopped_by: by, stop_reason: reason, stopped_at: at, until } },
  );
};

/** The balance of a key stays below a kilobyte: in most languages that is the whole reason. */
const REASON_BYTES_MAX = 500;

/** The stop as the keys that it revokes know it. */
export const causeOf = ({ id, by, reason }: Stop): StopCause => ({
  stopId: id,
  by,
  reason: reason === null ? null : cutBytes(reason, REASON_BYTES_MAX),
});
