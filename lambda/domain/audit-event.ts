import type { AuditFields, OutcomeFacts } from "./audit-fields.ts";
import type { Balance, Caps } from "./balance.ts";
import { correctionsBy } from "./call/corrections.ts";
import { rowCallId } from "./call/names.ts";
import type { Attempt, CallRecord } from "./call/record.ts";
import { type MicroUsd, microUsd, minus, NOTHING } from "./money.ts";
import { labelGroup, type Policy } from "./vault-key.ts";

/**
 * Audit events: what a change of an item in the Vault table tells. Pure; the same change always makes the same events
 * with the same ids, so that a change delivered twice is recorded once.
 *
 * Events are only ever added. A row is what the events of one attempt, or one change of a key, say together.
 */
export interface AuditEvent {
  /** The call, or the key whose change it is. */
  readonly subject: string;
  /** Null for a change of a key. */
  readonly attemptId: string | null;
  readonly event: EventName;
  /** Orders the events of an attempt: the version of the call's record, 0 for what the balance tells. */
  readonly rank: number;
  readonly fields: AuditFields;
  readonly totals: TotalsChange;
}

export type EventName =
  | "open"
  | "reserved"
  | "settled"
  | "released"
  | "unresolved"
  | "late_price"
  | "denied"
  | "free"
  | "key.issued"
  | "key.changed"
  | "key.revoked";

/** Events that end an attempt, at least for now; `open` and `reserved` say how far it got. */
const OUTCOMES: readonly EventName[] = ["settled", "released", "unresolved", "denied", "free"];

/** What the event adds to the sums that are kept beside; all of them commute, since two items feed one row. */
export interface TotalsChange {
  readonly spent: MicroUsd;
  /** Reserved or unresolved now, by window of the leaf key. */
  readonly held: MicroUsd;
  readonly window: number;
  readonly allowed: number;
  readonly denied: number;
}

const NO_CHANGE: TotalsChange = { spent: NOTHING, held: NOTHING, window: 0, allowed: 0, denied: 0 };

const keyFields = (policy: Policy) => ({
  keyId: policy.keyId,
  parentIds: policy.chain.map(({ keyId }) => keyId).filter((keyId) => keyId !== policy.keyId),
  issuerId: policy.issuerId,
  vendor: policy.vendor,
  credential: policy.credential,
  label: policy.label,
  labelGroup: policy.label === null ? null : labelGroup(policy.label),
  metadata: policy.metadata,
});

const capFields = ({ daily, total, perCall }: Caps) => ({
  dailyCap: daily,
  totalCap: total,
  perCallCap: perCall,
});

/** A key that became usable. */
export function keyIssued(policy: Policy): AuditEvent {
  const fields: AuditFields = {
    ...keyFields(policy),
    ...capFields(policy.issuedWith.caps),
    expiresAtMs: policy.issuedWith.expiresAtMs,
    type: "key.issued",
    atMs: policy.issuedAtMs,
    by: policy.issuerId,
  };
  return { subject: policy.keyId, attemptId: null, event: "key.issued", rank: 0, fields, totals: NO_CHANGE };
}

/** A key whose caps or expiry were changed, or that was revoked. */
export function keyChanged(
  policy: Policy,
  event: "key.changed" | "key.revoked",
  after: Balance,
  atMs: number,
  by: string,
): AuditEvent {
  const changed = event === "key.changed" ? { ...capFields(after.caps), expiresAtMs: after.expiresAtMs } : {};
  const fields: AuditFields = { ...keyFields(policy), ...changed, type: event, atMs, by };
  return { subject: policy.keyId, attemptId: null, event, rank: after.writes, fields, totals: NO_CHANGE };
}

/** A draw that landed on the leaf of a chain, told by the balance itself: it is seen even if its process died. */
export interface LandedDraw {
  readonly callId: string;
  readonly attemptId: string;
  readonly atMs: number;
  readonly window: number;
  readonly amount: MicroUsd;
  readonly method: string;
  readonly path: string;
  /** What the tightest cap had left after it. */
  readonly remaining: MicroUsd | null;
}

/** A reservation that landed, whatever became of the attempt that made it. */
export function drawLanded(policy: Policy, draw: LandedDraw): AuditEvent {
  const { callId, attemptId, atMs, window, amount, method, path, remaining } = draw;
  const fields: AuditFields = {
    ...keyFields(policy),
    type: "call",
    atMs,
    method,
    path,
    decision: "allowed",
    requested: amount,
    reserved: amount,
    remaining,
  };
  return {
    subject: callId,
    attemptId,
    event: "reserved",
    rank: 0,
    fields,
    totals: { ...NO_CHANGE, held: amount, window },
  };
}

/** The attempts of a call that a change tells something of. `before`: null where the record is new. */
export const changedAttempts = (before: CallRecord | null, after: CallRecord): readonly Attempt[] =>
  Object.values(after.attempts).filter((attempt) => {
    const was = before?.attempts[attempt.attemptId];
    return was?.state !== attempt.state || was.lateAtMs !== attempt.lateAtMs;
  });

