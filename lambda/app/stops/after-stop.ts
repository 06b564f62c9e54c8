import type { AuditEvent, AuditRow } from "../../domain/audit-event.ts";
import { listedKey } from "../../domain/key-list.ts";
import { larger, type MicroUsd, NOTHING, plus } from "../../domain/money.ts";
import { matchesKey, type StopMatcher } from "../../domain/stop.ts";
import { listsFor } from "../../domain/stop-lists.ts";
import type { StopRecord } from "../../domain/stop-record.ts";
import type { AttemptJournal, AuditIndex, AuditIndexPart, AuditReader } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";

/** Calls, and the dollars that may still land for them. Micro-dollars. */
export interface OpenCalls {
  readonly calls: number;
  readonly amount: MicroUsd;
}

/** What keys did that a stop is for. */
export interface Aftermath {
  /** Calls that began after the stop was ordered: with keys that were not revoked yet. */
  readonly callsSince: number;
  /** Calls that are at the vendor now. */
  readonly inFlight: OpenCalls;
  /** Calls that ended without a known outcome, or whose process died. */
  readonly unresolved: OpenCalls;
}

export interface AftermathPorts {
  readonly vault: Pick<Vault, "policies">;
  readonly reader: AuditReader;
  readonly journal: Pick<AttemptJournal, "unended">;
  readonly clock: Clock;
  /** The names of the vendors that there are. */
  readonly vendors: readonly string[];
}

/** How long a call may take: no function lives longer. */
const CALL_MS_MAX = 30_000;
/** So far the journal may be behind the calls: an alarm rings by then. */
const BEHIND_MS_MAX = 15 * 60_000;
/** So far apart the beginning and the end of a call are noted, in either order, where the log has its outcome not yet. */
const AROUND_MS = 2 * CALL_MS_MAX;
const ROWS_AT_ONCE = 100;
/** Rows that one request reads at most. Beyond it the counts are too low. */
const ROWS_MAX = 20_000;

/**
 * What became of the calls around a stop, by the audit log and its journal, which follow the calls by a moment. Only a key that was
 * not revoked yet can have made one, so nothing after the last revocation is looked at.
 */
export async function aftermathOf(record: StopRecord, ports: AftermathPorts): Promise<Aftermath> {
  const { atMs, matcher } = record.stop;
  const nowMs = ports.clock.now();
  const toMs = Math.min(nowMs, record.revokedAtMs ?? record.lifted?.atMs ?? nowMs) + 1;
  return callsOf(matcher, { fromMs: atMs - CALL_MS_MAX, toMs, sinceMs: atMs }, ports);
}

/** The calls that are at the vendor now with keys that a stop would be for. */
export async function inFlightOf(matcher: StopMatcher, ports: AftermathPorts): Promise<OpenCalls> {
  const nowMs = ports.clock.now();
  const times = { fromMs: nowMs - CALL_MS_MAX, toMs: nowMs + 1, sinceMs: nowMs };
  return (await callsOf(matcher, times, ports)).inFlight;
}

/** One attempt as far as it is known. */
interface Seen {
  readonly keyId: string;
  readonly atMs: number;
  readonly amount: MicroUsd;
  /** `begun`: without an outcome so far. */
  readonly state: "begun" | "unresolved" | "ended";
}

interface Times {
  readonly fromMs: number;
  readonly toMs: number;
  /** Calls from this time on are counted as those since the stop. */
  readonly sinceMs: number;
}

async function callsOf(matcher: StopMatcher, times: Times, ports: AftermathPorts): Promise<Aftermath> {
  const { clock, vault } = ports;
  const [rows, begun] = await Promise.all([
    rowsOf(matcher, times, ports),
    ports.journal.unended(times.fromMs, Math.min(clock.now() + 1, times.toMs + BEHIND_MS_MAX), AROUND_MS),
  ]);
  const seen = new Map<string, Seen>();
  for (const event of begun.events) noteBegun(seen, event, times);
  for (const [attemptId, row] of rows)
    seen.set(attemptId, { ...row, amount: larger(row.amount, seen.get(attemptId)?.amount ?? NOTHING) });

  const policies = await vault.policies.readAll([...new Set([...seen.values()].map(({ keyId }) => keyId))]);
  const ours = [...seen.values()].filter(({ keyId }) => {
    const policy = policies.get(keyId);
    return policy !== undefined && matchesKey(matcher, listedKey(policy));
  });
  const isYoung = ({ atMs }: Seen) => atMs > clock.now() - CALL_MS_MAX;
  const inFlight = ours.filter((call) => call.state === "begun" && isYoung(call));
  const unresolved = ours.filter(
    (call) => call.state === "unresolved" || (call.state === "begun" && !isYoung(call)),
  );
  return {
    callsSince: ours.filter(({ atMs }) => atMs >= times.sinceMs).length,
    inFlight: openCalls(inFlight),
    unresolved: openCalls(unresolved),
  };
}

const openCalls = (calls: readonly Seen[]): OpenCalls => ({
  calls: calls.length,
  amount: calls.reduce((sum, { amount }) => plus(sum, amount), NOTHING),
});

/** An attempt has one event of its record and one of its balance: the amount is the same. */
function noteBegun(
  seen: Map<string, Seen>,
  { attemptId, fields }: AuditEvent,
  { fromMs, toMs }: Times,
): void {
  const { atMs, keyId } = fields;
  if (attemptId === null || atMs < fromMs || atMs >= toMs) return;
  const amount = larger(
    fields.reserved ?? fields.requested ?? NOTHING,
    seen.get(attemptId)?.amount ?? NOTHING,
  );
  seen.set(attemptId, { keyId, atMs, amount, state: "begun" });
}

/** Allowed calls that began between two times and are on the log, by attempt. */
async function rowsOf(
  matcher: StopMatcher,
  { fromMs, toMs }: Times,
  { reader, vendors }: AftermathPorts,
): Promise<ReadonlyMap<string, Seen>> {
  const seen = new Map<string, Seen>();
  const read = async (part: AuditIndexPart) => {
    for (let before: string | null = null, isLast = false; !isLast && seen.size < ROWS_MAX; ) {
      const { rows, next } = await reader.page({ part, fromMs, toMs, before, limit: ROWS_AT_ONCE });
      const allowed = rows
        .map(({ row }) => row)
        .filter(({ attemptId, fields }) => attemptId !== null && fields.decision === "allowed");
      const ended = allowed.filter(({ state }) => !isOpen(state));
      // What an index holds does not say how much is reserved.
      const open = await reader.whole(allowed.filter(({ state }) => isOpen(state)));
      for (const row of [...ended, ...open]) seen.set(row.attemptId ?? "", seenIn(row));
      before = next;
      isLast = next === null;
    }
  };
  await Promise.all(
    indexesFor(matcher, vendors)
      .flatMap((index) => reader.partsOf(index))
      .map(read),
  );
  return seen;
}

const isOpen = (state: AuditRow["state"]): boolean => state === "unresolved" || state === "open";

const seenIn = ({ state, fields }: AuditRow): Seen => ({
  keyId: fields.keyId,
  atMs: fields.atMs,
  amount: fields.reserved ?? NOTHING,
  state: state === "unresolved" ? "unresolved" : state === "open" ? "begun" : "ended",
});

/** The narrowest indexes of the log that have every call of these keys. */
function indexesFor(matcher: StopMatcher, vendors: readonly string[]): readonly AuditIndex[] {
  const { label } = matcher;
  if (label?.kind === "exact") return [{ kind: "label", label: label.text }];
  return listsFor(matcher, vendors).flatMap((list) => (list.kind === "issuer" ? [] : [list]));
}
