import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { at, listAt, numberAt, textAt } from "../support/json.ts";
import {
  ask,
  balanceOf,
  callRows,
  costOf,
  issue,
  type Key,
  type OwnRun,
  post,
  type Reply,
  startOwn,
} from "../support/keybrake.ts";
import { type Simulator, simulatorAt } from "../support/simulator.ts";

/**
 * Guarantees that series of calls that each look harmless cost what was counted, against a simulated Stripe whose books
 * know nothing of Keybrake: what was spent by the one's account was spent by the other's, and never more than the key
 * may.
 */

const realNow = Date.now;
let aheadMs = 0;
let run: OwnRun;
let stripe: Simulator;
beforeAll(async () => {
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + aheadMs);
  run = await startOwn({ rateCard: { rates: { eur: "2", jpy: "0.01" }, rateMarginPercent: 0 } });
  stripe = simulatorAt(run.vendor("stripe").origin);
});
afterAll(async () => {
  await run.close();
  vi.restoreAllMocks();
});

/** `$1` in a path, a form or a header is the id that the first step was answered with; `$made` that of `elsewhere`. */
interface Step {
  readonly call: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Status, and for a denial of ours its code. */
  readonly is: number | string;
}

interface Series {
  readonly name: string;
  /** What its key is issued with; $100 a day unless told. */
  readonly key?: Readonly<Record<string, unknown>>;
  /** What the merchant's own backend has made before. */
  readonly elsewhere?: Readonly<Record<string, unknown>>;
  readonly steps: readonly Step[];
  /** Cents, by both accounts. */
  readonly spent: number;
}

const PI = "POST /v1/payment_intents";
const USD = { currency: "usd" };
const CARD = { confirm: "true", payment_method: "pm_card_visa" };
const HELD = { ...CARD, capture_method: "manual" };
const REFUND = "POST /v1/refunds";
const INVOICE = { customer: "cus_1", currency: "usd" };
const DRAFT = { ...INVOICE, auto_advance: "false" };
const line = (amount: string) => ({ "lines[0][amount]": amount, "lines[0][description]": "x" });
const ACCOUNT = { allowed_accounts: ["acct_1"] };

/** Cents of USD that the simulated Stripe knows of, by all accounts that take part here; euros and yen at our rates. */
async function booksCents(): Promise<number> {
  let cents = 0;
  for (const account of ["", "?account=acct_1", "?account=acct_2"]) {
    const answered = await fetch(`${run.vendor("stripe").origin}/books${account}`);
    const spent = at(await answered.json(), "spent_by_currency") as Readonly<Record<string, number>>;
    cents += (spent["usd"] ?? 0) + 2 * (spent["eur"] ?? 0) + (spent["jpy"] ?? 0);
  }
  return cents;
}

const writes = async (): Promise<number> =>
  (await stripe.requests()).filter((request) => at(request, "method") !== "GET").length;

async function take(key: Key, { call, form = {}, headers = {} }: Step, ids: ReadonlyMap<string, string>) {
  const filled = (text: string) =>
    text.replace(/\$(made|\d)/g, (_, name: string) => ids.get(name) ?? "missing");
  const [method = "", path = ""] = filled(call).split(" ");
  const fill = (fields: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, filled(value)]));
  return method === "POST"
    ? post(run, key, path, fill(form), fill(headers))
    : ask(run, method, `/stripe${path}`, { token: key.token, headers: fill(headers) });
}

const shown = (reply: Reply, is: number | string): number | string =>
  typeof is === "number" ? reply.status : String(at(reply.json, "error", "code") ?? reply.status);

async function madeElsewhere(fields: Readonly<Record<string, unknown>>): Promise<string> {
  const answered = await fetch(`${run.vendor("stripe").origin}/objects`, {
    method: "POST",
    body: JSON.stringify(fields),
  });
  return textAt(await answered.json(), "id");
}

async function reconciled({ key: body, elsewhere, steps, spent }: Series): Promise<void> {
  const key = await issue(run, { daily_usd_cap: 100, ...body });
  const ids = new Map<string, string>();
  if (elsewhere !== undefined) ids.set("made", await madeElsewhere(elsewhere));
  const before = await booksCents();

  for (const [index, step] of steps.entries()) {
    const sentBefore = await writes();
    const reply = await take(key, step, ids);
    expect(`${index + 1}: ${shown(reply, step.is)}`, reply.text).toBe(`${index + 1}: ${step.is}`);
    const sent = (await writes()) - sentBefore;
    if (typeof step.is === "string") expect(`${index + 1}: ${sent} writes`).toBe(`${index + 1}: 0 writes`);
    const id = at(reply.json, "id") ?? at(reply.json, "error", "payment_intent", "id");
    if (typeof id === "string") ids.set(`${index + 1}`, id);
  }

  const { spent: own, reserved } = await balanceOf(run, key);
  const rows = await callRows(run, key);
  expect([own, reserved, (await booksCents()) - before]).toEqual([spent, 0, spent]);
  expect(costOf(rows)).toBe(spent);
  expect(rows).toHaveLength(steps.length);
  expect([...rows].reverse().map(({ decision }) => decision)).toEqual(
    steps.map(({ is }) => (typeof is === "string" ? "denied" : "allowed")),
  );
}

