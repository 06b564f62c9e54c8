import { type CountedObject, highestTotal, uncounted } from "../domain/counted-object.ts";
import { isSafeToRepeat, Problem, type ProblemCode } from "../domain/denial.ts";
import { fromUsdCents, type MicroUsd, microUsd, NOTHING } from "../domain/money.ts";
import type {
  DenialFacts,
  Endpoint,
  FreeRule,
  Headers,
  PricedRule,
  Quote,
  Reading,
  Vendor,
  VendorAnswer,
  VendorRequest,
} from "../domain/vendor.ts";
import { type Form, isField, namesUnder, parseForm, wholeNumber } from "./form.ts";
import {
  CHARGE_CREATE,
  CONNECT,
  CUSTOMER,
  INTENT_CANCEL,
  INTENT_CAPTURE,
  INTENT_CONFIRM,
  INTENT_CREATE,
  INTENT_INCREMENT,
  INTENT_UPDATE,
  READ,
  REFUND_CREATE,
} from "./stripe-fields.ts";

/**
 * Stripe: what its endpoints cost, and how its answers are read.
 *
 * Spend is the money moved or committed. A PaymentIntent is counted when it is created: its answer holds a client
 * secret with which it can be confirmed past this proxy. Amounts are integers of the currency's smallest unit.
 * Sources, read 2026-11-22: the type declarations of stripe-node 23.1.0; docs.stripe.com/api/idempotent_requests,
 * /error-low-level and /currencies.
 */

const HOUR_MS = 3_600_000;

/** Replayed for at least 24 hours, failures included. docs.stripe.com/api/idempotent_requests, read 2026-11-22. */
const V1_POST = { windowMs: 24 * HOUR_MS, rerunsFailures: false };

/**
 * An upper bound in micro-dollars of one smallest unit of any currency: the dearest, of pounds, is worth 1.4 cents.
 * Only for refunds, whose request names no currency: where the answer names another than USD, this is what counts.
 */
const ANY_SMALLEST_UNIT = microUsd(20_000n);

type Target = (form: Form, object: CountedObject | null) => MicroUsd | null | Problem;

interface Pricing {
  /** The parameters that reach Stripe. */
  readonly fields: readonly string[];
  /** The one that names the amount, where one may. */
  readonly amountField: string | null;
  /** What it can cost at most. */
  readonly target: (form: Form, object: CountedObject | null) => MicroUsd | Problem;
  readonly read: PricedRule["read"];
  /** The object that it acts on, where it matters whether this root has counted it. */
  readonly objectOf?: PricedRule["objectOf"];
  readonly explanation?: (object: CountedObject | null) => string | null;
}

/** Reads a form, then prices it. */
const priced = ({ fields, amountField, target, read, objectOf, explanation }: Pricing): PricedRule => ({
  kind: "priced",
  idempotency: V1_POST,
  objectOf: objectOf ?? (() => null),
  quote: (request, object) => {
    const form = parseForm(request);
    if (form instanceof Problem) return form;
    const amount = unlisted(form, fields) ?? target(form, object);
    if (amount instanceof Problem) return amount;
    const amountText = amountField === null ? null : (form.get(amountField) ?? null);
    const currency = form.get("currency")?.toLowerCase() ?? null;
    return { amount, amountText, currency, explanation: explanation?.(object) ?? null };
  },
  read: (answer, quote, object) => readMoney(answer, quote, object, read),
});

/** Refuses the first parameter that is not listed: it could move other money, or act on another account. */
function unlisted(form: Form, fields: readonly string[]): Problem | null {
  for (const name of form.keys()) {
    const field = name.split("[", 1)[0] ?? name;
    if (fields.includes(field)) continue;
    const shown = field.slice(0, 40);
    if (CONNECT.includes(field)) {
      return new Problem(
        "account_not_allowed",
        `${shown}: moves money to another account, which this vault key does not allow; leave it out; nothing was charged`,
      );
    }
    return new Problem(
      "endpoint_not_priced",
      `${shown}: is no parameter that is known here, so what it would cost is not known; leave it out; nothing was charged`,
    );
  }
  return null;
}

