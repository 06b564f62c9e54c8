import { describe, expect, test } from "vitest";
import type { VendorRequest } from "../../lambda/domain/vendor.ts";
import {
  answered,
  getting,
  HEX,
  LOOKUP,
  LOOKUP_V1,
  micros,
  posting,
  quoteOf,
  readOf,
  refusal,
  ruleOf,
  TO,
  VERIFICATIONS,
} from "./twilio-harness.ts";

/** Guarantees what verifications and lookups cost. */

describe("what verifications and lookups cost", () => {
  test.each([
    ["sms", `${TO}&Channel=sms`, 70_000],
    ["whatsapp", `${TO}&Channel=whatsapp`, 70_000],
    ["call, with its minute", `${TO}&Channel=call`, 170_000],
    ["email", "To=ann%40example.com&Channel=email", 60_000],
    ["an e-mail address that begins like a number", "To=%2B1a%40example.com&Channel=email", 60_000],
    ["sna", `${TO}&Channel=sna`, 700_000],
    ["another country", "To=%2B33612345678&Channel=sms&Locale=fr", 700_000],
  ])("a verification by %s", (_, body, amount) => {
    expect(quoteOf(posting(VERIFICATIONS, body)).amount).toBe(micros(amount));
  });

  test("its price is final, since no answer tells it", () => {
    const answer = answered(201, { sid: `VE${HEX}`, status: "pending" });
    expect(readOf(posting(VERIFICATIONS, `${TO}&Channel=sms`), answer)).toMatchObject({
      kind: "executed",
      price: micros(70_000),
      isEstimate: false,
      objectId: `VE${HEX}`,
    });
  });

  test.each([
    ["no To", "Channel=sms", "amount_unknown"],
    ["no channel", TO, "endpoint_not_priced"],
    ["a channel that chooses", `${TO}&Channel=auto`, "endpoint_not_priced"],
    ["a channel that is not known", `${TO}&Channel=constructor`, "endpoint_not_priced"],
    ["a number by e-mail", `${TO}&Channel=email`, "endpoint_not_priced"],
    ["two e-mail addresses", "To=a%40b.example%2Cc%40d.example&Channel=email", "endpoint_not_priced"],
    ["a message of any length", `${TO}&Channel=sms&CustomMessage=${"a".repeat(500)}`, "endpoint_not_priced"],
    ["keys that are pressed after a call", `${TO}&Channel=call&SendDigits=WWWW`, "endpoint_not_priced"],
  ])("a verification is refused with %s", (_, body, code) => {
    expect(refusal(posting(VERIFICATIONS, body))).toBe(code);
  });

  test.each<[string, string, VendorRequest["query"], number]>([
    ["nothing is free", LOOKUP, {}, 0],
    ["validity is free", LOOKUP, { Fields: ["validation"], CountryCode: ["US"] }, 0],
    ["a field", LOOKUP, { Fields: ["line_type_intelligence"] }, 20_000],
    ["two fields in one", LOOKUP, { Fields: ["line_type_intelligence, caller_name"] }, 35_000],
    ["two fields apart", LOOKUP, { Fields: ["line_type_intelligence", "caller_name,validation"] }, 35_000],
    ["a field twice", LOOKUP, { Fields: ["sim_swap", "sim_swap"] }, 600_000],
    ["an identity", LOOKUP, { Fields: ["identity_match"], FirstName: ["Ann"] }, 300_000],
    ["nothing of version 1 is free", LOOKUP_V1, {}, 0],
    ["a carrier", LOOKUP_V1, { Type: ["carrier"] }, 20_000],
    ["a carrier and a name", LOOKUP_V1, { Type: ["carrier", "caller-name"] }, 35_000],
  ])("a lookup of %s", (_, path, query, amount) => {
    const quote = quoteOf(getting(path, query));
    expect(quote).toMatchObject({ amount: micros(amount), recipients: [] });
    expect(ruleOf(getting(path))).toMatchObject({ kind: "priced", idempotency: null });
  });

  test.each<[string, string, VendorRequest["query"], string]>([
    ["a field that is not known", LOOKUP, { Fields: ["everything"] }, "endpoint_not_priced"],
    ["an empty field", LOOKUP, { Fields: [""] }, "endpoint_not_priced"],
    ["fields in small letters", LOOKUP, { fields: ["caller_name"] }, "ambiguous_request"],
    ["fields with brackets", LOOKUP, { "Fields[]": ["caller_name"] }, "ambiguous_request"],
    ["what has no price", LOOKUP, { Fields: ["pre_fill"] }, "endpoint_not_priced"],
    ["a type that is not known", LOOKUP_V1, { Type: ["all"] }, "endpoint_not_priced"],
    ["fields in version 1", LOOKUP_V1, { Fields: ["caller_name"] }, "ambiguous_request"],
    ["add-ons", LOOKUP_V1, { AddOns: ["a"] }, "endpoint_not_priced"],
    ["add-ons in version 2", LOOKUP, { AddOns: ["a"] }, "endpoint_not_priced"],
  ])("a lookup is refused with %s", (_, path, query, code) => {
    expect(refusal(getting(path, query))).toBe(code);
  });
});
