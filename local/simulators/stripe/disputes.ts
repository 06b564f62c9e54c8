import { type Account, type Charge, nowS, type Origin, type StoredDispute } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import { invalidRequest, noSuch } from "./errors.ts";
import type { FormHash } from "./form.ts";
import { newId } from "./ids.ts";
import { listEndpoint } from "./lists.ts";
import type { Dispute } from "./objects.ts";
import { emptyableText, flag, hash, metadata, NO_PARAMS, names, refuseUnknown } from "./params.ts";

const UPDATE = names("evidence intended_submission_method metadata submit");
const EVIDENCE_DAYS = 9;

/** Disputes the whole of a charge, as the bank of its card would. */
export function openDispute(
  account: Account,
  { id, amount, currency, payment_intent }: Charge,
  origin: Origin,
): { dispute: Dispute; charge: Charge } {
  const created = nowS(account);
  const dispute: Dispute = {
    id: newId.of("du"),
    object: "dispute",
    amount,
    balance_transactions: [],
    charge: id,
    created,
    currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: created + EVIDENCE_DAYS * 86_400,
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    intended_submission_method: null,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent,
    payment_method_details: { card: { brand: "visa", case_type: "chargeback" }, type: "card" },
    reason: "fraudulent",
    status: "needs_response",
  };
  account.disputes.set(dispute.id, { object: dispute, origin, conceded: false });
  const stored = account.charges.get(id);
  if (stored === undefined) throw noSuch("charge", id, { param: "charge", status: 400 });
  const charge = { ...stored.object, disputed: true };
  account.charges.set(id, { ...stored, object: charge });
  return { dispute, charge };
}

export const retrieveDispute: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => existing(account, id).object;
};

/** Takes evidence down; with `submit`, which is the default, it goes to the bank. */
export const updateDispute: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, UPDATE);
  const evidence = textsOf(hash(params, "evidence"));
  const submit = flag(params, "submit") ?? true;
  metadata(params, {});

  return () => {
    const stored = open(account, id, "update");
    const { object } = stored;
    const submitted = submit && evidence.length > 0;
    return replace(account, stored, {
      ...object,
      evidence: { ...object.evidence, ...Object.fromEntries(evidence) },
      metadata: metadata(params, object.metadata),
      status: submitted ? "under_review" : object.status,
    });
  };
};

/** Concedes a dispute: its amount is lost. */
export const closeDispute: Endpoint = (account, { id, params }) => {
  refuseUnknown(params, NO_PARAMS);
  return () => {
    const stored = open(account, id, "close");
    return replace(account, { ...stored, conceded: true }, { ...stored.object, status: "lost" });
  };
};

export const listDisputes: Endpoint = listEndpoint(
  "/v1/disputes",
  ({ disputes }: Account) => [...disputes.values()].map(({ object }) => object),
  ["charge", "payment_intent"],
);

function textsOf(evidence: FormHash | undefined): [string, string | null][] {
  const names = [...(evidence ?? new Map()).keys()];
  return evidence === undefined ? [] : names.map((name) => [name, emptyableText(evidence, name) || null]);
}

function existing({ disputes }: Account, id: string): StoredDispute {
  const found = disputes.get(id);
  if (found === undefined) throw noSuch("dispute", id, { param: "dispute", status: 404 });
  return found;
}

function open(account: Account, id: string, what: string): StoredDispute {
  const stored = existing(account, id);
  if (stored.object.status !== "lost" && stored.object.status !== "won") return stored;
  throw invalidRequest(`You cannot ${what} a dispute that is already closed.`, {
    code: "dispute_already_closed",
  });
}

function replace(account: Account, stored: StoredDispute, object: Dispute): Dispute {
  account.disputes.set(object.id, { ...stored, object });
  return object;
}

/** The evidence of a dispute that has none yet; Stripe's has some two dozen fields, all null at first. */
const NO_EVIDENCE = {
  access_activity_log: null,
  billing_address: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  product_description: null,
  receipt: null,
  refund_policy: null,
  shipping_documentation: null,
  uncategorized_text: null,
};
