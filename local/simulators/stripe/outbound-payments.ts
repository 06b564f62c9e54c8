import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import type { OutboundPayment } from "./objects.ts";
import { hash, metadata, money, NO_PARAMS, names, refuseUnknown, required, text } from "./params.ts";
import { existing, type Kind, keep, objectsOn, retrieveEndpoint, rewrite } from "./shelves.ts";

const CREATE = names(
  "amount delivery_options description from metadata outbound_payment_quote payout_intent purpose " +
    "recipient_notification recipient_verification statement_descriptor to",
);
const AMOUNT = names("value currency");

const KIND: Kind<OutboundPayment> = {
  noun: "outbound_payment",
  shelf: ({ outboundPayments }) => outboundPayments,
};

/** Pays somebody from a financial account: v2, in JSON. Of a payment nothing is checked but its amount and its ends. */
export const createOutboundPayment: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const sent = required(hash(params, "amount"), "amount");
  refuseUnknown(sent, AMOUNT);
  const order = money(new Map([...sent].map(([name, value]) => [name === "value" ? "amount" : name, value])));
  const from = required(hash(params, "from"), "from");
  const to = required(hash(params, "to"), "to");
  const described = {
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    statement_descriptor: text(params, "statement_descriptor") ?? "KEYBRAKE SIMULATOR",
  };

  return () => {
    const amount = { value: order.amount, currency: order.currency };
    const payment: OutboundPayment = {
      object: "v2.money_management.outbound_payment",
      ...described,
      id: `obp_test_${newId.of("x").slice(2)}`,
      amount,
      cancelable: true,
      created: new Date(account.nowMs()).toISOString(),
      from: { debited: amount, financial_account: text(from, "financial_account") ?? null },
      livemode: false,
      recipient_notification: { setting: "configured" },
      status: "processing",
      to: {
        credited: amount,
        payout_method: text(to, "payout_method") ?? null,
        recipient: text(to, "recipient") ?? null,
      },
    };
    return keep(account.outboundPayments, account, request, payment);
  };
};

export const cancelOutboundPayment: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = existing(account.outboundPayments, KIND.noun, id);
    if (stored.object.status !== "processing")
      throw invalidRequest("This OutboundPayment can no longer be canceled.", { code: "not_cancelable" });
    return rewrite(account.outboundPayments, stored, {
      ...stored.object,
      cancelable: false,
      status: "canceled",
    });
  };
};

export const retrieveOutboundPayment: Endpoint = retrieveEndpoint(KIND);

/** All of them, newest first, on one page. */
export const listOutboundPayments: Endpoint =
  ({ outboundPayments }) =>
  () => ({ data: objectsOn(outboundPayments).reverse(), next_page_url: null, previous_page_url: null });
