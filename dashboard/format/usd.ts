/** Dollars as they are read. The API's numbers have at most six decimal places. */

const PLAIN = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
/** Prices of messages: $0.0079. */
const SMALL = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  minimumFractionDigits: 2,
  maximumFractionDigits: 6,
});
const WHOLE = new Intl.NumberFormat("en-US", {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 0,
});

/** `$1,234.50`; below a dollar with as many places as it has: `$0.0079`. */
export const usd = (amount: number): string => (Math.abs(amount) < 1 ? SMALL : PLAIN).format(amount);

/** For a glance: whole dollars from a thousand on, and no part of a cent. */
export function roughUsd(amount: number): string {
  if (amount > 0 && amount < 0.005) return "< $0.01";
  return (Math.abs(amount) < 1000 ? PLAIN : WHOLE).format(amount);
}

/** What decimal places are missing to `places`, so that points stand below each other in a column. */
export function missingPlaces(text: string, places: number): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : Math.max(0, places - (text.length - point - 1));
}

/** The most decimal places that any of these amounts is read with. */
export const placesOf = (amounts: readonly number[]): number =>
  Math.max(2, ...amounts.map((amount) => usd(amount).split(".")[1]?.length ?? 0));

/** Adds dollars without the noise of floats: in whole millionths. */
export const sumUsd = (amounts: readonly number[]): number =>
  amounts.reduce((all, amount) => all + Math.round(amount * 1e6), 0) / 1e6;