const step = (
  call: string,
  is: number | string,
  form: Step["form"] = {},
  headers: Step["headers"] = {},
): Step => ({
  call,
  is,
  form,
  headers,
});
const create = (amount: number, form: Step["form"] = {}, headers: Step["headers"] = {}): Step =>
  step(PI, 200, { amount: `${amount}`, ...USD, ...form }, headers);

const INTENTS: readonly Series[] = [
  {
    name: "an update after the create that passes the cap",
    steps: [
      create(100),
      step(`${PI}/$1`, "spend_cap_exceeded", { amount: "10001" }),
      step(`${PI}/$1`, 200, { amount: "10000" }),
    ],
    spent: 10_000,
  },
  {
    name: "raising in steps of which each would fit",
    steps: [
      create(4000),
      step(`${PI}/$1`, 200, { amount: "8000" }),
      step(`${PI}/$1`, "spend_cap_exceeded", { amount: "12000" }),
    ],
    spent: 8000,
  },
  {
    name: "another currency by an update, with the same number and with another one",
    steps: [
      create(4000),
      step(`${PI}/$1`, "currency_unknown", { currency: "eur" }),
      step(`${PI}/$1`, "currency_unknown", { currency: "EUR", amount: "1" }),
      step(`${PI}/$1`, 200, { currency: "USD", amount: "4000" }),
    ],
    spent: 4000,
  },
  {
    name: "another currency by an update, from one that has no hundredths",
    steps: [
      create(4000, { currency: "jpy" }),
      step(`${PI}/$1`, "currency_unknown", { currency: "usd" }),
      step(`${PI}/$1`, "currency_unknown", { currency: "usd", amount: "1" }),
    ],
    spent: 4000,
  },
  {
    name: "another currency by an update, of a key that is held to one",
    key: { allowed_currencies: ["usd"] },
    steps: [
      create(1000),
      step(`${PI}/$1`, "currency_unknown", { currency: "eur" }),
      step(PI, "currency_not_allowed", { amount: "1", currency: "EUR" }),
    ],
    spent: 1000,
  },
  {
    name: "a currency without a rate by an update",
    steps: [create(1000), step(`${PI}/$1`, "currency_unknown", { currency: "gbp" })],
    spent: 1000,
  },
  {
    name: "a capture above the amount",
    steps: [
      create(5000, HELD),
      step(`${PI}/$1/capture`, "spend_cap_exceeded", { amount_to_capture: "10001" }),
    ],
    spent: 5000,
  },
  {
    name: "an increment that passes the cap",
    steps: [
      create(5000, HELD),
      step(`${PI}/$1/increment_authorization`, "spend_cap_exceeded", { amount: "10001" }),
      step(`${PI}/$1/increment_authorization`, "amount_unknown", {}),
    ],
    spent: 5000,
  },
  {
    name: "a confirmation of more than was created",
    steps: [
      create(5000, { payment_method: "pm_card_visa" }),
      step(`${PI}/$1/confirm`, "spend_cap_exceeded", { amount_to_confirm: "10001" }),
    ],
    spent: 5000,
  },
  {
    name: "a confirmation of what was made elsewhere, above the cap",
    elsewhere: { type: "payment_intent", amount: 10_001, payment_method: "pm_card_visa" },
    steps: [step(`${PI}/$made/confirm`, "spend_cap_exceeded")],
    spent: 0,
  },
  {
    name: "a capture of what was held elsewhere, above the cap",
    elsewhere: {
      type: "payment_intent",
      amount: 10_001,
      status: "requires_capture",
      capture_method: "manual",
    },
    steps: [
      step(`${PI}/$made/capture`, "spend_cap_exceeded"),
      step(`${PI}/$made/capture`, "spend_cap_exceeded", { amount_to_capture: "1" }),
    ],
    spent: 0,
  },
  {
    name: "a charge that was held elsewhere, captured above the cap",
    elsewhere: { type: "charge", amount: 10_001, captured: false },
    steps: [step("POST /v1/charges/$made/capture", "spend_cap_exceeded")],
    spent: 0,
  },
  {
    name: "a cancelled intent that is raised and confirmed again",
    steps: [
      create(6000),
      step(`${PI}/$1/cancel`, 200),
      create(9000),
      step(`${PI}/$1/confirm`, 400, { payment_method: "pm_card_visa" }),
      step(`${PI}/$1`, 400, { amount: "99999" }),
    ],
    spent: 9000,
  },
  {
    name: "a paid intent that is cancelled for its budget",
    steps: [
      create(6000, CARD),
      step(`${PI}/$1/cancel`, 400),
      step(PI, "spend_cap_exceeded", { amount: "4001", ...USD }),
    ],
    spent: 6000,
  },
  {
    name: "a decline that is confirmed later with a card that works",
    steps: [
      create(1000),
      step(PI, 402, { amount: "9000", ...USD, confirm: "true", payment_method: "pm_card_chargeDeclined" }),
      create(7000),
      step(`${PI}/$2/confirm`, "spend_cap_exceeded", { payment_method: "pm_card_visa" }),
      step(`${PI}/$2`, "spend_cap_exceeded", { amount: "2001" }),
    ],
    spent: 8000,
  },
  {
    name: "one idempotency key on two paths",
    steps: [
      create(4000, {}, { "Idempotency-Key": "two-paths" }),
      step(
        "POST /v1/charges",
        400,
        { amount: "4000", ...USD, source: "tok_visa" },
        { "Idempotency-Key": "two-paths" },
      ),
    ],
    spent: 4000,
  },
  {
    name: "one idempotency key on two accounts",
    key: ACCOUNT,
    steps: [
      create(4000, {}, { "Idempotency-Key": "two-accounts" }),
      create(4000, {}, { "Idempotency-Key": "two-accounts", "Stripe-Account": "acct_1" }),
      step(
        PI,
        "spend_cap_exceeded",
        { amount: "4000", ...USD },
        { "Idempotency-Key": "two-accounts-3", "Stripe-Context": "acct_1" },
      ),
    ],
    spent: 8000,
  },
  {
    name: "one idempotency key with another amount",
    steps: [
      create(4000, {}, { "Idempotency-Key": "two-amounts" }),
      step(PI, 400, { amount: "5000", ...USD }, { "Idempotency-Key": "two-amounts" }),
    ],
    spent: 4000,
  },
  {
    name: "idempotency keys that differ by spaces inside",
    steps: [
      create(4000, {}, { "Idempotency-Key": "a b" }),
      create(4000, {}, { "Idempotency-Key": "a  b" }),
      step(PI, "spend_cap_exceeded", { amount: "4000", ...USD }, { "Idempotency-Key": "A b" }),
    ],
    spent: 8000,
  },
  {
    name: "metadata that is named like an amount",
    steps: [create(4000, { "metadata[amount]": "1", "metadata[currency]": "jpy" })],
    spent: 4000,
  },
];

