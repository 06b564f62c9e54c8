import { isApiKeyId } from "../../domain/api-key.ts";
import {
  ALL_SPENT,
  type Balance,
  type BalanceRefusal,
  type CapStatus,
  capStatuses,
  fitsAtMs,
  type StopCause,
  standing,
  windowAt,
} from "../../domain/balance.ts";
import { ENTRIES_MAX, entriesOf } from "../../domain/call/claim.ts";
import { rowCallId } from "../../domain/call/names.ts";
import type { CallRecord } from "../../domain/call/record.ts";
import { minuteEndMs } from "../../domain/call-rate.ts";
import { type CountedObject, OBJECT_ENTRIES_MAX } from "../../domain/counted-object.ts";
import { dollars, type MicroUsd, NOTHING, usdNumber } from "../../domain/money.ts";
import { Problem, type ProblemCode, type ProblemDetails } from "../../domain/problem.ts";
import { isoTime } from "../../domain/time.ts";
import type { SpentBudget } from "../../ports/audit.ts";
import type { Refusal, Reservation } from "./draw-chain.ts";

/** The words of a refusal by a balance. The message alone says everything: schedulers keep nothing else. */

const named = (keyId: string): string => `${isApiKeyId(keyId) ? "API key" : "vault key"} ${keyId}`;

/** Why a chain may not be used at all, or null. The first key that ended says so. */
export function standingProblem(
  keyIds: readonly string[],
  balances: readonly (Balance | null)[],
  nowMs: number,
): Problem | null {
  for (const [index, keyId] of keyIds.entries()) {
    const balance = balances[index] ?? null;
    const state = standing(balance, nowMs);
    if (state !== "active") return endedProblem(keyId, balance, state);
  }
  return null;
}

function endedProblem(
  keyId: string,
  balance: Balance | null,
  state: "revoked" | "expired" | "unknown",
): Problem {
  if (state === "revoked" && balance?.revokedAtMs != null) {
    const at = isoTime(balance.revokedAtMs);
    if (balance.stoppedBy !== undefined) return revokedByStop(keyId, at, balance.stoppedBy);
    return new Problem("key_revoked", `${named(keyId)} was revoked at ${at}; issue another one`, {
      details: { key_id: keyId, revoked_at: at },
    });
  }
  if (state === "expired" && balance !== null) {
    const at = isoTime(balance.expiresAtMs);
    return new Problem(
      "key_expired",
      `${named(keyId)} expired at ${at}; issue another one, or extend it with PATCH /vault/keys/${keyId}`,
      { details: { key_id: keyId, expires_at: at } },
    );
  }
  return new Problem(
    "key_unknown",
    "unknown vault key; it was never issued here, or ended more than 30 days ago",
  );
}

/** Says who stopped the run and why, so that nobody takes it for a fault and issues another key. */
const revokedByStop = (keyId: string, at: string, { stopId, by, reason }: StopCause) =>
  new Problem(
    "key_revoked",
    `vault key ${keyId} was revoked at ${at}: ${by} stopped this run by ${stopId}${reason === null ? "" : ` (${JSON.stringify(reason)})`}; ` +
      "no key for it is issued until the stop ends or is lifted",
    { details: { key_id: keyId, revoked_at: at, stop_id: stopId, stopped_by: by, stop_reason: reason } },
  );

/** Another attempt may be at the vendor now. */
export const inFlight = () =>
  new Problem(
    "idempotency_key_in_use",
    "a call with this Idempotency-Key is in flight; repeat it with the same key in a moment",
    { otherAttempts: true },
  );

/** Nothing that is undecided is dropped, so the record takes no more. */
export const recordFull = (record: CallRecord) =>
  new Problem(
    "record_full",
    `this call has too many attempts without a known outcome: its record ${rowCallId(record.callId)} holds ${entriesOf(record)} attempts and ` +
      `corrections that are not confirmed, and the limit is ${ENTRIES_MAX}; check at the vendor whether it was executed, ` +
      "and send it with another Idempotency-Key if it was not",
    { otherAttempts: true, details: { call_id: rowCallId(record.callId) } },
  );

