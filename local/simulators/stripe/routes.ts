import { findRoute as findIn, type RouteTable } from "../shared/route-table.ts";
import * as fees from "./application-fees.ts";
import * as transactions from "./balance-transactions.ts";
import * as catalog from "./catalog.ts";
import * as charges from "./charges.ts";
import * as creditNotes from "./credit-notes.ts";
import * as balance from "./customer-balance.ts";
import * as customers from "./customers.ts";
import * as disputes from "./disputes.ts";
import type { Endpoint } from "./endpoint.ts";
import { listEvents } from "./events.ts";
import type { ObjectType } from "./expand.ts";
import * as files from "./files.ts";
import * as invoiceEdits from "./invoice-edits.ts";
import * as invoiceItems from "./invoice-items.ts";
import * as invoices from "./invoices.ts";
import { retrieveOwnAccount } from "./own-account.ts";
import * as intents from "./payment-intents.ts";
import * as methods from "./payment-methods.ts";
import * as payouts from "./payouts.ts";
import * as refunds from "./refunds.ts";
import * as searches from "./searches.ts";
import * as setups from "./setup-intents.ts";
import * as topups from "./topups.ts";
import * as transfers from "./transfers.ts";

export interface Route {
  readonly endpoint: Endpoint;
  /** The object it answers with, or answers a list of. */
  readonly type: ObjectType;
  readonly isList: boolean;
}

const one = (type: ObjectType, endpoint: Endpoint): Route => ({ endpoint, type, isList: false });
const list = (type: ObjectType, endpoint: Endpoint): Route => ({ endpoint, type, isList: true });

/**
 * Every endpoint served; of two that match the first. What is not here, a trailing slash included, is a 404 and a breach
 * (../shared/breaches.ts).
 */
