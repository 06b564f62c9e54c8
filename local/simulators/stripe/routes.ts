import { findRoute as findIn, type RouteTable } from "../shared/route-table.ts";
import * as access from "./access.ts";
import * as fees from "./application-fees.ts";
import * as transactions from "./balance-transactions.ts";
import * as catalog from "./catalog.ts";
import * as charges from "./charges.ts";
import * as sessions from "./checkout-sessions.ts";
import * as creditNotes from "./credit-notes.ts";
import * as balance from "./customer-balance.ts";
import * as customers from "./customers.ts";
import * as disputes from "./disputes.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ObjectType } from "./expand.ts";
import * as files from "./files.ts";
import * as invoiceEdits from "./invoice-edits.ts";
import * as invoiceItems from "./invoice-items.ts";
import * as invoices from "./invoices.ts";
import type { OtherKind } from "./others.ts";
import * as outbound from "./outbound-payments.ts";
import { retrieveOwnAccount } from "./own-account.ts";
import * as intents from "./payment-intents.ts";
import * as methods from "./payment-methods.ts";
import * as payouts from "./payouts.ts";
import * as refunds from "./refunds.ts";
import * as searches from "./searches.ts";
import * as setups from "./setup-intents.ts";
import * as subscriptions from "./subscriptions.ts";
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

/** The endpoints of a kind that moves no money. */
const other = (url: string, type: ObjectType, create: Endpoint, kind: OtherKind): RouteTable<Route> => ({
  [`POST ${url}`]: one(type, create),
  [`GET ${url}`]: list(type, kind.list),
  [`GET ${url}/:id`]: one(type, kind.retrieve),
  [`POST ${url}/:id`]: one(type, kind.describe),
  [`DELETE ${url}/:id`]: one(type, kind.remove),
});

/**
 * Every endpoint served; of two that match the first. A path that is not here, a trailing slash included, is a 404.
 */
const ROUTES: RouteTable<Route> = {
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
  "GET /v1/subscriptions/search": list("subscription", searches.searchSubscriptions),
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
  "DELETE /v1/invoices/:id": one("invoice", invoices.deleteInvoice),
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
  "DELETE /v1/invoiceitems/:id": one("invoiceitem", invoiceItems.deleteInvoiceItem),
  "POST /v1/credit_notes": one("credit_note", creditNotes.createCreditNote),
  "GET /v1/credit_notes": list("credit_note", creditNotes.listCreditNotes),
  "GET /v1/credit_notes/preview": one("credit_note", creditNotes.previewCreditNote),
  "GET /v1/credit_notes/:id": one("credit_note", creditNotes.retrieveCreditNote),
  "POST /v1/credit_notes/:id": one("credit_note", creditNotes.updateCreditNote),
  "POST /v1/credit_notes/:id/void": one("credit_note", creditNotes.voidCreditNote),
  "GET /v1/disputes": list("dispute", disputes.listDisputes),
  "GET /v1/disputes/:id": one("dispute", disputes.retrieveDispute),
  "POST /v1/disputes/:id": one("dispute", disputes.updateDispute),
  "POST /v1/disputes/:id/close": one("dispute", disputes.closeDispute),
  "POST /v1/customers": one("customer", customers.createCustomer),
  "GET /v1/customers": list("customer", customers.listCustomers),
  "GET /v1/customers/:id": one("customer", customers.retrieveCustomer),
  "POST /v1/customers/:id": one("customer", customers.updateCustomer),
  "DELETE /v1/customers/:id": one("customer", customers.deleteCustomer),
  "POST /v1/customers/:id/balance_transactions": one(
    "customer_balance_transaction",
    balance.createBalanceTransaction,
  ),
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
  "POST /v1/checkout/sessions": one("checkout_session", sessions.createSession),
  "GET /v1/checkout/sessions": list("checkout_session", sessions.listSessions),
  "GET /v1/checkout/sessions/:id": one("checkout_session", sessions.retrieveSession),
  "POST /v1/checkout/sessions/:id/expire": one("checkout_session", sessions.expireSession),
  "POST /v1/subscriptions": one("subscription", subscriptions.createSubscription),
  "GET /v1/subscriptions": list("subscription", subscriptions.listSubscriptions),
  "GET /v1/subscriptions/:id": one("subscription", subscriptions.retrieveSubscription),
  "POST /v1/subscriptions/:id": one("subscription", subscriptions.updateSubscription),
  "DELETE /v1/subscriptions/:id": one("subscription", subscriptions.cancelSubscription),
  ...other("/v1/setup_intents", "setup_intent", setups.createSetupIntent, setups.setupIntents),
  "POST /v1/setup_intents/:id/confirm": one("setup_intent", setups.confirmSetupIntent),
  "POST /v1/setup_intents/:id/cancel": one("setup_intent", setups.cancelSetupIntent),
  ...other("/v1/products", "product", catalog.createProduct, catalog.products),
  ...other("/v1/coupons", "other", catalog.createCoupon, catalog.coupons),
  ...other("/v1/files", "other", files.createFile, files.files),
  ...other("/v1/payment_links", "other", access.createPaymentLink, access.paymentLinks),
  ...other("/v1/accounts", "other", access.createAccount, access.accounts),
  ...other("/v1/webhook_endpoints", "other", access.createWebhookEndpoint, access.webhookEndpoints),
  "POST /v1/ephemeral_keys": one("other", access.createEphemeralKey),
  "DELETE /v1/ephemeral_keys/:id": one("other", access.ephemeralKeys.remove),
  "POST /v2/money_management/outbound_payments": one("other", outbound.createOutboundPayment),
  "GET /v2/money_management/outbound_payments": list("other", outbound.listOutboundPayments),
  "GET /v2/money_management/outbound_payments/:id": one("other", outbound.retrieveOutboundPayment),
  "POST /v2/money_management/outbound_payments/:id/cancel": one("other", outbound.cancelOutboundPayment),
};

/** The endpoint of a method and path, with the ids in the path, or undefined. */
export const findRoute = (method: string, path: string) => findIn(ROUTES, method, path);
