import {
  type Account,
  CAPTURE_METHODS,
  type CaptureMethod,
  type IntentStatus,
  nowS,
  originOf,
  type PaymentIntent,
  type StoredPaymentIntent,
  type StoredPaymentMethod,
} from "./account.ts";
import { replaceCharge } from "./charges.ts";
import { chargeCard, declined } from "./charging.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch, type StripeError } from "./errors.ts";
import type { FormHash } from "./form.ts";
import { newId, randomText } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import {
  amount,
  currency,
  emptyableText,
  flag,
  hash,
  integer,
  metadata,
  money,
  oneOf,
  type Params,
  refuseUnknown,
  required,
  text,
  texts,
} from "./params.ts";
import {
  CANCEL_PARAMS,
  CAPTURE_PARAMS,
  CONFIRM_PARAMS,
  CREATE_PARAMS,
  INCREMENT_PARAMS,
  RETRIEVE_PARAMS,
  UPDATE_PARAMS,
} from "./payment-intent-params.ts";
import { referToCustomer, referToPaymentMethod, storePaymentMethod } from "./references.ts";

const CANCELLATION_REASONS = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"] as const;
const AMENDABLE: readonly IntentStatus[] = [
  "requires_payment_method",
  "requires_confirmation",
  "requires_action",
];
const CANCELABLE: readonly IntentStatus[] = [
  "requires_payment_method",
  "requires_capture",
  "requires_confirmation",
  "requires_action",
  "processing",
];

/**
 * Makes a payment intent, and with `confirm=true` charges it at once. A decline leaves the intent on the account, as
 * at Stripe, and answers 402 with the intent in the error.
 */
export const createPaymentIntent: Endpoint = (account, { params, idempotencyKey }) => {
  refuseUnknown(params, CREATE_PARAMS);
  const { amount: total, currency: unit } = money(params);
  const confirm = flag(params, "confirm") ?? false;
  const method = methodIn(params);
  const customer = text(params, "customer") ?? null;
  const change = changeIn(params);
  const confirmationMethod = oneOf(params, "confirmation_method", ["automatic", "manual"]) ?? "automatic";
  const automaticMethods = automaticMethodsIn(params);
  readConfirming(params);
  if (confirm && method === null) throw missingMethod();
  if (!confirm && params.has("off_session")) {
    throw invalidRequest("off_session can only be set when confirm is true.", { param: "off_session" });
  }

  return () => {
    if (customer !== null) referToCustomer(account, customer);
    const paymentMethod = method?.(account) ?? null;
    const id = newId.paymentIntent();
    const intent = change({
      ...NEW_INTENT,
      id,
      amount: total,
      automatic_payment_methods: automaticMethods,
      client_secret: `${id}_secret_${randomText(25)}`,
      confirmation_method: confirmationMethod,
      created: nowS(account),
      currency: unit,
      customer,
      payment_method: paymentMethod?.object.id ?? null,
      status: paymentMethod === null ? "requires_payment_method" : "requires_confirmation",
    });
    const stored = {
      object: intent,
      origin: originOf(account, idempotencyKey),
      declinedAtCreate: false,
      counted: "amount" as const,
    };
    account.paymentIntents.set(id, stored);
    if (!confirm || paymentMethod === null) return intent;
    return pay(account, stored, paymentMethod, { amount: total, declinedAtCreate: true });
  };
};

export const retrievePaymentIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, RETRIEVE_PARAMS);
  return () => existing(account, id).object;
};

