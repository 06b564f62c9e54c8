import * as v from "valibot";
import { type MicroUsd, NOTHING, parseUsd } from "./domain/money.ts";
import type { Prices, PriceTable, Rate, RateCard } from "./domain/rate-card.ts";
import type { PriceDefaults, VendorManifest } from "./domain/vendor-manifest.ts";

/**
 * The rate card as a configuration says it: rates of currencies, and prices over the defaults of the vendors' manifests.
 * Read by the configuration of the deployment, which checks it, and by the functions that use it.
 */

type PricedVendor = Pick<VendorManifest, "name" | "prices">;
type PriceInput = string | number;
type TableInput = Readonly<Record<string, PriceInput | null>>;

const PRICE_ACCEPTED = 'expected decimal USD with at most six places, such as 0.0083 or "0.0083"';
const price = v.pipe(
  v.union([v.number(), v.string()], PRICE_ACCEPTED),
  v.rawCheck(({ dataset, addIssue }) => {
    const parsed = dataset.typed ? parsePrice(dataset.value) : NOTHING;
    if (typeof parsed !== "bigint") addIssue({ message: parsed.refused });
  }),
);

const table = v.union(
  [price, v.record(v.string(), v.nullable(price))],
  'expected a price such as 0.0083, or prices by destination such as {"+1": 0.0083, "default": 0.6}',
);
type Table = v.InferOutput<typeof table>;

const pricesOf = ({ prices }: PricedVendor) => {
  const items = Object.keys(prices);
  return v.optional(
    v.strictObject(
      Object.fromEntries(items.map((item) => [item, v.optional(table)])),
      `expected prices of ${items.join(", ")}`,
    ),
    {},
  );
};

const RATE_ACCEPTED = 'expected US dollars for one unit, such as 1.09 or "0.0064"';
const rate = v.pipe(
  v.union([v.number(), v.string()], RATE_ACCEPTED),
  v.check((value) => /^(?!0*(\.0*)?$)\d{1,6}(\.\d{1,10})?$/.test(`${value}`), RATE_ACCEPTED),
);

/** The fields of a configuration that make the rate card. */
export const rateCardFields = (vendors: readonly PricedVendor[]) => {
  const priced = vendors.filter(({ prices }) => Object.keys(prices).length > 0);
  return {
    /** Currency (lower-case code) -> US dollars for one unit of it: a euro, a yen. Others than these and USD are refused. */
    rates: v.optional(
      v.record(
        v.pipe(
          v.string(),
          v.regex(/^(?!usd$)[a-z]{3}$/, "expected currencies other than usd, in small letters, such as eur"),
        ),
        rate,
        'expected an object of rates such as {"eur": 1.09}',
      ),
      {},
    ),
    /** Per cent that are added to every rate, since the vendor's own rate of the day is another one. */
    rateMarginPercent: v.optional(
      v.pipe(
        v.number("expected a number from 0 to 50"),
        v.minValue(0, "expected a number from 0 to 50"),
        v.maxValue(50, "expected a number from 0 to 50"),
      ),
      3,
    ),
    /** Prices in place of the defaults: vendor -> item -> price, or price by destination. */
    prices: v.optional(
      v.strictObject(
        Object.fromEntries(priced.map((vendor) => [vendor.name, pricesOf(vendor)])),
        `expected one of the vendors ${priced.map(({ name }) => name).join(", ")}`,
      ),
      {},
    ),
  } as const;
};

const schemaOf = (vendors: readonly PricedVendor[]) => v.strictObject(rateCardFields(vendors));
export type RateCardInput = v.InferInput<ReturnType<typeof schemaOf>>;

/** Checks what was written by hand. Throws an Error whose message names the wrong field. */
export function parseRateCard(input: unknown, vendors: readonly PricedVendor[]): RateCardInput {
  const parsed = v.safeParse(schemaOf(vendors), input, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${v.getDotPath(issue) ?? "rate card"}: ${issue.message}`);
}

/** Reads a rate card, laid over the defaults. Throws on what the configuration should have refused. */
export function rateCardOf(input: RateCardInput, vendors: readonly PricedVendor[]): RateCard {
  const { rates, rateMarginPercent, prices } = v.parse(schemaOf(vendors), input);
  return {
    rates: Object.fromEntries(
      Object.entries(rates).map(([currency, usd]) => [currency, rateOf(`${usd}`, rateMarginPercent)]),
    ),
    prices: Object.fromEntries(
      vendors.map((vendor) => [vendor.name, withDefaults(vendor.prices, prices[vendor.name])]),
    ),
  };
}

/** Exact but for the last of twelve places, which is rounded up. */
function rateOf(text: string, marginPercent: number): Rate {
  const [whole = "0", places = ""] = text.split(".");
  const bare = BigInt(whole) * 10n ** 12n + BigInt(places.padEnd(12, "0"));
  const picoUsd = (bare * BigInt(Math.ceil(1_000_000 + marginPercent * 10_000)) + 999_999n) / 1_000_000n;
  return { picoUsd, usd: Number(picoUsd) / 1e12 };
}

const withDefaults = (
  items: PriceDefaults,
  given: Readonly<Record<string, Table | undefined>> = {},
): Prices[string] =>
  Object.fromEntries(
    Object.entries(items).map(([item, defaults]) => [item, priceTable(defaults, given[item])]),
  );

/** A single price holds wherever there is one at all; prices by destination are laid over the defaults. */
function priceTable(defaults: TableInput, given: Table = {}): PriceTable {
  const refused = Object.entries(defaults).filter(
    ([destination, usd]) => usd === null && destination !== "default",
  );
  const inputs =
    typeof given === "object"
      ? { ...defaults, ...given }
      : { ...Object.fromEntries(refused), default: given };
  return Object.fromEntries(
    Object.entries(inputs).map(([destination, text]) => [destination, text === null ? null : micros(text)]),
  );
}

/** A number's noise (0.1 + 0.2) is rounded away; what is left has to be exact, since a price that is cut off is too low. */
const parsePrice = (value: PriceInput) =>
  parseUsd(typeof value === "number" ? `${Number(value.toPrecision(15))}` : value);

function micros(text: PriceInput): MicroUsd {
  const parsed = parsePrice(text);
  if (typeof parsed !== "bigint") throw new RangeError(`a price cannot be read: ${parsed.refused}`);
  return parsed;
}
