import {
  type AuditEvent,
  attemptChanged,
  changedAttempts,
  drawLanded,
  keyChanged,
  keyIssued,
} from "../../domain/audit-event.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { AuditLog } from "../../ports/audit.ts";
import type { Vault } from "../../ports/vault.ts";
import type { VaultChange } from "../../ports/vault-change.ts";

/**
 * Writes the audit log from the changes of the Vault table. The policy of a key never changes, so whatever a row says
 * of its key is true of the time of the call.
 *
 * Throws when a change cannot be told: whoever feeds it stops there, and nothing after it is passed by.
 */
export async function eventsOf(
  change: VaultChange,
  vault: Pick<Vault, "policies">,
): Promise<readonly AuditEvent[]> {
  const policyOf = async (keyId: string): Promise<Policy> => {
    const policy = await vault.policies.read(keyId);
    if (policy === null) throw new Error(`the key ${keyId} has no policy, so its events cannot be written`);
    return policy;
  };
  switch (change.kind) {
    case "issued":
      return [keyIssued(change.policy)];
    case "drawn":
      return [drawLanded(await policyOf(change.keyId), change.draw)];
    case "changed":
    case "revoked":
      return [
        keyChanged(await policyOf(change.keyId), `key.${change.kind}`, change.after, change.atMs, change.by),
      ];
    case "call": {
      const events: AuditEvent[] = [];
      for (const attempt of changedAttempts(change.before, change.after)) {
        events.push(
          attemptChanged(await policyOf(attempt.request.keyId), change.before, change.after, attempt),
        );
      }
      return events;
    }
    case "ignored":
      return [];
  }
}

/** Records changes in their order; returns the index of the first that failed with its cause, or null. */
export async function recordAudit(
  changes: readonly (() => VaultChange)[],
  ports: { readonly vault: Pick<Vault, "policies">; readonly log: AuditLog },
): Promise<{ readonly failedAt: number; readonly cause: unknown } | null> {
  const events: AuditEvent[] = [];
  let failure: { failedAt: number; cause: unknown } | null = null;
  for (const [index, change] of changes.entries()) {
    try {
      events.push(...(await eventsOf(change(), ports.vault)));
    } catch (cause) {
      failure = { failedAt: index, cause };
      break;
    }
  }
  try {
    await ports.log.append(events);
  } catch (cause) {
    return { failedAt: 0, cause };
  }
  return failure;
}
