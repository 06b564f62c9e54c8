import type { Account, StoredInvoice } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import type { FormHash } from "./form.ts";
import { newId } from "./ids.ts";
import { itemOf } from "./invoice-items.ts";
import { type LineOrder, lineOfItem, newLine, pricingOf, withLines } from "./invoice-lines.ts";
import { existingInvoice, newInvoice, pendingItems } from "./invoices.ts";
import { LINE_PRICE, readLinePrice } from "./line-prices.ts";
import { listEndpoint } from "./lists.ts";
import type { InvoiceLine } from "./objects.ts";
import {
  currency,
  hash,
  hashes,
  metadata,
  names,
  oneOf,
  type Params,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import { replaceInvoice } from "./paying-invoices.ts";
import { referToCustomer } from "./references.ts";
import { existing, rewrite } from "./shelves.ts";

const EDIT = names("lines invoice_metadata");
const LINE = `description discountable discounts metadata period tax_amounts tax_rates ${LINE_PRICE}`;
const ADDED = names(`${LINE} invoice_item`);
const UPDATED = names(`${LINE} id`);
const REMOVED = names("id behavior");
const PREVIEW = names(
  "automatic_tax currency customer customer_account customer_details discounts invoice_items issuer on_behalf_of " +
    "preview_mode schedule schedule_details subscription subscription_details",
);
const ITEM = names(`${LINE} invoiceitem tax_behavior tax_code`);
const SUBSCRIPTION_ITEM = names(
  `billing_thresholds clear_usage deleted discounts id metadata tax_rates ${LINE_PRICE}`,
);

/** Puts lines on a draft: new ones, or items that wait for an invoice. */
export const addLines: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, EDIT);
  const orders = hashes(params, "lines").map((line) => {
    refuseUnknown(line, ADDED);
    const item = text(line, "invoice_item");
    const price = readLinePrice(line);
    if (item === undefined) required(price ?? undefined, "lines[amount]");
    return { item, price, order: lineOrder(line) };
  });

  return () => {
    const stored = draft(account, id);
    const { object } = stored;
    const added = orders.map(({ item, price, order }) => {
      if (item !== undefined) return takeItem(account, item, id);
      return newLine(account, required(price ?? undefined, "amount")(account, object.currency), id, order);
    });
    return editLines(account, stored, [...object.lines.data, ...added]);
  };
};

/** Changes lines of a draft, each named by its `id`. */
export const updateLines: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, EDIT);
  const changes = hashes(params, "lines").map((line) => {
    refuseUnknown(line, UPDATED);
    return { id: required(text(line, "id"), "lines[id]"), change: lineChange(line) };
  });

  return () => {
    const stored = draft(account, id);
    const { data } = stored.object.lines;
    for (const { id: lineId } of changes) lineOf(data, lineId);
    const lines = data.map((line) => {
      const found = changes.find(({ id: lineId }) => lineId === line.id);
      return found === undefined ? line : found.change(account, line);
    });
    return editLines(account, stored, lines);
  };
};

/** Changes one line of a draft; answers with the line. */
export const updateLine: Endpoint = (account, { ids: [id = "", lineId = ""], params }) => {
  refuseUnknown(params, UPDATED);
  const change = lineChange(params);

  return () => {
    const stored = draft(account, id);
    const { data } = stored.object.lines;
    const changed = change(account, lineOf(data, lineId));
    editLines(
      account,
      stored,
      data.map((line) => (line.id === lineId ? changed : line)),
    );
    return changed;
  };
};

/** Takes lines off a draft. `behavior=unassign` lets their items wait for another invoice. */
export const removeLines: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, EDIT);
  const removals = hashes(params, "lines").map((line) => {
    refuseUnknown(line, REMOVED);
    const behavior = required(oneOf(line, "behavior", ["delete", "unassign"]), "lines[behavior]");
    return { id: required(text(line, "id"), "lines[id]"), behavior };
  });

  return () => {
    const stored = draft(account, id);
    const { data } = stored.object.lines;
    for (const { id: lineId, behavior } of removals) {
      const item = account.invoiceItems.get(itemOf(lineOf(data, lineId)) ?? "");
      if (item === undefined) continue;
      if (behavior === "delete") account.invoiceItems.delete(item.object.id);
      else rewrite(account.invoiceItems, item, { ...item.object, invoice: null });
    }
    const kept = data.filter((line) => !removals.some(({ id: lineId }) => lineId === line.id));
    return editLines(account, stored, kept);
  };
};

