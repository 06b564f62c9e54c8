import * as v from "valibot";
import { type MicroUsd, NOTHING, parseUsd } from "./domain/money.ts";
import type { Prices, PriceTable, Rate, Terms } from "./domain/terms.ts";

/**
 * Rates and prices as the configuration says them, with the defaults of the prices. Read by the configuration of the
 * deployment, which checks them, and by the function that uses them.
 *
 * A default errs high: it is what is reserved and, where the vendor never tells its price, what is counted. Sources, read
 * 2026-11-22: list prices of Twilio and Resend as of November 2026 on vendors' and third parties' pages, rounded up with
 * carrier fees; twilio.com/en-us/pricing has those of an account.
 */

/** Islands and services that share the country code +1 with the United States and Canada, at their own prices. */
const ELSEWHERE_BEHIND_1 =
  "242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 787 809 829 849 868 869 876 939";

const behind1 = <P>(price: P): Record<string, P> =>
  Object.fromEntries(ELSEWHERE_BEHIND_1.split(" ").map((area) => [`+1${area}`, price]));

/** Satellites, personal numbers and premium services: no list price bounds them. */
const UNBOUNDED = Object.fromEntries(
  ["+1900", "+1976", "+870", "+878", "+881", "+882", "+883", "+888", "+979"].map((prefix) => [prefix, null]),
);

type PriceInput = string | number;
type TableInput = Readonly<Record<string, PriceInput | null>>;

