import { type Account, nowS } from "./account.ts";
import { refuseUnpayable } from "./currencies.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import { newId } from "./ids.ts";
import { innerList, listEndpoint } from "./lists.ts";
import type { Transfer, TransferReversal } from "./objects.ts";
import {
  amount,
  currency,
  flag,
  metadata,
  NO_PARAMS,
  names,
  refuseUnknown,
  required,
  text,
} from "./params.ts";
import {
  describeEndpoint,
  existing,
  type Kind,
  keep,
  listKind,
  objectsOn,
  retrieveEndpoint,
  rewrite,
} from "./shelves.ts";

const CREATE = names(
  "amount currency description destination metadata source_transaction source_type transfer_group",
);
const REVERSE = names("amount description metadata refund_application_fee");

const KIND: Kind<Transfer> = { noun: "transfer", shelf: ({ transfers }) => transfers };

/**
 * Sends money to another account. Of a charge named as `source_transaction` it is the whole, if no amount is sent. Any
 * `acct_…` can be sent to, and nothing arrives there: the other account's book is not touched.
 */
export const createTransfer: Endpoint = (account, request) => {
  const { params } = request;
  refuseUnknown(params, CREATE);
  const unit = required(currency(params, "currency"), "currency");
  const sent = amount(params, "amount");
  const destination = required(text(params, "destination"), "destination");
  const source = text(params, "source_transaction") ?? null;
  if (source === null) required(sent, "amount");
  if (sent !== undefined) refuseUnpayable(sent, unit);
  const described = {
    description: text(params, "description") ?? null,
    metadata: metadata(params, {}),
    source_type: text(params, "source_type") ?? "card",
    transfer_group: text(params, "transfer_group") ?? null,
  };

  return () => {
    if (!/^acct_\w+$/.test(destination))
      throw noSuch("destination", destination, { param: "destination", status: 400 });
    const ofCharge = source === null ? undefined : transferable(account, source, unit);
    const total = sent ?? ofCharge ?? 0;
    if (ofCharge !== undefined && total > ofCharge) {
      throw invalidRequest("You cannot transfer more than the amount of the source_transaction.", {
        param: "amount",
      });
    }
    const id = newId.of("tr");
    const transfer: Transfer = {
      object: "transfer",
      ...described,
      id,
      amount: total,
      amount_reversed: 0,
      balance_transaction: newId.balanceTransaction(),
      created: nowS(account),
      currency: unit,
      destination,
      destination_payment: newId.of("py"),
      livemode: false,
      reversals: innerList([], `/v1/transfers/${id}/reversals`),
      reversed: false,
      source_transaction: source,
    };
    return keep(account.transfers, account, request, transfer);
  };
};

/** Takes a transfer back, or `amount` of it. */
export const reverseTransfer: Endpoint = (account, request) => {
  const { id, params } = request;
  refuseUnknown(params, REVERSE);
  const sent = amount(params, "amount");
  const sentMetadata = metadata(params, {});
  flag(params, "refund_application_fee");

  return () => {
    const stored = existing(account.transfers, KIND.noun, id);
    const { object } = stored;
    const left = object.amount - object.amount_reversed;
    const total = sent ?? left;
    if (left === 0 || total > left) {
      throw invalidRequest(
        `Transfer reversal amount is greater than the unreversed amount of the transfer (${left}).`,
        {
          param: "amount",
        },
      );
    }
    refuseUnpayable(total, object.currency);
    const reversal: TransferReversal = {
      id: newId.of("trr"),
      object: "transfer_reversal",
      amount: total,
      balance_transaction: newId.balanceTransaction(),
      created: nowS(account),
      currency: object.currency,
      destination_payment_refund: newId.of("pyr"),
      metadata: sentMetadata,
      source_refund: null,
      transfer: id,
    };
    const { data, url } = object.reversals;
    rewrite(account.transfers, stored, {
      ...object,
      amount_reversed: object.amount_reversed + total,
      reversals: innerList([reversal, ...data], url),
      reversed: total === left,
    });
    return keep(account.transferReversals, account, request, reversal);
  };
};

export const retrieveTransfer: Endpoint = retrieveEndpoint(KIND);
export const updateTransfer: Endpoint = describeEndpoint(KIND);
export const listTransfers: Endpoint = listKind("/v1/transfers", KIND, ["destination", "transfer_group"]);

export const retrieveReversal: Endpoint = (account, { ids: [transferId = "", id = ""], params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const { object } = existing(account.transferReversals, "transfer_reversal", id);
    if (object.transfer === transferId) return object;
    throw noSuch("transfer_reversal", id, { param: "id", status: 404 });
  };
};

export const listReversals: Endpoint = listEndpoint(
  (id) => `/v1/transfers/${id}/reversals`,
  (account, id) => {
    existing(account.transfers, KIND.noun, id);
    return objectsOn(account.transferReversals).filter(({ transfer }) => transfer === id);
  },
  [],
);

function transferable({ charges }: Account, id: string, unit: string): number {
  const charge = charges.get(id)?.object;
  if (charge === undefined) throw noSuch("charge", id, { param: "source_transaction", status: 400 });
  if (!charge.captured)
    throw invalidRequest("The source_transaction has to be paid.", { param: "source_transaction" });
  if (charge.currency === unit) return charge.amount_captured;
  throw invalidRequest(
    `The currency of source_transaction's balance transaction (${charge.currency}) must be the same as the transfer currency (${unit})`,
    { param: "currency" },
  );
}