/** Changes an intent. Its amount, currency and method only before it is paid; what describes it at any time. */
export const updatePaymentIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE_PARAMS);
  const total = amount(params, "amount");
  const unit = currency(params, "currency");
  const customer = text(params, "customer");
  const method = methodIn(params);
  const change = changeIn(params);

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    const touchesPayment = total !== undefined || unit !== undefined || method !== null;
    if (touchesPayment && !AMENDABLE.includes(object.status)) {
      const name = total !== undefined ? "amount" : unit !== undefined ? "currency" : "payment_method";
      throw unexpectedState(
        object,
        `This PaymentIntent's ${name} could not be updated because it has a status of ${object.status}. You may ` +
          `only update the ${name} of a PaymentIntent with one of the following statuses: ${AMENDABLE.join(", ")}.`,
      );
    }
    if (customer !== undefined) referToCustomer(account, customer);
    const paymentMethod = method?.(account).object.id ?? object.payment_method;
    const changed = { amount: total ?? object.amount, currency: unit ?? object.currency };
    refuseUnpayable(changed.amount, changed.currency);
    const counted = total === undefined && unit === undefined ? stored.counted : "amount";
    return replace(
      account,
      { ...stored, counted },
      {
        ...change(object),
        ...changed,
        customer: customer ?? object.customer,
        payment_method: paymentMethod,
        status: method === null ? object.status : "requires_confirmation",
      },
    );
  };
};

/** Charges an intent: `amount_to_confirm`, which becomes its amount if the charge succeeds, or its amount. */
export const confirmPaymentIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CONFIRM_PARAMS);
  const amountToConfirm = amount(params, "amount_to_confirm");
  const method = methodIn(params);
  const change = changeIn(params);
  readConfirming(params);

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    if (object.status === "succeeded" || object.status === "requires_capture") {
      throw unexpectedState(
        object,
        "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.",
      );
    }
    if (!AMENDABLE.includes(object.status)) {
      throw unexpectedState(
        object,
        `You cannot confirm this PaymentIntent because it has a status of ${object.status}. Only a PaymentIntent ` +
          "with one of the following statuses may be confirmed: requires_confirmation, requires_action.",
      );
    }
    if (method === null && object.payment_method === null) throw missingMethod(object);

    refuseUnpayable(amountToConfirm ?? object.amount, object.currency, "amount_to_confirm");
    const paymentMethod = method?.(account) ?? referToPaymentMethod(account, object.payment_method ?? "");
    return pay(account, { ...stored, object: change(object) }, paymentMethod, {
      amount: amountToConfirm ?? object.amount,
      declinedAtCreate: stored.declinedAtCreate,
    });
  };
};

/**
 * Takes what an intent holds, or `amount_to_capture` of it. The rest is let go, unless `final_capture=false` keeps it
 * for another capture. More than is held is refused.
 */
export const capturePaymentIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CAPTURE_PARAMS);
  const sent = amount(params, "amount_to_capture");
  const final = flag(params, "final_capture") ?? true;
  metadata(params, {});

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    if (object.status === "succeeded") {
      throw unexpectedState(
        object,
        "This PaymentIntent could not be captured because it has already been captured.",
      );
    }
    if (object.status !== "requires_capture") {
      throw unexpectedState(
        object,
        `This PaymentIntent could not be captured because it has a status of ${object.status}. Only a PaymentIntent ` +
          "with one of the following statuses may be captured: requires_capture.",
      );
    }
    const taken = sent ?? object.amount_capturable;
    if (taken > object.amount_capturable) {
      throw invalidRequest(
        "The amount to capture must be less than or equal to the amount that can be captured.",
        { code: "amount_too_large", param: "amount_to_capture" },
      );
    }
    refuseUnpayable(taken, object.currency, "amount_to_capture");
    const left = final ? 0 : object.amount_capturable - taken;
    const received = object.amount_received + taken;
    replaceCharge(account, object.latest_charge ?? "", {
      amount_captured: received,
      balance_transaction: newId.balanceTransaction(),
      captured: true,
    });
    const counted = stored.counted === "nothing" ? "captured" : stored.counted;
    return replace(
      account,
      { ...stored, counted },
      {
        ...object,
        amount_capturable: left,
        amount_received: received,
        metadata: metadata(params, object.metadata),
        status: left === 0 ? "succeeded" : "requires_capture",
      },
    );
  };
};

