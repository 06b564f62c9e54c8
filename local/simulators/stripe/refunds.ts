import { type Account, type Charge, nowS, type Origin, originOf, type Refund } from "./account.ts";
import { refundStatusOf } from "./cards.ts";
import { replaceCharge } from "./charges.ts";
import { printMoney, refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import { amount, type Metadata, metadata, oneOf, refuseUnknown, text } from "./params.ts";

const CREATE = new Set([
  "amount",
  "charge",
  "currency",
  "customer",
  "instructions_email",
  "metadata",
  "origin",
  "payment_intent",
  "reason",
  "refund_application_fee",
  "reverse_transfer",
]);
const UPDATE = new Set(["metadata"]);
const NOTHING = new Set<string>();
const REASONS = ["duplicate", "fraudulent", "requested_by_customer"] as const;

/**
 * Gives money of a charge back: `amount` of it, or all that is left. More than is left is refused whole. What it ends
 * in is its card's to say (cards.ts): a refund that failed answers 200 like any, and moves nothing.
 */
export const createRefund: Endpoint = (account, { params, idempotencyKey }) => {
  refuseUnknown(params, CREATE);
  const chargeId = text(params, "charge");
  const intentId = text(params, "payment_intent");
  const sent = amount(params, "amount");
  const reason = oneOf(params, "reason", REASONS) ?? null;
  const refundMetadata = metadata(params, {});
  if (chargeId === undefined && intentId === undefined) {
    throw invalidRequest(
      "One of the following params should be provided for this request: payment_intent or charge.",
    );
  }

  return () => {
    const charge = refundedCharge(account, chargeId, intentId);
    const left = refundable(charge);
    return refundCharge(account, charge, {
      amount: sent ?? left,
      reason,
      metadata: refundMetadata,
      origin: originOf(account, idempotencyKey),
      ofCreditNote: false,
    });
  };
};

export interface RefundOrder {
  readonly amount: number;
  readonly reason: string | null;
  readonly metadata: Metadata;
  readonly origin: Origin;
  readonly ofCreditNote: boolean;
}

/** Gives `amount` of a charge back. Throws a 400, if more is asked than is left or the charge cannot be refunded. */
export function refundCharge(account: Account, charge: Charge, order: RefundOrder): Refund {
  const { amount } = order;
  const left = refundable(charge);
  if (charge.disputed) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: "charge_disputed",
    });
  }
  if (left === 0 || charge.refunded) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, {
      code: "charge_already_refunded",
    });
  }
  if (amount > left) {
    throw invalidRequest(
      `Refund amount (${printMoney(amount, charge.currency)}) is greater than unrefunded amount on charge ` +
        `(${printMoney(left, charge.currency)})`,
      { param: "amount" },
    );
  }
  if (!charge.captured && amount < left) {
    throw invalidRequest("You cannot partially refund an uncaptured charge. Instead, capture less of it.", {
      param: "amount",
    });
  }
  refuseUnpayable(amount, charge.currency);

  const status = refundStatusOf(account.charges.get(charge.id)?.token ?? "");
  const refund: Refund = {
    id: newId.refund(),
    object: "refund",
    amount,
    balance_transaction: charge.captured ? newId.balanceTransaction() : null,
    charge: charge.id,
    created: nowS(account),
    currency: charge.currency,
    customer: charge.customer,
    destination_details: { card: { reference_status: "pending", type: "refund" }, type: "card" },
    ...(status === "failed" ? { failure_reason: "expired_or_canceled_card" } : {}),
    metadata: order.metadata,
    payment_intent: charge.payment_intent,
    reason: order.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status,
    transfer_reversal: null,
  };
  if (status !== "failed") {
    replaceCharge(account, charge.id, {
      amount_refunded: charge.amount_refunded + amount,
      refunded: amount === left,
    });
  }
  account.refunds.set(refund.id, { object: refund, origin: order.origin, ofCreditNote: order.ofCreditNote });
  return refund;
}

export const retrieveRefund: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NOTHING);
  return () => existing(account, id).object;
};

export const updateRefund: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  metadata(params, {});
  return () => {
    const stored = existing(account, id);
    const object = { ...stored.object, metadata: metadata(params, stored.object.metadata) };
    account.refunds.set(id, { ...stored, object });
    return object;
  };
};

export const listRefunds: Endpoint = listEndpoint(
  "/v1/refunds",
  ({ refunds }: Account) => [...refunds.values()].map(({ object }) => object),
  ["charge", "payment_intent"],
);

/** The charge a refund is for: the one named, or the payment intent's latest if it took money. */
function refundedCharge(
  account: Account,
  chargeId: string | undefined,
  intentId: string | undefined,
): Charge {
  if (chargeId !== undefined) {
    const charge = account.charges.get(chargeId)?.object;
    if (charge === undefined) throw noSuch("charge", chargeId, { param: "charge", status: 400 });
    if (intentId !== undefined && charge.payment_intent !== intentId) {
      throw invalidRequest(`Charge ${chargeId} does not belong to payment_intent ${intentId}.`, {
        param: "charge",
      });
    }
    if (charge.paid && (charge.captured || charge.payment_intent === null)) return charge;
    throw invalidRequest(`Charge ${chargeId} cannot be refunded.`, {
      code: "charge_not_refundable",
      param: "charge",
    });
  }

  const intent = account.paymentIntents.get(intentId ?? "")?.object;
  if (intent === undefined) {
    throw noSuch("payment_intent", intentId ?? "", { param: "payment_intent", status: 400 });
  }
  const charge = account.charges.get(intent.latest_charge ?? "")?.object;
  if (charge?.captured) return charge;
  throw invalidRequest(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
    param: "payment_intent",
  });
}

/** Of a captured charge what was captured, of a held one all of it, less what was given back. */
function refundable({ amount, amount_captured, amount_refunded, captured }: Charge): number {
  return (captured ? amount_captured : amount) - amount_refunded;
}

function existing({ refunds }: Account, id: string) {
  const found = refunds.get(id);
  if (found === undefined) throw noSuch("refund", id, { param: "id", status: 404 });
  return found;
}