const REFUNDS: readonly Series[] = [
  {
    name: "a refund twice, without an amount",
    steps: [
      create(2000, CARD),
      step(REFUND, 200, { payment_intent: "$1" }),
      step(REFUND, 400, { payment_intent: "$1" }),
    ],
    spent: 4000,
  },
  {
    name: "a refund in parts, the last without an amount",
    steps: [
      create(2000, CARD),
      step(REFUND, 200, { payment_intent: "$1", amount: "500" }),
      step(REFUND, 200, { payment_intent: "$1" }),
    ],
    spent: 4000,
  },
  {
    name: "a refund of what was paid elsewhere, above the cap",
    elsewhere: { type: "charge", amount: 10_001 },
    steps: [
      step(REFUND, "spend_cap_exceeded", { charge: "$made" }),
      step(REFUND, 200, { charge: "$made", amount: "1" }),
    ],
    spent: 1,
  },
  {
    name: "a refund of what was paid elsewhere in euros",
    elsewhere: { type: "charge", amount: 5001, currency: "eur" },
    steps: [
      step(REFUND, "spend_cap_exceeded", { charge: "$made" }),
      step(REFUND, "spend_cap_exceeded", { charge: "$made", amount: "5001" }),
      step(REFUND, 200, { charge: "$made", amount: "100" }),
    ],
    spent: 200,
  },
  {
    name: "a refund of two things at once, and of nothing",
    elsewhere: { type: "charge", amount: 5000 },
    steps: [
      step(REFUND, "amount_unknown", { charge: "$made", payment_intent: "pi_1" }),
      step(REFUND, "amount_unknown", { amount: "1" }),
      step(REFUND, "amount_unknown", { charge: "../payouts", amount: "1" }),
      step(REFUND, "amount_unknown", { "charge[0]": "$made", amount: "1" }),
    ],
    spent: 0,
  },
  {
    name: "a refund that takes from others",
    elsewhere: { type: "charge", amount: 5000 },
    steps: [
      step(REFUND, "account_not_allowed", { charge: "$made", reverse_transfer: "true" }),
      step(REFUND, "account_not_allowed", { charge: "$made", refund_application_fee: "true" }),
      step(REFUND, "endpoint_not_priced", { charge: "$made", origin: "customer_balance" }),
      step(REFUND, "endpoint_not_priced", { charge: "$made", instructions_email: "a@b.co" }),
    ],
    spent: 0,
  },
  {
    name: "a dispute that is conceded, above the cap and below",
    elsewhere: { type: "dispute", amount: 4000 },
    key: { daily_usd_cap: 50 },
    steps: [
      step("POST /v1/disputes/$made/close", 200),
      step(PI, "spend_cap_exceeded", { amount: "1001", ...USD }),
    ],
    spent: 4000,
  },
];

