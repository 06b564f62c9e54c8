import { type Account, nowS, type Stored } from "./account.ts";
import { declined } from "./charging.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId, randomText } from "./ids.ts";
import type { CreatedObject } from "./objects.ts";
import { ofType, otherOf, replaceOther } from "./others.ts";
import { flag, metadata, names, oneOf, refuseUnknown, text, texts } from "./params.ts";
import { referToCustomer, referToPaymentMethod } from "./references.ts";
import { keep } from "./shelves.ts";

const CREATE = names(
  "allowed_payment_method_types attach_to_self automatic_payment_methods confirm confirmation_token customer " +
    "customer_account description excluded_payment_method_types flow_directions mandate_data metadata on_behalf_of " +
    "payment_method payment_method_configuration payment_method_data payment_method_options payment_method_types " +
    "return_url single_use usage use_stripe_sdk",
);
const CONFIRM = names(
  "allowed_payment_method_types confirmation_token mandate_data payment_method payment_method_data " +
    "payment_method_options return_url use_stripe_sdk",
);
const CANCEL = names("cancellation_reason");

const TYPE = "setup_intent";

export const setupIntents = ofType(TYPE, "/v1/setup_intents");

/** Sets a card up for later. No money moves. */
export const createSetupIntent: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const confirm = flag(params, "confirm") ?? false;
  const method = text(params, "payment_method");
  const customer = text(params, "customer") ?? null;
  const types = texts(params, "payment_method_types");
  const described = {
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    payment_method_types: types.length > 0 ? types : ["card"],
    usage: oneOf(params, "usage", ["off_session", "on_session"]) ?? "off_session",
  };
  if (confirm && method === undefined)
    throw invalidRequest("A payment method is needed to confirm.", { param: "payment_method" });

  return () => {
    if (customer !== null) referToCustomer(account, customer);
    const id = newId.of("seti");
    const paymentMethod = method === undefined ? null : referToPaymentMethod(account, method).object.id;
    const made = keep<CreatedObject>(account.others, account, request, {
      ...NEW_SETUP,
      ...described,
      id,
      client_secret: `${id}_secret_${randomText(25)}`,
      created: nowS(account),
      customer,
      payment_method: paymentMethod,
      status: paymentMethod === null ? "requires_payment_method" : "requires_confirmation",
    });
    return confirm && paymentMethod !== null
      ? setUp(account, otherOf(account, TYPE, id), paymentMethod)
      : made;
  };
};

export const confirmSetupIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CONFIRM);
  const sent = text(params, "payment_method");
  return () => {
    const stored = unfinished(account, id, "confirm");
    const method = sent ?? stored.object["payment_method"];
    if (typeof method !== "string") throw unexpected("You cannot confirm it without a payment method.");
    return setUp(account, stored, method);
  };
};

export const cancelSetupIntent: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, CANCEL);
  const reason =
    oneOf(params, "cancellation_reason", ["abandoned", "duplicate", "requested_by_customer"]) ?? null;
  return () => {
    const stored = unfinished(account, id, "cancel");
    return replaceOther(account, stored, {
      ...stored.object,
      cancellation_reason: reason,
      status: "canceled",
    });
  };
};

function setUp(account: Account, stored: Stored<CreatedObject>, method: string): CreatedObject {
  const { object, decline } = referToPaymentMethod(account, method);
  if (decline !== null) {
    replaceOther(account, stored, { ...stored.object, status: "requires_payment_method" });
    throw declined(decline, { payment_method: object });
  }
  return replaceOther(account, stored, { ...stored.object, payment_method: object.id, status: "succeeded" });
}

function unfinished(account: Account, id: string, what: string): Stored<CreatedObject> {
  const stored = otherOf(account, TYPE, id);
  const status = stored.object["status"];
  if (status !== "succeeded" && status !== "canceled") return stored;
  throw unexpected(`You cannot ${what} this SetupIntent because it has a status of ${status}.`);
}

const unexpected = (message: string) => invalidRequest(message, { code: "setup_intent_unexpected_state" });

const NEW_SETUP = {
  object: TYPE,
  application: null,
  automatic_payment_methods: null,
  cancellation_reason: null,
  customer_account: null,
  excluded_payment_method_types: null,
  flow_directions: null,
  last_setup_error: null,
  latest_attempt: null,
  livemode: false,
  mandate: null,
  next_action: null,
  on_behalf_of: null,
  payment_method_configuration_details: null,
  payment_method_options: {
    card: { mandate_options: null, network: null, request_three_d_secure: "automatic" },
  },
  single_use_mandate: null,
} as const;
