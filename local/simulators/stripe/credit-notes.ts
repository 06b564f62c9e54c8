import { type Account, nowS, originOf, type StoredCreditNote, type StoredInvoice } from "./account.ts";
import type { ApiRequest, Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { innerList, listEndpoint } from "./lists.ts";
import type { CreditNote } from "./objects.ts";
import {
  amount,
  hashes,
  integer,
  type Metadata,
  metadata,
  NO_PARAMS,
  names,
  oneOf,
  type Params,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import { replaceInvoice, settled } from "./paying-invoices.ts";
import { refundCharge } from "./refunds.ts";

const CREATE = names(
  "amount credit_amount effective_at email_type invoice lines memo metadata out_of_band_amount reason refund_amount " +
    "refunds shipping_cost",
);
const UPDATE = names("memo metadata");
const REASONS = ["duplicate", "fraudulent", "order_change", "product_unsatisfactory"] as const;

/**
 * Takes back part of an invoice. While it is open, its amount lessens what is due. Once it is paid, `refund_amount` is
 * given back through its charge, `credit_amount` is left to the customer's later invoices, and `out_of_band_amount` is
 * paid elsewhere; their sum is the amount, which therefore need not be sent (Stripe asks for it).
 */
export const createCreditNote: Endpoint = (account, request) => {
  const order = orderIn(request.params);
  return () => {
    const invoice = invoiceOf(account, order.invoice);
    const note = draftNote(account, invoice, order);
    return invoice.object.status === "paid"
      ? afterPayment(account, request, invoice, note, order)
      : beforePayment(account, request, invoice, note);
  };
};

/** What a credit note would come to. Nothing is kept. */
export const previewCreditNote: Endpoint = (account, { params }) => {
  const order = orderIn(params);
  return () => draftNote(account, invoiceOf(account, order.invoice), order);
};

export const retrieveCreditNote: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => existing(account, id).object;
};

export const updateCreditNote: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  const memo = text(params, "memo");
  metadata(params, {});
  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    return replace(account, stored, {
      ...object,
      memo: memo ?? object["memo"],
      metadata: metadata(params, object.metadata),
    });
  };
};

export const listCreditNotes: Endpoint = listEndpoint(
  "/v1/credit_notes",
  ({ creditNotes }: Account) => [...creditNotes.values()].map(({ object }) => object),
  ["customer", "invoice"],
);