/** Vendor -> item -> US dollars by destination. `null` is refused until the configuration sets a price. */
export const DEFAULT_PRICES = {
  twilio: {
    /** A segment of a text message, carrier fees included. By the prefix of `To`. */
    sms: { "+1": "0.0145", ...behind1("0.6"), default: "0.6" },
    /** A message with media. */
    mms: { "+1": "0.06", ...behind1(null), default: null },
    /** A message that failed, where its price is never told. support.twilio.com, "Failed Message Processing Fees", read 2026-11-27. */
    failed_message: { default: "0.001" },
    /** A message of the channel, whatever it says. */
    whatsapp: { default: "0.3" },
    messenger: { default: null },
    rcs: { default: null },
    /** A started minute of a call, by the prefix of `To`. */
    call_minute: {
      "+1": "0.05",
      ...behind1("2"),
      // Alaska, the Canadian territories, personal numbers: not at the price of the rest.
      "+1907": "2",
      "+1867": "2",
      "+1500": "2",
      "+1700": "2",
      ...UNBOUNDED,
      "client:": "0.01",
      "sip:": "0.01",
      default: "5",
    },
    /** A started minute that is recorded. */
    recording_minute: { default: "0.005" },
    /** Finding out whether a machine answers, each call. */
    machine_detection: { default: "0.02" },
    /** A call whose instructions come from an address, on top of its minutes: they may dial others, so what it costs is not bounded. */
    call_instructions: { default: null },
    /** A verification that is begun, by the prefix of `To`; `email:` and `sna:` stand before that of these channels. */
    verification: { "+1": "0.07", ...behind1("0.7"), "email:": "0.07", default: "0.7" },
    /** A field that a lookup asks for, by its name. */
    lookup_field: { line_type_intelligence: "0.02", caller_name: "0.02", pre_fill: null, default: "0.3" },
  },
  resend: {
    /** An e-mail to one recipient. */
    recipient: { default: "0.0009" },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, TableInput>>>>;

const PRICE_ACCEPTED = 'accepted is decimal USD with at most six places, such as 0.0083 or "0.0083"';
const price = v.pipe(
  v.union([v.number(), v.string()], PRICE_ACCEPTED),
  v.rawCheck(({ dataset, addIssue }) => {
    const parsed = dataset.typed ? parsePrice(dataset.value) : NOTHING;
    if (typeof parsed !== "bigint") addIssue({ message: parsed.refused });
  }),
);

const table = v.union(
  [price, v.record(v.string(), v.nullable(price))],
  'accepted is a price such as 0.0083, or prices by destination such as {"+1": 0.0083, "default": 0.6}',
);
type Table = v.InferOutput<typeof table>;

const vendorPrices = <V extends keyof typeof DEFAULT_PRICES>(vendor: V) =>
  v.optional(
    v.strictObject(
      Object.fromEntries(Object.keys(DEFAULT_PRICES[vendor]).map((item) => [item, v.optional(table)])),
      `accepted are prices of ${Object.keys(DEFAULT_PRICES[vendor]).join(", ")}`,
    ),
    {},
  );

const RATE_ACCEPTED = 'accepted is US dollars for one unit, such as 1.09 or "0.0064"';
const rate = v.pipe(
  v.union([v.number(), v.string()], RATE_ACCEPTED),
  v.check((value) => /^(?!0*(\.0*)?$)\d{1,6}(\.\d{1,10})?$/.test(`${value}`), RATE_ACCEPTED),
);

/** What a configuration may say of terms. */
export const TERMS_SCHEMA = {
  /** Currency (lower-case code) -> US dollars for one unit of it: a euro, a yen. Others than these and USD are refused. */
  rates: v.optional(
    v.record(
      v.pipe(
        v.string(),
        v.regex(
          /^(?!usd$)[a-z]{3}$/,
          "accepted are currencies other than usd, in small letters, such as eur",
        ),
      ),
      rate,
      'accepted is an object of rates such as {"eur": 1.09}',
    ),
    {},
  ),
  /** Per cent that are added to every rate, since the vendor's own rate of the day is another one. */
  rateMarginPercent: v.optional(
    v.pipe(
      v.number("accepted is a number from 0 to 50"),
      v.minValue(0, "accepted is a number from 0 to 50"),
      v.maxValue(50, "accepted is a number from 0 to 50"),
    ),
    3,
  ),
  /** Prices in place of the defaults: vendor -> item -> price, or price by destination. */
  prices: v.optional(
    v.strictObject(
      { twilio: vendorPrices("twilio"), resend: vendorPrices("resend") },
      `accepted are the vendors ${Object.keys(DEFAULT_PRICES).join(", ")}`,
    ),
    {},
  ),
} as const;

const termsSchema = v.strictObject(TERMS_SCHEMA);
export type TermsInput = v.InferInput<typeof termsSchema>;

/** Checks what was written by hand. Throws an Error whose message names the wrong field. */
export function parseTerms(input: unknown): TermsInput {
  const parsed = v.safeParse(termsSchema, input, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new Error(`${v.getDotPath(issue) ?? "terms"}: ${issue.message}`);
}

/** Reads terms, laid over the defaults. Throws on what the configuration should have refused. */
export function termsOf(input: TermsInput): Terms {
  const { rates, rateMarginPercent, prices } = v.parse(termsSchema, input);
  return {
    rates: Object.fromEntries(
      Object.entries(rates).map(([currency, usd]) => [currency, rateOf(`${usd}`, rateMarginPercent)]),
    ),
    prices: withDefaults(prices),
  };
}

/** Exact but for the last of twelve places, which is rounded up. */
function rateOf(text: string, marginPercent: number): Rate {
  const [whole = "0", places = ""] = text.split(".");
  const bare = BigInt(whole) * 10n ** 12n + BigInt(places.padEnd(12, "0"));
  const picoUsd = (bare * BigInt(Math.ceil(1_000_000 + marginPercent * 10_000)) + 999_999n) / 1_000_000n;
  return { picoUsd, usd: Number(picoUsd) / 1e12 };
}

function withDefaults(given: {
  readonly [vendor: string]: { readonly [item: string]: Table | undefined };
}): Prices {
  const prices: Record<string, Record<string, PriceTable>> = {};
  for (const [vendor, items] of Object.entries(DEFAULT_PRICES)) {
    prices[vendor] = Object.fromEntries(
      Object.entries(items).map(([item, defaults]) => [item, priceTable(defaults, given[vendor]?.[item])]),
    );
  }
  return prices;
}

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

/** The terms where nothing is configured. */
export const DEFAULT_TERMS: Terms = termsOf({});
