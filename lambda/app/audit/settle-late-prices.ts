import { correctionsBy } from "../../domain/call/corrections.ts";
import { type LatePrice, postponed, repriced } from "../../domain/call/late-price.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { Problem } from "../../domain/problem.ts";
import type { Vendor } from "../../domain/vendor.ts";
import type { Vault } from "../../ports/vault.ts";
import { lookUp } from "../proxy/look-up.ts";
import type { ProxyPorts } from "../proxy/proxy-ports.ts";
import { sendCorrections } from "../proxy/send-corrections.ts";

export interface LatePricePorts
  extends Pick<
    ProxyPorts,
    "vendors" | "credentials" | "http" | "clock" | "ids" | "destinationOf" | "rateCard" | "warn"
  > {
  readonly vault: Pick<Vault, "policies" | "calls" | "balances">;
}

/** What one run did: calls with their final price, and calls whose vendor does not know it yet or did not tell. */
export interface LatePriceRun {
  readonly settled: number;
  readonly waiting: number;
}

/** What a run did not come to. */
export interface LatePriceBacklog {
  /** Of very many, so many at least. */
  readonly overdue: number;
  /** Milliseconds for which the oldest of them has been due; 0 where there is none. */
  readonly oldestMs: number;
}

const PAGE = 25;
/** What one question may take, and its writes. */
const CALL_MS_MAX = 12_000;

/**
 * Asks for the final prices of calls that were settled at an estimate, the longest due first, until there is none left or
 * no time (milliseconds). The difference to the estimate goes back to the balance, or is counted beyond the caps; a price
 * above what was reserved rings an alarm. What fails is asked again later; a price that never comes leaves the estimate.
 */
export async function settleLatePrices(deadlineMs: number, ports: LatePricePorts): Promise<LatePriceRun> {
  const run = { settled: 0, waiting: 0 };
  for (const vendor of ports.vendors.all) {
    if (vendor.latePrices === null) continue;
    const seen = new Set<string>();
    for (;;) {
      // What was seen is found again: an index lags behind its table, and a call that cannot be read or written stays due.
      // None of them may stand before all others.
      const page = await ports.vault.calls.late({
        vendor: vendor.name,
        dueByMs: ports.clock.now(),
        limit: PAGE + seen.size,
      });
      const found = page.filter((callId) => !seen.has(callId));
      if (found.length === 0) break;
      for (const callId of found) {
        if (ports.clock.now() + CALL_MS_MAX > deadlineMs) return run;
        seen.add(callId);
        const done = await settleOne(vendor, callId, deadlineMs, ports).catch((error: unknown) => {
          ports.warn(`the final price of ${callId} could not be settled; it is tried again later`, error);
          return "nothing" as const;
        });
        if (done !== "nothing") run[done] += 1;
      }
    }
  }
  return run;
}

/** Calls that were due at `byMs` and still are: nothing else shows that there are more than a run can ask for. */
export async function latePriceBacklog(
  byMs: number,
  { vendors, vault, clock }: Pick<ProxyPorts, "vendors" | "clock"> & { readonly vault: Pick<Vault, "calls"> },
): Promise<LatePriceBacklog> {
  let overdue = 0;
  let oldestMs = 0;
  for (const { name, latePrices } of vendors.all) {
    if (latePrices === null) continue;
    const { calls, oldestDueMs } = await vault.calls.lateBacklog(name, byMs);
    overdue += calls;
    if (oldestDueMs !== null) oldestMs = Math.max(oldestMs, clock.now() - oldestDueMs);
  }
  return { overdue, oldestMs };
}

async function settleOne(
  vendor: Vendor,
  callId: string,
  deadlineMs: number,
  ports: LatePricePorts,
): Promise<"settled" | "waiting" | "nothing"> {
  const { vault, clock } = ports;
  const record = await vault.calls.read(callId);
  if (record?.latePrice == null || record.latePrice.dueMs > clock.now()) return "nothing";

  const told = await finalPrice(vendor, record, deadlineMs, ports);
  const writer = `late_${ports.ids.random(20)}`;
  const settled = told?.kind === "final" ? repriced(record, told.final, writer, clock.now()) : null;
  const why = told === null || told.kind === "final" ? null : told;
  const next = settled?.record ?? postponed(record, why, clock.now());
  if (settled === null && next.latePrice === null)
    ports.warn(`${callId} keeps its estimate: its vendor never gave a price`, null);
  const saved = await vault.calls.save(next, record.version, null);
  // Stale: another run was first and decides; or this very write landed before, though its reply was lost.
  const now = saved.kind === "saved" ? next : saved.kind === "stale" ? saved.record : null;
  // Sent once, by whoever decided it: a repeat could give the same money back twice (docs/protocol.md, W6 and W7).
  const corrections = now === null ? [] : correctionsBy(now, writer);
  if (now !== null) await sendCorrections({ record: now, corrections }, vault);
  return settled !== null && (saved.kind === "saved" || corrections.length > 0) ? "settled" : "waiting";
}

const GONE: LatePrice = { kind: "ended", endedAtMs: null };

/** Null where nobody answered. What the vendor does not have any more has ended without a price. */
async function finalPrice(
  vendor: Vendor,
  { callId, payingAttemptId, attempts, objectId }: CallRecord,
  deadlineMs: number,
  ports: LatePricePorts,
): Promise<LatePrice | null> {
  const keyId = attempts[payingAttemptId ?? ""]?.request.keyId;
  const policy = keyId === undefined ? null : await ports.vault.policies.read(keyId);
  if (policy === null || objectId === null || vendor.latePrices === null) return GONE;
  try {
    const secret = await ports.credentials.read({
      vendor: policy.vendor,
      credential: policy.credential,
      fresh: false,
    });
    if (secret === null || vendor.authorize(secret) === null) return null;
    const path = vendor.latePrices.lookup(objectId);
    const startedAtMs = ports.clock.now();
    const found = await lookUp(
      { vendor, policy, secret, path, headers: {} },
      { startedAtMs, deadlineMs },
      ports,
    );
    return vendor.latePrices.read(found, ports.rateCard, ports.clock.now());
  } catch (error) {
    const cause = error instanceof Problem ? (error.cause ?? error) : error;
    ports.warn(`the final price of ${callId} could not be asked for; it is asked for again later`, cause);
    return error instanceof Problem && error.code === "amount_unknown" ? GONE : null;
  }
}
