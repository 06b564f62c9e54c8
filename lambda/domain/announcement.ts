import type { AuditEvent } from "./audit-event.ts";
import type { CapCrossing } from "./cap-crossing.ts";
import { dollars, type MicroUsd, NOTHING } from "./money.ts";
import { type StopTarget, sameStop, stopTargetOf } from "./stop-command.ts";
import { isoTime } from "./time.ts";
import { labelGroup } from "./vault-key.ts";

/**
 * What people and programs outside are told of: an announcement, sent as an event. Pure; the same change always makes the
 * same announcements with the same ids. Nothing is announced that is not on the audit log.
 */
export interface Announcement {
  /** Tells repeats: it may be sent more than once. */
  readonly id: string;
  readonly type: AnnouncementType;
  /** Whether one id is sent once, as far as that can be known (docs/events.md). */
  readonly once: boolean;
  /** When it happened, in milliseconds. */
  readonly atMs: number;
  readonly keyId: string | null;
  readonly vendor: string | null;
  readonly label: string | null;
  readonly labelGroup: string | null;
  /** What else it says, by the names that the event has. Money in micro-dollars. */
  readonly facts: Readonly<Record<string, Fact>>;
  /** One sentence for a person. */
  readonly text: string;
  readonly stop: StopTarget;
  /** The call that somebody has to close, where there is one. */
  readonly unresolvedCallId?: string;
}

export type AnnouncementType =
  | "cap.threshold"
  | "spend.rate"
  | "key.revoked"
  | "run.stopped"
  | "call.unresolved"
  | "call.overrun";

/** Micro-dollars are whole (`bigint`), all other numbers are `number`. */
type Fact = string | number | MicroUsd | null;

/** What a key's announcements say of it. */
interface AnnouncedKey {
  readonly keyId: string;
  readonly vendor: string | null;
  readonly label: string | null;
}

const named = ({ keyId, label }: AnnouncedKey): string =>
  `key ${keyId}${label === null ? "" : ` (${label})`}`;

const ofKey = ({ keyId, vendor, label }: AnnouncedKey) => ({
  keyId,
  vendor,
  label,
  labelGroup: label === null ? null : labelGroup(label),
  stop: stopTargetOf(keyId, label),
});

/** That a threshold of a cap was reached: once for each key, cap, amount of the cap, window and threshold. */
export function capReached(key: AnnouncedKey, crossing: CapCrossing): Announcement {
  const { cap, window, threshold, capAmount, taken, resetsAtMs, atMs } = crossing;
  const left = taken < capAmount ? capAmount - taken : NOTHING;
  const until = resetsAtMs === null ? "" : `, which starts again at ${isoTime(resetsAtMs)}`;
  return {
    ...ofKey(key),
    id: `cap.threshold#${key.keyId}#${cap}#${window ?? "life"}#${capAmount}#${threshold}`,
    type: "cap.threshold",
    once: true,
    atMs,
    facts: {
      cap,
      threshold_percent: threshold,
      cap_usd: capAmount,
      taken_usd: taken,
      remaining_usd: left as MicroUsd,
      resets_at: resetsAtMs === null ? null : isoTime(resetsAtMs),
    },
    text: `${named(key)} has reached ${threshold} % of its ${cap} cap: ${dollars(taken)} of ${dollars(capAmount)}${until}`,
  };
}

/** What an event of the audit log announces, if anything. */
export function announcementsOf(event: AuditEvent): readonly Announcement[] {
  // As text: which events there are is the audit log's to say.
  const name: string = event.event;
  if (name === "key.revoked") return [keyRevoked(event)];
  if (name === "run.stopped") return [runStopped(event)];
  if (name === "unresolved") return [callUnresolved(event)];
  return event.fields.overrun === true ? [callOverrun(event)] : [];
}

const idOf = (type: AnnouncementType, { subject, attemptId, event, rank }: AuditEvent): string =>
  [type, subject, ...(attemptId === null ? [rank] : [attemptId, event])].join("#");