/** The amount of a field that has to be there, in USD cents. */
const required =
  (field: string): ((form: Form) => MicroUsd | Problem) =>
  (form) => {
    const cents = wholeNumber(form, field);
    if (cents instanceof Problem) return cents;
    if (cents === null) {
      return new Problem(
        "amount_unknown",
        `${field}: missing; without it this call has no upper bound; nothing was charged`,
      );
    }
    return fromUsdCents(cents);
  };

const optional =
  (field: string): ((form: Form) => MicroUsd | null | Problem) =>
  (form) => {
    const cents = wholeNumber(form, field);
    return cents instanceof Problem || cents === null ? cents : fromUsdCents(cents);
  };

const inUsd = (form: Form, needed: boolean): Problem | null => {
  const names = namesUnder(form, "currency");
  const currency = form.get("currency");
  if (names.length === 0 && !needed) return null;
  if (names.length === 1 && currency !== undefined && /^usd$/i.test(currency)) return null;
  const got = currency === undefined ? "nothing" : JSON.stringify(currency.slice(0, 20));
  return new Problem(
    "currency_unknown",
    `currency: got ${got}; accepted is usd, since no rate is configured for others; nothing was charged`,
  );
};

/** Something new of `amount` USD cents. */
const created = (form: Form): MicroUsd | Problem => inUsd(form, true) ?? required("amount")(form);

/**
 * What a counted PaymentIntent would be raised to, beyond what is counted for it already. One that was cancelled costs
 * nothing: Stripe refuses whatever is asked of it, or replays what it answered before
 * (docs.stripe.com/api/payment_intents/cancel, read 2026-11-22).
 */
const raised =
  (target: Target) =>
  (form: Form, object: CountedObject | null): MicroUsd | Problem => {
    if (object === null) return notOfRoot();
    const total = inUsd(form, false) ?? target(form, object);
    if (total instanceof Problem) return total;
    return total === null || object.cancelled ? NOTHING : uncounted(object, total);
  };

/** Cancelling costs nothing, but only who made it may. */
const cancelled = (_: Form, object: CountedObject | null): MicroUsd | Problem =>
  object === null ? notOfRoot() : NOTHING;

const notOfRoot = () =>
  new Problem(
    "endpoint_not_priced",
    "this PaymentIntent was not created with this vault key or one of its family, so what it would cost is not known; create it with this key; nothing was charged",
  );

const orHighest =
  (field: string): Target =>
  (form, object) => {
    const named = optional(field)(form);
    return named === null && object !== null ? highestTotal(object) : named;
  };

/**
 * A refund names no currency. Of what this root has charged it is USD; of anything else it could be any, so the dearest
 * is reserved, and given back once the answer names it.
 */
function refunded(form: Form, object: CountedObject | null): MicroUsd | Problem {
  const amount = inUsd(form, false) ?? required("amount")(form);
  return amount instanceof Problem || object !== null ? amount : inDearest(amount);
}

const inDearest = (amount: MicroUsd): MicroUsd => microUsd((amount / fromUsdCents(1n)) * ANY_SMALLEST_UNIT);

const dearestReserved = (object: CountedObject | null): string | null =>
  object === null
    ? "a refund of what this vault key did not charge names no currency, so 2 cents are reserved for each smallest unit until Stripe names it"
    : null;

const OBJECT_ID = /^[A-Za-z]+_[A-Za-z0-9]{1,200}$/;

function refundedObject(request: VendorRequest): string | null {
  const form = parseForm(request);
  if (form instanceof Problem || (form.has("payment_intent") && form.has("charge"))) return null;
  const objectId = form.get("payment_intent") ?? form.get("charge") ?? "";
  return OBJECT_ID.test(objectId) ? objectId : null;
}

/** Costs nothing. `fields`: the parameters of a POST that reach Stripe, or null where none of them can cost. */
const free = (fields: readonly string[] | null): FreeRule => ({
  kind: "free",
  check: (request) => {
    if (request.method === "POST") {
      const form = parseForm(request);
      if (form instanceof Problem) return form;
      return fields === null ? null : unlisted(form, fields);
    }
    return request.method === "GET" ? readable(request) : bare(request);
  },
});

