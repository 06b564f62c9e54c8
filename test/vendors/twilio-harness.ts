import { microUsd } from "../../lambda/domain/money.ts";
import { Problem } from "../../lambda/domain/problem.ts";
import type { RateCard } from "../../lambda/domain/rate-card.ts";
import type { Known, Quote, VendorAnswer, VendorOutcome, VendorRequest } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { twilio } from "../../lambda/vendors/twilio/twilio.ts";
import { rateCardWith } from "../support/rate-card.ts";
import { UNLIMITED } from "../support/unlimited.ts";

/** What the tests of Twilio's adapter share: paths, a rate card, requests and what becomes of them. */

export const OWN = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
export const ZEROS = "AC00000000000000000000000000000000";
export const HEX = "0123456789abcdef0123456789abcdef";
export const ACCOUNT = `/2010-04-01/Accounts/${ZEROS}`;
export const MESSAGES = `${ACCOUNT}/Messages.json`;
export const MESSAGE = `${ACCOUNT}/Messages/SM${HEX}.json`;
export const CALLS = `${ACCOUNT}/Calls.json`;
export const CALL = `${ACCOUNT}/Calls/CA${HEX}.json`;
export const VERIFICATIONS = `/verify/v2/Services/VA${HEX}/Verifications`;
export const LOOKUP = "/lookups/v2/PhoneNumbers/+15555550100";
export const LOOKUP_V1 = "/lookups/v1/PhoneNumbers/+15555550100";
export const TO = "To=%2B15555550100";

/** Prices that are easy to multiply: a text message to +1 costs a cent. */
export const RATE_CARD: RateCard = rateCardWith({
  rates: { eur: "1.1" },
  rateMarginPercent: 0,
  prices: {
    twilio: {
      sms: { "+1": "0.01", "+44": "0.05", default: "0.6" },
      mms: { "+1": "0.03", default: null },
      whatsapp: { "+1": "0.02", default: "0.3" },
      call_minute: { "+1": "0.1", "+1900": null, "client:": "0.001", "sip:": "0.002", default: "5" },
      recording_minute: "0.005",
      machine_detection: "0.02",
      failed_message: "0.001",
      verification: { "+1": "0.07", "email:": "0.06", default: "0.7" },
      lookup_field: { line_type_intelligence: "0.02", caller_name: "0.015", default: "0.3" },
    },
  },
});

const KNOWN: Known = { object: null, found: null, rateCard: RATE_CARD, limits: UNLIMITED };
export const FORM = { "content-type": ["application/x-www-form-urlencoded"] };
export const micros = (amount: number) => microUsd(BigInt(amount));
export const bytes = (text: string) => new TextEncoder().encode(text);

export const posting = (path: string, body: string, change: Partial<VendorRequest> = {}): VendorRequest => ({
  method: "POST",
  path,
  query: {},
  headers: FORM,
  body: bytes(body),
  ...change,
});

export const getting = (path: string, query: VendorRequest["query"] = {}, method = "GET"): VendorRequest => ({
  method,
  path,
  query,
  headers: {},
  body: new Uint8Array(),
});

export function ruleOf({ method, path }: Pick<VendorRequest, "method" | "path">) {
  const rule = endpointOf(twilio, method, path)?.rule;
  if (rule === undefined) throw new Error(`${method} ${path} is not in the catalog`);
  return rule;
}

export function quoted(request: VendorRequest, rateCard = RATE_CARD): Quote | Problem {
  const rule = ruleOf(request);
  if (rule.kind !== "priced") throw new Error(`${request.path} has no price`);
  return rule.quote(request, { ...KNOWN, rateCard });
}

export function quoteOf(request: VendorRequest, rateCard = RATE_CARD): Quote {
  const quote = quoted(request, rateCard);
  if (quote instanceof Problem) throw quote;
  return quote;
}

/** Of an allowed request null, of any other the code of its refusal. */
export function refusal(request: VendorRequest, rateCard = RATE_CARD): string | null {
  const endpoint = endpointOf(twilio, request.method, request.path);
  if (endpoint === null || endpoint.rule.kind === "denied") return "denied";
  const result =
    endpoint.rule.kind === "free"
      ? endpoint.rule.check(request, UNLIMITED)
      : endpoint.rule.quote(request, { ...KNOWN, rateCard });
  return result instanceof Problem ? result.code : null;
}

export const messageOf = (problem: unknown): string => {
  if (!(problem instanceof Problem)) throw new Error("it was not refused");
  return problem.message;
};

export const answered = (status: number, body: unknown): VendorAnswer => ({
  status,
  headers: {},
  body: bytes(typeof body === "string" ? body : JSON.stringify(body)),
});

export function readOf(request: VendorRequest, answer: VendorAnswer): VendorOutcome {
  const rule = ruleOf(request);
  if (rule.kind !== "priced") throw new Error(`${request.path} has no price`);
  return rule.read(answer, quoteOf(request), KNOWN, request);
}

export const text = (body: string) => `${TO}&From=%2B15555550199&Body=${encodeURIComponent(body)}`;

/** Instructions of a call that says one word. */
export const SAY = encodeURIComponent("<Response><Say>Hello</Say></Response>");
