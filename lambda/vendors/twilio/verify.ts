import { type MicroUsd, sum } from "../../domain/money.ts";
import { Problem } from "../../domain/problem.ts";
import type { PricedRule, Quote, VendorRequest } from "../../domain/vendor.ts";
import { outcomeOf } from "./answers.ts";
import { listedForm, queryProblem, VERIFICATION } from "./fields.ts";
import { TO_MISSING } from "./messages.ts";
import { isEmail, isNumber, priceAt } from "./numbers.ts";

/** The cost of verifications and lookups. They have their own prices, which no answer names. */

const refused = (message: string) => new Problem("endpoint_not_priced", `${message}`);

const priced = (quote: PricedRule["quote"]): PricedRule => ({
  kind: "priced",
  idempotency: null,
  quote,
  read: (answer, quoted) => outcomeOf(answer, quoted, ["VE"]).reading,
});

/** Channels, with the name of their destination in the price table. */
const CHANNELS: Readonly<Record<string, (to: string) => string>> = {
  sms: (to) => to,
  whatsapp: (to) => to,
  call: (to) => to,
  sna: (to) => `sna:${to}`,
  email: (to) => `email:${to}`,
};

/** A started verification costs the same whether or not it is approved. A call costs one minute in addition. */
export const newVerification = priced((request, { rateCard }) => {
  const form = listedForm(request, VERIFICATION);
  if (form instanceof Problem) return form;
  const [to, channel = ""] = [form.get("To"), form.get("Channel")];
  if (to === undefined) return new Problem("amount_unknown", TO_MISSING);
  const named = Object.hasOwn(CHANNELS, channel) ? CHANNELS[channel] : undefined;
  if (named === undefined) {
    return refused(
      `Channel: got ${JSON.stringify(channel.slice(0, 20))}; expected one of ${Object.keys(CHANNELS).join(", ")}; the cost of other channels is unknown`,
    );
  }
  if (!(channel === "email" ? isEmail(to) : isNumber(to))) {
    return refused(
      `To: got ${JSON.stringify(to.slice(0, 60))}; expected ${channel === "email" ? "one e-mail address" : "a phone number with country code, such as +15555550100 (in a form, write + as %2B)"}`,
    );
  }
  const prices = [priceAt(rateCard, "verification", named(to))];
  if (channel === "call") prices.push(priceAt(rateCard, "call_minute", to));
  return quoteOf(prices, `1 verification by ${channel}`, [to]);
});

function quoteOf(
  prices: readonly (MicroUsd | Problem)[],
  amountText: string,
  recipients: readonly string[],
): Quote | Problem {
  const known: MicroUsd[] = [];
  for (const price of prices) {
    if (price instanceof Problem) return price;
    known.push(price);
  }
  return { amount: sum(known), amountText, currency: "usd", fxRate: null, recipients, explanation: null };
}

/** Data about a person, by which an identity is matched. */
const IDENTITY = [
  ..."FirstName LastName AddressLine1 AddressLine2 City State PostalCode AddressCountryCode NationalId".split(
    " ",
  ),
  ..."DateOfBirth LastVerifiedDate VerificationSid PartnerSubId".split(" "),
];

/** The fields that version 2 offers. `validation` is free. twilio.com/docs/lookup/v2-api, read 2026-11-22. */
const FIELDS =
  "validation caller_name sim_swap call_forwarding line_status line_type_intelligence identity_match reassigned_number sms_pumping_risk phone_number_quality_score pre_fill".split(
    " ",
  );

/** What version 1 calls a type, and version 2 a field. */
const TYPES: Readonly<Record<string, string>> = {
  carrier: "line_type_intelligence",
  "caller-name": "caller_name",
};

/** The parameter may be repeated, and each value may be a list. Every named field counts. */
const listed = ({ query }: VendorRequest, name: string): readonly string[] =>
  (query[name] ?? []).flatMap((value) => value.split(",")).map((value) => value.trim());

/** A lookup that asks for `parameter`, whose values `fieldOf` names as fields, or null for one that is not known. */
const lookup = (
  parameter: string,
  others: readonly string[],
  fieldOf: (value: string) => string | null,
): PricedRule =>
  priced((request, { rateCard }) => {
    const { [parameter]: _, ...rest } = request.query;
    if (Object.hasOwn(rest, "AddOns") || Object.hasOwn(rest, "AddOnsData"))
      return refused("AddOns: add-ons of other companies have their own prices; leave it out");
    const problem = queryProblem({ ...request, query: rest }, others);
    if (problem !== null) return problem;
    const fields: string[] = [];
    for (const value of listed(request, parameter)) {
      const field = fieldOf(value);
      if (field === null)
        return refused(
          `${parameter}: got ${JSON.stringify(value.slice(0, 40))}; Keybrake has no price for it; leave it out`,
        );
      if (field !== "validation") fields.push(field);
    }
    const text = fields.length === 0 ? "1 lookup" : `1 lookup of ${fields.join(", ")}`;
    return quoteOf(
      fields.map((field) => priceAt(rateCard, "lookup_field", field)),
      text,
      [],
    );
  });

export const lookupV2 = lookup("Fields", ["CountryCode", ...IDENTITY], (value) =>
  FIELDS.includes(value) ? value : null,
);
export const lookupV1 = lookup("Type", ["CountryCode"], (value) =>
  Object.hasOwn(TYPES, value) ? (TYPES[value] ?? null) : null,
);
