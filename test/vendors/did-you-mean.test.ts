import { describe, expect, test } from "vitest";
import type { Vendor } from "../../lambda/domain/vendor.ts";
import { endpointOf } from "../../lambda/vendors/catalog-entry.ts";
import { entryProblem, pathHint } from "../../lambda/vendors/did-you-mean.ts";
import { vendorRegistry } from "../../lambda/vendors/index.ts";
import { stripe } from "../../lambda/vendors/stripe/stripe.ts";

/** Guarantees that an entry of an allowlist can match some call, and that whoever is wrong is told what was meant. */

const VENDORS = vendorRegistry();
const vendorOf = (name: string): Vendor => {
  const vendor = VENDORS.find(name);
  if (vendor === null) throw new Error(`there is no vendor ${name}`);
  return vendor;
};
const HEX = "0123456789abcdef0123456789abcdef";
const MESSAGES = "/2010-04-01/Accounts/*/Messages.json";

test.each([
  ["stripe", "POST /v1/payment_intents"],
  ["stripe", "POST /v1/payment_intents/*/confirm"],
  ["stripe", "POST /v1/payment_intents/pi_1/confirm"],
  ["stripe", "POST /v1/*"],
  ["stripe", "POST /v1/**"],
  ["stripe", "GET /**"],
  ["stripe", "GET /v1/customers/*"],
  ["stripe", "GET /v1/coupons/SUMMER25"],
  ["stripe", "DELETE /v1/plans/gold-plan"],
  ["twilio", `POST ${MESSAGES}`],
  ["twilio", `POST /2010-04-01/Accounts/AC${HEX}/Messages.json`],
  ["twilio", "GET /2010-04-01/Accounts/*/Messages/*"],
  ["twilio", "GET /lookups/v2/PhoneNumbers/*"],
  ["twilio", "POST /verify/**"],
  ["resend", "POST /emails"],
  ["resend", "PATCH /emails/*"],
  ["resend", "GET /contacts/ann@example.com"],
])("an entry of %s that can match stays: %s", (vendor, entry) => {
  expect(entryProblem(vendorOf(vendor), entry, VENDORS.all)).toBeNull();
});