/** What became of one attempt, from the record of its call before and after. */
export function attemptChanged(
  policy: Policy,
  before: CallRecord | null,
  after: CallRecord,
  attempt: Attempt,
): AuditEvent {
  const event = eventOf(before, attempt);
  const { request, outcome } = attempt;
  const fields: AuditFields = {
    ...keyFields(policy),
    ...request,
    ...(outcome === null ? {} : saidBy(outcome)),
    ...(event === "open" ? {} : { cost: attempt.cost, overrun: attempt.overrun, reason: reasonOf(attempt) }),
    type: "call",
    atMs: attempt.issuedAtMs,
    decision: event === "denied" ? "denied" : "allowed",
    requested: attempt.amount,
  };
  const subject = rowCallId(after.callId);
  return {
    subject,
    attemptId: attempt.attemptId,
    event,
    rank: after.version,
    fields,
    totals: totalsOf(before, after, attempt, event),
  };
}

/** What the vendor did not say stays as the request had it, and what was left as the draw had it. */
function saidBy({ remaining, amountText, currency, fxRate, ...facts }: OutcomeFacts): Partial<AuditFields> {
  return {
    ...facts,
    ...(remaining === null ? {} : { remaining }),
    ...(amountText === null ? {} : { amountText }),
    // A rate belongs to its currency.
    ...(currency === null ? {} : { currency, fxRate }),
  };
}

/** A joiner holds nothing of its own, so its row never stays unresolved: that is told by the attempt whose draw it uses. */
function eventOf(before: CallRecord | null, { attemptId, state, outcome, lateAtMs }: Attempt): EventName {
  if (lateAtMs !== null && before?.attempts[attemptId]?.lateAtMs === null) return "late_price";
  if (state === "paid_by_other") return "released";
  if (state !== "joined") return state;
  const status = outcome?.vendorStatus ?? 0;
  return status >= 200 && status < 300 ? "settled" : "released";
}

const reasonOf = ({ state, outcome }: Attempt): string | null =>
  state === "paid_by_other" ? "paid_by_another_attempt" : (outcome?.reason ?? null);

function totalsOf(
  before: CallRecord | null,
  after: CallRecord,
  attempt: Attempt,
  event: EventName,
): TotalsChange {
  const was = before?.attempts[attempt.attemptId];
  const window = attempt.windows.at(-1)?.window ?? 0;
  if (event === "late_price")
    return { ...NO_CHANGE, window, spent: minus(attempt.cost, was?.cost ?? NOTHING) };
  if (!OUTCOMES.includes(event)) return NO_CHANGE;
  const first = was === undefined || was.state === "open";
  return {
    spent: minus(attempt.cost, was?.cost ?? NOTHING),
    held: microUsd(-freed(after, attempt)),
    window,
    allowed: first && event !== "denied" ? 1 : 0,
    denied: first && event === "denied" ? 1 : 0,
  };
}

/** What the leaf no longer holds for the attempt: its draw, once it is settled or on its way back. */
function freed(after: CallRecord, attempt: Attempt): MicroUsd {
  if (attempt.kind !== "own") return NOTHING;
  if (attempt.state === "settled" || attempt.state === "released" || attempt.state === "paid_by_other")
    return attempt.amount;
  const leafId = attempt.windows.at(-1)?.keyId;
  const returned = correctionsBy(after, attempt.attemptId).some(({ keyId }) => keyId === leafId);
  return attempt.state === "denied" && returned ? attempt.amount : NOTHING;
}

/** One row: what the events of one attempt say together. */
export interface AuditRow {
  readonly subject: string;
  readonly attemptId: string | null;
  readonly state: EventName;
  readonly fields: AuditFields;
  readonly events: readonly AuditEvent[];
}

/**
 * Folds the events of one attempt, in any order, into its row: a later event adds to what earlier ones said, and an
 * outcome stands above `open` and `reserved`. An attempt without an outcome is `open`, whatever is reserved for it.
 */
export function rowOf(events: readonly AuditEvent[]): AuditRow {
  const ordered = [...events].sort((a, b) => precedence(a) - precedence(b) || a.rank - b.rank);
  const top = ordered.at(-1);
  if (top === undefined) throw new RangeError("a row needs an event");
  const fields = Object.assign({}, ...ordered.map((event) => event.fields)) as AuditFields;
  return {
    subject: top.subject,
    attemptId: top.attemptId,
    state: top.event === "reserved" ? "open" : top.event === "late_price" ? "settled" : top.event,
    fields,
    events: ordered,
  };
}

const precedence = ({ event }: AuditEvent): number =>
  event === "late_price" ? 3 : OUTCOMES.includes(event) ? 2 : event === "open" ? 1 : 0;
