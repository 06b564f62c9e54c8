import { eachAtOnce } from "../../at-once.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { keysToAsk, type Landed, type LandedOf } from "../../domain/call/resolve.ts";
import type { Clock } from "../../ports/clock.ts";
import type { EvidenceReader } from "../../ports/evidence.ts";
import type { CallVault } from "../../ports/vault.ts";

export interface EvidencePorts {
  readonly vault: { readonly balances: Pick<CallVault["balances"], "read" | "fence"> };
  readonly evidence: EvidenceReader;
  readonly clock: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<unknown>;
}

const KEYS_AT_ONCE = 8;
/** The stream tells a write within a second or two; a consumer that lags is not waited for, but asked again later. */
const WAIT_MS = 1_000;
const WAITS_MAX = 8;

/**
 * What landed on each key of these calls, behind a fence: so the answer is final for all that was issued at or before `untilMs`
 * (milliseconds). One fence for each key, however many calls of it are stuck. What the stream has not told yet is `unknown`.
 * `inVain`: keys that were waited for in vain, here and before: one wait for each is enough in a run.
 */
export async function gatherEvidence(
  records: readonly CallRecord[],
  untilMs: number,
  { vault, evidence, clock, pause }: EvidencePorts,
  { deadlineMs, inVain }: { readonly deadlineMs: number; readonly inVain: Set<string> },
): Promise<LandedOf> {
  const found = new Map<string, Found>();
  const wanted = wantedOf(records, untilMs).filter(({ keyId }) => !inVain.has(keyId));
  let open = await fenced(wanted, untilMs, vault.balances, found);
  for (let waits = 0; open.length > 0; waits++) {
    await eachAtOnce(open, KEYS_AT_ONCE, async ({ keyId, lastNumber, sinceMs, fenceMs }) => {
      const landed = await evidence.landed(keyId, lastNumber, sinceMs);
      if (landed !== null) found.set(keyId, { landed, sinceMs, fenceMs });
    });
    open = open.filter(({ keyId }) => !found.has(keyId));
    if (open.length === 0 || waits === WAITS_MAX || clock.now() + WAIT_MS > deadlineMs) break;
    await pause(WAIT_MS);
  }
  for (const { keyId } of open) inVain.add(keyId);
  return (keyId, issuedAtMs) => {
    const { landed, sinceMs, fenceMs } = found.get(keyId) ?? UNKNOWN;
    return issuedAtMs >= sinceMs && issuedAtMs <= fenceMs ? landed : "unknown";
  };
}

/** What landed, of what was issued between two times: what is newer than the fence may still land. */
interface Found {
  readonly landed: Landed;
  readonly sinceMs: number;
  readonly fenceMs: number;
}

const UNKNOWN: Found = { landed: "unknown", sinceMs: -Infinity, fenceMs: Infinity };
const GONE: Found = { ...UNKNOWN, landed: "gone" };

interface Wanted {
  readonly keyId: string;
  /** When the first of what is asked for was issued, and the last. */
  readonly sinceMs: number;
  readonly lastMs: number;
}

function wantedOf(records: readonly CallRecord[], untilMs: number): readonly Wanted[] {
  const wanted = new Map<string, Wanted>();
  for (const record of records) {
    for (const [keyId, { sinceMs, lastMs }] of keysToAsk(record, untilMs)) {
      const known = wanted.get(keyId) ?? { keyId, sinceMs, lastMs };
      wanted.set(keyId, {
        keyId,
        sinceMs: Math.min(known.sinceMs, sinceMs),
        lastMs: Math.max(known.lastMs, lastMs),
      });
    }
  }
  return [...wanted.values()];
}

/** Puts a fence where there is none yet; a key without a balance is noted as gone. */
async function fenced(
  wanted: readonly Wanted[],
  untilMs: number,
  balances: EvidencePorts["vault"]["balances"],
  found: Map<string, Found>,
): Promise<readonly (Wanted & { readonly lastNumber: number; readonly fenceMs: number })[]> {
  const read = await balances.read(wanted.map(({ keyId }) => keyId));
  const pairs = wanted.map((each, index) => ({ ...each, balance: read[index] ?? null }));
  const numbered = await eachAtOnce(pairs, KEYS_AT_ONCE, async ({ balance, ...each }) => {
    const isFenced = balance !== null && balance.fenceMs >= each.lastMs;
    const lastNumber = isFenced ? balance.writes : await balances.fence(each.keyId, untilMs);
    if (lastNumber === null) found.set(each.keyId, GONE);
    const fenceMs = isFenced ? balance.fenceMs : untilMs;
    return lastNumber === null ? [] : [{ ...each, lastNumber, fenceMs }];
  });
  return numbered.flat();
}
