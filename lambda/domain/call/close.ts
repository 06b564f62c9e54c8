import { NOTHING_KNOWN, type OutcomeFacts } from "../audit-fields.ts";
import type { MicroUsd } from "../money.ts";
import type { CountedAs } from "../vendor.ts";
import { Change, type Folded } from "./change.ts";
import { type Attempt, type CallRecord, unresolvedAttempts } from "./record.ts";

/** What is known from outside of a call whose outcome is unknown. */
export type Verdict = Charged | { readonly kind: "not_charged" };

export interface Charged {
  readonly kind: "charged";
  /** The unresolved attempt that it is about; null: the first one. */
  readonly attemptId: string | null;
  /** Micro-dollars; null: what was reserved. */
  readonly price: MicroUsd | null;
  /** What the call made or acted on at the vendor; null where that is not known. */
  readonly objectId: string | null;
  /** The vendor that tells the final price later; null where `price` is final. */
  readonly estimateOf: string | null;
  /** The object to remember as counted, with its amount now; null where there is none, or it is not known. */
  readonly counts: CountedAs | null;
  /** What the row says of the outcome beside. */
  readonly facts: Partial<OutcomeFacts>;
}

/** What somebody knows who has seen the charge, and nothing but its price (null: what was reserved). */
export const chargedAt = (price: MicroUsd | null): Charged => ({
  kind: "charged",
  attemptId: null,
  price,
  objectId: null,
  estimateOf: null,
  counts: null,
  facts: {},
});

/**
 * Closes a call whose outcome is unknown, by what is known from outside. Charged: one unresolved attempt pays, more than it
 * reserved is counted beyond the caps, and all others go back; where another attempt of the call pays already, all of them
 * do, since a vendor executes a call once. Not charged: all go back. Attempts that are open are the resolver's.
 *
 * Null where nothing of the call is unresolved. `by`: an API key, `admin` or `VENDOR_BOOKS`; it stands on the rows. `writer`:
 * a name of its own for whoever closes, so that it knows its own corrections.
 */
export function closed(
  before: CallRecord,
  verdict: Verdict,
  by: string,
  writer: string,
  nowMs: number,
): Folded | null {
  const unresolved = unresolvedAttempts(Object.values(before.attempts));
  if (unresolved.length === 0) return null;

  const change = new Change(before, writer, nowMs, by);
  const paying = verdict.kind === "charged" ? payingOf(before, unresolved, verdict) : null;
  if (verdict.kind === "charged" && paying !== null) {
    const { price, objectId, estimateOf, facts } = verdict;
    change.settle(withFacts(paying, facts), { price: price ?? paying.amount, objectId, estimateOf });
  }
  const others = change.payingAttemptId === null ? "released" : "paid_by_other";
  for (const attempt of change.unresolved()) change.release(attempt, others);
  return change.folded();
}

/** Null where the call is paid already. */
function payingOf(
  { payingAttemptId }: CallRecord,
  unresolved: readonly Attempt[],
  { attemptId }: Charged,
): Attempt | null {
  if (payingAttemptId !== null) return null;
  return unresolved.find((attempt) => attempt.attemptId === attemptId) ?? unresolved[0] ?? null;
}

const withFacts = (attempt: Attempt, facts: Partial<OutcomeFacts>): Attempt =>
  Object.keys(facts).length === 0
    ? attempt
    : { ...attempt, outcome: { ...(attempt.outcome ?? NOTHING_KNOWN), ...facts } };
