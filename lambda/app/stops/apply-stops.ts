import { eachAtOnce } from "../../at-once.ts";
import { isInForce, type Stop } from "../../domain/stop.ts";
import { listsFor } from "../../domain/stop-lists.ts";
import { afterLifting, afterPage, newStopRecord, type StopRecord } from "../../domain/stop-record.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StopsVault } from "../../ports/stops.ts";
import type { Vault } from "../../ports/vault.ts";
import { causeOf } from "./refuse-stopped.ts";
import { isLive, type StoppedKey, stoppedKeysAt } from "./stopped-keys.ts";

/** Revocations under way at a time: as many as the connections of a process to the table. */
const AT_ONCE = 50;
/** Records that are looked at for stops that were taken off by hand: all that can be in force, and some more. */
const RECENT = 100;

export interface ApplyPorts {
  readonly vault: StopsVault & Pick<Vault, "listedKeys" | "balances" | "policies">;
  readonly clock: Clock;
  /** The names of the vendors that there are. */
  readonly vendors: readonly string[];
  readonly warn: (message: string, cause: unknown) => void;
}

/**
 * Revokes the keys of every stop in force, the newest stop first, and takes off the stops whose time is over.
 *
 * Every step may be done twice, and by two at a time. `untilMs`: when to stop, in milliseconds; what is left then is taken up
 * by the next run, which is called at once. Returns whether nothing is left. Throws, after all others, what one stop failed of.
 */
export async function applyStops(untilMs: number, ports: ApplyPorts): Promise<boolean> {
  const { vault, clock } = ports;
  // Before the stops: whoever orders one writes its record after it.
  const { records } = await vault.stopRecords.page({ before: null, limit: RECENT });
  const { stops, last } = await vault.stops.read();
  const inForce = stops.filter((stop) => isInForce(stop, clock.now()));
  const over = stops.filter((stop) => !inForce.includes(stop));
  await vault.stops.end(
    over.map(({ id }) => id),
    clock.now(),
  );
  const ids = new Set(stops.map(({ id }) => id));
  await noteTakenOff(
    records.filter(({ stop }) => !ids.has(stop.id)),
    last?.by ?? UNKNOWN,
    ports,
  );

  let isDone = true;
  let failure: { readonly cause: unknown } | null = null;
  for (const stop of inForce.toSorted((one, other) => other.atMs - one.atMs)) {
    try {
      isDone = (await applyStop(stop, untilMs, ports)) && isDone;
    } catch (cause) {
      ports.warn(`the keys of ${stop.id} could not all be revoked; the next run goes on`, cause);
      failure ??= { cause };
    }
  }
  if (failure !== null) throw failure.cause;
  if (!isDone) await vault.stops.callAgain(clock.now());
  return isDone;
}

/** Who took a stop off by hand, without saying so. */
const UNKNOWN = "unknown";

/** A stop that is not in force any more without its record saying so was taken off by hand. */
async function noteTakenOff(
  gone: readonly StopRecord[],
  by: string,
  { vault: { stopRecords }, clock }: ApplyPorts,
): Promise<void> {
  const nowMs = clock.now();
  for (const record of gone)
    if (isInForce(record.stop, nowMs) && record.lifted === null)
      await stopRecords.save(afterLifting(record, by, nowMs), record.version);
}

/** Whether every key of the stop is revoked, or the stop was lifted meanwhile. */
async function applyStop(stop: Stop, untilMs: number, ports: ApplyPorts): Promise<boolean> {
  const { vault, clock, vendors } = ports;
  const wanted = { lists: listsFor(stop.matcher, vendors), matcher: stop.matcher };
  let record = await recordOf(stop, ports);
  while (record.place !== null && record.lifted === null) {
    if (clock.now() >= untilMs) return false;
    const { found, next } = await stoppedKeysAt(record.place, wanted, vault);
    if (!(await vault.stops.read()).stops.some(({ id }) => id === stop.id)) return true;
    const revoked = await revokeAll(found, stop, ports);
    const after = afterPage(record, revoked, next, clock.now());
    const isSaved = await vault.stopRecords.save(after, record.version);
    // Somebody else did a page too, or lifted the stop: what counts is what they wrote.
    record = isSaved ? after : await recordOf(stop, ports);
  }
  return true;
}

/** The record of a stop; made where there is none, as after an order by hand. */
async function recordOf(stop: Stop, { vault: { stopRecords } }: ApplyPorts): Promise<StopRecord> {
  const known = await stopRecords.read(stop.id);
  if (known !== null) return known;
  const record = newStopRecord(stop);
  return (await stopRecords.save(record, 0)) ? record : ((await stopRecords.read(stop.id)) ?? record);
}

/**
 * Revokes those of the keys that are live. How many of them are revoked by this stop now: those of an earlier try count too.
 *
 * A key without a policy is being issued, and its issuer finds the stop before it answers; or its issuer died, and nobody has
 * its secret.
 */
async function revokeAll(
  found: readonly StoppedKey[],
  stop: Stop,
  { vault, clock }: ApplyPorts,
): Promise<number> {
  const already = found.filter(({ balance }) => balance.stoppedBy?.stopId === stop.id).length;
  const live = found.filter((each) => isLive(each, clock.now())).map(({ key }) => key.keyId);
  const policies = await vault.policies.readAll(live);
  const usable = live.filter((keyId) => policies.has(keyId));
  await eachAtOnce(usable, AT_ONCE, (keyId) =>
    vault.balances.revoke({ keyId, by: stop.by, nowMs: clock.now(), stop: causeOf(stop) }),
  );
  return already + usable.length;
}
