import { type Account, nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { lineOfItem, pricingOf, withLines } from "./invoice-lines.ts";
import { LINE_PRICE, readLinePrice } from "./line-prices.ts";
import type { InvoiceItem, InvoiceLine } from "./objects.ts";
import { metadata, names, refuseUnknown, required, text } from "./params.ts";
import { replaceInvoice } from "./paying-invoices.ts";
import { referToCustomer } from "./references.ts";
import { existing, type Kind, keep, listKind, retrieveEndpoint, rewrite } from "./shelves.ts";

const DESCRIPTION =
  "customer_account description discountable discounts metadata period tax_behavior tax_code tax_rates";
const CREATE = names(`customer invoice subscription ${DESCRIPTION} ${LINE_PRICE}`);
const UPDATE = names(`${DESCRIPTION} ${LINE_PRICE}`);

const KIND: Kind<InvoiceItem> = { noun: "invoiceitem", shelf: ({ invoiceItems }) => invoiceItems };

/** Puts a line on the draft that `invoice` names, or lets it wait for the customer's next invoice. */
export const createInvoiceItem: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const invoiceId = text(params, "invoice");
  const sentCustomer = text(params, "customer");
  if (invoiceId === undefined) required(sentCustomer, "customer");
  const price = required(readLinePrice(params) ?? undefined, "amount");
  const description = text(params, "description") ?? null;
  const sentMetadata = metadata(params, {});

  return () => {
    const invoice = invoiceId === undefined ? undefined : draft(account, invoiceId);
    const customer = sentCustomer ?? invoice?.object.customer ?? "";
    referToCustomer(account, customer);
    const item: InvoiceItem = {
      object: "invoiceitem",
      ...NEW_ITEM,
      ...pricingOf(price(account, invoice?.object.currency ?? "usd")),
      id: newId.of("ii"),
      customer,
      date: nowS(account),
      description,
      invoice: invoiceId ?? null,
      metadata: sentMetadata,
      period: { end: nowS(account), start: nowS(account) },
    };
    if (invoice !== undefined) {
      const { object } = invoice;
      const lines = [...object.lines.data, lineOfItem(account, item, object.id)];
      replaceInvoice(account, invoice, withLines(object, lines));
    }
    return keep(account.invoiceItems, account, request, item);
  };
};

/** Changes an item that waits, or is on a draft. */
export const updateInvoiceItem: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  const price = readLinePrice(params);
  const description = text(params, "description");
  metadata(params, {});

  return () => {
    const stored = existing(account.invoiceItems, KIND.noun, id);
    const { object } = stored;
    const item: InvoiceItem = {
      ...object,
      ...(price === null ? {} : pricingOf(price(account, object.currency))),
      description: description ?? object.description,
      metadata: metadata(params, object.metadata),
    };
    replaceLine(account, object, item);
    return rewrite(account.invoiceItems, stored, item);
  };
};

export const retrieveInvoiceItem: Endpoint = retrieveEndpoint(KIND);
export const listInvoiceItems: Endpoint = listKind("/v1/invoiceitems", KIND, ["customer", "invoice"]);

/** Writes the line of an item anew on the draft that it is on, if it is on one. */
function replaceLine(account: Account, before: InvoiceItem, after: InvoiceItem): void {
  if (before.invoice === null) return;
  const invoice = draft(account, before.invoice);
  const others = invoice.object.lines.data.filter((line) => itemOf(line) !== before.id);
  const line = lineOfItem(account, after, before.invoice);
  replaceInvoice(account, invoice, withLines(invoice.object, [...others, line]));
}

/** The id of the item that a line is made from, or null. */
export const itemOf = ({ parent }: InvoiceLine): string | null =>
  parent?.invoice_item_details.invoice_item ?? null;

function draft(account: Account, id: string) {
  const stored = account.invoices.get(id);
  if (stored === undefined) throw noSuch("invoice", id, { param: "invoice", status: 400 });
  if (stored.object.status === "draft") return stored;
  throw invalidRequest("You can't change the lines of a finalized invoice.", {
    code: "invoice_not_editable",
    param: "invoice",
  });
}

const NEW_ITEM = {
  customer_account: null,
  discountable: true,
  discounts: [],
  livemode: false,
  parent: null,
  proration: false,
  tax_rates: [],
  test_clock: null,
} as const;
