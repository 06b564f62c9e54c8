import type { Account } from "./account.ts";
import { refuseUnpayable } from "./currencies.ts";
import { invalidRequest } from "./errors.ts";
import type { FormHash } from "./form.ts";
import { newId } from "./ids.ts";
import type { WireFields } from "./objects.ts";
import { currency, hash, integer, type Params, text } from "./params.ts";
import { existing } from "./shelves.ts";

/** What one line of an invoice, a checkout or a subscription comes to. */
export interface PricedLine {
  readonly amount: number;
  readonly currency: string;
  readonly quantity: number;
  readonly quantityDecimal: string;
  readonly unitAmountDecimal: string;
  readonly price: string;
  readonly product: string;
  readonly recurring: WireFields | null;
}

/** The names that `readLinePrice` reads. */
export const LINE_PRICE =
  "amount currency price price_data pricing quantity quantity_decimal unit_amount unit_amount_decimal";

const TRILLION = 10n ** 12n;

/**
 * Reads what a line costs: an `amount`; or a unit amount, sent by itself, in `price_data` or as the id of a price, times
 * the quantity, 1 if none is sent. Null if it says nothing of that. A line without a currency is in `defaultCurrency`.
 *
 * Throws a 400 on what cannot be read; what is given back throws one on a price that does not exist.
 */
export function readLinePrice(
  params: Params,
): ((account: Account, defaultCurrency: string) => PricedLine) | null {
  const sentCurrency = currency(params, "currency");
  const sent = integer(params, "amount");
  const data = hash(params, "price_data");
  const unit = unitAmountIn(params) ?? (data === undefined ? undefined : unitAmountIn(data));
  const dataCurrency = data === undefined ? undefined : currency(data, "currency");
  const priceId = priceIn(params);
  const quantityDecimal = decimalText(params, "quantity_decimal") ?? String(integer(params, "quantity") ?? 1);
  if (quantityDecimal.startsWith("-"))
    throw invalidRequest("This value must be greater than or equal to 0.", { param: "quantity" });
  if (data !== undefined && unit === undefined) {
    throw invalidRequest("Missing required param: price_data[unit_amount].", {
      code: "parameter_missing",
      param: "price_data[unit_amount]",
    });
  }
  if (sent === undefined && unit === undefined && priceId === undefined) return null;

  return (account, defaultCurrency) => {
    const price =
      priceId === undefined ? undefined : existing(account.prices, "price", priceId, "price").object;
    const unitAmountDecimal = price?.unit_amount_decimal ?? unit ?? String(sent ?? 0);
    const line = {
      amount: sent ?? timesRounded(unitAmountDecimal, quantityDecimal),
      currency: price?.currency ?? dataCurrency ?? sentCurrency ?? defaultCurrency,
    };
    refuseUnpayable(line.amount, line.currency);
    return {
      ...line,
      quantity: Math.floor(Number(quantityDecimal)),
      quantityDecimal,
      unitAmountDecimal,
      price: price?.id ?? newId.of("price"),
      product: price?.product ?? (data === undefined ? undefined : text(data, "product")) ?? newId.product(),
      recurring: price?.recurring ?? recurringIn(data),
    };
  };
}

/** A unit amount in minor units, with up to 12 decimal places: `unit_amount_decimal`, or the whole `unit_amount`. */
export function unitAmountIn(params: Params): string | undefined {
  const whole = integer(params, "unit_amount");
  return decimalText(params, "unit_amount_decimal") ?? (whole === undefined ? undefined : String(whole));
}

/** How often a price comes again, as `recurring[interval]` says it; null for one that is paid once. */
export function recurringIn(params: FormHash | undefined): WireFields | null {
  const sent = params === undefined ? undefined : hash(params, "recurring");
  if (sent === undefined) return null;
  return {
    interval: text(sent, "interval") ?? "month",
    interval_count: integer(sent, "interval_count") ?? 1,
    meter: null,
    trial_period_days: null,
    usage_type: "licensed",
  };
}

function priceIn(params: Params): string | undefined {
  const pricing = hash(params, "pricing");
  return (pricing === undefined ? undefined : text(pricing, "price")) ?? text(params, "price");
}

function decimalText(params: Params, name: string): string | undefined {
  const value = text(params, name);
  if (value === undefined || /^-?\d{1,15}(\.\d{1,12})?$/.test(value)) return value;
  throw invalidRequest(`Invalid decimal: ${value}`, { code: "parameter_invalid_integer", param: name });
}

/** The product of two decimals, rounded to a whole number, halves away from zero. */
function timesRounded(a: string, b: string): number {
  const product = trillionths(a) * trillionths(b);
  const one = TRILLION * TRILLION;
  const half = product < 0n ? -one / 2n : one / 2n;
  return Number((product + half) / one);
}

function trillionths(decimal: string): bigint {
  const [whole = "0", places = ""] = decimal.split(".");
  return BigInt(`${whole}${places.padEnd(12, "0")}`);
}
