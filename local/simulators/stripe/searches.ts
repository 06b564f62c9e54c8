import { searchEndpoint } from "./search.ts";
import { objectsOn } from "./shelves.ts";

/** What can be searched, by the fields that docs.stripe.com/search names, read 2026-11-27, as far as they exist here. */

export const searchCharges = searchEndpoint("/v1/charges/search", ({ charges }) => objectsOn(charges), {
  texts: [],
  numbers: [
    "amount",
    "created",
    "payment_method_details.card.exp_month",
    "payment_method_details.card.exp_year",
  ],
  words: [
    "currency",
    "customer",
    "disputed",
    "payment_method_details.card.brand",
    "payment_method_details.card.fingerprint",
    "payment_method_details.card.last4",
    "refunded",
    "status",
  ],
});

export const searchCustomers = searchEndpoint(
  "/v1/customers/search",
  ({ customers }) => [...customers.values()].filter(({ deleted }) => !deleted).map(({ object }) => object),
  { texts: ["email", "name", "phone"], numbers: ["created"], words: [] },
);

export const searchInvoices = searchEndpoint("/v1/invoices/search", ({ invoices }) => objectsOn(invoices), {
  texts: [],
  numbers: ["created", "total"],
  words: ["currency", "customer", "number", "status", "subscription"],
});

export const searchPaymentIntents = searchEndpoint(
  "/v1/payment_intents/search",
  ({ paymentIntents }) => objectsOn(paymentIntents),
  { texts: [], numbers: ["amount", "created"], words: ["currency", "customer", "status"] },
);

export const searchPrices = searchEndpoint("/v1/prices/search", ({ prices }) => objectsOn(prices), {
  texts: [],
  numbers: [],
  words: ["active", "currency", "lookup_key", "product", "type"],
});

export const searchProducts = searchEndpoint(
  "/v1/products/search",
  ({ others }) => objectsOn(others).filter(({ object }) => object === "product"),
  { texts: ["description", "name", "url"], numbers: [], words: ["active", "shippable"] },
);