/** A query that only reads: Stripe's older clients could name another method, account or key in it. */
function readable(request: VendorRequest): Problem | null {
  const unknown = Object.keys(request.query).find(
    (name) => !isField(name) || !READ.includes(name.split("[", 1)[0] ?? name),
  );
  if (unknown === undefined) return withoutBody(request);
  return new Problem(
    "ambiguous_request",
    `${JSON.stringify(unknown.slice(0, 40))} is no parameter of a query that is known here; accepted are ${READ.join(", ")}; nothing was charged`,
  );
}

const bare = (request: VendorRequest): Problem | null =>
  Object.keys(request.query).length === 0
    ? withoutBody(request)
    : new Problem(
        "ambiguous_request",
        `a ${request.method} has no parameters; leave them out; nothing was charged`,
      );

const withoutBody = ({ method, body }: VendorRequest): Problem | null =>
  body.length === 0
    ? null
    : new Problem("ambiguous_request", `a ${method} has no body; leave it out; nothing was charged`);

type Json = { readonly [field: string]: unknown };
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null;
/** An id or a name of Stripe's: short and printable, whatever an answer may hold. */
const text = (value: unknown): string | null =>
  typeof value === "string" && /^[\x21-\x7e]{1,255}$/.test(value) ? value : null;
const cents = (value: unknown): MicroUsd | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? fromUsdCents(BigInt(value)) : null;

function parsed(body: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isJson(value) ? value : {};
  } catch {
    return {};
  }
}

/** Given before the idempotency layer, or for a request that was never run: docs.stripe.com/error-low-level. */
const NOT_EXECUTED = new Set([400, 401, 403, 404, 405, 409, 413, 415, 422, 429]);

/** Sorts an answer by what Stripe did, and lets `read` find the money of one that was executed. */
function readMoney(
  answer: VendorAnswer,
  quote: Quote,
  object: CountedObject | null,
  read: PricedRule["read"],
): Reading {
  const replayed = answer.headers["idempotent-replayed"]?.[0] === "true";
  const { status } = answer;
  if (status >= 200 && status < 300) return { ...read(answer, quote, object), replayed };

  // A failure that is replayed was stored, so it was executed; a first 4xx speaks of its own request alone.
  if (status === 402 || (replayed && NOT_EXECUTED.has(status)))
    return { ...declinedObject(answer, quote), kind: "declined", replayed };
  return { ...nothing(quote), kind: NOT_EXECUTED.has(status) ? "refused" : "unknown", replayed };
}

const nothing = (quote: Quote): Reading => ({
  kind: "executed",
  price: NOTHING,
  replayed: false,
  objectId: null,
  customerId: null,
  amountText: quote.amountText,
  currency: quote.currency,
  counts: null,
  uncountsObject: false,
});

/** A decline at creation leaves a PaymentIntent that can be confirmed later: it is remembered, with nothing counted. */
function declinedObject(answer: VendorAnswer, quote: Quote): Reading {
  const { error } = parsed(answer.body);
  const intent = isJson(error) ? error["payment_intent"] : undefined;
  const objectId = isJson(intent) ? text(intent["id"]) : null;
  const total = isJson(intent) && intent["currency"] === "usd" ? cents(intent["amount"]) : null;
  return {
    ...nothing(quote),
    objectId,
    counts: objectId !== null && total !== null ? { objectId, total } : null,
  };
}

/** What every object tells of itself. An amount that cannot be read costs what was quoted. */
function described(answer: VendorAnswer, quote: Quote): { object: Json; reading: Reading; amount: MicroUsd } {
  const object = parsed(answer.body);
  const currency = text(object["currency"]) ?? quote.currency;
  const amount = cents(object["amount"]);
  const reading: Reading = {
    ...nothing(quote),
    objectId: text(object["id"]),
    customerId: text(object["customer"]),
    amountText: amount === null ? quote.amountText : `${object["amount"]}`,
    currency,
  };
  return { object, reading, amount: amount ?? quote.amount };
}

