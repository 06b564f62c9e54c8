import { allowsAccount, type CallLimits } from "../../domain/call-limits.ts";
import { uncounted } from "../../domain/counted-object.ts";
import { larger, type MicroUsd, NOTHING } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { Endpoint, Known, PricedRule, Quote, VendorRequest } from "../../domain/vendor.ts";
import { type Form, isMetadata, parseForm, wholeNumber } from "../form.ts";
import { printable } from "../json-answer.ts";
import { idOf, readMoney, unitsOf } from "./answers.ts";
import { currencyIn, currencyUnknown, fxRateOf, usdOf } from "./currencies.ts";
import { CONNECT } from "./fields.ts";
import { EXPANDS_DENIED } from "./reads.ts";

const HOUR_MS = 3_600_000;

/** Replayed for at least 24 hours, failures included. docs.stripe.com/api/idempotent_requests, read 2026-11-22. */
const V1_POST = { windowMs: 24 * HOUR_MS, rerunsFailures: false };

export interface Pricing {
  /** The parameters that reach Stripe. */
  readonly fields: readonly string[];
  /** The parameter that names the amount, where there can be one. */
  readonly amountField?: string;
  /** The object that the call acts on, where it matters whether this root has counted it. */
  readonly objectOf?: (request: VendorRequest, form: Form) => string | null;
  /**
   * The path of the lookup for what the request does not say. It is always asked, because others may have changed a
   * counted object in the meantime. `needed`: which forms need it; all by default.
   */
  readonly lookup?: {
    readonly path: (request: VendorRequest, form: Form) => string | null;
    readonly needed?: (form: Form) => boolean;
  };
  /** The upper bound of its cost. */
  readonly cost: (form: Form, known: Known, request: VendorRequest) => Cost | Problem;
  /** The recipient; by default the customer in the form, or in what the lookup found. */
  readonly recipient?: (form: Form) => string | null;
  readonly read: PricedRule["read"];
}

/** `currency`: null where the call names no money. `isOver`: see the field of a quote. */
export interface Cost {
  readonly amount: MicroUsd;
  readonly currency: string | null;
  readonly isOver?: boolean;
}

export const FREE_OF_COST: Cost = { amount: NOTHING, currency: null };

/** A POST that moves or commits money: its form is read, then priced. */
export const priced = (path: string, pricing: Pricing): Endpoint => ({
  method: "POST",
  path,
  rule: ruleOf(pricing),
});

const ruleOf = (pricing: Pricing): PricedRule => ({
  kind: "priced",
  idempotency: V1_POST,
  objectOf: (request) => {
    const form = parseForm(request);
    return form instanceof Problem ? null : (pricing.objectOf?.(request, form) ?? null);
  },
  lookup: (request, needsRecipient) => {
    const form = parseForm(request);
    const { lookup } = pricing;
    if (lookup === undefined || form instanceof Problem || unlisted(form, pricing.fields, null) !== null)
      return null;
    const isNeeded = (lookup.needed?.(form) ?? true) || (needsRecipient && customerIn(form) === null);
    return isNeeded ? lookup.path(request, form) : null;
  },
  quote: (request, known) => {
    const form = parseForm(request);
    if (form instanceof Problem) return form;
    const cost = unlisted(form, pricing.fields, known.limits) ?? pricing.cost(form, known, request);
    if (cost instanceof Problem) return cost;
    const { amountField } = pricing;
    const recipient = pricing.recipient?.(form) ?? customerIn(form) ?? customerOf(known);
    return {
      ...cost,
      amountText: amountField === undefined ? null : (form.get(amountField) ?? null),
      fxRate: fxRateOf(cost.currency, known.rateCard),
      recipients: recipient === null ? null : [recipient],
      explanation: null,
    } satisfies Quote;
  },
  read: (answer, quote, known, request) => readMoney(answer, quote, known, request, pricing.read),
});

/** The two fields together could name two customers, so the recipient is unknown. */
const customerIn = (form: Form): string | null =>
  form.has("customer") && form.has("customer_account")
    ? null
    : (form.get("customer") ?? form.get("customer_account") ?? null);
const customerOf = ({ found }: Known): string | null =>
  found === null ? null : (idOf(found["customer"]) ?? printable(found["customer_account"]));

