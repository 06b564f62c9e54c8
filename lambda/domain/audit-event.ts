import type { AuditFields, OutcomeFacts } from "./audit-fields.ts";
import type { Balance, Caps, StopCause } from "./balance.ts";
import { correctionsBy } from "./call/corrections.ts";
import { rowCallId } from "./call/names.ts";
import { type Attempt, type CallRecord, type KeyWindow, RESOLVER, VENDOR_BOOKS } from "./call/record.ts";
import { labelMatchText } from "./label-match.ts";
import { larger, type MicroUsd, microUsd, minus, NOTHING, plus } from "./money.ts";
import { type Stop, stopFacts } from "./stop.ts";
import { groupOf } from "./stop-lists.ts";
import { labelGroup, type Policy, vaultKeysOf } from "./vault-key.ts";

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
  | "key.revoked"
  | "api_key.issued"
  | "api_key.revoked"
  | "run.stopped"
  | "run.resumed";

/** Events that end an attempt, at least for now; `open` and `reserved` say how far it got. */
const OUTCOMES: readonly EventName[] = ["settled", "released", "unresolved", "denied", "free"];

/** Says that an attempt began, and nothing that its outcome does not repeat. */
export const isBeginning = ({ event }: AuditEvent): boolean => event === "open" || event === "reserved";

/** Says what became of an attempt. */
export const isOutcome = ({ event }: AuditEvent): boolean => OUTCOMES.includes(event);

/** What an event adds to the sums that are kept beside; all of them commute, since the stream orders no two items. */
export interface TotalsChange {
  /** Of the row, and so of its vendor, its label and its label group. */
  readonly spent: MicroUsd;
  readonly allowed: number;
  readonly denied: number;
  /** Of each key whose budget the change takes for good, by the window that it is taken from. The leaf has the counts. */
  readonly keys: readonly KeyTotalsChange[];
}

export interface KeyTotalsChange {
  readonly keyId: string;
  readonly window: number;
  readonly spent: MicroUsd;
  readonly allowed: number;
  readonly denied: number;
}

const NO_CHANGE: TotalsChange = { spent: NOTHING, allowed: 0, denied: 0, keys: [] };

const keyFields = (policy: Policy) => ({
  keyId: policy.keyId,
  parentIds: vaultKeysOf(policy).slice(0, -1),
  issuerId: policy.issuerId,
  vendor: policy.vendor,
  credential: policy.credential,
  label: policy.label,
  labelGroup: policy.label === null ? null : labelGroup(policy.label),
  metadata: policy.metadata,
});

