import { describe, expect, test } from "vitest";
import type { Vendor } from "../../lambda/domain/vendor.ts";
import type { DenialFacts } from "../../lambda/domain/vendor-manifest.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { registryOf } from "../../lambda/vendors/registry.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";

/** Guarantees that a vendor that is added while the program runs is a vendor like those of the list. */

const letters: Vendor = {
  ...stripe,
  name: "letters",
  catalog: [{ method: "POST", path: "/v7/letters", rule: { kind: "denied", reason: "" } }],
  denial: ({ message }) => ({
    headers: { "Request-Id": "theirs", "Letters-Id": "1" },
    body: JSON.stringify({ error: "theirs", code: "text", letters: message }),
  }),
};
const builtIn = vendorRegistry().all;
const vendors = registryOf(builtIn, [letters]);

const FACTS: DenialFacts = {
  status: 429,
  code: "spend_cap_exceeded",
  repeats: false,
  message: "no",
  requestId: "ours",
  charged: "no",
  details: {},
};

describe("a registry with a vendor more", () => {
  test("has it behind those of the list", () => {
    expect(vendors.names).toEqual(["stripe", "twilio", "resend", "letters"]);
    expect(vendors.all.at(-1)).toBe(letters);
  });

  test.each([
    ["letters", letters],
    ["stripe", stripe],
    ["Stripe", null],
    ["constructor", null],
    ["", null],
    [null, null],
  ])("finds under the name %s what is there", (name, found) => {
    expect(vendors.find(name)).toBe(found);
  });

  test.each([
    ["/v7/letters", ["letters"]],
    ["/v7/anything", ["letters"]],
    ["/v1/charges", []],
    ["/elsewhere", []],
  ])("knows whose SDK writes %s, for a key of another vendor", (path, others) => {
    expect(vendors.othersWithPath(stripe, path)).toEqual(others);
  });

  test("denies so that each SDK still finds what it looks for", () => {
    const { headers, body } = vendors.denial(FACTS);
    const plain = vendorRegistry().denial(FACTS);

    expect(headers).toEqual({ ...plain.headers, "Letters-Id": "1" });
    expect(JSON.parse(body)).toEqual({ ...JSON.parse(plain.body), letters: "no" });
    expect(JSON.parse(body)).toMatchObject({
      error: { message: "no" },
      code: 20429,
      keybrake_code: FACTS.code,
    });
  });
});

test.each(["stripe", "vault", "healthz", "dashboard"])("no vendor more may be called %s", (name) => {
  expect(() => registryOf(builtIn, [{ ...letters, name }])).toThrow(RangeError);
});

test("no two vendors more may have one name", () => {
  expect(() => registryOf(builtIn, [letters, letters])).toThrow("the name letters is taken");
});
