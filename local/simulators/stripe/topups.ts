import { nowS } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest } from "./errors.ts";
import { newId } from "./ids.ts";
import type { Topup } from "./objects.ts";
import { metadata, money, NO_PARAMS, names, refuseUnknown, text } from "./params.ts";
import {
  describeEndpoint,
  existing,
  type Kind,
  keep,
  listKind,
  retrieveEndpoint,
  rewrite,
} from "./shelves.ts";

const CREATE = names(
  "amount currency description metadata payment_method payment_method_options source statement_descriptor transfer_group",
);

const KIND: Kind<Topup> = { noun: "topup", shelf: ({ topups }) => topups };

/** Pulls money from the holder's bank onto the account. It stays pending, whatever time passes. */
export const createTopup: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const order = money(params);
  const described = {
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    payment_method: text(params, "payment_method") ?? null,
    statement_descriptor: text(params, "statement_descriptor") ?? null,
    transfer_group: text(params, "transfer_group") ?? null,
  };
  const source = text(params, "source") ?? null;

  return () => {
    const topup: Topup = {
      ...NEW_TOPUP,
      ...order,
      ...described,
      id: newId.of("tu"),
      created: nowS(account),
      source: source === null ? null : { id: source, object: "source" },
    };
    return keep(account.topups, account, request, topup);
  };
};

export const cancelTopup: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = existing(account.topups, KIND.noun, id);
    if (stored.object.status !== "pending")
      throw invalidRequest("Top-ups can only be canceled while they are pending.");
    return rewrite(account.topups, stored, { ...stored.object, status: "canceled" });
  };
};

export const retrieveTopup: Endpoint = retrieveEndpoint(KIND);
export const updateTopup: Endpoint = describeEndpoint(KIND);
export const listTopups: Endpoint = listKind("/v1/topups", KIND, ["status"]);

const NEW_TOPUP = {
  object: "topup",
  balance_transaction: null,
  expected_availability_date: null,
  failure_code: null,
  failure_message: null,
  initiated_by: null,
  livemode: false,
  status: "pending",
} as const;
