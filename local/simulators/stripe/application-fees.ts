import { nowS } from "./account.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { innerList, listEndpoint } from "./lists.ts";
import type { ApplicationFee, FeeRefund } from "./objects.ts";
import { amount, metadata, NO_PARAMS, names, refuseUnknown } from "./params.ts";
import { existing, type Kind, keep, listKind, objectsOn, retrieveEndpoint, rewrite } from "./shelves.ts";

const REFUND = names("amount metadata");

const KIND: Kind<ApplicationFee> = {
  noun: "application_fee",
  shelf: ({ applicationFees }) => applicationFees,
};

/** Gives a fee back to the account that paid it: `amount` of it, or all that is left. */
export const refundFee: Endpoint = (account, request) => {
  const { id, params } = request;
  refuseUnknown(params, REFUND);
  const sent = amount(params, "amount");
  const sentMetadata = metadata(params, {});

  return () => {
    const stored = existing(account.applicationFees, KIND.noun, id);
    const { object } = stored;
    const left = object.amount - object.amount_refunded;
    const total = sent ?? left;
    if (left === 0 || total > left) {
      throw invalidRequest(
        `Refund amount is greater than the unrefunded amount of the application fee (${left}).`,
        { param: "amount" },
      );
    }
    refuseUnpayable(total, object.currency);
    const refund: FeeRefund = {
      id: newId.of("fr"),
      object: "fee_refund",
      amount: total,
      balance_transaction: newId.balanceTransaction(),
      created: nowS(account),
      currency: object.currency,
      fee: id,
      metadata: sentMetadata,
    };
    const { data, url } = object.refunds;
    rewrite(account.applicationFees, stored, {
      ...object,
      amount_refunded: object.amount_refunded + total,
      refunded: total === left,
      refunds: innerList([refund, ...data], url),
    });
    return keep(account.feeRefunds, account, request, refund);
  };
};

export const retrieveFee: Endpoint = retrieveEndpoint(KIND);
export const listFees: Endpoint = listKind("/v1/application_fees", KIND, ["charge"]);

export const retrieveFeeRefund: Endpoint = (account, { ids: [feeId = "", id = ""], params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const { object } = existing(account.feeRefunds, "fee_refund", id);
    if (object.fee === feeId) return object;
    throw noSuch("fee_refund", id, { param: "id", status: 404 });
  };
};

export const listFeeRefunds: Endpoint = listEndpoint(
  (id) => `/v1/application_fees/${id}/refunds`,
  (account, id) => {
    existing(account.applicationFees, KIND.noun, id);
    return objectsOn(account.feeRefunds).filter(({ fee }) => fee === id);
  },
  [],
);
