import { refuseUnpayable } from "./currencies.ts";
import { invalidRequest, LACKED } from "./errors.ts";
import { type FormHash, itemsOf } from "./form.ts";

/**
 * Typed readers of a request's parameters. Each gives `undefined` for a parameter that was not sent, and throws
 * Stripe's 400, with `param`, for one that it cannot read.
 */
export type Params = FormHash;

/** A set of parameter names, written as one text. */
export const names = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

export const NO_PARAMS: ReadonlySet<string> = new Set();

export type Metadata = Readonly<Record<string, string>>;

/** Refuses any parameter but `names` and `expand`, which every endpoint knows. */
export function refuseUnknown(params: Params, names: ReadonlySet<string>): void {
  const unknown = [...params.keys()].filter((name) => name !== "expand" && !names.has(name));
  const [first] = unknown;
  if (first === undefined) return;
  throw invalidRequest(
    `Received unknown parameter${unknown.length > 1 ? "s" : ""}: ${unknown.join(", ")}. ${LACKED}`,
    {
      code: "parameter_unknown",
      param: first,
    },
  );
}

/** Text that may be sent empty, which unsets the field. */
export function emptyableText(params: Params, name: string): string | undefined {
  const value = params.get(name);
  if (value === undefined || typeof value === "string") return value;
  throw invalidRequest(`Invalid string: ${name} is a hash`, { param: name });
}

export function text(params: Params, name: string): string | undefined {
  const value = emptyableText(params, name);
  if (value !== "") return value;
  throw invalidRequest(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; ` +
      `however '${name}' cannot be unset. You should remove '${name}' from your request or supply a non-empty value.`,
    { code: "parameter_invalid_empty", param: name },
  );
}

export function oneOf<T extends string>(params: Params, name: string, values: readonly T[]): T | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  const known = values.find((candidate) => candidate === value);
  if (known !== undefined) return known;
  throw invalidRequest(`Invalid ${name}: must be one of ${values.join(", ")}`, { param: name });
}

export function flag(params: Params, name: string): boolean | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  // stripe-python before 6 writes Python's own words, which Stripe takes.
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  throw invalidRequest(`Invalid boolean: ${value}`, { param: name });
}

/** A whole number. `1e3`, `10.5` and `0x10` are refused. */
export function integer(params: Params, name: string): number | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw invalidRequest(`Invalid integer: ${value}`, { code: "parameter_invalid_integer", param: name });
}

/**
 * An amount in the currency's minor unit, 1 to 99999999. Stripe's minimum charge (50 cents for USD) is not enforced,
 * so that tests may use small numbers.
 */
export function amount(params: Params, name: string): number | undefined {
  const value = integer(params, name);
  if (value === undefined) return undefined;
  if (value < 1) {
    throw invalidRequest("This value must be greater than or equal to 1.", {
      code: "parameter_invalid_integer",
      param: name,
    });
  }
  if (value > 99_999_999) {
    throw invalidRequest("Amount must be no more than $999,999.99", {
      code: "amount_too_large",
      param: name,
    });
  }
  return value;
}

/** Three letters, in either case; given back in lower case. Whether such a currency exists is not asked. */
export function currency(params: Params, name: string): string | undefined {
  const value = text(params, name);
  if (value === undefined) return undefined;
  if (/^[a-z]{3}$/i.test(value)) return value.toLowerCase();
  throw invalidRequest(`Invalid currency: ${value}`, { param: name });
}

export function required<T>(value: T | undefined, name: string): T {
  if (value !== undefined) return value;
  throw invalidRequest(`Missing required param: ${name}.`, { code: "parameter_missing", param: name });
}

/** `before` with the sent metadata laid over it: an empty value removes its key, empty metadata all of them. */
export function metadata(params: Params, before: Metadata): Metadata {
  const sent = params.get("metadata");
  if (sent === undefined) return before;
  if (sent === "") return {};
  if (typeof sent === "string") throw invalidRequest("Invalid hash", { param: "metadata" });

  const merged = new Map(Object.entries(before));
  for (const [key, value] of sent) {
    if (typeof value !== "string") throw invalidRequest("Invalid string", { param: `metadata[${key}]` });
    if (value === "") merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** The items of a list of texts; none if it was not sent. */
export function texts(params: Params, name: string): readonly string[] {
  const value = params.get(name);
  if (value === undefined) return [];
  if (typeof value === "string") throw invalidRequest("Invalid array", { param: name });
  return itemsOf(value).map((item, index) => {
    if (typeof item === "string") return item;
    throw invalidRequest("Invalid string", { param: `${name}[${index}]` });
  });
}

export function hash(params: Params, name: string): FormHash | undefined {
  const value = params.get(name);
  if (value === undefined || typeof value !== "string") return value;
  throw invalidRequest("Invalid hash", { param: name });
}

/** The items of a list of hashes; none if it was not sent. */
export function hashes(params: Params, name: string): readonly FormHash[] {
  const value = params.get(name);
  if (value === undefined) return [];
  if (typeof value === "string") throw invalidRequest("Invalid array", { param: name });
  return itemsOf(value).map((item, index) => {
    if (typeof item !== "string") return item;
    throw invalidRequest("Invalid hash", { param: `${name}[${index}]` });
  });
}

/** An amount and its currency, both of which have to be there. */
export function money(params: Params): { readonly amount: number; readonly currency: string } {
  const total = required(amount(params, "amount"), "amount");
  const unit = required(currency(params, "currency"), "currency");
  refuseUnpayable(total, unit);
  return { amount: total, currency: unit };
}