const readCreated: PricedRule["read"] = (answer, quote) => {
  const { object, reading, amount } = described(answer, quote);
  const price = object["status"] === "failed" ? NOTHING : amount;
  const counts = price > 0n && reading.objectId !== null && reading.currency === "usd";
  return { ...reading, price, counts: counts ? { objectId: reading.objectId ?? "", total: price } : null };
};

const readRefund: PricedRule["read"] = (answer, quote) => {
  const { object, reading, amount } = described(answer, quote);
  if (object["status"] === "failed" || object["status"] === "canceled") return { ...reading, price: NOTHING };
  if (reading.currency === null || reading.currency === "usd") return { ...reading, price: amount };
  return { ...reading, price: inDearest(amount) };
};

/** What a PaymentIntent is about, in the field `total`, beyond what is counted for it. */
const readRaised =
  (total: "amount" | "amount_received"): PricedRule["read"] =>
  (answer, quote, object) => {
    const { object: intent, reading } = described(answer, quote);
    const now = cents(intent[total]);
    if (object === null || now === null) return { ...reading, price: quote.amount };
    return { ...reading, price: uncounted(object, now), counts: { objectId: object.objectId, total: now } };
  };

/** An update that names no amount moves nothing, whatever the PaymentIntent is about. */
const readUpdate: PricedRule["read"] = (answer, quote, object) =>
  quote.amountText === null ? described(answer, quote).reading : readRaised("amount")(answer, quote, object);

/** Cancelled without ever having received money: Stripe will take none any more. */
const readCancel: PricedRule["read"] = (answer, quote) => {
  const { object, reading } = described(answer, quote);
  return { ...reading, uncountsObject: object["status"] === "canceled" && object["amount_received"] === 0 };
};

const intent = (pricing: Pricing): PricedRule =>
  priced({ ...pricing, objectOf: ({ path }) => path.split("/")[3] ?? null });

const newIntent = priced({
  fields: INTENT_CREATE,
  amountField: "amount",
  target: created,
  read: readCreated,
});
const update = intent({
  fields: INTENT_UPDATE,
  amountField: "amount",
  target: raised(optional("amount")),
  read: readUpdate,
});
const confirm = intent({
  fields: INTENT_CONFIRM,
  amountField: "amount_to_confirm",
  target: raised(orHighest("amount_to_confirm")),
  read: readRaised("amount"),
});
const capture = intent({
  fields: INTENT_CAPTURE,
  amountField: "amount_to_capture",
  target: raised(orHighest("amount_to_capture")),
  read: readRaised("amount_received"),
});
const increment = intent({
  fields: INTENT_INCREMENT,
  amountField: "amount",
  target: raised(required("amount")),
  read: readRaised("amount"),
});
const cancel = intent({ fields: INTENT_CANCEL, amountField: null, target: cancelled, read: readCancel });
const newCharge = priced({
  fields: CHARGE_CREATE,
  amountField: "amount",
  target: created,
  read: readCreated,
});
const newRefund = priced({
  objectOf: refundedObject,
  explanation: dearestReserved,
  fields: REFUND_CREATE,
  amountField: "amount",
  target: refunded,
  read: readRefund,
});
const read = free(null);

