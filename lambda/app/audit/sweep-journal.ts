import { type AuditEvent, withKey } from "../../domain/audit-event.ts";
import { NOTHING } from "../../domain/money.ts";
import type { AttemptJournal, AuditLog, Unended } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DueCall, DueList, KnownDraw } from "../../ports/due-list.ts";
import type { Vault } from "../../ports/vault.ts";

/** A note carries the time at which its write began, by the clock of its process: so much of it is looked at again. */
const LATE_NOTES_MS = 60_000;
/** So much of the journal is looked at first. Each part is noted as swept, so a run that is killed leaves no more for the next. */
const FIRST_PART_MS = 600_000;
const PART_MS_MAX = 86_400_000;
/** A part that took no longer had little in it: the next one is twice as long. */
const QUICK_MS = 500;

interface Ports {
  readonly vault: Pick<Vault, "policies">;
  readonly log: AuditLog;
  readonly journal: AttemptJournal;
  readonly dueList: Pick<DueList, "put">;
  readonly clock: Clock;
}

/**
 * Finds what began and did not end: its process died most likely. Attempts get rows that are `open`, and the calls go on the
 * due list, for the resolver to finish. An attempt that gets its outcome later is told that too, and the row says so.
 *
 * `afterMs`: how long an attempt may take before it is looked at. `untilMs`: when to stop; the next run goes on from there.
 * Returns how many events were told, and how many calls were put on the due list. Harmless to repeat: an event is on the log once.
 */
export async function sweepJournal(
  { vault, log, journal, dueList, clock }: Ports,
  { afterMs, untilMs }: { readonly afterMs: number; readonly untilMs: number },
): Promise<{ readonly told: number; readonly put: number }> {
  const lastMs = clock.now() - afterMs;
  let fromMs = ((await firstMs(journal, clock)) ?? lastMs) - LATE_NOTES_MS;
  let partMs = FIRST_PART_MS;
  let told = 0;
  let put = 0;
  while (fromMs < lastMs && clock.now() < untilMs) {
    const startedMs = clock.now();
    const toMs = Math.min(fromMs + partMs, lastMs);
    const unended = await journal.unended(fromMs, toMs);
    const policies = await vault.policies.readAll(unended.events.map(({ fields }) => fields.keyId));
    const events = oncePerAttempt(unended.events).flatMap((event) => {
      const policy = policies.get(event.fields.keyId);
      return policy === undefined ? [] : [withKey(event, policy)];
    });
    await log.append(events);
    const due = dueCalls(unended, toMs);
    await dueList.put(due);
    put += due.length;
    await journal.markSwept(toMs);
    told += events.length;
    fromMs = toMs;
    partMs = clock.now() - startedMs <= QUICK_MS ? Math.min(2 * partMs, PART_MS_MAX) : FIRST_PART_MS;
  }
  return { told, put };
}

/** A call without record is told of by each draw of its chain. That of its own key says what was left. */
function oncePerAttempt(events: readonly AuditEvent[]): readonly AuditEvent[] {
  const once = new Map<string, AuditEvent>();
  for (const event of events) {
    const name = `${event.attemptId} ${event.event}`;
    const known = once.get(name);
    if (known === undefined || known.fields.remaining === null) once.set(name, event);
  }
  return [...once.values()];
}

/** The calls that something of has not ended, once each. `atMs`: when they are due. */
function dueCalls({ events, looseEnds }: Unended, atMs: number): readonly DueCall[] {
  const draws = new Map(looseEnds.map(({ recordId }): [string, KnownDraw | null] => [recordId, null]));
  for (const event of events) draws.set(event.subject, drawIn(event) ?? draws.get(event.subject) ?? null);
  return [...draws].map(([recordId, draw]) => ({ recordId, dueMs: atMs, sinceMs: atMs, draw }));
}

/** What the balance told of a reservation: the record of a call without idempotency key is written with its outcome only. */
function drawIn({ event, attemptId, fields }: AuditEvent): KnownDraw | null {
  if (event !== "reserved" || attemptId === null) return null;
  const { keyId, atMs: issuedAtMs, requested, method, path } = fields;
  return {
    keyId,
    attemptId,
    issuedAtMs,
    amount: requested ?? NOTHING,
    method: method ?? "",
    path: path ?? "",
  };
}

/**
 * From when on the journal is to be swept; null where it is empty. All of it is where nothing ever was: many runs on one machine
 * end before their first sweep. So it is where a clock was put back, since what was noted then stands before what is swept.
 */
async function firstMs(journal: AttemptJournal, clock: Clock): Promise<number | null> {
  const sweptMs = await journal.sweptUntilMs();
  return sweptMs !== null && sweptMs <= clock.now() ? sweptMs : journal.beginsAtMs();
}