/** Ends an intent that is not paid, and lets go what it holds. */
export const cancelPaymentIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CANCEL_PARAMS);
  const reason = oneOf(params, "cancellation_reason", CANCELLATION_REASONS) ?? null;

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    if (!CANCELABLE.includes(object.status)) {
      throw unexpectedState(
        object,
        `You cannot cancel this PaymentIntent because it has a status of ${object.status}. Only a PaymentIntent with ` +
          `one of the following statuses may be canceled: ${CANCELABLE.join(", ")}.`,
      );
    }
    if (object.status === "requires_capture" && object.amount_received === 0) {
      replaceCharge(account, object.latest_charge ?? "", { amount_refunded: object.amount, refunded: true });
    }
    return replace(account, stored, {
      ...object,
      amount_capturable: 0,
      canceled_at: nowS(account),
      cancellation_reason: reason,
      status: "canceled",
    });
  };
};

/** Raises what an intent holds to the new total `amount`. */
export const incrementAuthorization: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, INCREMENT_PARAMS);
  const total = required(amount(params, "amount"), "amount");
  const change = changeIn(params);

  return () => {
    const stored = existing(account, id);
    const { object } = stored;
    if (object.status !== "requires_capture") {
      throw unexpectedState(
        object,
        `This PaymentIntent's authorization could not be incremented because it has a status of ${object.status}. ` +
          "Only a PaymentIntent with one of the following statuses may be incremented: requires_capture.",
      );
    }
    if (total <= object.amount) {
      throw invalidRequest("The amount must be greater than the currently authorized amount.", {
        param: "amount",
      });
    }
    refuseUnpayable(total, object.currency);
    replaceCharge(account, object.latest_charge ?? "", { amount: total });
    return replace(
      account,
      { ...stored, counted: "amount" },
      {
        ...change(object),
        amount: total,
        amount_capturable: object.amount_capturable + total - object.amount,
      },
    );
  };
};

export const listPaymentIntents: Endpoint = listEndpoint(
  "/v1/payment_intents",
  ({ paymentIntents }: Account) => [...paymentIntents.values()].map(({ object }) => object),
  ["customer"],
);

/**
 * Charges `amount` for an intent. If the bank says no, the intent is back at requires_payment_method with its amount
 * as it was, and the 402 is thrown; `declinedAtCreate` is what the intent is marked with then.
 */
function pay(
  account: Account,
  stored: StoredPaymentIntent,
  { object: method, decline, token }: StoredPaymentMethod,
  attempt: { amount: number; declinedAtCreate: boolean },
): PaymentIntent {
  const { object } = stored;
  const capture = object.capture_method !== "manual";
  const charge = chargeCard(account, {
    amount: attempt.amount,
    currency: object.currency,
    capture,
    decline,
    paymentMethod: method.id,
    card: method.card,
    token,
    invoice: null,
    paymentIntent: object.id,
    customer: object.customer,
    description: object.description,
    metadata: object.metadata,
    receiptEmail: object.receipt_email,
    statementDescriptor: object.statement_descriptor,
    statementDescriptorSuffix: object.statement_descriptor_suffix,
    transferGroup: object.transfer_group,
    origin: stored.origin,
  });

  if (decline !== null) {
    const details = { charge: charge.id, payment_method: method };
    const refusal = { ...stored, declinedAtCreate: attempt.declinedAtCreate };
    const intent = replace(account, refusal, {
      ...object,
      last_payment_error: { type: "card_error", ...decline, ...details },
      latest_charge: charge.id,
      payment_method: null,
      status: "requires_payment_method",
    });
    throw declined(decline, { ...details, payment_intent: intent });
  }
  return replace(
    account,
    { ...stored, declinedAtCreate: false, counted: "amount" },
    {
      ...object,
      amount: attempt.amount,
      amount_capturable: capture ? 0 : attempt.amount,
      amount_received: capture ? attempt.amount : 0,
      last_payment_error: null,
      latest_charge: charge.id,
      payment_method: method.id,
      status: capture ? "succeeded" : "requires_capture",
    },
  );
}