const INVOICES: readonly Series[] = [
  {
    name: "an item that waits for the next invoice",
    steps: [
      step("POST /v1/invoiceitems", "amount_unknown", { customer: "cus_1", amount: "99999", ...USD }),
      step("POST /v1/invoiceitems", "amount_unknown", {
        customer: "cus_1",
        amount: "99999",
        ...USD,
        invoice: "",
      }),
      step("POST /v1/invoiceitems", "endpoint_not_priced", {
        customer: "cus_1",
        amount: "99999",
        ...USD,
        subscription: "sub_1",
      }),
    ],
    spent: 0,
  },
  {
    name: "an item or a line on somebody else's draft",
    elsewhere: { type: "invoice", status: "draft", amount: 100, customer: "cus_1" },
    steps: [
      step("POST /v1/invoiceitems", "endpoint_not_priced", {
        customer: "cus_1",
        amount: "99999",
        ...USD,
        invoice: "$made",
      }),
      step("POST /v1/invoices/$made/add_lines", "endpoint_not_priced", line("99999")),
      step("POST /v1/invoices/$made/update_lines", "endpoint_not_priced", {
        "lines[0][id]": "il_1",
        "lines[0][amount]": "9",
      }),
      step("POST /v1/invoices/$made/remove_lines", "endpoint_not_priced", {
        "lines[0][id]": "il_1",
        "lines[0][behavior]": "delete",
      }),
      step("POST /v1/invoices/$made", "endpoint_not_priced", { description: "x" }),
      step("POST /v1/invoices/$made", "endpoint_not_priced", { auto_advance: "true" }),
    ],
    spent: 0,
  },
  {
    name: "an invoice that advances by itself",
    steps: [
      step("POST /v1/invoices", "amount_unknown", INVOICE),
      ...["true", "True", "1", "", "FALSE", "false "].map((auto) =>
        step("POST /v1/invoices", "amount_unknown", { ...INVOICE, auto_advance: auto }),
      ),
      step("POST /v1/invoices", "amount_unknown", { ...INVOICE, "auto_advance[]": "false" }),
      step("POST /v1/invoices", 200, DRAFT),
      step("POST /v1/invoices/$9", "amount_unknown", { auto_advance: "true" }),
      step("POST /v1/invoices/$9", "amount_unknown", { "auto_advance[0]": "true" }),
      step("POST /v1/invoices/$9", "endpoint_not_priced", { automatically_finalizes_at: "1900000000" }),
    ],
    spent: 0,
  },
  {
    name: "a draft that is finalized, sent or paid above the cap",
    steps: [
      step("POST /v1/invoices", 200, { ...DRAFT, collection_method: "send_invoice", days_until_due: "30" }),
      step("POST /v1/invoices/$1/add_lines", 200, line("10001")),
      step("POST /v1/invoices/$1/finalize", "spend_cap_exceeded"),
      step("POST /v1/invoices/$1/finalize", "amount_unknown", { auto_advance: "true" }),
      step("POST /v1/invoices/$1/send", "spend_cap_exceeded"),
      step("POST /v1/invoices/$1/pay", "amount_unknown", { payment_method: "pm_card_visa" }),
      step("POST /v1/invoices/$1/pay", "amount_unknown", {
        paid_out_of_band: "True",
        payment_method: "pm_card_visa",
      }),
      step("POST /v1/invoices/$1/pay", "amount_unknown", { paid_out_of_band: "false" }),
      step("POST /v1/invoices/$1/attach_payment", "endpoint_not_priced", { payment_intent: "pi_1" }),
    ],
    spent: 0,
  },
  {
    name: "a draft that is paid while it can still become dearer, out of band too",
    steps: [
      step("POST /v1/invoices", 200, DRAFT),
      step("POST /v1/invoices/$1/add_lines", 200, line("9000")),
      step("POST /v1/invoices/$1/pay", "amount_unknown", { paid_out_of_band: "true" }),
      step("POST /v1/invoices/$1/pay", "amount_unknown", { payment_method: "pm_card_visa" }),
    ],
    spent: 0,
  },
  {
    name: "an invoice of somebody else that is paid",
    elsewhere: { type: "invoice", amount: 10_001, customer: "cus_1", status: "open" },
    steps: [step("POST /v1/invoices/$made/pay", "spend_cap_exceeded", { payment_method: "pm_card_visa" })],
    spent: 0,
  },
  {
    name: "an invoice that is paid twice",
    steps: [
      step("POST /v1/invoices", 200, DRAFT),
      step("POST /v1/invoices/$1/add_lines", 200, line("4000")),
      step("POST /v1/invoices/$1/finalize", 200),
      step("POST /v1/invoices/$1/pay", 200, { payment_method: "pm_card_visa" }),
      step("POST /v1/invoices/$1/pay", 400, { payment_method: "pm_card_visa" }),
    ],
    spent: 4000,
  },
  {
    name: "lines that give credit",
    steps: [
      step("POST /v1/invoices", 200, DRAFT),
      ...[
        ["lines[0][amount]", "-100"],
        ["lines[0][quantity]", "-1"],
        ["lines[0][quantity_decimal]", "-0.5"],
        ["lines[0][price_data][unit_amount]", "-100"],
        ["lines[0][price_data][unit_amount_decimal]", "-1e3"],
        ["lines[0][tax_amounts][0][amount]", "-100"],
        ["lines[0][amount]", "1e3"],
        ["lines[0][amount]", " 100"],
        ["lines[0][amount]", ""],
      ].map(([name = "", value = ""]) =>
        step("POST /v1/invoices/$1/add_lines", "amount_unknown", {
          [name]: value,
          "lines[0][description]": "x",
        }),
      ),
      step("POST /v1/invoices/$1/add_lines", "amount_unknown", { "lines[][amount]": "-100" }),
      step("POST /v1/invoices/$1/add_lines", "ambiguous_request", {
        ...line("100"),
        "lines[][amount]": "-100",
      }),
      step("POST /v1/invoices/$1/add_lines", "ambiguous_request", {
        ...line("100"),
        "lines[0][amount][0]": "-100",
      }),
      step("POST /v1/invoices/$1/add_lines", "endpoint_not_priced", {
        "lines[0][discounts][0][coupon]": "c",
      }),
      step("POST /v1/invoices/$1", "endpoint_not_priced", { "discounts[0][coupon]": "c" }),
      step("POST /v1/invoices/$1", "account_not_allowed", { "issuer[account]": "acct_1" }),
      step("POST /v1/invoices/$1", "account_not_allowed", { application_fee_amount: "1" }),
      step("POST /v1/invoiceitems", "amount_unknown", {
        customer: "cus_1",
        invoice: "$1",
        amount: "-1",
        ...USD,
      }),
      step("POST /v1/invoices/$1/remove_lines", "amount_unknown", {
        "lines[0][id]": "il_1",
        "lines[0][behavior]": "unassign",
      }),
      step("POST /v1/invoices/$1/remove_lines", "amount_unknown", { "lines[0][id]": "il_1" }),
      step("DELETE /v1/invoices/$1", "endpoint_not_priced"),
      step("DELETE /v1/invoiceitems/ii_1", "endpoint_not_priced"),
    ],
    spent: 0,
  },
  {
    name: "credit notes without an amount, above the cap, and by their parts",
    elsewhere: { type: "invoice", status: "paid", amount: 20_000, customer: "cus_1" },
    steps: [
      step("POST /v1/credit_notes", "amount_unknown", { invoice: "$made" }),
      step("POST /v1/credit_notes", "endpoint_not_priced", { invoice: "$made", "lines[0][amount]": "20000" }),
      step("POST /v1/credit_notes", "endpoint_not_priced", { invoice: "$made", amount: "1", refund: "re_1" }),
      step("POST /v1/credit_notes", "endpoint_not_priced", {
        invoice: "$made",
        amount: "1",
        "shipping_cost[shipping_rate]": "shr_1",
      }),
      step("POST /v1/credit_notes", "spend_cap_exceeded", { invoice: "$made", amount: "10001" }),
      step("POST /v1/credit_notes", "spend_cap_exceeded", {
        invoice: "$made",
        amount: "1",
        refund_amount: "10001",
      }),
      step("POST /v1/credit_notes", "spend_cap_exceeded", {
        invoice: "$made",
        amount: "1",
        credit_amount: "10001",
      }),
      step("POST /v1/credit_notes", "amount_unknown", { amount: "1" }),
      step("POST /v1/credit_notes", 200, { invoice: "$made", amount: "300", refund_amount: "300" }),
      step("POST /v1/credit_notes/$9/void", "endpoint_not_priced"),
    ],
    spent: 300,
  },
];

