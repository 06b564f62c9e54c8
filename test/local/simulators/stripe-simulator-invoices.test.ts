import Stripe from "stripe";
import { describe, expect, test } from "vitest";
import { refusal, simulatedStripe } from "./stripe-simulator-client.ts";

/**
 * Guarantees that the simulated Stripe's invoices behave as documented: from draft to paid, their lines and their
 * credit notes.
 */

const sim = simulatedStripe();

interface DraftOptions {
  readonly currency?: string;
  readonly payment_method?: string;
  readonly auto_advance?: boolean;
  readonly collection_method?: "charge_automatically" | "send_invoice";
  readonly days_until_due?: number;
}

/** A draft of one line, of a customer who pays with `payment_method`. */
async function draft(amount: number, options: DraftOptions = {}) {
  const { currency = "usd", payment_method = "pm_card_visa", ...rest } = options;
  const { id: customer } = await sim.stripe.customers.create({
    invoice_settings: { default_payment_method: payment_method },
  });
  const invoice = await sim.stripe.invoices.create({ customer, currency, ...rest });
  await sim.stripe.invoiceItems.create({ customer, invoice: invoice.id, amount, currency });
  return sim.stripe.invoices.retrieve(invoice.id);
}

const open = async (amount: number, options: DraftOptions = {}) =>
  sim.stripe.invoices.finalizeInvoice((await draft(amount, options)).id, { auto_advance: false });

describe("a draft", () => {
  test("is empty at first, adds its items up, and counts nothing", async () => {
    const { id: customer } = await sim.stripe.customers.create();
    const invoice = await sim.stripe.invoices.create({ customer });
    expect(invoice).toMatchObject({
      object: "invoice",
      amount_due: 0,
      auto_advance: false,
      collection_method: "charge_automatically",
      currency: "usd",
      status: "draft",
    });

    const line = { customer, invoice: invoice.id, currency: "usd" };
    const item = await sim.stripe.invoiceItems.create({ ...line, amount: 300 });
    await sim.stripe.invoiceItems.create({
      ...line,
      price_data: { currency: "usd", product: "prod_x", unit_amount_decimal: Stripe.Decimal.from("10.5") },
      quantity: 3,
    });
    await sim.stripe.invoiceItems.create({ ...line, amount: -20, description: "less" });

    expect(item).toMatchObject({ object: "invoiceitem", amount: 300, invoice: invoice.id, quantity: 1 });
    const added = await sim.stripe.invoices.retrieve(invoice.id, { expand: ["customer"] });
    expect(added).toMatchObject({
      amount_due: 312,
      amount_paid: 0,
      amount_remaining: 312,
      customer: { id: customer },
      total: 312,
      lines: { data: [{ amount: 300 }, { amount: 32, quantity: 3 }, { amount: -20, description: "less" }] },
    });
    expect(await sim.stripe.invoices.listLineItems(invoice.id, { limit: 2 })).toMatchObject({
      has_more: true,
    });
    expect(await sim.spent()).toEqual({});
  });

  test.each([
    ["0.5", 1, 1],
    ["0.49", 1, 0],
    ["33.333333333333", 3, 100],
    ["-0.5", 1, -1],
    ["1999.99", 2, 4000],
  ])("a unit amount of %s times %i is %i", async (unit_amount_decimal, quantity, amount) => {
    const { status, json } = await sim.send(
      "POST",
      "/v1/invoiceitems",
      `customer=cus_A&currency=usd&unit_amount_decimal=${unit_amount_decimal}&quantity=${quantity}`,
    );
    expect([status, json["amount"]]).toEqual([200, amount]);
  });

  test("takes in the items that wait for it, of one currency, only when asked", async () => {
    const { id: customer } = await sim.stripe.customers.create();
    await sim.stripe.invoiceItems.create({ customer, amount: 700, currency: "eur" });
    await sim.stripe.invoiceItems.create({ customer, amount: 9, currency: "usd" });

    const without = await sim.stripe.invoices.create({ customer, currency: "eur" });
    const preview = await sim.stripe.invoices.createPreview({ customer });
    const taking = await sim.stripe.invoices.create({
      customer,
      pending_invoice_items_behavior: "include",
    });

    expect(without).toMatchObject({ total: 0 });
    expect(preview).toMatchObject({ amount_due: 700, currency: "eur", status: "draft" });
    expect(taking).toMatchObject({ total: 700, currency: "eur" });
    expect(await sim.stripe.invoices.createPreview({ customer })).toMatchObject({ amount_due: 9 });
  });

  test("has its lines added, changed and removed", async () => {
    const { id } = await draft(100);
    const price = await sim.stripe.prices.create({
      currency: "usd",
      unit_amount: 250,
      product_data: { name: "tea" },
    });

    const added = await sim.stripe.invoices.addLines(id, {
      lines: [
        { amount: 40, description: "one" },
        { pricing: { price: price.id }, quantity: 2 },
      ],
    });
    expect(added).toMatchObject({ total: 640, lines: { data: [{}, { amount: 40 }, { amount: 500 }] } });
    const [first, second, third] = added.lines.data.map((line) => line.id);

    const updated = await sim.stripe.invoices.updateLines(id, {
      lines: [{ id: second ?? "", amount: 4000 }],
    });
    expect(updated).toMatchObject({ total: 4600, amount_due: 4600 });
    await sim.stripe.invoices.updateLineItem(id, second ?? "", { amount: 1 });
    const removed = await sim.stripe.invoices.removeLines(id, {
      lines: [
        { id: first ?? "", behavior: "unassign" },
        { id: third ?? "", behavior: "delete" },
      ],
    });
    expect(removed).toMatchObject({ total: 1, lines: { data: [{ id: second }] } });
    expect((await sim.stripe.invoiceItems.list()).data).toMatchObject([{ amount: 100, invoice: null }]);
  });

  test("follows its items when they are changed", async () => {
    const invoice = await draft(100);
    const [item] = (await sim.stripe.invoiceItems.list({ invoice: invoice.id })).data;

    await sim.stripe.invoiceItems.update(item?.id ?? "", { amount: 900 });
    expect(await sim.stripe.invoices.retrieve(invoice.id)).toMatchObject({ total: 900 });
  });

  test("refuses a line in another currency", async () => {
    const { id } = await draft(100);
    expect(
      await refusal(
        sim.stripe.invoices.addLines(id, {
          lines: [{ price_data: { currency: "eur", product: "prod_x", unit_amount: 5 } }],
        }),
      ),
    ).toMatchObject({ statusCode: 400, param: "currency" });
  });
});

