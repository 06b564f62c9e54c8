import { type Account, nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import type { StripeEvent } from "./objects.ts";
import { text } from "./params.ts";

/** What a request ended in. `body`: the JSON that was answered, or would have been. */
export interface Executed {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: string;
  readonly requestId: string;
  readonly idempotencyKey: string | null;
}

/** The event of an endpoint; a changed PaymentIntent, refund or charge has none that tells of the request. */
const TYPES: readonly (readonly [path: RegExp, type: string])[] = [
  [/^\/v1\/payment_intents$/, "payment_intent.created"],
  [/^\/v1\/payment_intents\/[^/]+\/cancel$/, "payment_intent.canceled"],
  [/^\/v1\/charges$/, "charge.succeeded"],
  [/^\/v1\/charges\/[^/]+\/capture$/, "charge.captured"],
  [/^\/v1\/refunds$/, "refund.created"],
  [/^\/v1\/payouts$/, "payout.created"],
  [/^\/v1\/topups$/, "topup.created"],
  [/^\/v1\/transfers$/, "transfer.created"],
  [/^\/v1\/invoices$/, "invoice.created"],
  [/^\/v1\/invoices\/[^/]+\/finalize$/, "invoice.finalized"],
  [/^\/v1\/invoices\/[^/]+\/pay$/, "invoice.paid"],
  [/^\/v1\/invoices\/[^/]+\/send$/, "invoice.sent"],
  [/^\/v1\/invoices\/[^/]+\/void$/, "invoice.voided"],
  [/^\/v1\/invoiceitems$/, "invoiceitem.created"],
  [/^\/v1\/credit_notes$/, "credit_note.created"],
];

/** What a PaymentIntent that was made, confirmed or captured has come to. */
const BY_STATUS: Readonly<Record<string, string>> = {
  succeeded: "payment_intent.succeeded",
  requires_action: "payment_intent.requires_action",
  requires_capture: "payment_intent.amount_capturable_updated",
};

/** Notes what a POST caused, whether or not anybody gets its answer. */
export function noteEvents(account: Account, executed: Executed): void {
  const { method, path, status, requestId, idempotencyKey } = executed;
  if (method !== "POST" || (status !== 200 && status !== 402)) return;
  const body = JSON.parse(executed.body) as Record<string, unknown>;
  for (const { type, object } of status === 200 ? caused(path, body) : declined(account, path, body)) {
    account.events.push({
      id: newId.of("evt"),
      object: "event",
      api_version: "2026-10-28.endive",
      created: nowS(account),
      data: { object },
      livemode: false,
      pending_webhooks: 0,
      request: { id: requestId, idempotency_key: idempotencyKey },
      type,
    });
  }
}

interface Caused {
  readonly type: string;
  readonly object: unknown;
}

function caused(path: string, object: Record<string, unknown>): readonly Caused[] {
  const named = TYPES.flatMap(([pattern, type]) => (pattern.test(path) ? [{ type, object }] : []));
  const isSettling = /^\/v1\/payment_intents(\/[^/]+\/(confirm|capture))?$/.test(path);
  const reached = isSettling ? BY_STATUS[`${object["status"]}`] : undefined;
  return reached === undefined ? named : [...named, { type: reached, object }];
}

function declined(account: Account, path: string, body: Record<string, unknown>): readonly Caused[] {
  const error = body["error"] as Record<string, unknown>;
  const intent = error["payment_intent"];
  if (intent !== undefined) {
    const created =
      path === "/v1/payment_intents" ? [{ type: "payment_intent.created", object: intent }] : [];
    return [...created, { type: "payment_intent.payment_failed", object: intent }];
  }
  const charge = account.charges.get(`${error["charge"]}`)?.object;
  return charge === undefined ? [] : [{ type: "charge.failed", object: charge }];
}

/** `GET /v1/events`: by `created` and `type`, which may end in `.*`. */
export const listEvents: Endpoint = (account, request) => {
  const wanted = text(request.params, "type");
  const fits = ({ type }: StripeEvent) =>
    wanted === undefined || (wanted.endsWith(".*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted);
  const params = new Map([...request.params].filter(([name]) => name !== "type"));
  return listEndpoint("/v1/events", ({ events }) => events.filter(fits), [])(account, { ...request, params });
};
