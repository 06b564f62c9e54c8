import { type Announcement, announcementsOf, capReached } from "../../domain/announcement.ts";
import type { AuditEvent } from "../../domain/audit-event.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Vault } from "../../ports/vault.ts";
import type { VaultChange } from "../../ports/vault-change.ts";

/** Changes of the Vault that are recorded, and the events that they made. */
export interface Recorded {
  readonly changes: readonly VaultChange[];
  readonly events: readonly AuditEvent[];
}

/**
 * What is to be announced of changes that are recorded. Policies are read only where a threshold of a cap was reached: the
 * key may be an ancestor of the one that paid. An API key has none, and no label.
 */
export async function announcementsFor(
  { changes, events }: Recorded,
  { policies }: Pick<Vault, "policies">,
): Promise<readonly Announcement[]> {
  const crossings = changes.flatMap(({ crossed = [] }) => crossed);
  const known: ReadonlyMap<string, Policy> =
    crossings.length === 0 ? new Map() : await policies.readAll(crossings.map(({ keyId }) => keyId));
  const reached = crossings.map((crossing) => {
    const { vendor = null, label = null } = known.get(crossing.keyId) ?? {};
    return capReached({ keyId: crossing.keyId, vendor, label }, crossing);
  });
  return [...reached, ...events.flatMap(announcementsOf)];
}