/**
 * Refuses the first parameter that is not listed: it could move other money, or act on another account. `limits`: null
 * where accounts are checked later.
 */
export function unlisted(
  form: Form,
  fields: readonly string[] | null,
  limits: CallLimits | null,
): Problem | null {
  for (const [name, value] of form) {
    const field = name.split("[", 1)[0] ?? name;
    const shown = field.slice(0, 40);
    const expanded = field === "expand" && limits !== null ? expandProblem(value, limits) : null;
    if (expanded !== null) return expanded;
    const names = isAccount(value) && !isText(name);
    if (limits !== null && names && !allowsAccount(limits, value)) return otherAccount(shown);
    if (fields === null || fields.includes(field)) continue;
    if (CONNECT.includes(field)) {
      const isNamed =
        CONNECT_NAMED.includes(name) && (limits?.accounts != null || limits?.anyAccount === true);
      // A value that the vendor could read as an account must be an allowed account, to the letter. An amount must come
      // with its account, because the object may have another one.
      const isHeld =
        name === "transfer_data[amount]"
          ? form.has("transfer_data[destination]")
          : value === "" || (limits !== null && allowsAccount(limits, value));
      if (limits === null || (isNamed && isHeld)) continue;
      return otherAccount(shown);
    }
    return new Problem(
      "endpoint_not_priced",
      `${shown}: unknown parameter; Keybrake cannot bound its cost; leave it out`,
    );
  }
  return null;
}

/** Fields with free text, which moves no money. */
const TEXTS = ["metadata", "description", "memo", "footer", "reason"];
const isText = (name: string): boolean =>
  isMetadata(name) || TEXTS.includes(name.split("[", 1)[0] ?? name) || name.endsWith("[description]");

/** The only fields of Connect that can be allowed. Others move money without naming its account. */
const CONNECT_NAMED = ["on_behalf_of", "transfer_data[destination]", "transfer_data[amount]"];

const isAccount = (value: string): boolean => /^(acct|org)_/.test(value);
const otherAccount = (field: string): Problem =>
  new Problem(
    "account_not_allowed",
    `${field}: acts on another account, which this vault key does not allow; leave it out, or issue a key with that account in allowed_accounts`,
  );

/** The words of an `expand[]` that show a whole Connect account. */
const ACCOUNTS_EXPANDED = ["account", "destination", "issuer", "on_behalf_of"];

/**
 * Refuses an `expand[]` that asks for a field with secrets or personal data, or for an account that the key does not
 * allow.
 */
export function expandProblem(value: string, { accounts }: CallLimits): Problem | null {
  const words = value.split(".");
  const hidden = accounts === null ? [...EXPANDS_DENIED, ...ACCOUNTS_EXPANDED] : EXPANDS_DENIED;
  return words.some((word) => hidden.includes(word))
    ? new Problem(
        "endpoint_not_priced",
        `expand: got ${JSON.stringify(value.slice(0, 60))}; this field cannot be expanded with a vault key; leave it out`,
      )
    : null;
}

/** Refuses a call on an account that the key does not allow. `account`: null where it is unknown. */
export const accountProblem = (account: string | null, limits: CallLimits): Problem | null =>
  limits.anyAccount === true || (account !== null && allowsAccount(limits, account))
    ? null
    : new Problem(
        "account_not_allowed",
        `this moves another account's money${account === null ? "" : ` (${account})`}, which this vault key does not allow; issue a key with that account in allowed_accounts`,
      );

/** The amount in a required field, in smallest units. */
export function required(form: Form, field: string): bigint | Problem {
  return (
    wholeNumber(form, field) ??
    new Problem("amount_unknown", `${field}: missing; without it the cost of this call has no upper bound`)
  );
}

/** Marks a cost whose call the vendor can only refuse or replay. */
export const over = (cost: Cost | Problem, isOver: boolean): Cost | Problem =>
  cost instanceof Problem || !isOver ? cost : { ...cost, isOver };