describe("an entry that can never match is refused with the one that was meant", () => {
  test.each([
    ["stripe", "POST /stripe/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /STRIPE/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /prod/stripe/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /v1/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /V1/Payment_Intents", "POST /v1/payment_intents"],
    ["stripe", "POST /v1/paymentintents", "POST /v1/payment_intents"],
    ["stripe", "POST /v1/payment-intents/*/confirm", "POST /v1/payment_intents/*/confirm"],
    ["stripe", "GET /v1/customer", "GET /v1/customers"],
    ["stripe", "PUT /v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /v1/paymentintents/**", "POST /v1/payment_intents/**"],
    ["stripe", "post /v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST  /v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST /v1/payment_intents/", "POST /v1/payment_intents"],
    ["stripe", "POST /v1//payment_intents", "POST /v1/payment_intents"],
    ["stripe", "GET /v1/customers?limit=3", "GET /v1/customers"],
    ["stripe", "POST https://api.stripe.com/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "POST https://keys.example.com/prod/stripe/v1/payment_intents", "POST /v1/payment_intents"],
    ["stripe", "GET /v1/customers/{id}", "GET /v1/customers/*"],
    ["stripe", "GET /v1/customers/:id", "GET /v1/customers/*"],
    ["stripe", "GET /v1/customers/cus_*", "GET /v1/customers/*"],
    ["stripe", "POST /v1/**/confirm", null],
    ["stripe", "POST /v1/payment_intents/**/confirm", "POST /v1/payment_intents/*/confirm"],
    ["twilio", "POST /twilio/2010-04-01/Accounts/*/Messages.json", `POST ${MESSAGES}`],
    ["twilio", `POST /api${MESSAGES}`, `POST ${MESSAGES}`],
    ["twilio", "POST /Messages.json", `POST ${MESSAGES}`],
    ["twilio", "POST /2010-04-01/Accounts/{AccountSid}/Messages.json", `POST ${MESSAGES}`],
    ["twilio", "POST /2010-04-01/Accounts/*/Message.json", `POST ${MESSAGES}`],
    ["twilio", "GET https://lookups.twilio.com/v2/PhoneNumbers/*", "GET /lookups/v2/PhoneNumbers/*"],
    ["twilio", "GET /v2/PhoneNumbers/*", "GET /lookups/v2/PhoneNumbers/*"],
    ["resend", "POST /resend/emails", "POST /emails"],
    ["resend", "POST /email", "POST /emails"],
    ["resend", "POST https://api.resend.com/emails/batch", "POST /emails/batch"],
  ])("%s: %s", (vendor, entry, meant) => {
    const problem = entryProblem(vendorOf(vendor), entry, VENDORS.all);
    expect(problem).toContain(meant === null ? "expected " : `expected ${JSON.stringify(meant)}`);
    if (meant !== null) expect(entryProblem(vendorOf(vendor), meant, VENDORS.all)).toBeNull();
  });

  test.each([
    ["stripe", "POST /emails", "an endpoint of resend, and this key is for stripe"],
    ["stripe", `POST ${MESSAGES}`, "an endpoint of twilio"],
    ["resend", "POST /v1/payment_intents", "an endpoint of stripe"],
    ["twilio", "POST /emails/batch", "an endpoint of resend"],
    ["stripe", "POST /v1/subscriptions", "makes Stripe bill repeatedly or later"],
    ["stripe", "POST /v1/coupons", "gives customers credit"],
    ["stripe", "GET /v1/issuing/cards", "uses bank accounts, cards and balances"],
    ["resend", "POST /broadcasts", "goes to a whole segment"],
    ["stripe", "GET /v1/x", "matches no endpoint that a stripe key can call"],
    ["stripe", "POST /x/**", "matches no endpoint that a stripe key can call"],
    ["stripe", "POST /v2/**", "matches no endpoint that a stripe key can call"],
    ["stripe", "nonsense", "expected "],
    ["stripe", "", "expected "],
  ])("%s: %s says why", (vendor, entry, why) => {
    const problem = entryProblem(vendorOf(vendor), entry, VENDORS.all);
    expect(problem).toContain(why);
    expect(problem).toMatch(/expected /);
  });
});

describe("a path that no endpoint has is answered with what was probably meant", () => {
  test.each([
    ["stripe", "POST", "/strip/v1/payment_intents", "POST /stripe/v1/payment_intents"],
    ["stripe", "POST", "/STRIPE/v1/payment_intents", "POST /stripe/v1/payment_intents"],
    ["stripe", "POST", "/v1/v1/payment_intents", "POST /stripe/v1/payment_intents"],
    [
      "stripe",
      "POST",
      "/prod/v1/payment_intents/pi_1/confirm",
      "POST /stripe/v1/payment_intents/pi_1/confirm",
    ],
    ["stripe", "GET", "/v1/paymentintents/pi_1", "GET /stripe/v1/payment_intents/pi_1"],
    ["stripe", "POST", "/payment_intents", "POST /stripe/v1/payment_intents"],
    [
      "twilio",
      "POST",
      `/2010-04-01/2010-04-01/Accounts/AC${HEX}/Messages.json`,
      `POST /twilio/2010-04-01/Accounts/AC${HEX}/Messages.json`,
    ],
    [
      "twilio",
      "POST",
      `/v2/Services/VA${HEX}/Verifications`,
      `POST /twilio/verify/v2/Services/VA${HEX}/Verifications`,
    ],
    ["resend", "POST", "/v1/emails", "POST /resend/emails"],
    ["resend", "POST", "/email", "POST /resend/emails"],
  ])("%s: %s %s", (vendor, method, path, meant) => {
    const hint = pathHint(vendorOf(vendor), method, path);
    expect(hint).toContain(`the base URL ends in /${vendor}`);
    expect(hint).toMatch(new RegExp(`, so you probably mean ${meant.replaceAll(".", "\\.")}$`));
  });

  test("and with nothing where nothing is near", () => {
    expect(pathHint(stripe, "POST", "/v1/nothing/of/this/kind")).toBe("");
  });
});

describe("ids that are chosen, or have no underscore", () => {
  test.each([
    ["GET", "/v1/coupons/SUMMER25"],
    ["GET", "/v1/coupons/summer"],
    ["DELETE", "/v1/coupons/25% off".replace("%", "")],
    ["GET", "/v1/plans/gold-plan"],
    ["POST", "/v1/plans/gold"],
    ["POST", "/v1/products/my.product:1"],
    ["GET", "/v1/products/premium/features"],
    ["GET", "/v1/country_specs/US"],
    ["GET", "/v1/exchange_rates/usd"],
    ["GET", "/v1/reporting/report_types/balance.summary.1"],
    ["GET", "/v1/tax_codes/txcd_10000000"],
    ["GET", "/v1/promotion_codes/promo_1"],
    ["GET", "/v1/customers/ann@example.com"],
    ["POST", "/v1/customers/user-17"],
    ["GET", "/v1/customers/17/payment_methods"],
    ["GET", "/v1/accounts/acct_1/capabilities/transfers"],
  ])("%s %s is free", (method, path) => {
    expect(endpointOf(stripe, method, path)?.rule.kind).toBe("free");
  });

  test.each([
    ["POST", "/v1/coupons/SUMMER25"],
    ["POST", "/v1/customers/user-17/balance_transactions"],
    ["DELETE", "/v1/customers/user-17/discount"],
  ])("%s %s keeps its reason", (method, path) => {
    expect(endpointOf(stripe, method, path)?.rule.kind).toBe("denied");
  });

  test.each([
    ["DELETE", "/v1/products/search"],
    ["POST", "/v1/customers/search"],
    ["POST", "/v1/customers/merge"],
    ["POST", "/v1/invoices/upcoming"],
    ["POST", "/v1/invoices/finalize"],
    ["POST", "/v1/payment_intents/bulk"],
    ["GET", "/v1/coupons/.."],
    ["GET", "/v1/coupons/.hidden"],
    ["GET", "/v1/coupons/a/b"],
    ["GET", `/v1/coupons/${"x".repeat(201)}`],
  ])("no word of a path is one: %s %s", (method, path) => {
    expect(endpointOf(stripe, method, path)).toBeNull();
  });
});