const TRANSFERS: readonly Series[] = [
  {
    name: "a transfer to an account that is not allowed",
    key: ACCOUNT,
    steps: [
      step("POST /v1/transfers", "account_not_allowed", { amount: "1", ...USD, destination: "acct_2" }),
      step("POST /v1/transfers", "account_not_allowed", { amount: "1", ...USD, destination: "ACCT_1" }),
      step("POST /v1/transfers", "account_not_allowed", {
        amount: "1",
        ...USD,
        "destination[account]": "acct_1",
      }),
      step("POST /v1/transfers", "account_not_allowed", { amount: "1", ...USD }),
      step("POST /v1/transfers", "spend_cap_exceeded", { amount: "10001", ...USD, destination: "acct_1" }),
      step("POST /v1/transfers", 200, { amount: "9000", ...USD, destination: "acct_1" }),
      step("POST /v1/transfers/$6/reversals", 200),
      step("POST /v1/transfers", "spend_cap_exceeded", { amount: "9000", ...USD, destination: "acct_1" }),
    ],
    spent: 9000,
  },
  {
    name: "a transfer of a whole charge, which names no amount",
    key: ACCOUNT,
    elsewhere: { type: "charge", amount: 10_001 },
    steps: [
      step("POST /v1/transfers", "spend_cap_exceeded", {
        source_transaction: "$made",
        destination: "acct_1",
        ...USD,
      }),
      step("POST /v1/transfers", "spend_cap_exceeded", {
        source_transaction: "$made",
        destination: "acct_1",
      }),
      step("POST /v1/transfers", "amount_unknown", {
        source_transaction: "$made",
        destination: "acct_1",
        currency: "jpy",
      }),
      step("POST /v1/transfers", "account_not_allowed", {
        source_transaction: "$made",
        destination: "acct_2",
        amount: "1",
        ...USD,
      }),
      step("POST /v1/transfers", "amount_unknown", { destination: "acct_1", ...USD }),
    ],
    spent: 0,
  },
  {
    name: "payouts in an account's name",
    key: ACCOUNT,
    steps: [
      step(
        "POST /v1/payouts",
        "account_not_allowed",
        { amount: "1", ...USD },
        { "Stripe-Account": "acct_2" },
      ),
      step(
        "POST /v1/payouts",
        "account_not_allowed",
        { amount: "1", ...USD },
        { "Stripe-Context": "acct_1/acct_2" },
      ),
      step(
        "POST /v1/payouts",
        "account_not_allowed",
        { amount: "1", ...USD },
        { "Stripe-Account": "acct_1, acct_2" },
      ),
      step(
        "POST /v1/payouts",
        "account_not_allowed",
        { amount: "1", ...USD },
        { "Stripe-Account": "acct_1", "Stripe-Context": "acct_1" },
      ),
      step("POST /v1/payouts", 200, { amount: "6000", ...USD }, { "Stripe-Account": "acct_1" }),
      step("POST /v1/payouts", "spend_cap_exceeded", { amount: "6000", ...USD }),
      step("POST /v1/payouts", "account_not_allowed", { amount: "1", ...USD, destination: "ba_1" }),
      step("POST /v1/payouts", "endpoint_not_priced", { amount: "1", ...USD, payout_method: "pm_1" }),
    ],
    spent: 6000,
  },
  {
    name: "a payment that goes on to another account",
    key: ACCOUNT,
    steps: [
      ...[
        { "transfer_data[destination]": "acct_2" },
        { transfer_data: "acct_1" },
        { on_behalf_of: "acct_2" },
        { "on_behalf_of[]": "acct_1" },
        { application_fee_amount: "1" },
        { application_fee: "1" },
        { destination: "acct_1" },
      ].map((form) => step(PI, "account_not_allowed", { amount: "100", ...USD, ...form })),
      create(100, { "transfer_data[destination]": "acct_1" }),
    ],
    spent: 100,
  },
  {
    name: "fees that are given back to an account that is not allowed",
    key: ACCOUNT,
    elsewhere: { type: "application_fee", amount: 1000 },
    steps: [step("POST /v1/application_fees/$made/refunds", "account_not_allowed")],
    spent: 0,
  },
  {
    name: "fees that are given back, above the cap",
    key: { allowed_accounts: ["acct_1SimulatedMerchant"] },
    elsewhere: { type: "application_fee", amount: 10_001 },
    steps: [
      step("POST /v1/application_fees/$made/refunds", "spend_cap_exceeded"),
      step("POST /v1/application_fees/$made/refunds", 200, { amount: "1" }),
    ],
    spent: 1,
  },
  {
    name: "top-ups",
    steps: [
      step("POST /v1/topups", 200, { amount: "10000", ...USD }),
      step("POST /v1/topups", "spend_cap_exceeded", { amount: "1", ...USD }),
    ],
    spent: 10_000,
  },
];

