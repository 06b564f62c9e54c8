import { type MicroUsd, microUsd } from "./money.ts";

/**
 * The operator's rates and prices, which vendors do not give: rates of currencies, and prices that come later or never.
 * `lambda/rate-card-input.ts` reads them from the configuration; the defaults are in the vendors' manifests.
 */
export interface RateCard {
  /** By lower-case code; the US dollar needs none. */
  readonly rates: Readonly<Record<string, Rate>>;
  readonly prices: Prices;
}

/** US dollars for one unit (not the smallest) of a currency, the margin included. */
export interface Rate {
  /** In units of 10^-12 dollars. */
  readonly picoUsd: bigint;
  /** The same for a row. */
  readonly usd: number;
}

const PICOS_PER_MICRO = 1_000_000n;

/** What `units` smallest units are worth at a rate, rounded up; `decimals`: places of the currency's smallest unit. */
export function atRate(units: bigint, decimals: number, { picoUsd }: Rate): MicroUsd {
  const divisor = PICOS_PER_MICRO * 10n ** BigInt(decimals);
  const product = units * picoUsd;
  return microUsd((product + divisor - 1n) / divisor);
}

/** A price by destination: the longest prefix decides, `default` where none fits. Null: refused until a price is set. */
export type PriceTable = Readonly<Record<string, MicroUsd | null>>;

/** Vendor -> what is paid for -> its price by destination. */
export type Prices = Readonly<Record<string, Readonly<Record<string, PriceTable>>>>;

/** The price of `item` at `destination` (such as a phone number), or null where none is set. */
export function priceOf(prices: Prices, vendor: string, item: string, destination: string): MicroUsd | null {
  const table = prices[vendor]?.[item] ?? {};
  for (let length = destination.length; length > 0; length--) {
    const prefix = destination.slice(0, length);
    if (Object.hasOwn(table, prefix)) return table[prefix] ?? null;
  }
  return table["default"] ?? null;
}