/** The cost of a new object of `amount` smallest units of `currency`. */
export function costOfNew(form: Form, { rateCard }: Known): Cost | Problem {
  const currency = currencyIn(form, rateCard);
  if (currency instanceof Problem) return currency;
  if (currency === null) return currencyUnknown("nothing", rateCard);
  const units = required(form, "amount");
  return units instanceof Problem ? units : costOf([{ units, currency }], rateCard);
}

/** Smallest units of a currency in lower case. */
export interface Amount {
  readonly units: bigint;
  readonly currency: string;
}

/** The highest cost of the possible amounts. */
export function costOf(amounts: readonly Amount[], rateCard: Known["rateCard"]): Cost | Problem {
  const [first] = amounts;
  if (first === undefined)
    return new Problem(
      "amount_unknown",
      "could not price this call: no amount and currency in the request or in the object at Stripe",
    );
  let highest = NOTHING;
  for (const { units, currency } of amounts) {
    const amount = usdOf(units, currency, rateCard);
    if (amount === null) return currencyUnknown(JSON.stringify(currency), rateCard);
    highest = larger(highest, amount);
  }
  return { amount: highest, currency: first.currency };
}

/**
 * The part of the taken amount that is not refunded yet. Where nothing is left, all of it: Stripe refuses that refund,
 * or replays an earlier answer.
 */
export function costOfRest(taken: readonly Amount[], { found, rateCard }: Known): Cost | Problem {
  const refunded = unitsOf(found?.["amount_refunded"]) ?? 0n;
  const isOver = taken.every(({ units }) => units <= refunded);
  const rest = taken.map(({ units, currency }) => ({
    units: units > refunded ? units - refunded : units,
    currency,
  }));
  return over(costOf(rest, rateCard), isOver);
}

/** The amount that the lookup found in `field`; empty where the field is missing. */
export function foundAmount(found: Known["found"], field: string): readonly Amount[] {
  const units = unitsOf(found?.[field]);
  const currency = printable(found?.["currency"])?.toLowerCase() ?? null;
  return units === null || currency === null ? [] : [{ units, currency }];
}

/** `units` in the currency that was found. */
export const inItsCurrency = (units: bigint, about: readonly Amount[]): readonly Amount[] =>
  about.map(({ currency }) => ({ units, currency }));

/**
 * What an object would be raised to, beyond what is counted for it. A cancelled object costs nothing: Stripe refuses
 * every call on it, or replays an earlier answer (docs.stripe.com/api/payment_intents/cancel, read 2026-11-22).
 */
export function costBeyond(amounts: readonly Amount[], known: Known): Cost | Problem {
  const cost = costOf(amounts, known.rateCard);
  if (cost instanceof Problem) return cost;
  return { ...cost, amount: known.object?.cancelled ? NOTHING : uncounted(known.object, cost.amount) };
}

/** Refuses amounts below zero and discounts among the lines of an invoice: they give credit. */
export function creditIn(form: Form): Problem | null {
  for (const [name, value] of form) {
    if (isMetadata(name)) continue;
    const last = name.slice(name.lastIndexOf("[") + 1).replace(/\].*$/, "");
    if (/\[(discounts|coupon|promotion_code)\]/.test(name))
      return new Problem(
        "endpoint_not_priced",
        `${name.slice(0, 60)}: discounts cannot be counted against a cap; leave it out`,
      );
    if (!["amount", "unit_amount", "unit_amount_decimal", "quantity", "quantity_decimal"].includes(last))
      continue;
    if (!/^\d{1,15}(\.\d{1,12})?$/.test(value))
      return new Problem(
        "amount_unknown",
        `${name.slice(0, 60)}: got ${JSON.stringify(value.slice(0, 40))}; expected digits; a negative amount gives credit, which cannot be counted against a cap`,
      );
  }
  return null;
}

/** The segment of a path that names the object: of `/v1/payment_intents/pi_1/confirm` it is `pi_1`. */
export const idIn = ({ path }: VendorRequest): string => path.split("/")[3] ?? "";

const OBJECT_ID = /^[A-Za-z]+_[A-Za-z0-9_]{1,200}$/;

/** The id in a field of the form, or null where the value cannot be an id. */
export const idNamed = (form: Form, field: string): string | null => {
  const id = form.get(field) ?? "";
  return OBJECT_ID.test(id) ? id : null;
};