const catalog: readonly Endpoint[] = [
  { method: "POST", path: "/v1/payment_intents", rule: newIntent },
  { method: "POST", path: "/v1/payment_intents/{id}", rule: update },
  { method: "POST", path: "/v1/payment_intents/{id}/confirm", rule: confirm },
  { method: "POST", path: "/v1/payment_intents/{id}/capture", rule: capture },
  { method: "POST", path: "/v1/payment_intents/{id}/increment_authorization", rule: increment },
  { method: "POST", path: "/v1/payment_intents/{id}/cancel", rule: cancel },
  { method: "GET", path: "/v1/payment_intents", rule: read },
  { method: "GET", path: "/v1/payment_intents/{id}", rule: read },

  { method: "POST", path: "/v1/charges", rule: newCharge },
  { method: "GET", path: "/v1/charges", rule: read },
  { method: "GET", path: "/v1/charges/{id}", rule: read },

  { method: "POST", path: "/v1/refunds", rule: newRefund },
  { method: "GET", path: "/v1/refunds", rule: read },
  { method: "GET", path: "/v1/refunds/{id}", rule: read },

  // Of a customer, whatever gives credit is not listed: a later invoice would take that much less.
  { method: "POST", path: "/v1/customers", rule: free(CUSTOMER) },
  { method: "POST", path: "/v1/customers/{id}", rule: free(CUSTOMER) },
  { method: "GET", path: "/v1/customers", rule: read },
  { method: "GET", path: "/v1/customers/{id}", rule: read },
  { method: "DELETE", path: "/v1/customers/{id}", rule: read },
  { method: "GET", path: "/v1/customers/{id}/payment_methods", rule: read },
  { method: "GET", path: "/v1/customers/{id}/payment_methods/{id}", rule: read },

  { method: "POST", path: "/v1/payment_methods", rule: free(null) },
  { method: "POST", path: "/v1/payment_methods/{id}", rule: free(null) },
  { method: "POST", path: "/v1/payment_methods/{id}/attach", rule: free(null) },
  { method: "POST", path: "/v1/payment_methods/{id}/detach", rule: free(null) },
  { method: "GET", path: "/v1/payment_methods", rule: read },
  { method: "GET", path: "/v1/payment_methods/{id}", rule: read },
];

const TYPE_BY_STATUS: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  409: "idempotency_error",
  413: "invalid_request_error",
  429: "rate_limit_error",
};

/** Stripe's own word where it has one. */
const CODE: Partial<Record<ProblemCode, string>> = { key_expired: "api_key_expired" };

function denial({ status, code, message, requestId, charged, details }: DenialFacts) {
  const error = {
    type: TYPE_BY_STATUS[status] ?? "api_error",
    code: CODE[code] ?? code,
    message,
    request_id: requestId,
    charged,
    ...details,
  };
  const retry = isSafeToRepeat(status) ? {} : { "Stripe-Should-Retry": "false" };
  return { headers: { "Request-Id": requestId, ...retry }, body: JSON.stringify({ error }) };
}

/** Under older versions some parameters had other names: a customer's credit was `account_balance` until 2019-10-17. */
const VERSION_MIN = "2020-03-02";
const isKnownVersion = (version: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(version) && version >= VERSION_MIN && !version.endsWith(".preview");

function refuseHeaders(headers: Headers): Problem | null {
  for (const name of ["stripe-account", "stripe-context"]) {
    if (name in headers)
      return new Problem(
        "account_not_allowed",
        `the header ${name} acts on another account, which this vault key does not allow; leave it out; nothing was charged`,
      );
  }
  for (const name of ["x-http-method-override", "x-http-method", "x-method-override"]) {
    if (name in headers)
      return new Problem(
        "ambiguous_request",
        `the header ${name} asks for another method; send that method itself; nothing was charged`,
      );
  }
  const versions = headers["stripe-version"] ?? [];
  if (versions.length > 1 || versions.some((version) => !isKnownVersion(version))) {
    return new Problem(
      "ambiguous_request",
      `Stripe-Version: accepted is one released version from ${VERSION_MIN} on; under others a parameter may mean something else; nothing was charged`,
    );
  }
  const keys = headers["idempotency-key"] ?? [];
  if (keys.length > 1 || keys.some((key) => key.trim() === "" || key.length > 255)) {
    return new Problem(
      "ambiguous_request",
      "Idempotency-Key: accepted is one header of 1 to 255 characters; nothing was charged",
    );
  }
  return null;
}

export const stripe: Vendor = {
  name: "stripe",
  origin: "https://api.stripe.com",
  authorize: (secret) => ({ authorization: `Bearer ${secret}` }),
  forwardedHeaders: [
    "accept",
    "content-type",
    "idempotency-key",
    "stripe-version",
    "user-agent",
    "x-stripe-client-telemetry",
    "x-stripe-client-user-agent",
  ],
  refuseHeaders,
  catalog,
  denial,
  requestId: (headers) => text(headers["request-id"]?.[0]),
};