const WAYS_AROUND: readonly Series[] = [
  {
    name: "what bills, offers, credits or opens a way past every cap",
    steps: [
      ...[
        ["/v1/subscriptions", { customer: "cus_1", "items[0][price]": "price_1" }],
        ["/v1/subscription_items", { subscription: "sub_1", price: "price_1" }],
        ["/v1/subscription_schedules", { customer: "cus_1" }],
        ["/v1/quotes/qt_1/accept", {}],
        ["/v1/checkout/sessions", { mode: "payment" }],
        ["/v1/payment_links", { "line_items[0][price]": "price_1" }],
        ["/v1/customers/cus_1/balance_transactions", { amount: "-9999", ...USD }],
        ["/v1/customers/cus_1", { balance: "-9999" }],
        ["/v1/customers/cus_1", { default_source: "card_1" }],
        ["/v1/customers/cus_1", { coupon: "c" }],
        ["/v1/customers", { balance: "-9999" }],
        ["/v1/customers", { "cash_balance[settings][reconciliation_mode]": "automatic" }],
        ["/v1/coupons", { percent_off: "100" }],
        ["/v1/promotion_codes", { coupon: "c" }],
        ["/v1/billing/credit_grants", {}],
        ["/v1/billing/meter_events", { event_name: "x" }],
        ["/v1/issuing/cards", { type: "virtual", ...USD }],
        ["/v1/treasury/outbound_payments", { amount: "1" }],
        ["/v1/terminal/readers/tmr_1/process_payment_intent", { payment_intent: "pi_1" }],
        ["/v1/climate/orders", { metric_tons: "10" }],
        ["/v1/tax/calculations", { ...USD }],
        ["/v1/test_helpers/test_clocks", { frozen_time: "1" }],
        ["/v1/ephemeral_keys", { customer: "cus_1" }],
        ["/v1/account_links", { account: "acct_1" }],
        ["/v1/accounts", { type: "custom" }],
        ["/v1/webhook_endpoints", { url: "https://a.example" }],
        ["/v1/file_links", { file: "file_1" }],
        ["/v1/forwarding/requests", { url: "https://a.example" }],
        ["/v1/sources", { type: "ach_credit_transfer" }],
        ["/v1/orders", {}],
        ["/v2/money_management/outbound_payments", {}],
        ["/v2/core/accounts", {}],
        ["/v1/charges/ch_1/refund", { amount: "1" }],
        ["/v1/payment_intents/pi_1/apply_customer_balance", {}],
        ["/v1/payment_records/report_payment", {}],
        ["/v1/prices/search", {}],
      ].map(([path, form]) => step(`POST ${path}`, "endpoint_not_priced", form as Step["form"])),
      step("POST /v1/prices", "amount_unknown", { ...USD, product: "prod_1", unit_amount: "-1" }),
      step("DELETE /v1/subscriptions/sub_1?invoice_now=true", "ambiguous_request"),
      step("DELETE /v1/customers/cus_1/discount", "endpoint_not_priced"),
    ],
    spent: 0,
  },
  {
    name: "an expand of what nobody may see",
    steps: [
      ...[
        "number",
        "cvc",
        "data.source.card.number",
        "data.number",
        "data.number.x",
        "secret",
        "verified_outputs.dob",
      ].flatMap((expanded) => [
        step(`GET /v1/balance_transactions?expand[]=${expanded}`, "endpoint_not_priced"),
        step(`GET /v1/balance_transactions?expand[0]=${expanded}`, "endpoint_not_priced"),
        step(
          `GET /v1/balance_transactions?expand%5B%5D=amount&expand%5B%5D=${expanded}`,
          "endpoint_not_priced",
        ),
      ]),
      step(PI, "endpoint_not_priced", { amount: "1", ...USD, "expand[0]": "customer.sources.number" }),
      step(PI, "endpoint_not_priced", { amount: "1", ...USD, expand: "number" }),
      step("POST /v1/customers", "endpoint_not_priced", { "expand[]": "secret" }),
      step("POST /v1/payment_methods/pm_1", "endpoint_not_priced", {
        "expand[]": "customer.default_source.number",
      }),
    ],
    spent: 0,
  },
  {
    name: "what waits in a query",
    steps: [
      step("GET /v1/payment_intents?_method=POST&amount=1", "ambiguous_request"),
      step("GET /v1/payment_intents?on_behalf_of=acct_1", "ambiguous_request"),
      step("GET /v1/payment_intents?api_key=sk_1", "ambiguous_request"),
      step("GET /v1/accounts", "endpoint_not_priced"),
      step("GET /v1/accounts/acct_1/external_accounts", "account_not_allowed"),
      step("GET /v1/webhook_endpoints", "endpoint_not_priced"),
      step("GET /v1/issuing/cards/ic_1?expand[]=number", "endpoint_not_priced"),
      step("GET /v1/treasury/financial_accounts/fa_1", "endpoint_not_priced"),
    ],
    spent: 0,
  },
];