export const listLines: Endpoint = listEndpoint(
  (id) => `/v1/invoices/${id}/lines`,
  (account, id) => existingInvoice(account, id).object.lines.data,
  [],
);

/**
 * Tells what an invoice would come to: of the customer's items that wait, `invoice_items`, and
 * `subscription_details[items]`. Nothing is kept.
 */
export const previewInvoice: Endpoint = (account, { params }) => {
  refuseUnknown(params, PREVIEW);
  const customer = text(params, "customer");
  const unit = currency(params, "currency");
  const details = hash(params, "subscription_details");
  const orders = [
    ...hashes(params, "invoice_items").map((item) => readPreviewed(item, ITEM)),
    ...(details === undefined
      ? []
      : hashes(details, "items").map((item) => readPreviewed(item, SUBSCRIPTION_ITEM))),
  ];

  return () => {
    if (customer !== undefined) referToCustomer(account, customer);
    const waiting = customer === undefined ? [] : pendingItems(account, customer, unit);
    const fallback = unit ?? waiting[0]?.currency ?? "usd";
    const priced = orders.map(({ price, order }) => ({ line: price(account, fallback), order }));
    const made = newInvoice(account, {
      customer: customer ?? "",
      currency: unit ?? waiting[0]?.currency ?? priced[0]?.line.currency ?? fallback,
    });
    const id = newId.of("upcoming_in");
    const lines = [
      ...waiting.map((item) => lineOfItem(account, item, id)),
      ...priced.map(({ line, order }) => newLine(account, line, id, order)),
    ];
    return withLines({ ...made, id, billing_reason: "upcoming", customer: customer ?? "" }, lines);
  };
};

function readPreviewed(item: FormHash, known: ReadonlySet<string>) {
  refuseUnknown(item, known);
  return { price: required(readLinePrice(item) ?? undefined, "price"), order: lineOrder(item) };
}

const lineOrder = (line: Params): LineOrder => ({
  description: text(line, "description") ?? null,
  metadata: metadata(line, {}),
  item: null,
});

function lineChange(line: Params): (account: Account, before: InvoiceLine) => InvoiceLine {
  const price = readLinePrice(line);
  const description = text(line, "description");
  metadata(line, {});
  return (account, before) => {
    const priced = price === null ? null : pricingOf(price(account, before.currency));
    return {
      ...before,
      ...(priced === null ? {} : { ...priced, subtotal: priced.amount }),
      description: description ?? before.description,
      metadata: metadata(line, before.metadata),
    };
  };
}

function takeItem(account: Account, id: string, invoice: string): InvoiceLine {
  const stored = existing(account.invoiceItems, "invoiceitem", id, "lines[invoice_item]");
  if (stored.object.invoice !== null)
    throw invalidRequest(`The invoice item ${id} is already attached to an invoice.`, { param: "lines" });
  rewrite(account.invoiceItems, stored, { ...stored.object, invoice });
  return lineOfItem(account, stored.object, invoice);
}

function lineOf(lines: readonly InvoiceLine[], id: string): InvoiceLine {
  const found = lines.find((line) => line.id === id);
  if (found === undefined) throw noSuch("line_item", id, { param: "lines[id]", status: 400 });
  return found;
}

function draft(account: Account, id: string): StoredInvoice {
  const stored = existingInvoice(account, id);
  if (stored.object.status === "draft") return stored;
  throw invalidRequest("You can't change the lines of a finalized invoice.", {
    code: "invoice_not_editable",
  });
}

const editLines = (account: Account, stored: StoredInvoice, lines: readonly InvoiceLine[]) =>
  replaceInvoice(account, stored, withLines(stored.object, lines)).object;
