import { type MicroUsd, microUsd } from "../../domain/money.ts";

/** Amounts as an API writes them, exact: no amount passes through a float. */

export const UNITS = ["dollars", "cents", "micro_dollars"] as const;
export type Unit = (typeof UNITS)[number];

/** Places of a unit behind which stands less than a micro-dollar. */
const PLACES: Readonly<Record<Unit, number>> = { dollars: 6, cents: 4, micro_dollars: 0 };

/** A billion dollars: whatever is more is a mistake, or an attack. */
const MICROS_MAX = 1_000_000_000_000_000n;

/** What a caller may write: one spelling for each amount, and nothing that a parser could round. */
const PLAIN: Readonly<Record<Unit, RegExp>> = {
  dollars: /^(?:0|[1-9]\d{0,8})(?:\.\d{1,6})?$/,
  cents: /^(?:0|[1-9]\d{0,10})$/,
  micro_dollars: /^(?:0|[1-9]\d{0,14})$/,
};

export const PLAIN_ACCEPTED: Readonly<Record<Unit, string>> = {
  dollars: "plain decimal dollars with at most six places, such as 12.50",
  cents: "a whole number of cents, such as 1250",
  micro_dollars: "a whole number of micro-dollars, such as 12500000",
};

/** An amount as a request writes it; null for any other spelling, such as a sign, an exponent or leading zeros. */
export const plainAmount = (text: string, unit: Unit): MicroUsd | null =>
  PLAIN[unit].test(text) ? toldAmount(text, unit) : null;

/**
 * An amount as an answer writes it, exponents included, since `1e-05` is how Python writes a hundredth of a cent. Rounded
 * up to whole micro-dollars; null for what is negative, no decimal, or above a billion dollars.
 */
export function toldAmount(text: string, unit: Unit): MicroUsd | null {
  const match = /^(\d{1,30})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,2}))?$/.exec(text);
  if (match === null) return null;
  const [, whole = "0", places = "", exponent = "0"] = match;
  const shift = Number(exponent) - places.length + PLACES[unit];
  const digits = BigInt(whole + places);
  const divisor = 10n ** BigInt(Math.max(0, -shift));
  const micros = (digits * 10n ** BigInt(Math.max(0, shift)) + divisor - 1n) / divisor;
  return micros > MICROS_MAX ? null : microUsd(micros);
}

/** A price of the definition: it is more than nothing, and exact with six places. Null for any other. */
export function priceInUsd(value: string | number): MicroUsd | null {
  const amount = plainAmount(`${value}`, "dollars");
  return amount === null || amount === 0n ? null : amount;
}
