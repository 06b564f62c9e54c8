import { isApiKeyId } from "../../domain/api-key.ts";
import {
  type AuditEvent,
  apiKeyEvent,
  attemptChanged,
  changedAttempts,
  drawLanded,
  isBeginning,
  isOutcome,
  keyChanged,
  keyIssued,
  stopEvent,
} from "../../domain/audit-event.ts";
import { endedBy, type LooseEnds, looseEndsOf } from "../../domain/call/loose-end.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { AttemptJournal, AuditLog } from "../../ports/audit.ts";
import type { EvidenceLog } from "../../ports/evidence.ts";
import type { Vault } from "../../ports/vault.ts";
import type { VaultChange } from "../../ports/vault-change.ts";
import type { Recorded } from "../announce/recorded.ts";

/** Policies by key id. */
type PoliciesById = ReadonlyMap<string, Policy>;

/** The keys whose policies it takes to tell a change. */
export function keysOf(change: VaultChange): readonly string[] {
  switch (change.kind) {
    case "drawn":
    case "changed":
    case "revoked":
      return isApiKeyId(change.keyId) ? [] : [change.keyId];
    case "call":
      return changedAttempts(change.before, change.after).map(({ request }) => request.keyId);
    case "issued":
    case "api_key_issued":
    case "stops":
    case "ignored":
      return [];
  }
}

/**
 * The audit events of a change of the Vault table. The policy of a key never changes, so whatever a row says of its key is
 * true of the time of the call. Throws where a policy is missing.
 */
export function eventsOf(change: VaultChange, policies: PoliciesById): readonly AuditEvent[] {
  const policyOf = (keyId: string): Policy => {
    const policy = policies.get(keyId);
    if (policy === undefined)
      throw new Error(`the key ${keyId} has no policy, so its events cannot be written`);
    return policy;
  };
  switch (change.kind) {
    case "issued":
      return [keyIssued(change.policy)];
    case "api_key_issued": {
      const { apiKeyId: keyId, issuedAtMs: atMs, issuerId: by } = change.apiKey;
      return [apiKeyEvent("api_key.issued", { keyId, atMs, by })];
    }
    case "drawn":
      return [drawLanded(policyOf(change.keyId), change.draw)];
    case "changed":
    case "revoked":
      if (isApiKeyId(change.keyId)) return [apiKeyEvent("api_key.revoked", change)];
      return [keyChanged(policyOf(change.keyId), `key.${change.kind}`, change.after, change.atMs, change.by)];
    case "call":
      return changedAttempts(change.before, change.after).map((attempt) =>
        attemptChanged(policyOf(attempt.request.keyId), change.before, change.after, attempt),
      );
    case "stops":
      return [
        ...change.ordered.map((stop) => stopEvent("run.stopped", stop, stop)),
        ...change.gone.map(({ stop, ...gone }) => stopEvent("run.resumed", stop, gone)),
      ];
    case "ignored":
      return [];
  }
}

interface Ports {
  readonly vault: Pick<Vault, "policies">;
  readonly log: AuditLog;
  readonly journal: AttemptJournal;
  readonly evidence: EvidenceLog;
  /** When each change was written, in milliseconds, in their order; nobody knows unless given. */
  readonly writtenAtMs?: readonly number[];
  /** Told what stands on the log now; nobody unless given. It must not throw, and must not take long: the next batch waits. */
  readonly afterwards?: (recorded: Recorded) => Promise<void>;
}

/**
 * Records changes in their order; returns the index of the first that failed with its cause, or null.
 *
 * An outcome repeats all that is known of how its attempt began. So the log gets the outcomes, and the journal gets what
 * began, for attempts that die before they have one (sweep-journal.ts).
 */
export async function recordAudit(
  changes: readonly (() => VaultChange)[],
  { vault, log, journal, evidence, writtenAtMs, afterwards }: Ports,
): Promise<{ readonly failedAt: number; readonly cause: unknown } | null> {
  const { read, told, failure } = await toldBy(changes, vault);
  const recorded = failure === null ? read : read.slice(0, failure.failedAt);
  const outcomes = told.filter(isOutcome).flatMap(({ attemptId }) => attemptId ?? []);
  const loose = recorded.map(looseEndsIn);
  const ended = new Set([...outcomes, ...loose.flatMap(({ ended: ids }) => ids)]);
  const begun = told.filter(
    (event) => isBeginning(event) && event.attemptId !== null && !ended.has(event.attemptId),
  );
  const looseEnds = loose.flatMap((ends) => ends.begun).filter(({ id }) => !ended.has(id));
  try {
    await log.append(told.filter((event) => !isBeginning(event)));
    await evidence.note(recorded.flatMap(({ written }) => written ?? []));
    // Only now: an end that is noted without its outcome would hide the attempt from the sweep.
    if (begun.length + looseEnds.length + ended.size > 0)
      await journal.note({
        begun,
        looseEnds,
        ended: [...ended],
        ...(writtenAtMs !== undefined && { writtenToMs: Math.max(...writtenAtMs.slice(0, recorded.length)) }),
      });
  } catch (cause) {
    return { failedAt: 0, cause };
  }
  await afterwards?.({ changes: recorded, events: told });
  return failure;
}

function looseEndsIn(change: VaultChange): LooseEnds {
  if (change.kind === "call") return looseEndsOf(change.before, change.after);
  return { begun: [], ended: change.written === undefined ? [] : endedBy(change.written) };
}

type Failure = { readonly failedAt: number; readonly cause: unknown } | null;

interface Told {
  readonly read: readonly VaultChange[];
  readonly told: readonly AuditEvent[];
  readonly failure: Failure;
}

/** The events of all changes before the first that cannot be told. */
async function toldBy(
  changes: readonly (() => VaultChange)[],
  vault: Pick<Vault, "policies">,
): Promise<Told> {
  const read: VaultChange[] = [];
  let failure: Failure = null;
  for (const [index, change] of changes.entries()) {
    try {
      read.push(change());
    } catch (cause) {
      failure = { failedAt: index, cause };
      break;
    }
  }
  const told: AuditEvent[] = [];
  try {
    const policies = await vault.policies.readAll(read.flatMap(keysOf));
    for (const [index, change] of read.entries()) {
      try {
        told.push(...eventsOf(change, policies));
      } catch (cause) {
        return { read, told, failure: { failedAt: index, cause } };
      }
    }
  } catch (cause) {
    return { read, told: [], failure: { failedAt: 0, cause } };
  }
  return { read, told, failure };
}