/** Reads what an intent may be given at several endpoints and that has no rule of its own. */
function changeIn(params: Params): (intent: PaymentIntent) => PaymentIntent {
  const captureMethod: CaptureMethod | undefined = oneOf(params, "capture_method", CAPTURE_METHODS);
  const sentTypes = texts(params, "payment_method_types");
  const fee =
    emptyableText(params, "application_fee_amount") === "" ? null : integer(params, "application_fee_amount");
  const read = (name: string) => {
    const sent = emptyableText(params, name);
    return (before: string | null) => (sent === undefined ? before : sent || null);
  };
  const description = read("description");
  const receiptEmail = read("receipt_email");
  const futureUsage = read("setup_future_usage");
  const descriptor = read("statement_descriptor");
  const descriptorSuffix = read("statement_descriptor_suffix");
  const transferGroup = read("transfer_group");
  metadata(params, {});

  return (intent) => ({
    ...intent,
    application_fee_amount: fee === undefined ? intent.application_fee_amount : fee,
    capture_method: captureMethod ?? intent.capture_method,
    description: description(intent.description),
    metadata: metadata(params, intent.metadata),
    payment_method_types: sentTypes.length > 0 ? sentTypes : intent.payment_method_types,
    receipt_email: receiptEmail(intent.receipt_email),
    setup_future_usage: futureUsage(intent.setup_future_usage),
    statement_descriptor: descriptor(intent.statement_descriptor),
    statement_descriptor_suffix: descriptorSuffix(intent.statement_descriptor_suffix),
    transfer_group: transferGroup(intent.transfer_group),
  });
}

/** Where the payment method of a request comes from, or null if it names none. */
function methodIn(params: Params): ((account: Account) => StoredPaymentMethod) | null {
  const id = text(params, "payment_method");
  if (id !== undefined) return (account) => referToPaymentMethod(account, id);
  const data = hash(params, "payment_method_data");
  if (data === undefined) return null;
  required(oneOf(data, "type", ["card"]), "payment_method_data[type]");
  const card: FormHash = hash(data, "card") ?? new Map();
  const token = text(card, "token") ?? "tok_visa";
  return (account) => storePaymentMethod(account, newId.paymentMethod(), token);
}

function automaticMethodsIn(params: Params): PaymentIntent["automatic_payment_methods"] {
  const sent = hash(params, "automatic_payment_methods");
  if (sent === undefined)
    return params.has("payment_method_types") ? null : { allow_redirects: "always", enabled: true };
  const enabled = required(flag(sent, "enabled"), "automatic_payment_methods[enabled]");
  return { allow_redirects: oneOf(sent, "allow_redirects", ["always", "never"]) ?? "always", enabled };
}

/** Checks the parameters of a confirmation that change nothing here. `off_session` may also be a hash. */
function readConfirming(params: Params): void {
  if (typeof params.get("off_session") === "string") flag(params, "off_session");
  flag(params, "error_on_requires_action");
  flag(params, "use_stripe_sdk");
  text(params, "return_url");
}

function existing({ paymentIntents }: Account, id: string): StoredPaymentIntent {
  const found = paymentIntents.get(id);
  if (found === undefined) throw noSuch("payment_intent", id, { param: "intent", status: 404 });
  return found;
}

function replace(account: Account, stored: StoredPaymentIntent, object: PaymentIntent): PaymentIntent {
  account.paymentIntents.set(object.id, { ...stored, object });
  return object;
}

function unexpectedState(intent: PaymentIntent | undefined, message: string): StripeError {
  const details = intent === undefined ? {} : { payment_intent: intent };
  return invalidRequest(message, { code: "payment_intent_unexpected_state", ...details });
}

function missingMethod(intent?: PaymentIntent): StripeError {
  return unexpectedState(
    intent,
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the " +
      "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment " +
      "method or ConfirmationToken.",
  );
}

/** An intent that was given nothing yet. */
export const NEW_INTENT = {
  object: "payment_intent",
  amount_capturable: 0,
  amount_details: { tip: {} },
  amount_received: 0,
  application: null,
  application_fee_amount: null,
  canceled_at: null,
  cancellation_reason: null,
  capture_method: "automatic_async",
  customer_account: null,
  description: null,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: null,
  livemode: false,
  metadata: {},
  next_action: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_options: {
    card: { installments: null, network: null, request_three_d_secure: "automatic" },
  },
  payment_method_types: ["card"],
  processing: null,
  receipt_email: null,
  review: null,
  setup_future_usage: null,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: null,
  transfer_data: null,
  transfer_group: null,
} as const;