describe("finalizing", () => {
  test("opens an invoice, whose lines then stand", async () => {
    const { id } = await draft(100);

    const finalized = await sim.stripe.invoices.finalizeInvoice(id);

    expect(finalized).toMatchObject({ status: "open", amount_remaining: 100, attempted: false });
    expect(finalized.number).toMatch(/^\w{8}-0001$/);
    for (const late of [
      sim.stripe.invoices.finalizeInvoice(id),
      sim.stripe.invoices.addLines(id, { lines: [{ amount: 1 }] }),
      sim.stripe.invoices.update(id, { collection_method: "send_invoice" }),
    ]) {
      expect(await refusal(late)).toMatchObject({ statusCode: 400, code: "invoice_not_editable" });
    }
    expect(await sim.spent()).toEqual({});
  });

  test.each<[DraftOptions, string, object]>([
    [{ auto_advance: true }, "paid", { usd: 100 }],
    [{ auto_advance: false }, "open", {}],
    [{ auto_advance: true, collection_method: "send_invoice", days_until_due: 9 }, "open", {}],
    [{ auto_advance: true, payment_method: "pm_card_chargeDeclined" }, "open", {}],
  ])("a draft with %o ends %s", async (options, status, spent) => {
    const { id } = await draft(100, options);

    expect(await sim.stripe.invoices.finalizeInvoice(id)).toMatchObject({ status });
    expect(await sim.spent()).toEqual(spent);
  });

  test("an open invoice that is told to advance collects itself too", async () => {
    const { id } = await open(100, { currency: "eur" });

    expect(await sim.stripe.invoices.update(id, { auto_advance: true })).toMatchObject({ status: "paid" });
    expect(await sim.spent()).toEqual({ eur: 100 });
  });

  test("what asks for nothing is paid at once", async () => {
    const { id } = await sim.stripe.invoices.create({ customer: "cus_A" });
    expect(await sim.stripe.invoices.finalizeInvoice(id)).toMatchObject({ status: "paid", amount_paid: 0 });
    expect(await sim.spent()).toEqual({});
  });
});

