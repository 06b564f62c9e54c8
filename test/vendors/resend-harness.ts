import { microUsd } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import type { PriceTable } from "../../lambda/domain/rate-card.ts";
import type { FreeRule, Known, PricedRule, Quote, VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { resend } from "../../lambda/vendors/resend/resend.ts";
import { DEFAULT_RATE_CARD } from "../support/rate-card.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** What the tests of Resend's adapter share: a price, requests, and what they are quoted. */

/** A recipient costs 10 micro-dollars here: what a call costs is ten times whom it reaches. */
export const known = (recipient: PriceTable = { default: microUsd(10n) }): Known => ({
  object: null,
  found: null,
  rateCard: { ...DEFAULT_RATE_CARD, prices: { resend: { recipient } } },
  limits: UNLIMITED,
});

export const requestOf = (
  method: string,
  path: string,
  body: unknown,
  change: Partial<VendorRequest> = {},
): VendorRequest => ({
  method,
  path,
  query: {},
  headers: { "content-type": ["application/json"] },
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  ...change,
});

export function pricedOf(path: string): PricedRule {
  const rule = endpointOf(resend, "POST", path)?.rule;
  if (rule?.kind !== "priced") throw new Error(`POST ${path} has no price`);
  return rule;
}

export function freeOf(method: string, path: string): FreeRule {
  const rule = endpointOf(resend, method, path)?.rule;
  if (rule?.kind !== "free") throw new Error(`${method} ${path} is not free`);
  return rule;
}

const quoteAt = (path: string, body: unknown, price?: PriceTable): Quote | Problem =>
  pricedOf(path).quote(requestOf("POST", path, body), known(price));

export const quoteEmail = (email: unknown, price?: PriceTable) => quoteAt("/emails", email, price);
export const quoteBatch = (emails: unknown, price?: PriceTable) => quoteAt("/emails/batch", emails, price);

export function ok(quoted: Quote | Problem): Quote {
  if (quoted instanceof Problem) throw quoted;
  return quoted;
}

export const refusal = (quoted: Quote | Problem | null): string =>
  quoted instanceof Problem ? `${quoted.code}: ${quoted.message}` : "not refused";

export const email = (change: object = {}) => ({
  from: "Acme <acme@example.com>",
  to: "ann@example.com",
  subject: "Hello",
  text: "Line\nby line",
  ...change,
});

export const answerOf = (status: number, body: unknown) => ({
  status,
  headers: {},
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
});
