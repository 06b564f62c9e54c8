import { fromUsdCents, type MicroUsd } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import { atRate, type RateCard } from "../../domain/rate-card.ts";
import { type Form, namesUnder } from "../form.ts";

/**
 * Amounts are whole numbers of a currency's smallest unit, which most often is a hundredth. `isk`, `huf` and `twd` are
 * hundredths here although they have none in daily life; `ugx` is taken as whole, which errs high.
 * Source: docs.stripe.com/currencies, read 2026-11-22.
 */
const WHOLE = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split(" "));
const THOUSANDTHS = new Set("bhd jod kwd omr tnd".split(" "));

const decimalsOf = (currency: string): number =>
  WHOLE.has(currency) ? 0 : THOUSANDTHS.has(currency) ? 3 : 2;

/** What an amount is worth, or null where no rate is configured for its currency (lower case). */
export function usdOf(units: bigint, currency: string, { rates }: RateCard): MicroUsd | null {
  if (currency === "usd") return fromUsdCents(units);
  const rate = rates[currency];
  return rate === undefined ? null : atRate(units, decimalsOf(currency), rate);
}

/** For a row: US dollars for one unit; null for the US dollar itself. */
export const fxRateOf = (currency: string | null, { rates }: RateCard): number | null =>
  currency === null || currency === "usd" ? null : (rates[currency]?.usd ?? null);

/** The currency that a form names in lower case, null where it names none. */
export function currencyIn(form: Form, rateCard: RateCard): string | null | Problem {
  const names = namesUnder(form, "currency");
  if (names.length === 0) return null;
  const text = form.get("currency") ?? "";
  const currency = text.toLowerCase();
  return names.length === 1 && /^[a-z]{3}$/.test(currency) && usdOf(1n, currency, rateCard) !== null
    ? currency
    : currencyUnknown(JSON.stringify(text.slice(0, 20)), rateCard);
}

/** `got`: for a person. */
export const currencyUnknown = (got: string, { rates }: RateCard): Problem =>
  new Problem(
    "currency_unknown",
    `currency: got ${got}; expected one of ${["usd", ...Object.keys(rates).sort()].join(", ")}; no rate is configured for others`,
  );
