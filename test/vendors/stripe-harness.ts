import type { CallLimits } from "../../lambda/domain/call-limits.ts";
import type { CountedEntry, CountedObject } from "../../lambda/domain/counted-object.ts";
import { limitProblem } from "../../lambda/domain/limit-problem.ts";
import { type MicroUsd, microUsd } from "../../lambda/domain/money.ts";
import { Problem, type ProblemCode } from "../../lambda/domain/problem.ts";
import type {
  Json,
  Known,
  PricedRule,
  Quote,
  VendorAnswer,
  VendorOutcome,
  VendorRequest,
} from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";
import { rateCardWith } from "../support/rate-card.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** What the tests of Stripe's adapter share: requests, what is known beside them, and answers. */

export const FORM = { "content-type": ["application/x-www-form-urlencoded"] };

/**
 * With the margin of three per cent a euro cent is worth 11,330 millionths of a dollar, a yen 6,592, a thousandth of a
 * Kuwaiti dinar 3,347.5. There is no rate for pounds.
 */
export const RATE_CARD = rateCardWith({
  rates: { eur: "1.1", jpy: "0.0064", kwd: "3.25" },
  rateMarginPercent: 3,
});

export const micros = (amount: number): MicroUsd => microUsd(BigInt(amount));
/** Of a US dollar. */
export const cents = (amount: number): MicroUsd => micros(amount * 10_000);

export const requestOf = (
  method: string,
  path: string,
  body = "",
  change: Partial<VendorRequest> = {},
): VendorRequest => ({
  method,
  path,
  query: {},
  headers: FORM,
  body: new TextEncoder().encode(body),
  ...change,
});

export const known = (change: Partial<Known> = {}): Known => ({
  object: null,
  found: null,
  rateCard: RATE_CARD,
  limits: UNLIMITED,
  ...change,
});

export const limited = (change: Partial<CallLimits>): CallLimits => ({ ...UNLIMITED, ...change });

/** One attempt that counts `amount` by its draw, and more `beyond` it, for an object that was worth `total`. */
export const entryOf = (amount: MicroUsd, total = amount, beyond = micros(0)): CountedEntry => ({
  attemptId: `att_${total}`,
  amount,
  beyond,
  total,
  windows: [{ keyId: "key_1", window: 0 }],
});

export const countedAs = (...entries: CountedEntry[]): CountedObject => ({
  objectId: "pi_1",
  cancelled: false,
  entries,
});

/** Counted in US cents. */
export const counted = (amount: number, total = amount): CountedObject =>
  countedAs(entryOf(cents(amount), cents(total)));

export function ruleOf(method: string, path: string) {
  const rule = endpointOf(stripe, method, path)?.rule;
  if (rule === undefined) throw new Error(`${method} ${path} is not in the catalog`);
  return rule;
}

export function pricedOf(path: string): PricedRule {
  const rule = ruleOf("POST", path);
  if (rule.kind !== "priced") throw new Error(`POST ${path} has no price`);
  return rule;
}

export const quote = (
  path: string,
  body: string,
  about: Partial<Known> = {},
  change: Partial<VendorRequest> = {},
): Quote | Problem => pricedOf(path).quote(requestOf("POST", path, body, change), known(about));

export function ok(quoted: Quote | Problem): Quote {
  if (quoted instanceof Problem) throw quoted;
  return quoted;
}

/** What it costs at most, or the code with which it is refused. */
export const costOf = (
  path: string,
  body: string,
  about: Partial<Known> = {},
  change: Partial<VendorRequest> = {},
): MicroUsd | ProblemCode => {
  const quoted = quote(path, body, about, change);
  return quoted instanceof Problem ? quoted.code : quoted.amount;
};

/** The message of a refusal. */
export const refusal = (
  path: string,
  body: string,
  about: Partial<Known> = {},
  change: Partial<VendorRequest> = {},
): string => {
  const quoted = quote(path, body, about, change);
  return quoted instanceof Problem ? quoted.message : "not refused";
};

/** The path that is asked before the call is priced. `needsRecipient`: the key limits whom calls may be about. */
export const lookupOf = (path: string, body: string, needsRecipient = false): string | null =>
  pricedOf(path).lookup?.(requestOf("POST", path, body), needsRecipient) ?? null;

/** The code with which the limits of a key refuse a call, or null. */
export function limitCode(
  path: string,
  body: string,
  limits: CallLimits,
  about: Partial<Known> = {},
): ProblemCode | null {
  const quoted = quote(path, body, { ...about, limits });
  const problem = quoted instanceof Problem ? quoted : limitProblem(quoted, limits, stripe, "key_1");
  return problem?.code ?? null;
}

/** The code with which a free endpoint refuses a request, or null. */
export function checkOf(
  method: string,
  path: string,
  body = "",
  change: Partial<VendorRequest> = {},
  limits: CallLimits = UNLIMITED,
): ProblemCode | null {
  const rule = ruleOf(method, path);
  if (rule.kind !== "free") throw new Error(`${method} ${path} is not free`);
  return rule.check(requestOf(method, path, body, change), limits)?.code ?? null;
}

export const answer = (
  status: number,
  body: Json | string,
  headers: Record<string, string[]> = {},
): VendorAnswer => ({
  status,
  headers,
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
});

const QUOTED: Quote = {
  amount: cents(500),
  amountText: "500",
  currency: "usd",
  fxRate: null,
  recipients: null,
  explanation: null,
};

/** What an answer says of the money of a call that was quoted at $5.00, unless told otherwise. */
export const read = (
  path: string,
  given: VendorAnswer,
  about: Partial<Known> = {},
  quoted: Partial<Quote> = {},
  body = "",
): VendorOutcome =>
  pricedOf(path).read(given, { ...QUOTED, ...quoted }, known(about), requestOf("POST", path, body));