/** An event with what its key tells, where it was kept without. */
export const withKey = (event: AuditEvent, policy: Policy): AuditEvent => ({
  ...event,
  fields: { ...event.fields, ...keyFields(policy) },
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
  const { stoppedBy } = after;
  const reason = stoppedBy === undefined || event !== "key.revoked" ? {} : { reason: stopReason(stoppedBy) };
  const fields: AuditFields = { ...keyFields(policy), ...changed, ...reason, type: event, atMs, by };
  return { subject: policy.keyId, attemptId: null, event, rank: after.writes, fields, totals: NO_CHANGE };
}

/** Why a key was revoked that a stop revoked. */
const stopReason = ({ stopId, reason }: StopCause): string =>
  reason === null ? stopId : `${stopId}: ${reason}`;

/** The vendor of rows that are about no vendor: of API keys and stops. */
export const OWN_ROWS = "keybrake";

/** An API key that became usable, or that was revoked. Its id stands where a vault key's does. */
export function apiKeyEvent(
  event: "api_key.issued" | "api_key.revoked",
  { keyId, atMs, by }: { readonly keyId: string; readonly atMs: number; readonly by: string },
): AuditEvent {
  const fields: AuditFields = {
    keyId,
    parentIds: [],
    issuerId: by,
    vendor: OWN_ROWS,
    credential: "",
    label: null,
    labelGroup: null,
    metadata: {},
    type: event,
    atMs,
    by,
  };
  return { subject: keyId, attemptId: null, event, rank: 0, fields, totals: NO_CHANGE };
}

/**
 * A stop that was ordered, or that is not in force any more. Its id stands where a key's does, and `metadata` says what it is
 * for; its label is that of the row, also where it is the beginning of labels.
 */
export function stopEvent(
  event: "run.stopped" | "run.resumed",
  stop: Stop,
  { by, atMs }: { readonly by: string; readonly atMs: number },
): AuditEvent {
  const { id, reason, matcher } = stop;
  const fields: AuditFields = {
    keyId: id,
    parentIds: [],
    issuerId: stop.by,
    vendor: OWN_ROWS,
    credential: "",
    label: matcher.label === null ? null : labelMatchText(matcher.label),
    labelGroup: matcher.label === null ? null : groupOf(matcher.label),
    metadata: stopFacts(stop),
    type: event,
    atMs,
    reason,
    by,
  };
  const rank = event === "run.stopped" ? 0 : 1;
  return { subject: id, attemptId: null, event, rank, fields, totals: NO_CHANGE };
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
  const { callId, attemptId, atMs, amount, method, path, remaining } = draw;
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
    totals: NO_CHANGE,
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
    ...(attempt.closedBy === null ? {} : { by: attempt.closedBy }),
    type: "call",
    atMs: attempt.issuedAtMs,
    decision: event === "denied" ? "denied" : "allowed",
    requested: attempt.amount,
    ...(tookItsDraw(after, attempt) ? { reserved: attempt.amount } : {}),
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
    ...(remaining === null ? {} : { remaining: larger(remaining, NOTHING) }),
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

function reasonOf({ state, outcome, closedBy }: Attempt): string | null {
  if (state === "paid_by_other") return "paid_by_another_attempt";
  if (closedBy !== null && closedBy !== RESOLVER)
    return closedBy === VENDOR_BOOKS ? "resolved_by_books" : "resolved_by_hand";
  if (outcome !== null) return outcome.reason;
  // Its process died before it wrote one.
  return state === "released" ? "never_sent" : "no_outcome";
}

/** Whether its outcome shows that the draw on its leaf landed. A denial gives back what had landed. */
function tookItsDraw(record: CallRecord, { attemptId, kind, state, windows, outcome }: Attempt): boolean {
  if (kind !== "own" || state === "open") return false;
  const leafId = windows.at(-1)?.keyId;
  // Where it was never sent, the resolver gave back what had landed.
  if (state === "released" && outcome === null)
    return Object.values(record.corrections).some(({ keyId }) => keyId === leafId);
  return state !== "denied" || correctionsBy(record, attemptId).some(({ keyId }) => keyId === leafId);
}

function totalsOf(
  before: CallRecord | null,
  after: CallRecord,
  attempt: Attempt,
  event: EventName,
): TotalsChange {
  if (event === "open") return NO_CHANGE;
  const was = before?.attempts[attempt.attemptId];
  const isFirst = event !== "late_price" && (was === undefined || was.state === "open");
  const allowed = isFirst && event !== "denied" ? 1 : 0;
  const denied = isFirst && event === "denied" ? 1 : 0;
  const spent = minus(attempt.cost, was?.cost ?? NOTHING);
  const leaf = attempt.windows.at(-1);
  const keys = spentByKey(before, after, attempt).map(({ keyId, window, amount }) => {
    const isLeaf = keyId === leaf?.keyId && window === leaf.window;
    return { keyId, window, spent: amount, allowed: isLeaf ? allowed : 0, denied: isLeaf ? denied : 0 };
  });
  return {
    spent,
    allowed,
    denied,
    keys: keys.filter((key) => key.spent !== 0n || key.allowed + key.denied > 0),
  };
}

/**
 * What the change of one attempt takes for good from each key, by window: where nothing is reserved or unresolved, these add
 * up to what the balances lack.
 *
 * Mostly that is the attempt's cost, on each key of its chain. Whoever wrote an outcome may have decided more: what is given
 * back for an object that was cancelled belongs to the keys and windows it was drawn from.
 */
function spentByKey(
  before: CallRecord | null,
  after: CallRecord,
  attempt: Attempt,
): readonly (KeyWindow & { readonly amount: MicroUsd })[] {
  const places = new Map<string, KeyWindow & { readonly amount: MicroUsd }>();
  const add = ({ keyId, window }: KeyWindow, amount: MicroUsd) => {
    const place = `${keyId}#${window}`;
    places.set(place, { keyId, window, amount: plus(places.get(place)?.amount ?? NOTHING, amount) });
  };
  const costChange = ({ attemptId, cost }: Attempt): MicroUsd =>
    minus(cost, before?.attempts[attemptId]?.cost ?? NOTHING);

  const was = before?.attempts[attempt.attemptId];
  const wroteIt =
    attempt.outcome !== null &&
    (was?.outcome ?? null) === null &&
    attempt.closedBy === (was?.closedBy ?? null);
  if (!wroteIt || attempt.state === "denied" || attempt.state === "unresolved") {
    for (const place of attempt.windows) add(place, costChange(attempt));
    return [...places.values()];
  }
  for (const place of attempt.windows) add(place, attempt.kind === "own" ? attempt.amount : NOTHING);
  for (const correction of correctionsBy(after, attempt.attemptId))
    add(correction, microUsd(-correction.amount));
  // What it gave back for others is theirs: their own events say what they cost.
  for (const other of changedAttempts(before, after)) {
    if (other.attemptId === attempt.attemptId || other.kind !== "own" || other.state === "open") continue;
    for (const place of other.windows) add(place, minus(other.amount, costChange(other)));
  }
  return [...places.values()];
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
