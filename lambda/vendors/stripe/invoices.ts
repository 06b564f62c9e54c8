import { Problem } from "../../domain/problem.ts";
import type { Endpoint, Known, VendorRequest } from "../../domain/vendor.ts";
import { type Form, namesUnder, wholeNumber } from "../form.ts";
import { readCreditNote, readDraft, readEnd, readNothing, readRaised } from "./answers.ts";
import {
  CREDIT_NOTE_CREATE,
  INVOICE_CREATE,
  INVOICE_FINALIZE,
  INVOICE_ITEM,
  INVOICE_LINES,
  INVOICE_PAY,
  INVOICE_SEND,
  INVOICE_UPDATE,
  INVOICE_VOID,
} from "./fields.ts";
import {
  type Cost,
  costBeyond,
  costOf,
  creditIn,
  FREE_OF_COST,
  foundAmount,
  idIn,
  idNamed,
  inItsCurrency,
  over,
  type Pricing,
  priced,
} from "./pricing.ts";

/**
 * Invoices are counted when they are finalized, and can be paid only after that. A draft costs nothing as long as
 * Stripe does not collect it automatically, so `auto_advance` must be off until then. Only drafts of this key's family
 * may be changed: Stripe could collect another draft, such as a subscription's, without a call that Keybrake can count.
 */

const keptBack = (form: Form): Problem | null =>
  form.get("auto_advance") === "false" || namesUnder(form, "auto_advance").length === 0
    ? null
    : new Problem(
        "amount_unknown",
        "auto_advance: expected false; an invoice that advances automatically is collected without a call that Keybrake can count; finalize or pay it instead",
      );

/**
 * From version 2018-11-08 on, a new invoice stays a draft without `auto_advance` too. Every accepted version is newer.
 * A request without a version uses the account's default, which Keybrake does not know.
 * docs.stripe.com/changelog/2018-11-08/one-off-invoices-no-longer-auto-collect-payment, read 2026-11-27.
 */
const drafted = (form: Form, { headers }: VendorRequest): Problem | null =>
  namesUnder(form, "auto_advance").length > 0 || (headers["stripe-version"] ?? []).length === 1
    ? keptBack(form)
    : new Problem(
        "amount_unknown",
        "auto_advance: missing; send false, or add a Stripe-Version header; under the account's default version Stripe may collect such an invoice automatically, without a call that Keybrake can count",
      );

const notOfRoot = (): Problem =>
  new Problem(
    "endpoint_not_priced",
    "this invoice was not drafted with this vault key or a related one, so Stripe may collect it automatically; draft it with this key",
  );

/**
 * What is added to a draft of this family waits for a call that counts it, unless others have made the draft advance
 * automatically in the meantime. A paid or void invoice is not collected again.
 */
function ofOwnDraft(form: Form, { object, found }: Known): Cost | Problem {
  if (object === null) return notOfRoot();
  const isOver = found?.["status"] === "paid" || found?.["status"] === "void";
  const isKeptBack = isOver || found?.["auto_advance"] === false || form.get("auto_advance") === "false";
  return isKeptBack ? (keptBack(form) ?? creditIn(form) ?? FREE_OF_COST) : advances();
}

const advances = (): Problem =>
  new Problem(
    "amount_unknown",
    "auto_advance: this invoice now advances automatically, so what you add is collected without a call that Keybrake can count; set its auto_advance to false first",
  );

/** A line that is only removed from its draft waits for the next invoice, which anybody may create. */
function leftWaiting(form: Form): Problem | null {
  const lines = new Set([...form.keys()].flatMap((name) => /^lines\[([^\]]*)\]/.exec(name)?.[1] ?? []));
  return [...lines].every((line) => form.get(`lines[${line}][behavior]`) === "delete")
    ? null
    : new Problem(
        "amount_unknown",
        "lines[…][behavior]: expected delete; a line that is only removed waits for the next invoice, which is collected without a call that Keybrake can count",
      );
}

const costOfItem = (form: Form, known: Known): Cost | Problem =>
  idNamed(form, "invoice") === null
    ? new Problem(
        "amount_unknown",
        "invoice: missing; an item that waits for the next invoice is collected without a call that Keybrake can count; name a draft of this key",
      )
    : ofOwnDraft(form, known);

/** The full amount due: a repeated answer does not show what was paid before. */
function costOfCollection(_: Form, known: Known): Cost | Problem {
  const total = known.found?.["total"];
  if (typeof total === "number" && total < 0)
    return new Problem(
      "amount_unknown",
      "this invoice has a negative total, which gives the customer credit that cannot be counted against a cap",
    );
  // An amount that is too small to be charged, or that credit pays, is only in the total. The customer pays it too.
  return costBeyond([...foundAmount(known.found, "total"), ...foundAmount(known.found, "amount_due")], known);
}

