import { type Account, type Charge, originOf } from "./account.ts";
import { cardOf, declineOf } from "./cards.ts";
import { chargeCard, declined } from "./charging.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { ApiRequest, Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch, StripeError } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import { amount, emptyableText, flag, metadata, money, refuseUnknown, text } from "./params.ts";
import { referToCustomer } from "./references.ts";

const CREATE = new Set([
  "amount",
  "application_fee",
  "application_fee_amount",
  "capture",
  "currency",
  "customer",
  "description",
  "destination",
  "metadata",
  "on_behalf_of",
  "radar_options",
  "receipt_email",
  "shipping",
  "source",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_data",
  "transfer_group",
]);
const CAPTURE = new Set([
  "amount",
  "application_fee",
  "application_fee_amount",
  "receipt_email",
  "statement_descriptor",
  "statement_descriptor_suffix",
  "transfer_data",
  "transfer_group",
]);
const UPDATE = new Set([
  "customer",
  "description",
  "fraud_details",
  "metadata",
  "receipt_email",
  "shipping",
  "transfer_group",
]);
const NOTHING = new Set<string>();

/** A charge made directly, of `source` or of the customer's default source. A decline leaves a failed charge. */
export const createCharge: Endpoint = (account, { params, idempotencyKey }) => {
  refuseUnknown(params, CREATE);
  const order = {
    ...money(params),
    capture: flag(params, "capture") ?? true,
    customer: text(params, "customer") ?? null,
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    receiptEmail: text(params, "receipt_email") ?? null,
    statementDescriptor: text(params, "statement_descriptor") ?? null,
    statementDescriptorSuffix: text(params, "statement_descriptor_suffix") ?? null,
    transferGroup: text(params, "transfer_group") ?? null,
    paymentIntent: null,
    invoice: null,
  };
  const source = text(params, "source");
  if (source === undefined && order.customer === null)
    throw invalidRequest("Must provide source or customer.");

  return () => {
    const customer = order.customer === null ? null : referToCustomer(account, order.customer);
    const paymentMethod = source === undefined ? customer?.object.default_source : newId.card();
    if (paymentMethod == null) throw noActiveCard();
    if (source !== undefined && !/^(tok|card|src|pm)_/.test(source)) {
      throw noSuch("token", source, { param: "source", status: 400 });
    }

    const decline = source === undefined ? (customer?.decline ?? null) : declineOf(source);
    const origin = originOf(account, idempotencyKey);
    const token = source ?? customer?.sourceToken ?? paymentMethod;
    const card = cardOf(token);
    const charge = chargeCard(account, { ...order, decline, paymentMethod, card, token, origin });
    if (decline !== null) throw declined(decline, { charge: charge.id });
    return charge;
  };
};

export const retrieveCharge: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => existing(account, id).object;
};

export const updateCharge: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  const description = emptyableText(params, "description");
  metadata(params, {});

  return () => {
    const { object } = existing(account, id);
    return replaceCharge(account, id, {
      description: description === undefined ? object.description : description || null,
      metadata: metadata(params, object.metadata),
    });
  };
};

/** Takes what a charge with `capture=false` holds, or `amount` of it; the rest is let go. */
export const captureCharge: Endpoint = (account, { id, params }: ApiRequest) => {
  refuseUnknown(params, CAPTURE);
  const sent = amount(params, "amount");

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    if (object.captured) {
      throw invalidRequest(`Charge ${id} has already been captured.`, { code: "charge_already_captured" });
    }
    if (object.refunded || !object.paid || object.payment_intent !== null) {
      throw invalidRequest(`Charge ${id} cannot be captured.`, { code: "charge_invalid_parameter" });
    }
    const captured = sent ?? object.amount;
    if (captured > object.amount) {
      throw invalidRequest("You cannot capture a charge for an amount larger than it has.", {
        code: "amount_too_large",
        param: "amount",
      });
    }
    refuseUnpayable(captured, object.currency);
    const balanceTransaction = newId.balanceTransaction();
    if (stored.counted === "nothing") account.charges.set(id, { ...stored, counted: "captured" });
    return replaceCharge(account, id, {
      amount_captured: captured,
      balance_transaction: balanceTransaction,
      captured: true,
    });
  };
};

export const listCharges: Endpoint = listEndpoint(
  "/v1/charges",
  ({ charges }: Account) => [...charges.values()].map(({ object }) => object),
  ["customer", "payment_intent", "transfer_group"],
);

/** Writes a charge anew with `change` laid over it, and gives it back. Throws a 404 if there is none. */
export function replaceCharge(account: Account, id: string, change: Partial<Charge>): Charge {
  const stored = existing(account, id);
  const object = { ...stored.object, ...change };
  account.charges.set(id, { ...stored, object });
  return object;
}

function existing({ charges }: Account, id: string) {
  const found = charges.get(id);
  if (found === undefined) throw noSuch("charge", id, { param: "id", status: 404 });
  return found;
}

function noActiveCard(): StripeError {
  const message = "Cannot charge a customer that has no active card";
  return new StripeError(402, { type: "card_error", code: "missing", message, param: "card" });
}
