import { invalidRequest } from "./errors.ts";

/** Currencies whose minor unit is not a hundredth. Source: docs.stripe.com/currencies, read 2026-11-22. */
const ZERO_DECIMAL = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "));
const THREE_DECIMAL = new Set("bhd jod kwd omr tnd".split(" "));

/** Places of a currency's minor unit: of 5000 the dollar makes 50.00, the yen 5000 and the dinar 5.000. */
export function decimalsOf(currency: string): 0 | 2 | 3 {
  if (ZERO_DECIMAL.has(currency)) return 0;
  return THREE_DECIMAL.has(currency) ? 3 : 2;
}

/**
 * Refuses an amount that the currency's money cannot be paid in: of three decimals the last is 0, and the króna, which
 * kept its two decimals at Stripe, has no fractions (docs.stripe.com/currencies, read 2026-11-22).
 */
export function refuseUnpayable(amount: number, currency: string, param = "amount"): void {
  const step = decimalsOf(currency) === 3 ? 10 : currency === "isk" ? 100 : 1;
  if (amount % step === 0) return;
  throw invalidRequest(`Invalid amount: an amount in ${currency} must be a multiple of ${step}.`, {
    code: "parameter_invalid_integer",
    param,
  });
}

/** An amount for a person, in an error. */
export function printMoney(amount: number, currency: string): string {
  const units = (amount / 10 ** decimalsOf(currency)).toFixed(decimalsOf(currency));
  return currency === "usd" ? `$${units}` : `${units} ${currency}`;
}
