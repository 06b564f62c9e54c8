import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as fields from "../../lambda/vendors/stripe/fields.ts";

/**
 * Guarantees that every parameter of the installed stripe-node versions was looked at: it reaches Stripe, or it is
 * refused for a reason. So a new version of the SDK cannot bring a parameter that moves money unseen.
 */

const VERSIONS = ["stripe-12", "stripe-17", "stripe-22", "stripe"];

/** Every declaration file of a version, by its name. */
const DECLARATIONS = new Map(
  VERSIONS.map((version) => {
    const root = join(import.meta.dirname, "../../node_modules", version);
    const files = readdirSync(root, { recursive: true, encoding: "utf8" });
    return [version, files.filter((file) => file.endsWith(".d.ts")).map((file) => join(root, file))];
  }),
);

/** The declarations of a resource. */
const declarations = (version: string, resource: string): string[] =>
  (DECLARATIONS.get(version) ?? [])
    .filter((file) => file.endsWith(`/${resource}.d.ts`) || file.endsWith(`/${resource}Resource.d.ts`))
    .map((file) => readFileSync(file, "utf8"));

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

const INTENT_SPLIT = ["application_fee_amount", "transfer_data"];
const INTENT_CONNECT = [...INTENT_SPLIT, "on_behalf_of"];
/** Moves to another account, is collected by itself, gives a discount, or is another account's. */
const INVOICE = [
  "application_fee_amount",
  "automatically_finalizes_at",
  "discounts",
  "issuer",
  "on_behalf_of",
  "transfer_data",
];

/** `names`: the interface with the parameters, under each name that it has had. */
const CASES: readonly (readonly [
  resource: string,
  names: string,
  passed: readonly string[],
  refused: readonly string[],
])[] = [
  ["PaymentIntents", "PaymentIntentCreateParams", fields.INTENT_CREATE, INTENT_CONNECT],
  ["PaymentIntents", "PaymentIntentUpdateParams", fields.INTENT_UPDATE, INTENT_SPLIT],
  ["PaymentIntents", "PaymentIntentConfirmParams", fields.INTENT_CONFIRM, []],
  ["PaymentIntents", "PaymentIntentCaptureParams", fields.INTENT_CAPTURE, INTENT_SPLIT],
  ["PaymentIntents", "PaymentIntentIncrementAuthorizationParams", fields.INTENT_INCREMENT, INTENT_SPLIT],
  ["PaymentIntents", "PaymentIntentCancelParams", fields.INTENT_CANCEL, []],
  [
    "Charges",
    "ChargeCreateParams",
    fields.CHARGE_CREATE,
    [...INTENT_CONNECT, "application_fee", "destination"],
  ],
  [
    "Charges",
    "ChargeCaptureParams",
    fields.CHARGE_CAPTURE,
    ["application_fee", "application_fee_amount", "transfer_data"],
  ],
  [
    "Refunds",
    "RefundCreateParams",
    fields.REFUND_CREATE,
    ["customer", "instructions_email", "origin", "refund_application_fee", "reverse_transfer"],
  ],
  ["Disputes", "DisputeCloseParams", fields.DISPUTE_CLOSE, []],
  // Where a payout goes is a setting of the account.
  ["Payouts", "PayoutCreateParams", fields.PAYOUT_CREATE, ["destination", "payout_method"]],
  ["Topups", "TopupCreateParams", fields.TOPUP_CREATE, ["payment_method", "payment_method_options"]],
  ["Transfers", "TransferCreateParams", fields.TRANSFER_CREATE, []],
  ["ApplicationFees", "ApplicationFeeCreateRefundParams|FeeRefundCreateParams", fields.FEE_REFUND, []],
  ["Invoices", "InvoiceCreateParams", fields.INVOICE_CREATE, [...INVOICE, "from_invoice", "subscription"]],
  ["Invoices", "InvoiceUpdateParams", fields.INVOICE_UPDATE, INVOICE],
  ["Invoices", "InvoiceAddLinesParams", fields.INVOICE_LINES, []],
  ["Invoices", "InvoiceUpdateLinesParams", fields.INVOICE_LINES, []],
  ["Invoices", "InvoiceRemoveLinesParams", fields.INVOICE_LINES, []],
  ["Invoices", "InvoiceFinalizeInvoiceParams", fields.INVOICE_FINALIZE, []],
  ["Invoices", "InvoiceSendInvoiceParams", fields.INVOICE_SEND, []],
  ["Invoices", "InvoiceVoidInvoiceParams", fields.INVOICE_VOID, []],
  ["Invoices", "InvoicePayParams", fields.INVOICE_PAY, []],
  ["InvoiceItems", "InvoiceItemCreateParams", fields.INVOICE_ITEM, ["discounts", "subscription"]],
  // What is credited has to be a number in the request.
  [
    "CreditNotes",
    "CreditNoteCreateParams",
    fields.CREDIT_NOTE_CREATE,
    ["lines", "refund", "refunds", "shipping_cost"],
  ],
];

const declaredIn = (version: string, resource: string, names: string): Set<string> =>
  new Set(names.split("|").flatMap((name) => [...fieldsOf(version, resource, name)]));

/** Came later than these versions. */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  "stripe-12": ["InvoiceAddLinesParams", "InvoiceUpdateLinesParams", "InvoiceRemoveLinesParams"],
};

describe.each(VERSIONS)("every parameter of %s passes or is refused for a reason", (version) => {
  test.each(CASES)("%s: %s", (resource, names, passed, refused) => {
    const declared = declaredIn(version, resource, names);
    if (!(ABSENT[version] ?? []).includes(names))
      expect(declared.size, "no declaration was found").toBeGreaterThan(0);
    for (const field of declared) expect([...passed, ...refused], field).toContain(field);
  });
});

test("what is refused is known to some version", () => {
  const unknown = CASES.flatMap(([resource, names, , refused]) => {
    const declared = new Set(VERSIONS.flatMap((version) => [...declaredIn(version, resource, names)]));
    return refused.filter((field) => !declared.has(field)).map((field) => `${names}: ${field}`);
  });
  expect(unknown).toEqual([]);
});

test("what is refused is never passed", () => {
  const { CONNECT, ...lists } = fields;
  for (const [name, list] of Object.entries(lists)) {
    // A transfer has to name its account, which is held to those that the key allows.
    const held = name === "TRANSFER_CREATE" ? ["destination"] : [];
    for (const field of CONNECT) if (!held.includes(field)) expect(list, name).not.toContain(field);
  }
  for (const [, names, passed, refused] of CASES)
    for (const field of refused) expect(passed, names).not.toContain(field);
});
