import { withKey } from "../../domain/audit-event.ts";
import type { AttemptJournal, AuditLog } from "../../ports/audit.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Vault } from "../../ports/vault.ts";

/** Where nothing was ever swept, there was no journal before: an older version told every beginning at once. */
const FIRST_LOOK_MS = 3_600_000;
/** A note carries the time at which its write began, by the clock of its process: so much of it is looked at again. */
const LATE_NOTES_MS = 60_000;
/** So much of the journal is read at once. */
const STRETCH_MS = 3_600_000;

interface Ports {
  readonly vault: Pick<Vault, "policies">;
  readonly log: AuditLog;
  readonly journal: AttemptJournal;
  readonly clock: Clock;
}

/**
 * Tells the attempts that began and have no outcome, whose process died most likely: they get rows that are `open`. One that
 * gets its outcome later is told that too, and the row says so.
 *
 * `afterMs`: how long an attempt may take before it is told. `untilMs`: when to stop; the next run goes on from there.
 * Returns how many events were told. Harmless to repeat: an event is on the log once.
 */
export async function tellOpen(
  { vault, log, journal, clock }: Ports,
  { afterMs, untilMs }: { readonly afterMs: number; readonly untilMs: number },
): Promise<number> {
  const lastMs = clock.now() - afterMs;
  let fromMs = ((await journal.sweptUntilMs()) ?? lastMs - FIRST_LOOK_MS) - LATE_NOTES_MS;
  let told = 0;
  while (fromMs < lastMs && clock.now() < untilMs) {
    const toMs = Math.min(fromMs + STRETCH_MS, lastMs);
    const unended = await journal.unended(fromMs, toMs);
    const policies = await vault.policies.readAll(unended.map(({ fields }) => fields.keyId));
    const events = unended.flatMap((event) => {
      const policy = policies.get(event.fields.keyId);
      return policy === undefined ? [] : [withKey(event, policy)];
    });
    await log.append(events);
    await journal.markSwept(toMs);
    told += events.length;
    fromMs = toMs;
  }
  return told;
}
