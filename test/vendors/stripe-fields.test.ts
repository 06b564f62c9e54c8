import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as fields from "../../lambda/vendors/stripe-fields.ts";

/**
 * Guarantees that every parameter of the installed stripe-node versions was looked at: it reaches Stripe, or it is
 * refused for a reason. So a new version of the SDK cannot bring a parameter that moves money unseen.
 */

const VERSIONS = ["stripe-12", "stripe-17", "stripe-22", "stripe"];

/** Every declaration file of a version, by the name of its resource. */
function declarations(version: string, resource: string): string[] {
  const root = join(import.meta.dirname, "../../node_modules", version);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(`/${resource}.d.ts`) || file.endsWith(`/${resource}Resource.d.ts`))
    .map((file) => readFileSync(join(root, file), "utf8"));
}

/** The fields at the top of an interface, in whatever version declares it. */
function fieldsOf(version: string, resource: string, name: string): Set<string> {
  const found = new Set<string>();
  for (const text of declarations(version, resource)) {
    const start = new RegExp(`interface ${name}(?: extends [^{]*)? \\{`).exec(text);
    if (start === null) continue;
    let depth = 1;
    for (const line of text.slice(start.index + start[0].length).split("\n")) {
      const field = /^\s*([a-z_0-9]+)\??:/.exec(line)?.[1];
      if (depth === 1 && field !== undefined) found.add(field);
      depth += (line.match(/\{/g) ?? []).length - (line.match(/\}/g) ?? []).length;
      if (depth <= 0) break;
    }
  }
  return found;
}

const CREDIT = ["balance", "cash_balance", "coupon", "promotion_code"];
const INTENT_CONNECT = ["application_fee_amount", "on_behalf_of", "transfer_data"];

const CASES: readonly (readonly [
  resource: string,
  name: string,
  passed: readonly string[],
  refused: readonly string[],
])[] = [
  ["PaymentIntents", "PaymentIntentCreateParams", fields.INTENT_CREATE, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentUpdateParams", fields.INTENT_UPDATE, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentConfirmParams", fields.INTENT_CONFIRM, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentCaptureParams", fields.INTENT_CAPTURE, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentIncrementAuthorizationParams", fields.INTENT_INCREMENT, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentCancelParams", fields.INTENT_CANCEL, []],
  [
    "Charges",
    "ChargeCreateParams",
    fields.CHARGE_CREATE,
    [...INTENT_CONNECT, "application_fee", "destination"],
  ],
  [
    "Refunds",
    "RefundCreateParams",
    fields.REFUND_CREATE,
    ["customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"],
  ],
  ["Customers", "CustomerCreateParams", fields.CUSTOMER, CREDIT],
  ["Customers", "CustomerUpdateParams", fields.CUSTOMER, CREDIT],
  ["PaymentIntents", "PaymentIntentListParams", fields.READ, []],
  ["PaymentIntents", "PaymentIntentRetrieveParams", fields.READ, []],
  ["Charges", "ChargeListParams", fields.READ, []],
  ["Refunds", "RefundListParams", fields.READ, []],
  ["Customers", "CustomerListParams", fields.READ, []],
  ["Customers", "CustomerListPaymentMethodsParams", fields.READ, []],
  ["PaymentMethods", "PaymentMethodListParams", fields.READ, []],
];

describe.each(VERSIONS)("every parameter of %s passes or is refused for a reason", (version) => {
  test.each(CASES)("%s: %s", (resource, name, passed, refused) => {
    const declared = fieldsOf(version, resource, name);
    // The declarations of the oldest version put some of these types elsewhere or have none.
    if (version === "stripe" || version === "stripe-22")
      expect(declared.size, "no declaration was found").toBeGreaterThan(0);
    for (const field of declared) expect([...passed, ...refused], field).toContain(field);
  });
});

test("what is refused is never passed", () => {
  const { CONNECT, ...lists } = fields;
  for (const list of Object.values(lists)) for (const field of CONNECT) expect(list).not.toContain(field);
  for (const field of CREDIT) expect(fields.CUSTOMER).not.toContain(field);
});
