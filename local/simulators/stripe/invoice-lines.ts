import { type Account, nowS } from "./account.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import type { PricedLine } from "./line-prices.ts";
import { innerList } from "./lists.ts";
import type { Invoice, InvoiceItem, InvoiceLine } from "./objects.ts";
import type { Metadata } from "./params.ts";

/** What makes a line, beside its price. */
export interface LineOrder {
  readonly description: string | null;
  readonly metadata: Metadata;
  /** The invoice item that it is made from. */
  readonly item: string | null;
}

export function newLine(
  account: Account,
  priced: PricedLine,
  invoice: string | null,
  order: LineOrder,
): InvoiceLine {
  const { item } = order;
  return {
    object: "line_item",
    discount_amounts: [],
    discountable: true,
    discounts: [],
    livemode: false,
    pretax_credit_amounts: [],
    subscription: null,
    taxes: [],
    ...pricingOf(priced),
    id: newId.of("il"),
    description: order.description,
    invoice,
    metadata: order.metadata,
    parent:
      item === null
        ? null
        : {
            invoice_item_details: {
              invoice_item: item,
              proration: false,
              proration_details: { credited_items: null },
              subscription: null,
            },
            subscription_item_details: null,
            type: "invoice_item_details",
          },
    period: { end: nowS(account), start: nowS(account) },
    subtotal: priced.amount,
  };
}

/** The line of an invoice item. */
export const lineOfItem = (account: Account, item: InvoiceItem, invoice: string): InvoiceLine => ({
  ...newLine(account, pricedBy(item), invoice, {
    description: item.description,
    metadata: item.metadata,
    item: item.id,
  }),
  pricing: item["pricing"],
});

/** The fields in which lines and invoice items say what they cost. */
export function pricingOf({ price, product, unitAmountDecimal, ...line }: PricedLine) {
  return {
    amount: line.amount,
    currency: line.currency,
    quantity: line.quantity,
    quantity_decimal: line.quantityDecimal,
    pricing: {
      price_details: { price, product },
      type: "price_details",
      unit_amount_decimal: unitAmountDecimal,
    },
  };
}

/** An invoice with these lines, and the sums that follow from them. All of them have to be in its currency. */
export function withLines(invoice: Invoice, lines: readonly InvoiceLine[]): Invoice {
  const other = lines.find(({ currency }) => currency !== invoice.currency);
  if (other !== undefined) {
    throw invalidRequest(
      `The currency of an invoice line (${other.currency}) must be the invoice's (${invoice.currency}).`,
      { param: "currency" },
    );
  }
  const total = lines.reduce((sum, { amount }) => sum + amount, 0);
  const due = Math.max(0, total);
  return {
    ...invoice,
    amount_due: due,
    amount_remaining: due,
    lines: innerList(lines, invoice.lines.url),
    subtotal: total,
    subtotal_excluding_tax: total,
    total,
    total_excluding_tax: total,
  };
}

const pricedBy = ({ amount, currency, quantity, quantity_decimal }: InvoiceItem): PricedLine => ({
  amount,
  currency,
  quantity: typeof quantity === "number" ? quantity : 1,
  quantityDecimal: typeof quantity_decimal === "string" ? quantity_decimal : "1",
  unitAmountDecimal: String(amount),
  price: "",
  product: "",
  recurring: null,
});