const LIMITS: readonly Series[] = [
  {
    name: "a customer that the key may not charge, in every field",
    key: { allowed_recipients: ["cus_1"] },
    elsewhere: { type: "charge", amount: 500, customer: "cus_2" },
    steps: [
      step(PI, "recipient_not_allowed", { amount: "1", ...USD }),
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, customer: "cus_2" }),
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, customer: "CUS_1" }),
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, customer: "cus_1 " }),
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, "customer[id]": "cus_1" }),
      step(PI, "account_not_allowed", { amount: "1", ...USD, customer_account: "acct_2" }),
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, "metadata[customer]": "cus_1" }),
      step("POST /v1/charges", "recipient_not_allowed", { amount: "1", ...USD, source: "tok_visa" }),
      step(REFUND, "recipient_not_allowed", { charge: "$made" }),
      step("POST /v1/payouts", "recipient_not_allowed", { amount: "1", ...USD }),
      step("POST /v1/invoices", "recipient_not_allowed", { ...DRAFT, customer: "cus_2" }),
      create(100, { customer: "cus_1" }),
    ],
    spent: 100,
  },
  {
    name: "a customer that the key may charge beside one that it may not",
    key: { allowed_recipients: ["cus_1"], allowed_accounts: ["acct_2"] },
    steps: [
      step(PI, "recipient_not_allowed", { amount: "1", ...USD, customer_account: "acct_2" }),
      step(PI, "recipient_not_allowed", {
        amount: "1",
        ...USD,
        customer: "cus_1",
        customer_account: "acct_2",
      }),
    ],
    spent: 0,
  },
  {
    name: "an intent of another customer, confirmed, raised and captured",
    key: { allowed_recipients: ["cus_1"] },
    elsewhere: { type: "payment_intent", amount: 500, customer: "cus_2", payment_method: "pm_card_visa" },
    steps: [
      step(`${PI}/$made/confirm`, "recipient_not_allowed"),
      step(`${PI}/$made`, "recipient_not_allowed", { amount: "600" }),
      step(`${PI}/$made/capture`, "recipient_not_allowed"),
    ],
    spent: 0,
  },
  {
    name: "more of somebody else's payment to an account that is not allowed",
    key: ACCOUNT,
    elsewhere: { type: "payment_intent", amount: 10_001 },
    steps: [step(`${PI}/$made`, "account_not_allowed", { "transfer_data[amount]": "10001" })],
    spent: 0,
  },
  {
    name: "an account's destination beside another one",
    key: ACCOUNT,
    steps: [
      step(PI, "ambiguous_request", {
        amount: "100",
        ...USD,
        "transfer_data[destination]": "acct_1",
        "transfer_data[destination][0]": "acct_2",
      }),
      step(PI, "ambiguous_request", {
        amount: "100",
        ...USD,
        "transfer_data[destination]": "acct_1",
        "transfer_data[][destination]": "acct_2",
      }),
    ],
    spent: 0,
  },
  {
    name: "a cap per call, by parts of one call",
    key: { per_call_usd_cap: 10 },
    steps: [
      step(PI, "spend_cap_exceeded", { amount: "1001", ...USD }),
      create(1000),
      step(`${PI}/$2`, 200, { amount: "1500" }),
    ],
    spent: 1500,
  },
];

describe.each([
  ["intents", INTENTS],
  ["refunds and disputes", REFUNDS],
  ["invoices", INVOICES],
  ["payouts, transfers and accounts", TRANSFERS],
  ["ways around", WAYS_AROUND],
  ["limits inside a call", LIMITS],
] as const)("%s: Stripe's books and the key's agree, whatever is tried", (_, table) => {
  test.each(table)("$name", (series) => reconciled(series));
});

const short = () => issue(run, { expires_in: "60s" });
const code = ({ json }: Reply): string => textAt(json, "error", "code");