describe("paying", () => {
  test("makes a charge, which is counted once, as the invoice", async () => {
    const { id } = await open(500);

    const paid = await sim.stripe.invoices.pay(id, { expand: ["payments"] });

    expect(paid).toMatchObject({
      amount_paid: 500,
      amount_remaining: 0,
      attempt_count: 1,
      status: "paid",
      payments: { data: [{ amount_paid: 500, status: "paid", payment: { type: "charge" } }] },
    });
    const charge = String(paid.payments?.data[0]?.payment.charge);
    expect(await sim.stripe.charges.retrieve(charge)).toMatchObject({ amount: 500, paid: true });
    expect(await refusal(sim.stripe.invoices.pay(id))).toMatchObject({ code: "invoice_already_paid" });
    expect(await sim.books()).toMatchObject({
      charged: { cents: 0 },
      committed: { cents: 0 },
      invoiced: { count: 1, cents: 500 },
      spent_cents: 500,
      entries: [{ id, kind: "invoice", amount: 500, spent_amount: 500 }],
    });
  });

  test("a draft is finalized first", async () => {
    const { id } = await draft(70);
    expect(await sim.stripe.invoices.pay(id)).toMatchObject({ status: "paid", amount_paid: 70 });
    expect(await sim.spent()).toEqual({ usd: 70 });
  });

  test("a decline is a 402 and leaves the invoice open, to be paid with another method", async () => {
    const { id } = await open(500, { payment_method: "pm_card_chargeDeclined" });

    const error = await refusal(sim.stripe.invoices.pay(id, {}, { idempotencyKey: "k" }));
    const again = await refusal(sim.stripe.invoices.pay(id, {}, { idempotencyKey: "k" }));
    expect(error).toMatchObject({ statusCode: 402, code: "card_declined" });
    expect(again.headers?.["idempotent-replayed"]).toBe("true");
    expect(await sim.stripe.invoices.retrieve(id)).toMatchObject({
      attempt_count: 1,
      attempted: true,
      status: "open",
    });
    expect(await sim.spent()).toEqual({});

    await sim.stripe.invoices.pay(id, { payment_method: "pm_card_visa" });
    expect(await sim.spent()).toEqual({ usd: 500 });
  });

  test("out of band moves nothing", async () => {
    const { id } = await open(500);
    expect(await sim.stripe.invoices.pay(id, { paid_out_of_band: true })).toMatchObject({
      amount_paid: 500,
      status: "paid",
    });
    expect(await sim.spent()).toEqual({});
  });

  test("without any method is a 400; a customer's source is one", async () => {
    const { id: customer } = await sim.stripe.customers.create();
    const { id } = await sim.stripe.invoices.create({ customer });
    await sim.stripe.invoiceItems.create({ customer, invoice: id, amount: 5, currency: "usd" });

    expect(await refusal(sim.stripe.invoices.pay(id))).toMatchObject({
      statusCode: 400,
      code: "resource_missing",
    });
    await sim.stripe.customers.update(customer, { source: "tok_visa" });
    expect(await sim.stripe.invoices.pay(id)).toMatchObject({ status: "paid" });
  });

  test("one made elsewhere counts once it is paid here", async () => {
    const { id } = await sim.elsewhere({ type: "invoice", amount: 5000, currency: "jpy" });
    expect((await sim.books()).entries).toEqual([]);

    await sim.stripe.invoices.pay(id);

    expect(await sim.spent()).toEqual({ jpy: 5000 });
  });
});

