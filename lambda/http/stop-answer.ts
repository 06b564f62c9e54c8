import type { Aftermath, OpenCalls } from "../app/stops/after-stop.ts";
import type { Reach } from "../app/stops/reach-of-stop.ts";
import { labelMatchText } from "../domain/label-match.ts";
import { usdNumber } from "../domain/money.ts";
import { type StopRecord, stateOf } from "../domain/stop-record.ts";
import { isoTime } from "../domain/time.ts";

/** A stop on the wire. `aftermath`: null in a list, where nobody looked. */
export function stopBody(
  record: StopRecord,
  aftermath: Aftermath | null,
  nowMs: number,
): Record<string, unknown> {
  const { stop, keysRevoked, revokedAtMs, lifted } = record;
  const { label, vendor, parentId, apiKeyId } = stop.matcher;
  return {
    id: stop.id,
    agent_run_label: label === null ? null : labelMatchText(label),
    vendor,
    parent_id: parentId,
    api_key_id: apiKeyId,
    all: label === null && vendor === null && parentId === null && apiKeyId === null,
    reason: stop.reason,
    by: stop.by,
    at: isoTime(stop.atMs),
    until: isoTime(stop.untilMs),
    lifted_at: lifted === null ? null : isoTime(lifted.atMs),
    lifted_by: lifted?.by ?? null,
    state: stateOf(record, nowMs),
    keys_revoked: keysRevoked,
    revoked_at: revokedAtMs === null ? null : isoTime(revokedAtMs),
    calls_since: aftermath?.callsSince ?? null,
    in_flight: aftermath === null ? null : openBody(aftermath.inFlight),
    unresolved: aftermath === null ? null : openBody(aftermath.unresolved),
  };
}

export const reachBody = ({ keys, runs, exposure, inFlight, isComplete }: Reach) => ({
  dry_run: true,
  keys,
  runs,
  exposure_usd: usdNumber(exposure),
  in_flight: openBody(inFlight),
  complete: isComplete,
});

const openBody = ({ calls, amount }: OpenCalls) => ({ calls, usd: usdNumber(amount) });