/** A draft can still change while it is being paid. If the payment is declined, it stays open at any amount. */
function costOfPayment(form: Form, known: Known): Cost | Problem {
  if (known.found?.["status"] === "draft") {
    return new Problem(
      "amount_unknown",
      "this invoice is a draft, whose amount can still grow; finalize it first, then pay it",
    );
  }
  return form.get("paid_out_of_band") === "true" ? FREE_OF_COST : costOfCollection(form, known);
}

/** Stripe may compute taxes when it finalizes an invoice, so the amount can be higher than the draft's. */
const costOfFinalizing = (form: Form, known: Known): Cost | Problem =>
  keptBack(form) ?? over(costOfCollection(form, known), known.found?.["status"] !== "draft");

/** What goes back to the customer, as money or as credit. */
function costOfCreditNote(form: Form, known: Known): Cost | Problem {
  let units: bigint | null = null;
  let parts = 0n;
  for (const field of ["amount", "refund_amount", "credit_amount"]) {
    const named = wholeNumber(form, field);
    if (named instanceof Problem) return named;
    if (named === null) continue;
    if (field === "amount") units = named;
    else parts += named;
    units ??= 0n;
  }
  if (units === null) {
    return new Problem(
      "amount_unknown",
      "amount: missing; name amount, or refund_amount and credit_amount; without them the cost of this call has no upper bound",
    );
  }
  const highest = units > parts ? units : parts;
  return costOf(inItsCurrency(highest, foundAmount(known.found, "total")), known.rateCard);
}

const ofInvoice = {
  objectOf: idIn,
  lookup: { path: (request) => `/v1/invoices/${idIn(request)}` },
} satisfies Partial<Pricing>;
const ofDraft = { ...ofInvoice, cost: ofOwnDraft, read: readNothing };

/** The invoice that a form names. */
const invoiceIn = {
  path: (_: VendorRequest, form: Form): string | null => {
    const invoice = idNamed(form, "invoice");
    return invoice === null ? null : `/v1/invoices/${invoice}`;
  },
};

export const INVOICES: readonly Endpoint[] = [
  priced("/v1/invoices", {
    fields: INVOICE_CREATE,
    cost: (form, _, request) => drafted(form, request) ?? creditIn(form) ?? FREE_OF_COST,
    read: readDraft,
  }),
  priced("/v1/invoices/{id}", { ...ofDraft, fields: INVOICE_UPDATE }),
  priced("/v1/invoices/{id}/add_lines", { ...ofDraft, fields: INVOICE_LINES }),
  priced("/v1/invoices/{id}/update_lines", { ...ofDraft, fields: INVOICE_LINES }),
  priced("/v1/invoices/{id}/remove_lines", {
    ...ofDraft,
    fields: INVOICE_LINES,
    cost: (form, known) => leftWaiting(form) ?? ofOwnDraft(form, known),
  }),
  priced("/v1/invoiceitems", {
    fields: INVOICE_ITEM,
    amountField: "amount",
    objectOf: (_, form) => idNamed(form, "invoice"),
    lookup: invoiceIn,
    cost: costOfItem,
    read: readNothing,
  }),
  priced("/v1/invoices/{id}/finalize", {
    ...ofInvoice,
    fields: INVOICE_FINALIZE,
    cost: costOfFinalizing,
    read: readRaised("total", "amount_due"),
  }),
  priced("/v1/invoices/{id}/send", {
    ...ofInvoice,
    fields: INVOICE_SEND,
    cost: costOfCollection,
    read: readRaised("total", "amount_due"),
  }),
  priced("/v1/invoices/{id}/pay", {
    ...ofInvoice,
    fields: INVOICE_PAY,
    cost: costOfPayment,
    read: (answer, quote, known, request) =>
      (quote.currency === null ? readNothing : readRaised("total", "amount_due"))(
        answer,
        quote,
        known,
        request,
      ),
  }),
  priced("/v1/invoices/{id}/void", {
    ...ofInvoice,
    lookup: { ...ofInvoice.lookup, needed: () => false },
    fields: INVOICE_VOID,
    cost: () => FREE_OF_COST,
    read: readEnd("void", "amount_paid"),
  }),
  priced("/v1/credit_notes", {
    fields: CREDIT_NOTE_CREATE,
    amountField: "amount",
    lookup: invoiceIn,
    cost: costOfCreditNote,
    read: readCreditNote,
  }),
];
