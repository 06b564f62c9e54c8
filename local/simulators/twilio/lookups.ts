import type { Account } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalid, notFound } from "./errors.ts";
import { newSid } from "./ids.ts";
import { isE164, isNorthAmerican, nationalFormat } from "./phone-numbers.ts";
import { fixedCost } from "./prices.ts";

const FIELDS = [
  "caller_name",
  "sim_swap",
  "call_forwarding",
  "line_status",
  "line_type_intelligence",
  "identity_match",
  "reassigned_number",
  "sms_pumping_risk",
  "phone_number_quality_score",
  "pre_fill",
];

/** What the simulator knows of every number. */
const KNOWN: Readonly<Record<string, object>> = {
  caller_name: { caller_name: "KEYBRAKE TEST", caller_type: "BUSINESS", error_code: null },
  line_type_intelligence: {
    carrier_name: "Simulated Carrier",
    error_code: null,
    mobile_country_code: "310",
    mobile_network_code: "456",
    type: "mobile",
  },
};

/** `GET /v2/PhoneNumbers/{number}`: free, but for each of the `Fields` that it is asked for. `validation` is free too. */
export const lookUp: Endpoint = (account, { ids: [number = ""], query }) => {
  const asked = listed(query.getAll("Fields")).filter((field) => field !== "validation");
  const unknown = asked.find((field) => !FIELDS.includes(field));
  if (unknown !== undefined) throw invalid(20001, `Invalid field: ${unknown}`);
  const valid = isE164(number);
  return () => {
    if (valid) charge(account, number, asked.length);
    const data = FIELDS.map((field) => {
      const isShown = valid && asked.includes(field);
      return [field, isShown ? (KNOWN[field] ?? { error_code: null }) : null];
    });
    return {
      status: 200,
      element: "PhoneNumber",
      body: {
        calling_country_code: valid && isNorthAmerican(number) ? "1" : null,
        country_code: countryOf(number),
        phone_number: number,
        national_format: valid ? nationalFormat(number) : null,
        valid,
        validation_errors: valid ? null : ["NOT_A_NUMBER"],
        ...Object.fromEntries(data),
        url: `https://lookups.twilio.com/v2/PhoneNumbers/${number}`,
      },
    };
  };
};

/** `GET /v1/PhoneNumbers/{number}`, the older one: free, but for each `Type` and each of the `AddOns`. */
export const lookUpV1: Endpoint = (account, { ids: [number = ""], path, query }) => {
  if (!isE164(number)) throw notFound(path.replace("/v1", ""));
  const types = listed(query.getAll("Type"));
  const unknown = types.find((type) => type !== "carrier" && type !== "caller-name");
  if (unknown !== undefined) throw invalid(20001, `Invalid Type: ${unknown}`);
  const addOns = listed(query.getAll("AddOns"));
  return () => {
    charge(account, number, types.length + addOns.length);
    return {
      status: 200,
      element: "PhoneNumber",
      body: {
        caller_name: types.includes("caller-name") ? KNOWN["caller_name"] : null,
        carrier: types.includes("carrier")
          ? { name: "Simulated Carrier", type: "mobile", error_code: null }
          : null,
        add_ons:
          addOns.length === 0 ? null : { status: "successful", message: null, code: null, results: {} },
        country_code: countryOf(number),
        national_format: nationalFormat(number),
        phone_number: number,
        url: `https://lookups.twilio.com/v1/PhoneNumbers/${number}`,
      },
    };
  };
};

/** The items of a parameter that may be repeated, and separated by commas; each once. */
function listed(values: readonly string[]): readonly string[] {
  return [...new Set(values.flatMap((value) => value.split(",")).map((item) => item.trim()))].filter(
    (item) => item !== "",
  );
}

function charge(account: Account, number: string, count: number): void {
  if (count === 0) return;
  account.fixedCharges.push({
    id: newSid("LK"),
    kind: "lookup",
    to: number,
    count,
    costMicroUsd: fixedCost("lookup", count),
    createdMs: account.nowMs(),
  });
}

/** The simulator tells one country from the rest. */
const countryOf = (number: string): string | null =>
  isE164(number) && isNorthAmerican(number) ? "US" : null;