interface Order {
  readonly invoice: string;
  readonly amount: number;
  readonly refundAmount: number;
  readonly creditAmount: number;
  readonly outOfBandAmount: number;
  /** Refunds made before, which the note only takes down. */
  readonly linked: readonly { readonly refund: string; readonly amount: number }[];
  readonly memo: string | null;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

function orderIn(params: Params): Order {
  refuseUnknown(params, CREATE);
  const linked = hashes(params, "refunds").map((refund) => ({
    refund: required(text(refund, "refund"), "refunds[refund]"),
    amount: required(amount(refund, "amount_refunded"), "refunds[amount_refunded]"),
  }));
  const part = (name: string): number => {
    const value = integer(params, name) ?? 0;
    if (value >= 0) return value;
    throw invalidRequest("This value must be greater than or equal to 0.", { param: name });
  };
  const parts = {
    refundAmount: part("refund_amount"),
    creditAmount: part("credit_amount"),
    outOfBandAmount: part("out_of_band_amount"),
  };
  const lines = hashes(params, "lines").map((line) => integer(line, "amount") ?? 0);
  const ofLines = lines.length === 0 ? undefined : sumOf(lines);
  const ofParts = sumOf([...Object.values(parts), ...linked.map(({ amount }) => amount)]);
  const total = amount(params, "amount") ?? ofLines ?? (ofParts === 0 ? undefined : ofParts);
  if (total === undefined) throw invalidRequest("One of amount, lines, or shipping_cost must be provided.");
  return {
    invoice: required(text(params, "invoice"), "invoice"),
    amount: total,
    ...parts,
    linked,
    memo: text(params, "memo") ?? null,
    reason: oneOf(params, "reason", REASONS) ?? null,
    metadata: metadata(params, {}),
  };
}

function draftNote(account: Account, { object: invoice }: StoredInvoice, order: Order): CreditNote {
  const { amount, refundAmount, creditAmount, outOfBandAmount, linked } = order;
  const isPaid = invoice.status === "paid";
  const parts = refundAmount + creditAmount + outOfBandAmount + sumOf(linked.map((refund) => refund.amount));
  if (parts !== (isPaid ? amount : 0)) {
    throw invalidRequest(
      `The sum of credit amount, refund amount and out of band amount (${parts}) must equal the credit note amount ` +
        `of a paid invoice (${amount}), and be 0 on one that is not paid.`,
    );
  }
  const left = isPaid
    ? invoice.amount_paid - invoice.post_payment_credit_notes_amount
    : invoice.amount_remaining;
  if (amount > left) {
    throw invalidRequest(`Amount ${amount} is greater than the amount available to be credited (${left}).`, {
      param: "amount",
    });
  }
  const id = newId.of("cn");
  return {
    ...NEW_NOTE,
    id,
    amount,
    created: nowS(account),
    currency: invoice.currency,
    customer: invoice.customer,
    effective_at: nowS(account),
    invoice: invoice.id,
    lines: innerList([], `/v1/credit_notes/${id}/lines`),
    memo: order.memo,
    metadata: order.metadata,
    number: `${String(invoice["number"])}-CN-${String(account.creditNotes.size + 1).padStart(2, "0")}`,
    out_of_band_amount: outOfBandAmount === 0 ? null : outOfBandAmount,
    pdf: `https://pay.stripe.com/credit_notes/${id}/pdf`,
    post_payment_amount: isPaid ? amount : 0,
    pre_payment_amount: isPaid ? 0 : amount,
    reason: order.reason,
    refunds: linked.map((refund) => refundEntry(refund.refund, refund.amount)),
    subtotal: amount,
    subtotal_excluding_tax: amount,
    total: amount,
    total_excluding_tax: amount,
    type: isPaid ? "post_payment" : "pre_payment",
  };
}

function afterPayment(
  account: Account,
  { idempotencyKey }: ApiRequest,
  invoice: StoredInvoice,
  note: CreditNote,
  { refundAmount, linked }: Order,
): CreditNote {
  const origin = originOf(account, idempotencyKey);
  for (const { refund } of linked) {
    if (!account.refunds.has(refund))
      throw noSuch("refund", refund, { param: "refunds[refund]", status: 400 });
  }
  const charge = [...account.charges.values()].find(
    (stored) => stored.invoice === invoice.object.id && stored.object.paid,
  );
  if (refundAmount > 0 && charge === undefined)
    throw invalidRequest("This invoice has no payment to refund.", { param: "refund_amount" });
  const refund =
    refundAmount === 0 || charge === undefined
      ? null
      : refundCharge(account, charge.object, {
          amount: refundAmount,
          reason: null,
          metadata: {},
          origin,
          ofCreditNote: true,
        });
  const { object } = invoice;
  replaceInvoice(account, invoice, {
    ...object,
    post_payment_credit_notes_amount: object.post_payment_credit_notes_amount + note.amount,
  });
  const moved = refund === null || refund.status === "failed" ? 0 : refundAmount;
  const refunds = linked.map((entry) => refundEntry(entry.refund, entry.amount));
  const issued = {
    ...note,
    refunds: refund === null ? refunds : [...refunds, refundEntry(refund.id, refundAmount)],
  };
  account.creditNotes.set(note.id, { object: issued, origin, refundAmount: moved });
  return issued;
}

function beforePayment(
  account: Account,
  { idempotencyKey }: ApiRequest,
  invoice: StoredInvoice,
  note: CreditNote,
): CreditNote {
  const { object } = invoice;
  const left = object.amount_remaining - note.amount;
  const lessened = replaceInvoice(account, invoice, {
    ...object,
    amount_due: object.amount_due - note.amount,
    amount_remaining: left,
    pre_payment_credit_notes_amount: object.pre_payment_credit_notes_amount + note.amount,
  });
  if (left === 0) settled(account, lessened, null);
  account.creditNotes.set(note.id, {
    object: note,
    origin: originOf(account, idempotencyKey),
    refundAmount: 0,
  });
  return note;
}

function invoiceOf(account: Account, id: string): StoredInvoice {
  const stored = account.invoices.get(id);
  if (stored === undefined) throw noSuch("invoice", id, { param: "invoice", status: 400 });
  if (stored.object.status === "open" || stored.object.status === "paid") return stored;
  throw invalidRequest(
    `You can only create credit notes of open or paid invoices. This one is ${stored.object.status}.`,
    { param: "invoice" },
  );
}

function existing({ creditNotes }: Account, id: string): StoredCreditNote {
  const found = creditNotes.get(id);
  if (found === undefined) throw noSuch("credit_note", id, { param: "id", status: 404 });
  return found;
}

function replace(account: Account, stored: StoredCreditNote, object: CreditNote): CreditNote {
  account.creditNotes.set(object.id, { ...stored, object });
  return object;
}

const refundEntry = (refund: string, amount: number) => ({
  amount_refunded: amount,
  payment_record_refund: null,
  refund,
  type: "refund",
});

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

const NEW_NOTE = {
  object: "credit_note",
  amount_shipping: 0,
  customer_account: null,
  customer_balance_transaction: null,
  discount_amount: 0,
  discount_amounts: [],
  livemode: false,
  pretax_credit_amounts: [],
  shipping_cost: null,
  status: "issued",
  total_taxes: [],
  voided_at: null,
} as const;