describe("other ends of an invoice", () => {
  test("it is voided, or given up and then paid after all", async () => {
    const voided = await open(10);
    const given = await open(20);

    expect(await sim.stripe.invoices.voidInvoice(voided.id)).toMatchObject({ status: "void" });
    expect(await refusal(sim.stripe.invoices.pay(voided.id))).toMatchObject({ statusCode: 400 });
    expect(await sim.stripe.invoices.markUncollectible(given.id)).toMatchObject({ status: "uncollectible" });
    expect(await refusal(sim.stripe.invoices.markUncollectible(voided.id))).toMatchObject({
      statusCode: 400,
    });
    await sim.stripe.invoices.pay(given.id);
    expect(await sim.spent()).toEqual({ usd: 20 });
    expect(await sim.stripe.invoices.list({ status: "void" })).toMatchObject({ data: [{ id: voided.id }] });
  });

  test("it is sent, if that is how it is collected", async () => {
    const sent = await draft(10, { collection_method: "send_invoice" });
    const charged = await draft(10);

    expect(await sim.stripe.invoices.sendInvoice(sent.id)).toMatchObject({ status: "open" });
    expect(await refusal(sim.stripe.invoices.sendInvoice(charged.id))).toMatchObject({ statusCode: 400 });
  });
});

describe("credit notes", () => {
  test("of a paid invoice give back their refund_amount alone, which is counted once", async () => {
    const { id: invoice } = await open(1000);
    await sim.stripe.invoices.pay(invoice);
    const order = {
      invoice,
      amount: 600,
      refund_amount: 300,
      credit_amount: 200,
      out_of_band_amount: 100,
    };

    const preview = await sim.stripe.creditNotes.preview(order);
    expect(preview).toMatchObject({ amount: 600, type: "post_payment" });
    expect(await sim.books()).toMatchObject({ credited: { count: 0 } });
    const note = await sim.stripe.creditNotes.create({ ...order, expand: ["invoice"] });

    expect(note).toMatchObject({
      object: "credit_note",
      amount: 600,
      currency: "usd",
      invoice: { id: invoice, post_payment_credit_notes_amount: 600 },
      out_of_band_amount: 100,
      post_payment_amount: 600,
      refunds: [{ amount_refunded: 300 }],
      status: "issued",
    });
    expect(await sim.stripe.refunds.retrieve(String(note.refunds[0]?.refund))).toMatchObject({ amount: 300 });
    expect(await sim.books()).toMatchObject({
      credited: { count: 1, cents: 300 },
      invoiced: { count: 1, cents: 1000 },
      refunded: { count: 0, cents: 0 },
      spent_cents: 1300,
    });
    expect(await refusal(sim.stripe.creditNotes.create({ invoice, refund_amount: 401 }))).toMatchObject({
      statusCode: 400,
    });
    expect(await sim.stripe.creditNotes.list({ invoice })).toMatchObject({ data: [{ id: note.id }] });
    expect(await sim.stripe.creditNotes.retrieve(note.id)).toMatchObject({ amount: 600 });
  });

  test("whose parts do not make up the amount are refused", async () => {
    const { id: invoice } = await open(1000);
    await sim.stripe.invoices.pay(invoice);

    for (const parts of [{}, { refund_amount: 50 }, { refund_amount: 90, credit_amount: 20 }]) {
      expect(await refusal(sim.stripe.creditNotes.create({ invoice, amount: 100, ...parts }))).toMatchObject({
        statusCode: 400,
      });
    }
    expect(await refusal(sim.stripe.creditNotes.create({ invoice }))).toMatchObject({ statusCode: 400 });
    expect(await sim.spent()).toEqual({ usd: 1000 });
  });

  test("of an open invoice lessen what is due", async () => {
    const { id: invoice } = await open(1000);

    await sim.stripe.creditNotes.create({ invoice, amount: 400 });
    expect(await sim.stripe.invoices.retrieve(invoice)).toMatchObject({
      amount_due: 600,
      amount_remaining: 600,
      pre_payment_credit_notes_amount: 400,
    });
    await sim.stripe.creditNotes.create({ invoice, amount: 250 });
    await sim.stripe.invoices.pay(invoice);
    expect(await sim.spent()).toEqual({ usd: 350 });
  });

  test("of an invoice paid elsewhere count, though the invoice does not", async () => {
    const { id: invoice } = await sim.elsewhere({
      type: "invoice",
      amount: 500,
      currency: "gbp",
      status: "paid",
    });

    await sim.stripe.creditNotes.create({ invoice, refund_amount: 120 });

    expect(await sim.spent()).toEqual({ gbp: 120 });
  });
});
