import type { OwnAnswer } from "../shared/own-endpoints.ts";
import { refuseOrder } from "../shared/own-endpoints.ts";
import {
  type Account,
  CAPTURE_METHODS,
  type Charge,
  nowS,
  type Origin,
  type StoredPaymentMethod,
} from "./account.ts";
import { type Accounts, isAccount } from "./accounts.ts";
import { chargeCard } from "./charging.ts";
import { refuseUnpayable } from "./currencies.ts";
import { openDispute } from "./disputes.ts";
import { invalidRequest, noSuch, StripeError } from "./errors.ts";
import { newId, randomText } from "./ids.ts";
import { newLine, withLines } from "./invoice-lines.ts";
import { newInvoice } from "./invoices.ts";
import { formOfJson } from "./json-form.ts";
import { innerList } from "./lists.ts";
import { type ApplicationFee, COLLECTION_METHODS, INVOICE_STATUSES } from "./objects.ts";
import {
  amount,
  currency,
  flag,
  metadata,
  names,
  oneOf,
  type Params,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import { finalized, methodOf, replaceInvoice, settled } from "./paying-invoices.ts";
import { NEW_INTENT } from "./payment-intents.ts";
import { referToCustomer, referToPaymentMethod } from "./references.ts";

const COMMON = "account amount currency customer metadata payment_method type";
const KNOWN = {
  payment_intent: names(`${COMMON} capture_method status`),
  charge: names(`${COMMON} captured`),
  invoice: names(`${COMMON} auto_advance collection_method status`),
  application_fee: names("account amount currency type"),
  dispute: names(COMMON),
} as const;
const TYPES = ["payment_intent", "charge", "invoice", "application_fee", "dispute"] as const;
const INTENT_STATUSES = [
  "requires_payment_method",
  "requires_confirmation",
  "requires_capture",
  "succeeded",
  "canceled",
] as const;

/**
 * Makes an object that the merchant's own backend would have made, not the one who calls the API: `POST /objects` with
 * `{"type", "account"?, "amount"?, "currency"?, "customer"?, "payment_method"?, "metadata"?}`, beside them
 *
 * - of a `payment_intent` its `status` (requires_confirmation unless told) and `capture_method`; one that is held or paid
 *   has its charge;
 * - of a `charge` whether it is `captured`, which it is unless told;
 * - of an `invoice`, which has one line of the amount, its `status` (open unless told), `auto_advance` and
 *   `collection_method`; one that is paid has its charge;
 * - of an `application_fee` nothing more; a `dispute` is of a charge that is made for it.
 *
 * Unless told the amount is 1000, the currency usd, the method pm_card_visa. Answers with the object, or a 400 that says
 * what is wrong. In the books (books.ts) it counts nothing until something is done with it through the API.
 */
export function objectElsewhere(accounts: Accounts, json: unknown): OwnAnswer {
  if (typeof json !== "object" || json === null || Array.isArray(json))
    return refuseOrder("an object is made of a JSON object");
  try {
    return { status: 200, body: make(accounts, formOfJson(json)) };
  } catch (error) {
    if (error instanceof StripeError) return refuseOrder(error.message);
    throw error;
  }
}

interface Order {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly method: StoredPaymentMethod;
  readonly token: string;
  readonly origin: Origin;
}

function make(accounts: Accounts, params: Params): unknown {
  const type = required(oneOf(params, "type", TYPES), "type");
  refuseUnknown(params, KNOWN[type]);
  const accountId = text(params, "account") ?? null;
  if (accountId !== null && !isAccount(accountId))
    throw noSuch("account", accountId, { param: "account", status: 400 });
  const { account } = accounts.of(accountId);

  const total = amount(params, "amount") ?? 1000;
  const unit = currency(params, "currency") ?? "usd";
  refuseUnpayable(total, unit);
  const customer = text(params, "customer") ?? null;
  if (customer !== null) referToCustomer(account, customer);
  const token = text(params, "payment_method") ?? "pm_card_visa";
  const order: Order = {
    amount: total,
    currency: unit,
    customer,
    method: referToPaymentMethod(account, token),
    token,
    origin: { idempotencyKey: null, createdMs: account.nowMs(), elsewhere: true },
  };
  switch (type) {
    case "payment_intent":
      return makeIntent(account, order, params);
    case "charge":
      return makeCharge(account, order, { capture: flag(params, "captured") ?? true });
    case "invoice":
      return makeInvoice(account, order, params);
    case "application_fee":
      return makeFee(account, order, accountId);
    case "dispute":
      return openDispute(account, makeCharge(account, order, { capture: true }), order.origin).dispute;
  }
}

function makeIntent(account: Account, order: Order, params: Params): unknown {
  const status = oneOf(params, "status", INTENT_STATUSES) ?? "requires_confirmation";
  const isHeld = status === "requires_capture";
  const isPaid = status === "succeeded";
  const id = newId.paymentIntent();
  const charge = isHeld || isPaid ? makeCharge(account, order, { capture: isPaid, paymentIntent: id }) : null;
  const intent = {
    ...NEW_INTENT,
    id,
    amount: order.amount,
    amount_capturable: isHeld ? order.amount : 0,
    amount_received: isPaid ? order.amount : 0,
    automatic_payment_methods: null,
    canceled_at: status === "canceled" ? nowS(account) : null,
    capture_method:
      oneOf(params, "capture_method", CAPTURE_METHODS) ?? (isHeld ? "manual" : "automatic_async"),
    client_secret: `${id}_secret_${randomText(25)}`,
    confirmation_method: "automatic" as const,
    created: nowS(account),
    currency: order.currency,
    customer: order.customer,
    latest_charge: charge?.id ?? null,
    metadata: metadata(params, {}),
    payment_method: status === "requires_payment_method" ? null : order.method.object.id,
    status,
  };
  const { origin } = order;
  account.paymentIntents.set(id, { object: intent, origin, declinedAtCreate: false, counted: "nothing" });
  return intent;
}

function makeCharge(
  account: Account,
  order: Order,
  { capture, paymentIntent, invoice }: { capture: boolean; paymentIntent?: string; invoice?: string },
): Charge {
  const { amount, currency, customer, method, token, origin } = order;
  if (method.decline !== null)
    throw invalidRequest("A charge made elsewhere is one that was paid.", { param: "payment_method" });
  const charge = chargeCard(account, {
    amount,
    currency,
    capture,
    decline: null,
    paymentMethod: method.object.id,
    card: method.object.card,
    token,
    invoice: invoice ?? null,
    paymentIntent: paymentIntent ?? null,
    customer,
    description: null,
    metadata: {},
    receiptEmail: null,
    statementDescriptor: null,
    statementDescriptorSuffix: null,
    transferGroup: null,
    origin,
  });
  const stored = account.charges.get(charge.id);
  if (stored !== undefined) account.charges.set(charge.id, { ...stored, counted: "nothing" });
  return charge;
}

function makeInvoice(account: Account, order: Order, params: Params): unknown {
  const status = oneOf(params, "status", INVOICE_STATUSES) ?? "open";
  const customer = order.customer ?? newId.customer();
  referToCustomer(account, customer);
  const made = newInvoice(account, { customer, currency: order.currency });
  const priced = {
    amount: order.amount,
    currency: order.currency,
    quantity: 1,
    quantityDecimal: "1",
    unitAmountDecimal: String(order.amount),
    price: newId.of("price"),
    product: newId.product(),
    recurring: null,
  };
  const draft = withLines(
    {
      ...made,
      auto_advance: flag(params, "auto_advance") ?? false,
      collection_method: oneOf(params, "collection_method", COLLECTION_METHODS) ?? "charge_automatically",
      default_payment_method: order.method.object.id,
      metadata: metadata(params, {}),
    },
    [newLine(account, priced, made.id, { description: null, metadata: {}, item: null })],
  );
  const stored = replaceInvoice(account, { object: draft, origin: order.origin, collected: 0 }, draft);
  if (status === "draft") return stored.object;

  const open = finalized(account, stored, draft.auto_advance);
  if (status === "open") return open.object;
  if (status !== "paid") return replaceInvoice(account, open, { ...open.object, status }).object;
  const method = methodOf(account, open.object);
  const charge = makeCharge(account, order, { capture: true, invoice: made.id });
  return settled(account, open, method === null ? null : { type: "charge", charge: charge.id }).object;
}

function makeFee(account: Account, order: Order, accountId: string | null): ApplicationFee {
  const charge = makeCharge(account, order, { capture: true });
  const id = newId.of("fee");
  const fee: ApplicationFee = {
    id,
    object: "application_fee",
    account: accountId ?? "acct_1SimulatedMerchant",
    amount: order.amount,
    amount_refunded: 0,
    application: "ca_SimulatedApplication",
    balance_transaction: newId.balanceTransaction(),
    charge: charge.id,
    created: nowS(account),
    currency: order.currency,
    fee_source: { charge: charge.id, type: "charge" },
    livemode: false,
    originating_transaction: null,
    refunded: false,
    refunds: innerList([], `/v1/application_fees/${id}/refunds`),
  };
  account.applicationFees.set(id, { object: fee, origin: order.origin });
  return fee;
}