/** An object is read whole by each call about it. */
export const objectFull = (object: CountedObject) =>
  new Problem(
    "record_full",
    `${object.objectId} was changed too often: ${object.entries.length} changes of it are counted, and the limit is ${OBJECT_ENTRIES_MAX}; ` +
      "cancel it and create another one",
    { details: { object_id: object.objectId } },
  );

/** What is missing is held by an earlier attempt of the very same call. */
export const heldByAnother = () =>
  new Problem(
    "idempotency_key_in_use",
    "another attempt of this call still holds budget for it; repeat it with the same Idempotency-Key in a moment",
    { otherAttempts: true },
  );

interface Asked {
  readonly requested: MicroUsd;
  /** Why it is more than the request says, for a person. */
  readonly explanation: string | null;
  readonly nowMs: number;
}

/** Why a reservation did not come about. Reads what is spent, to tell it apart from what is reserved. */
export async function reservationProblem(
  reservation: Reservation,
  { requested, explanation, nowMs }: Asked,
  spending: SpentBudget,
): Promise<Problem> {
  const { refusal, ambiguous } = reservation;
  if (refusal === null || refusal.reason === "fenced") {
    return new Problem(
      "ledger_unavailable",
      ambiguous.length > 0
        ? "the ledger could not confirm that this call is within its cap, so it was not made; repeat it"
        : "the ledger made no reservation for this call, so it was not made and holds no budget; repeat it in a moment",
    );
  }
  const { keyId, reason, balance } = refusal;
  const why = explanation === null ? "" : ` (${explanation})`;
  if (balance === null || reason === "unknown" || reason === "revoked" || reason === "expired") {
    return endedProblem(keyId, balance, reason === "revoked" || reason === "expired" ? reason : "unknown");
  }
  const wait = retryAfterS(reservation, requested, nowMs);
  if (reason === "rate") return rateProblem(refusal, wait, nowMs);
  if (reason === "per_call_cap") return perCallExceeded(keyId, balance.caps.perCall, requested, why);

  const window = windowAt(balance.issuedAtMs, nowMs);
  const spent = await spending.spent(keyId, window, reason === "total_cap").catch(() => ALL_SPENT);
  const name = reason === "daily_cap" ? "daily" : "total";
  const cap = capStatuses(balance, nowMs, spent).find((status) => status.name === name);
  return cap === undefined
    ? new Problem("ledger_unavailable", "the caps of this key changed in the meantime; repeat the call")
    : capExceeded(balance, cap, requested, why, wait);
}

/** The longest wait that a client is asked for, in seconds; docs/decisions/0028-retry-after.md says why. */
const RETRY_AFTER_S_MAX = 600;

/**
 * After how many seconds the same call fits in every key of the chain, if nothing else is spent; null where waiting does not
 * help inside a run. Clients without an SDK sleep as long as `Retry-After` says.
 */
function retryAfterS(
  { refusals, ambiguous, drawnUntilMs }: Pick<Reservation, "refusals" | "ambiguous" | "drawnUntilMs">,
  requested: MicroUsd,
  nowMs: number,
): number | null {
  const fits = refusals.map(({ balance, reason }) => {
    const fitsMs = balance === null ? null : fitsAtMs(balance, requested, nowMs);
    const minuteMs = reason === "rate" && balance !== null ? endOfMinuteMs(balance) : nowMs;
    return fitsMs === null ? null : Math.max(fitsMs, minuteMs);
  });
  if (ambiguous.length > 0 || fits.includes(null)) return null;
  const seconds = Math.max(1, ...fits.map((atMs) => Math.ceil(((atMs ?? nowMs) - nowMs) / 1000)));
  const untilMs = Math.min(drawnUntilMs, ...refusals.map(({ balance }) => balance?.expiresAtMs ?? 0));
  return seconds <= RETRY_AFTER_S_MAX && nowMs + seconds * 1000 < untilMs ? seconds : null;
}

/** The refusal of a key that was called too often in its minute, or null where none was. */
export function rateLimited(refusals: readonly Refusal[], nowMs: number): Problem | null {
  const refusal = refusals.find(({ reason }) => reason === "rate");
  if (refusal === undefined) return null;
  const all = { refusals, ambiguous: [], drawnUntilMs: Number.MAX_VALUE };
  return rateProblem(refusal, retryAfterS(all, NOTHING, nowMs), nowMs);
}