export const ROUTES: RouteTable<Route> = {
  "GET /v1/account": one("other", retrieveOwnAccount),
  "GET /v1/balance": one("other", transactions.retrieveBalance),
  "GET /v1/balance_transactions": list("balance_transaction", transactions.listTransactions),
  "GET /v1/balance_transactions/:id": one("balance_transaction", transactions.retrieveTransaction),
  "GET /v1/charges/search": list("charge", searches.searchCharges),
  "GET /v1/customers/search": list("customer", searches.searchCustomers),
  "GET /v1/invoices/search": list("invoice", searches.searchInvoices),
  "GET /v1/payment_intents/search": list("payment_intent", searches.searchPaymentIntents),
  "GET /v1/prices/search": list("price", searches.searchPrices),
  "GET /v1/products/search": list("product", searches.searchProducts),
  "POST /v1/payment_intents": one("payment_intent", intents.createPaymentIntent),
  "GET /v1/payment_intents": list("payment_intent", intents.listPaymentIntents),
  "GET /v1/payment_intents/:id": one("payment_intent", intents.retrievePaymentIntent),
  "POST /v1/payment_intents/:id": one("payment_intent", intents.updatePaymentIntent),
  "POST /v1/payment_intents/:id/confirm": one("payment_intent", intents.confirmPaymentIntent),
  "POST /v1/payment_intents/:id/capture": one("payment_intent", intents.capturePaymentIntent),
  "POST /v1/payment_intents/:id/cancel": one("payment_intent", intents.cancelPaymentIntent),
  "POST /v1/payment_intents/:id/increment_authorization": one(
    "payment_intent",
    intents.incrementAuthorization,
  ),
  "POST /v1/charges": one("charge", charges.createCharge),
  "GET /v1/charges": list("charge", charges.listCharges),
  "GET /v1/charges/:id": one("charge", charges.retrieveCharge),
  "POST /v1/charges/:id": one("charge", charges.updateCharge),
  "POST /v1/charges/:id/capture": one("charge", charges.captureCharge),
  "POST /v1/refunds": one("refund", refunds.createRefund),
  "GET /v1/refunds": list("refund", refunds.listRefunds),
  "GET /v1/refunds/:id": one("refund", refunds.retrieveRefund),
  "POST /v1/refunds/:id": one("refund", refunds.updateRefund),
  "POST /v1/payouts": one("payout", payouts.createPayout),
  "GET /v1/payouts": list("payout", payouts.listPayouts),
  "GET /v1/payouts/:id": one("payout", payouts.retrievePayout),
  "POST /v1/payouts/:id": one("payout", payouts.updatePayout),
  "POST /v1/payouts/:id/cancel": one("payout", payouts.cancelPayout),
  "POST /v1/payouts/:id/reverse": one("payout", payouts.reversePayout),
  "POST /v1/transfers": one("transfer", transfers.createTransfer),
  "GET /v1/transfers": list("transfer", transfers.listTransfers),
  "GET /v1/transfers/:id": one("transfer", transfers.retrieveTransfer),
  "POST /v1/transfers/:id": one("transfer", transfers.updateTransfer),
  "POST /v1/transfers/:id/reversals": one("transfer_reversal", transfers.reverseTransfer),
  "GET /v1/transfers/:id/reversals": list("transfer_reversal", transfers.listReversals),
  "GET /v1/transfers/:id/reversals/:reversal": one("transfer_reversal", transfers.retrieveReversal),
  "POST /v1/topups": one("topup", topups.createTopup),
  "GET /v1/topups": list("topup", topups.listTopups),
  "GET /v1/topups/:id": one("topup", topups.retrieveTopup),
  "POST /v1/topups/:id": one("topup", topups.updateTopup),
  "POST /v1/topups/:id/cancel": one("topup", topups.cancelTopup),
  "GET /v1/application_fees": list("application_fee", fees.listFees),
  "GET /v1/application_fees/:id": one("application_fee", fees.retrieveFee),
  "POST /v1/application_fees/:id/refunds": one("fee_refund", fees.refundFee),
  "GET /v1/application_fees/:id/refunds": list("fee_refund", fees.listFeeRefunds),
  "GET /v1/application_fees/:id/refunds/:refund": one("fee_refund", fees.retrieveFeeRefund),
  "POST /v1/invoices": one("invoice", invoices.createInvoice),
  "GET /v1/invoices": list("invoice", invoices.listInvoices),
  "POST /v1/invoices/create_preview": one("invoice", invoiceEdits.previewInvoice),
  "GET /v1/invoices/:id": one("invoice", invoices.retrieveInvoice),
  "POST /v1/invoices/:id": one("invoice", invoices.updateInvoice),
  "POST /v1/invoices/:id/add_lines": one("invoice", invoiceEdits.addLines),
  "POST /v1/invoices/:id/update_lines": one("invoice", invoiceEdits.updateLines),
  "POST /v1/invoices/:id/remove_lines": one("invoice", invoiceEdits.removeLines),
  "GET /v1/invoices/:id/lines": list("line_item", invoiceEdits.listLines),
  "POST /v1/invoices/:id/lines/:line": one("line_item", invoiceEdits.updateLine),
  "POST /v1/invoices/:id/finalize": one("invoice", invoices.finalizeInvoice),
  "POST /v1/invoices/:id/pay": one("invoice", invoices.payInvoice),
  "POST /v1/invoices/:id/send": one("invoice", invoices.sendInvoice),
  "POST /v1/invoices/:id/void": one("invoice", invoices.voidInvoice),
  "POST /v1/invoices/:id/mark_uncollectible": one("invoice", invoices.markUncollectible),
  "POST /v1/invoiceitems": one("invoiceitem", invoiceItems.createInvoiceItem),
  "GET /v1/invoiceitems": list("invoiceitem", invoiceItems.listInvoiceItems),
  "GET /v1/invoiceitems/:id": one("invoiceitem", invoiceItems.retrieveInvoiceItem),
  "POST /v1/invoiceitems/:id": one("invoiceitem", invoiceItems.updateInvoiceItem),
  "POST /v1/credit_notes": one("credit_note", creditNotes.createCreditNote),
  "GET /v1/credit_notes": list("credit_note", creditNotes.listCreditNotes),
  "GET /v1/credit_notes/preview": one("credit_note", creditNotes.previewCreditNote),
  "GET /v1/credit_notes/:id": one("credit_note", creditNotes.retrieveCreditNote),
  "POST /v1/credit_notes/:id": one("credit_note", creditNotes.updateCreditNote),
  "GET /v1/disputes": list("dispute", disputes.listDisputes),
  "GET /v1/disputes/:id": one("dispute", disputes.retrieveDispute),
  "POST /v1/disputes/:id": one("dispute", disputes.updateDispute),
  "POST /v1/disputes/:id/close": one("dispute", disputes.closeDispute),
  "POST /v1/customers": one("customer", customers.createCustomer),
  "GET /v1/customers": list("customer", customers.listCustomers),
  "GET /v1/customers/:id": one("customer", customers.retrieveCustomer),
  "POST /v1/customers/:id": one("customer", customers.updateCustomer),
  "DELETE /v1/customers/:id": one("customer", customers.deleteCustomer),
  "GET /v1/customers/:id/balance_transactions": list(
    "customer_balance_transaction",
    balance.listBalanceTransactions,
  ),
  "GET /v1/customers/:id/balance_transactions/:transaction": one(
    "customer_balance_transaction",
    balance.retrieveBalanceTransaction,
  ),
  "POST /v1/payment_methods": one("payment_method", methods.createPaymentMethod),
  "GET /v1/payment_methods": list("payment_method", methods.listPaymentMethods),
  "GET /v1/payment_methods/:id": one("payment_method", methods.retrievePaymentMethod),
  "POST /v1/payment_methods/:id/attach": one("payment_method", methods.attachPaymentMethod),
  "POST /v1/payment_methods/:id/detach": one("payment_method", methods.detachPaymentMethod),
  "POST /v1/prices": one("price", catalog.createPrice),
  "GET /v1/prices": list("price", catalog.listPrices),
  "GET /v1/prices/:id": one("price", catalog.retrievePrice),
  "GET /v1/events": list("other", listEvents),
  "POST /v1/files": one("other", files.createFile),
  "GET /v1/files": list("other", files.files.list),
  "GET /v1/files/:id": one("other", files.files.retrieve),
  "POST /v1/setup_intents": one("setup_intent", setups.createSetupIntent),
  "GET /v1/setup_intents": list("setup_intent", setups.setupIntents.list),
  "GET /v1/setup_intents/:id": one("setup_intent", setups.setupIntents.retrieve),
  "POST /v1/setup_intents/:id": one("setup_intent", setups.setupIntents.describe),
  "POST /v1/setup_intents/:id/confirm": one("setup_intent", setups.confirmSetupIntent),
  "POST /v1/setup_intents/:id/cancel": one("setup_intent", setups.cancelSetupIntent),
  "POST /v1/products": one("product", catalog.createProduct),
  "GET /v1/products": list("product", catalog.products.list),
  "GET /v1/products/:id": one("product", catalog.products.retrieve),
  "POST /v1/products/:id": one("product", catalog.products.describe),
  "DELETE /v1/products/:id": one("product", catalog.products.remove),
};

/** The endpoint of a method and path, with the ids in the path, or undefined. */
export const findRoute = (method: string, path: string) => findIn(ROUTES, method, path);
