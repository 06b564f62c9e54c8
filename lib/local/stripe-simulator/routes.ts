import * as charges from "./charges.ts";
import * as customers from "./customers.ts";
import type { Endpoint } from "./endpoint.ts";
import type { ObjectType } from "./expand.ts";
import * as intents from "./payment-intents.ts";
import * as methods from "./payment-methods.ts";
import * as refunds from "./refunds.ts";

export interface Route {
  readonly endpoint: Endpoint;
  /** The object it answers with, or answers a list of. */
  readonly type: ObjectType;
  readonly isList: boolean;
}

const one = (type: ObjectType, endpoint: Endpoint): Route => ({ endpoint, type, isList: false });
const list = (type: ObjectType, endpoint: Endpoint): Route => ({ endpoint, type, isList: true });

/** Every endpoint served. `:id` is one segment. A path that is not here, a trailing slash included, is a 404. */
const ROUTES: Readonly<Record<string, Route>> = {
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
  "POST /v1/customers": one("customer", customers.createCustomer),
  "GET /v1/customers": list("customer", customers.listCustomers),
  "GET /v1/customers/:id": one("customer", customers.retrieveCustomer),
  "POST /v1/customers/:id": one("customer", customers.updateCustomer),
  "DELETE /v1/customers/:id": one("customer", customers.deleteCustomer),
  "POST /v1/payment_methods": one("payment_method", methods.createPaymentMethod),
  "GET /v1/payment_methods": list("payment_method", methods.listPaymentMethods),
  "GET /v1/payment_methods/:id": one("payment_method", methods.retrievePaymentMethod),
  "POST /v1/payment_methods/:id/attach": one("payment_method", methods.attachPaymentMethod),
  "POST /v1/payment_methods/:id/detach": one("payment_method", methods.detachPaymentMethod),
};

/** The endpoint of a method and path, with the id in the path, or undefined. */
export function findRoute(method: string, path: string): { route: Route; id: string } | undefined {
  const [empty, version, collection, id, action, ...rest] = path.split("/");
  if (empty !== "" || rest.length > 0 || id === "" || action === "") return undefined;
  const pattern = [
    "",
    version,
    collection,
    ...(id === undefined ? [] : [":id"]),
    ...(action === undefined ? [] : [action]),
  ];
  const name = `${method} ${pattern.join("/")}`;
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  return route === undefined ? undefined : { route, id: id ?? "" };
}
