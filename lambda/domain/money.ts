declare const unit: unique symbol;

/**
 * Whole millionths of a US dollar: 1 USD is `1_000_000n`.
 *
 * A bigint, so a float cannot enter by accident: `1n * 0.5` does not compile. Millionths because vendors price
 * single calls below a cent.
 */
export type MicroUsd = bigint & { readonly [unit]: "micro-usd" };

const MICROS_PER_USD = 1_000_000n;

/** Marks a whole number of micro-dollars as money. */
export const microUsd = (micros: bigint): MicroUsd => micros as MicroUsd;

export const NOTHING = microUsd(0n);

/** The highest amount that a caller may name, one billion USD: it is exact as a JSON number with six places. */
const USD_MAX = microUsd(1_000_000_000n * MICROS_PER_USD);

export const plus = (a: MicroUsd, b: MicroUsd): MicroUsd => microUsd(a + b);
export const minus = (a: MicroUsd, b: MicroUsd): MicroUsd => microUsd(a - b);
export const atLeastNothing = (amount: MicroUsd): MicroUsd => (amount > 0n ? amount : NOTHING);
export const smaller = (a: MicroUsd, b: MicroUsd): MicroUsd => (a < b ? a : b);
export const larger = (a: MicroUsd, b: MicroUsd): MicroUsd => (a > b ? a : b);
export const sum = (amounts: Iterable<MicroUsd>): MicroUsd => {
  let total = NOTHING;
  for (const amount of amounts) total = plus(total, amount);
  return total;
};

/** Cents are exact in micro-dollars. */
export const fromUsdCents = (cents: bigint): MicroUsd => microUsd(cents * 10_000n);

/**
 * Reads decimal USD as a caller writes it, or says why not.
 *
 * In a number, a float's noise (0.1 + 0.2) is rounded away, and places beyond the sixth are rounded down, because caps
 * round down. A string has digits with at most six places, nothing else.
 */
export function parseUsd(value: number | string): MicroUsd | { readonly refused: string } {
  const text = typeof value === "number" ? numberText(value) : value;
  const match = /^(\d{1,10})(?:\.(\d{1,6}))?$/.exec(text);
  if (!match)
    return {
      refused: `got ${quoted(value)}; expected decimal USD with at most six places, such as 29.99`,
    };

  const micros = BigInt(match[1] ?? "") * MICROS_PER_USD + BigInt((match[2] ?? "").padEnd(6, "0"));
  if (micros > USD_MAX) return { refused: `got ${quoted(value)}; expected at most 1000000000 USD` };
  return microUsd(micros);
}

const quoted = (value: number | string) =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : `${value}`;

/** A float is exact to fifteen digits. Digits after them are noise, and places after the sixth are cut off. */
function numberText(value: number): string {
  if (!Number.isFinite(value) || value < 0 || value > 1e10) return `${value}`;
  const exact = Number(value.toPrecision(15));
  const text = `${exact}`.includes("e") ? exact.toFixed(12) : `${exact}`;
  return text.replace(/(\.\d{6})\d+$/, "$1");
}

/** Decimal USD without a sign of currency and without trailing zeros: `29.99`, `0.0009`, `-5`. */
export function usdText(amount: MicroUsd): string {
  const sign = amount < 0n ? "-" : "";
  const micros = amount < 0n ? -amount : amount;
  const places = `${micros % MICROS_PER_USD}`.padStart(6, "0").replace(/0+$/, "");
  return `${sign}${micros / MICROS_PER_USD}${places && `.${places}`}`;
}

/** Reads what `usdText` writes, below zero too. Throws on anything else. */
export function fromUsdText(text: string): MicroUsd {
  const match = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) throw new RangeError("an amount is not a decimal with six places");
  const micros = BigInt(match[2] ?? "0") * MICROS_PER_USD + BigInt((match[3] ?? "").padEnd(6, "0"));
  return microUsd(match[1] === "-" ? -micros : micros);
}

/** For a person: `$29.99`, `$0.0009`, `-$5.00`. */
export function dollars(amount: MicroUsd): string {
  const [whole = "0", places = ""] = usdText(amount).replace("-", "").split(".");
  return `${amount < 0n ? "-" : ""}$${whole}.${places.padEnd(2, "0")}`;
}

/** For JSON: a number that is exact, since no amount has more than fifteen digits. */
export const usdNumber = (amount: MicroUsd): number => Number(usdText(amount));
