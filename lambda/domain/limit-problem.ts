import type { CallLimits } from "./call-limits.ts";
import { Problem } from "./problem.ts";
import type { Quote, Vendor } from "./vendor.ts";

/** Why a quoted call exceeds a limit of its key, or null. A call whose currency or recipient is unknown is refused. */
export function limitProblem(
  { amount, currency, recipients }: Pick<Quote, "amount" | "currency" | "recipients">,
  limits: CallLimits,
  vendor: Pick<Vendor, "recipients">,
  keyId: string,
): Problem | null {
  const { currencies, recipients: allowed, maxRecipients } = limits;
  const isMoney = amount > 0n || currency !== null;
  if (currencies !== null && isMoney && (currency === null || !currencies.includes(currency))) {
    return new Problem(
      "currency_not_allowed",
      `vault key ${keyId} allows the currencies ${currencies.join(", ")}; this call ${currency === null ? "names no currency" : `is in ${currency.slice(0, 20)}`}`,
    );
  }
  if (allowed === null && maxRecipients === null) return null;
  if (recipients === null) {
    return new Problem(
      "recipient_not_allowed",
      `vault key ${keyId} limits recipients, and this call names no recipient`,
    );
  }
  if (maxRecipients !== null && recipients.length > maxRecipients) {
    return new Problem(
      "too_many_recipients",
      `vault key ${keyId} allows ${maxRecipients} recipients in a call; this one has ${recipients.length}`,
    );
  }
  const refused =
    allowed === null
      ? undefined
      : [...new Set(recipients)].find(
          (recipient) => !allowed.some((entry) => vendor.recipients.allows(entry, recipient)),
        );
  if (refused === undefined) return null;
  return new Problem(
    "recipient_not_allowed",
    `vault key ${keyId} allows the recipients ${(allowed ?? []).join(", ")}; this call goes to ${JSON.stringify(refused.slice(0, 100))}`,
  );
}