test("what was created before the end of a key is confirmed, raised, captured and paid by it no more", async () => {
  const key = await short();
  const fields = { amount: "100", ...USD, payment_method: "pm_card_visa" };
  const id = textAt((await post(run, key, "/v1/payment_intents", fields)).json, "id");
  const draft = textAt((await post(run, key, "/v1/invoices", DRAFT)).json, "id");
  aheadMs += 61_000;
  const before = await writes();

  const ended: string[] = [];
  for (const path of ["confirm", "capture", "cancel", "increment_authorization"])
    ended.push(code(await post(run, key, `/v1/payment_intents/${id}/${path}`, { amount: "200" })));
  ended.push(code(await post(run, key, `/v1/payment_intents/${id}`, { amount: "200" })));
  ended.push(code(await post(run, key, "/v1/refunds", { payment_intent: id })));
  for (const path of ["finalize", "pay", "send"])
    ended.push(code(await post(run, key, `/v1/invoices/${draft}/${path}`)));
  ended.push(code(await ask(run, "GET", "/stripe/v1/payment_intents", { token: key.token })));

  expect(ended).toEqual(ended.map(() => "api_key_expired"));
  expect(await writes()).toBe(before);
  expect((await balanceOf(run, key)).spent).toBe(100);
});

test("a key that was revoked confirms nothing, and its idempotency keys replay nothing", async () => {
  const key = await short();
  const headers = { "Idempotency-Key": "before-the-end" };
  const fields = { amount: "100", ...USD };
  const id = textAt((await post(run, key, "/v1/payment_intents", fields, headers)).json, "id");
  await ask(run, "DELETE", `/vault/keys/${key.id}`, { token: run.apiKey });
  const before = (await stripe.requests()).length;

  const replies = [
    await post(run, key, "/v1/payment_intents", fields, headers),
    await post(run, key, `/v1/payment_intents/${id}/confirm`, { payment_method: "pm_card_visa" }),
  ];

  expect(replies.map(({ status }) => status)).toEqual([401, 401]);
  expect((await stripe.requests()).length).toBe(before);
});

test("one idempotency key under two vault keys moves money once and is counted once", async () => {
  const keys = [await issue(run), await issue(run)] as const;
  const before = await booksCents();
  const headers = { "Idempotency-Key": "under-two-keys" };

  const ids: string[] = [];
  for (const key of keys)
    ids.push(
      textAt((await post(run, key, "/v1/payment_intents", { amount: "300", ...USD }, headers)).json, "id"),
    );

  expect(ids[1]).toBe(ids[0]);
  const spent = await Promise.all(keys.map(async (key) => (await balanceOf(run, key)).spent));
  expect([spent, (await booksCents()) - before]).toEqual([[300, 0], 300]);
});

test("an intent of one family is raised by another one for the whole of what it then is about", async () => {
  const [own, other] = [await issue(run), await issue(run, { daily_usd_cap: 4 })] as const;
  const id = textAt((await post(run, own, "/v1/payment_intents", { amount: "300", ...USD })).json, "id");

  const raised = await post(run, other, `/v1/payment_intents/${id}`, { amount: "401" });

  expect(code(raised)).toBe("spend_cap_exceeded");
  expect((await balanceOf(run, other)).spent).toBe(0);
});

/** A file as a form sends it, with one more part. */
const upload = (part: string) =>
  `--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\ndispute_evidence\r\n--x\r\n${part}\r\n\r\ntrue\r\n` +
  '--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n--x--\r\n';

test.each([
  'Content-Disposition: form-data; name="file_link_data[create]"',
  "Content-Disposition: form-data; name=file_link_data[create]",
  'content-disposition: form-data; name="file\\_link\\_data[create]"',
  'Content-Disposition: form-data; name="file%5Flink%5Fdata[create]"',
  "Content-Disposition: form-data; name*=utf-8''file%5Flink%5Fdata%5Bcreate%5D",
  'Content-Disposition: form-data; name*0="file_link"; name*1="_data[create]"',
  'Content-Disposition: form-data; name="=?utf-8?q?file=5Flink=5Fdata[create]?="',
  'Content-Disposition: form-data; name="purpose"\r\n ; name="file_link_data[create]"',
  'Content-Disposition: form-data; name="purpose"\r\n\t; name="file_link_data[create]"',
  'Content-Disposition: form-data; name="purpose"; name="file_link_data[create]"',
  'Content-Disposition : form-data; name="file_link_data[create]"',
  'Content-Disposition:\r\n form-data; name="file_link_data[create]"',
  'Content-Disposition : form-data; name="file\\_link_data[create]"',
  'Content-Disposition: form-data; name="purpose"\r\n ; name="file\\_link_data[create]"',
  "Content-ID: file_link_data[create]",
  "Content-Type: file_link_data",
])("a file that would be readable for everybody is not sent: %s", async (part) => {
  const key = await issue(run);
  const before = (await stripe.requests()).length;

  const reply = await ask(run, "POST", "/stripe/v1/files", {
    token: key.token,
    text: upload(part),
    headers: { "Content-Type": "multipart/form-data; boundary=x" },
  });

  expect([reply.status, (await stripe.requests()).length - before]).toEqual([403, 0]);
});

test("nothing went wrong unseen: no function threw and no row is open at the end", async () => {
  const open = await ask(run, "GET", "/vault/audit?type=call&state=open", { token: run.apiKey });
  expect([run.announced, open.status === 200 ? listAt(open.json, "data") : []]).toEqual([[], []]);
  expect(numberAt(await stripe.books(), "spent_cents")).toBeGreaterThan(0);
});
