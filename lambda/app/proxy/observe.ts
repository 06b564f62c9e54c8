import { Problem, type ProblemCode } from "../../domain/problem.ts";
import { type EnforcedAbove, modeOf, type Policy } from "../../domain/vault-key.ts";
import { type Row, withWouldDeny } from "./row.ts";

/** What a key allows in a call. */
export type Allowed = EnforcedAbove;

/** What a key may be told to observe only, beside its caps and its rate. Everything else is refused whatever its mode. */
const OBSERVABLE: readonly ProblemCode[] = [
  "endpoint_not_allowed",
  "account_not_allowed",
  "currency_not_allowed",
  "recipient_not_allowed",
  "too_many_recipients",
];

/**
 * A check by what the key allows. Where a key that only observes would refuse, the row says so, and the check is made once
 * more by what an enforcing key above it allows. Throws the Problem that refuses the call.
 */
export function checked<T>(
  row: Row,
  check: (allowed: Allowed) => T | Problem,
): { readonly row: Row; readonly value: T } {
  const { policy } = row;
  const value = check(policy);
  if (!(value instanceof Problem)) return { row, value };
  if (modeOf(policy) === "enforce" || !OBSERVABLE.includes(value.code)) throw value;

  const held = check(heldTo(policy));
  if (held instanceof Problem) throw held;
  return { row: withWouldDeny(row, value.code), value: held };
}

/** What still refuses a call of a key that only observes. */
const heldTo = ({ keyId, limits, enforcedAbove }: Policy): Allowed =>
  enforcedAbove ?? {
    keyId,
    allowedEndpoints: null,
    limits: { ...limits, anyAccount: true, currencies: null, recipients: null, maxRecipients: null },
  };