function keyRevoked(event: AuditEvent): Announcement {
  const { fields } = event;
  const by = fields.by ?? null;
  return {
    ...ofKey(fields),
    id: idOf("key.revoked", event),
    type: "key.revoked",
    once: false,
    atMs: fields.atMs,
    facts: { by },
    text: `${named(fields)} was revoked by ${by === fields.keyId ? "itself" : by}`,
  };
}

function runStopped(event: AuditEvent): Announcement {
  const { fields, subject } = event;
  const { by = null, reason = null, metadata, label } = fields;
  const stopped = metadata["agent_run_label"] ?? label;
  return {
    id: idOf("run.stopped", event),
    type: "run.stopped",
    once: false,
    atMs: fields.atMs,
    keyId: null,
    vendor: metadata["vendor"] ?? null,
    label: stopped,
    labelGroup: stopped === null ? null : labelGroup(stopped),
    facts: { ...metadata, stop_id: subject, by, reason },
    text: `${stopped ?? criteriaOf(metadata)} was stopped by ${by}${reason === null ? "" : `: ${reason}`}`,
    stop: sameStop(metadata),
  };
}

const criteriaOf = (said: Readonly<Record<string, string>>): string => {
  const named = ["vendor", "parent_id", "api_key_id"].flatMap((name) =>
    said[name] ? [`${name} ${said[name]}`] : [],
  );
  return named.join(", ") || "every vault key";
};

function callUnresolved(event: AuditEvent): Announcement {
  const { fields } = event;
  const { reserved = null, reason = null, vendorStatus = null } = fields;
  const held = reserved === null ? "" : `; ${dollars(reserved)} stays held`;
  return {
    ...ofCall(event, "call.unresolved"),
    facts: { ...callFacts(event), reserved_usd: reserved, reason, vendor_status: vendorStatus },
    text: `a call of ${named(fields)} has no known outcome: ${calledOf(event)}${held}; once you know it, close the call: keybrake resolve ${event.subject} --charged (or --not-charged)`,
    unresolvedCallId: event.subject,
  };
}

function callOverrun(event: AuditEvent): Announcement {
  const { fields } = event;
  const { reserved = null, cost = NOTHING } = fields;
  const against =
    reserved === null ? "than was reserved" : `than the ${dollars(reserved)} that were reserved`;
  return {
    ...ofCall(event, "call.overrun"),
    facts: { ...callFacts(event), reserved_usd: reserved, cost_usd: cost },
    text: `a call of ${named(fields)} cost ${dollars(cost)}, more ${against}: ${calledOf(event)}`,
  };
}

const ofCall = (event: AuditEvent, type: AnnouncementType) => ({
  ...ofKey(event.fields),
  id: idOf(type, event),
  type,
  once: false,
  atMs: event.fields.atMs,
});

const callFacts = ({ subject, attemptId, fields }: AuditEvent) => ({
  call_id: subject,
  attempt: attemptId,
  method: fields.method ?? null,
  path: fields.path ?? null,
});

const calledOf = ({ fields }: AuditEvent): string =>
  `${fields.method ?? ""} ${fields.path ?? ""} at ${fields.vendor}`.trim();

/** A minute of a run that was dearer than allowed. `label`: what stops the run. `minuteMs`: its start. */
export interface DearMinute {
  readonly group: string;
  readonly label: string;
  readonly minuteMs: number;
  readonly spent: MicroUsd;
  readonly calls: number;
  readonly allowed: MicroUsd;
}

const HOUR_MS = 3_600_000;

/** That a run spends faster than the configured dollars a minute: once for each run and hour. */
export function rateExceeded({ group, label, minuteMs, spent, calls, allowed }: DearMinute): Announcement {
  return {
    id: `spend.rate#${group}#${Math.floor(minuteMs / HOUR_MS)}`,
    type: "spend.rate",
    once: true,
    atMs: minuteMs,
    keyId: null,
    vendor: null,
    label: null,
    labelGroup: group,
    facts: { minute: isoTime(minuteMs), spent_usd: spent, calls, threshold_usd_per_minute: allowed },
    text: `run ${group} spent ${dollars(spent)} in the minute from ${isoTime(minuteMs)}, more than ${dollars(allowed)} a minute`,
    stop: { kind: "run", label },
  };
}
