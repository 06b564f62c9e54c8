export interface Card {
  readonly brand: string;
  readonly checks: object;
  readonly country: "US";
  readonly display_brand: string;
  readonly exp_month: number;
  readonly exp_year: number;
  readonly fingerprint: string;
  readonly funding: "credit";
  readonly generated_from: null;
  readonly last4: string;
  readonly networks: object;
  readonly three_d_secure_usage: object;
  readonly wallet: null;
}

/** Why the bank says no, as Stripe reports it. */
export interface Decline {
  readonly code: string;
  readonly decline_code: string;
  readonly message: string;
}

/** Endings of Stripe's declining test tokens, `pm_card_chargeDeclinedExpiredCard` (docs.stripe.com/testing, from memory). */
const DECLINES: Readonly<Record<string, Decline>> = {
  insufficientfunds: {
    code: "card_declined",
    decline_code: "insufficient_funds",
    message: "Your card has insufficient funds.",
  },
  lostcard: { code: "card_declined", decline_code: "lost_card", message: "Your card was declined." },
  stolencard: { code: "card_declined", decline_code: "stolen_card", message: "Your card was declined." },
  expiredcard: { code: "expired_card", decline_code: "expired_card", message: "Your card has expired." },
};

const GENERIC: Decline = {
  code: "card_declined",
  decline_code: "generic_decline",
  message: "Your card was declined.",
};

/**
 * What charges of a payment method, token or source meet, told from its id: any id that contains `chargeDeclined`
 * declines. `null` is a card that pays.
 */
export function declineOf(id: string): Decline | null {
  const [, ending] = /chargeDeclined(.*)$/i.exec(id) ?? [];
  if (ending === undefined) return null;
  return DECLINES[ending.toLowerCase()] ?? GENERIC;
}

/** What refunds to a card end in: `refundFail` fails, `pendingRefund` is under way (docs.stripe.com/testing, from memory). */
export function refundStatusOf(token: string): "succeeded" | "pending" | "failed" {
  if (/refundFail/i.test(token)) return "failed";
  return /pendingRefund/i.test(token) ? "pending" : "succeeded";
}

/** Whether charges of a card are disputed at once: `pm_card_createDispute`, `tok_createDispute`. */
export const isDisputed = (token: string): boolean => /createDispute/i.test(token);

/** A card as Stripe shows it; its brand is the one its token names, else Visa. */
export function cardOf(id: string): Card {
  const brand = ["mastercard", "amex", "discover"].find((name) => id.includes(name)) ?? "visa";
  return {
    brand,
    checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: "pass" },
    country: "US",
    display_brand: brand,
    exp_month: 8,
    exp_year: 2034,
    fingerprint: "Xt5EWLLDS7FJjR1c",
    funding: "credit",
    generated_from: null,
    last4: declineOf(id) === null ? (LAST4[brand] ?? "4242") : "0002",
    networks: { available: [brand], preferred: null },
    three_d_secure_usage: { supported: true },
    wallet: null,
  };
}

const LAST4: Readonly<Record<string, string>> = { mastercard: "4444", amex: "8431", discover: "9424" };