function rateProblem({ keyId, balance, count }: Refusal, wait: number | null, nowMs: number): Problem {
  const max = count?.max ?? 0;
  const endMs = balance === null ? nowMs : endOfMinuteMs(balance);
  return new Problem(
    "rate_limited",
    `vault key ${keyId} allows ${max} ${max === 1 ? "call" : "calls"} a minute, and this minute has had ${max === 1 ? "it" : "them"}; free, denied and repeated calls count too; not retryable until ${isoTime(endMs)}, when its next minute begins`,
    {
      details: { key_id: keyId, max_calls_per_minute: max, resets_at: isoTime(endMs) },
      ...(wait !== null && { retryAfterS: wait }),
    },
  );
}

const endOfMinuteMs = ({ issuedAtMs, minuteCalls }: Balance): number =>
  minuteEndMs(issuedAtMs, minuteCalls?.minute ?? 0);

/** The code of what a balance refuses. `othersHold`: another attempt of the call holds budget for it. */
export const codeOf = (reason: BalanceRefusal, othersHold: boolean): ProblemCode => {
  switch (reason) {
    case "revoked":
      return "key_revoked";
    case "expired":
      return "key_expired";
    case "unknown":
      return "key_unknown";
    case "fenced":
      return "ledger_unavailable";
    case "rate":
      return "rate_limited";
    case "per_call_cap":
      return "spend_cap_exceeded";
    case "daily_cap":
    case "total_cap":
      return othersHold ? "idempotency_key_in_use" : "spend_cap_exceeded";
  }
};

const perCallExceeded = (keyId: string, cap: MicroUsd, requested: MicroUsd, why: string) =>
  new Problem(
    "spend_cap_exceeded",
    `${named(keyId)} allows at most ${dollars(cap)} for one call; this call needs ${dollars(requested)}${why}; not retryable until the cap is raised`,
    {
      details: {
        key_id: keyId,
        cap: "per_call",
        cap_usd: usdNumber(cap),
        requested_usd: usdNumber(requested),
      },
    },
  );

function capExceeded(
  balance: Balance,
  cap: CapStatus,
  requested: MicroUsd,
  why: string,
  retryAfter: number | null,
): Problem {
  const { keyId } = balance;
  const resetsAt = cap.resetsAtMs === null ? null : isoTime(cap.resetsAtMs);
  const message =
    `${named(keyId)} spend cap exceeded: ${cap.name} cap ${dollars(cap.cap)}, spent ${dollars(cap.spent)}, ` +
    `reserved ${dollars(cap.reserved)}, remaining ${dollars(cap.remaining)}; this call needs ${dollars(requested)}${why}; ` +
    `not retryable until ${whenItFits(balance, cap, requested)}`;
  const details: ProblemDetails = {
    key_id: keyId,
    cap: cap.name,
    cap_usd: usdNumber(cap.cap),
    spent_usd: usdNumber(cap.spent),
    reserved_usd: usdNumber(cap.reserved),
    remaining_usd: usdNumber(cap.remaining),
    requested_usd: usdNumber(requested),
    resets_at: resetsAt,
  };
  return new Problem("spend_cap_exceeded", message, {
    details,
    ...(retryAfter !== null && { retryAfterS: retryAfter }),
  });
}

/**
 * What has to happen before the call may pass: time alone does not help one above the whole cap or what is left of the
 * total cap, or past the expiry.
 */
function whenItFits(
  { expiresAtMs, leftInTotal }: Balance,
  { cap, resetsAtMs }: CapStatus,
  requested: MicroUsd,
): string {
  if (resetsAtMs === null) return "the cap is raised";
  if (requested > leftInTotal)
    return `the cap and the total cap are raised, since the total cap has ${dollars(leftInTotal)} left (the daily cap resets at ${isoTime(resetsAtMs)})`;
  const resets = `resets at ${isoTime(resetsAtMs)}`;
  if (requested > cap)
    return `the cap is raised, since this call needs more than the whole cap (which ${resets})`;
  if (expiresAtMs <= resetsAtMs)
    return `the cap is raised (it ${resets}, but the key expires at ${isoTime(expiresAtMs)})`;
  return `the cap is raised or ${resets}`;
}
