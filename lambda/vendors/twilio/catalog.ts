import { Problem } from "../../domain/problem.ts";
import type { Endpoint, FreeRule, PricedRule } from "../../domain/vendor.ts";
import { newCall } from "./calls.ts";
import { DENIED } from "./denied.ts";
import { bare, only, posted, QUERY } from "./fields.ts";
import { newMessage } from "./messages.ts";
import { lookupV1, lookupV2, newVerification } from "./verify.ts";

/** Twilio's endpoints: first those that are priced or free, then those that are denied. */

const ACCOUNT = "/2010-04-01/Accounts/{account}";
const SERVICE = "/verify/v2/Services/{service}";
const SENDERS = "/messaging/v1/Services/{service}/{senders}";

const sid = (kinds: string) => new RegExp(`^(${kinds})[0-9a-fA-F]{32}$`);

export const PLACEHOLDERS: Readonly<Record<string, RegExp>> = {
  /** Any account: `address` in twilio.ts checks which one it is. */
  account: /./,
  any: /./,
  unreadable: /^(?!.*\.json$)/,
  message: sid("SM|MM"),
  media: sid("ME"),
  call: sid("CA"),
  recording: sid("RE"),
  service: sid("VA|MG"),
  /** By its id, or by the phone number or e-mail address. */
  verification: /^(VE[0-9a-fA-F]{32}|\+[0-9]{7,15}|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,200})$/,
  phone: /^\+?[0-9]{3,20}$/,
  country: /^[A-Z]{2}$/,
  version: /^v[12]$/,
  product: /^(Messaging|PhoneNumbers|Voice|Trunking)$/,
  senders: /^(PhoneNumbers|ShortCodes|AlphaSenders)$/,
  sender: sid("PN|SC|AI"),
};

/** A message that is not sent yet can be cancelled. The text of a sent one can be erased. */
const changedMessage = posted(["Status", "Body"], (form) =>
  form.size === 1 && form.get("Body") === "" ? null : only(form, "Status", ["canceled"]),
);
const endedCall = posted(["Status"], (form) => only(form, "Status", ["completed", "canceled"]));
const endedVerification = posted(["Status"], (form) => only(form, "Status", ["approved", "canceled"]));
const feedback = posted(["Outcome"]);
const check = posted(["Code", "To", "VerificationSid", "Amount", "Payee", "SnaClientToken"], (form) =>
  form.size > 0
    ? null
    : new Problem(
        "ambiguous_request",
        "Code: missing; a verification check needs Code, and To or VerificationSid",
      ),
);

const ALLOWED: readonly (readonly [method: string, path: string, rule: FreeRule | PricedRule])[] = [
  ["POST", `${ACCOUNT}/Messages.json`, newMessage],
  ["GET", `${ACCOUNT}/Messages.json`, bare(QUERY.messages)],
  ["GET", `${ACCOUNT}/Messages/{message}.json`, bare(QUERY.none)],
  ["POST", `${ACCOUNT}/Messages/{message}.json`, changedMessage],
  ["DELETE", `${ACCOUNT}/Messages/{message}.json`, bare(QUERY.none)],
  ["POST", `${ACCOUNT}/Messages/{message}/Feedback.json`, feedback],
  ["GET", `${ACCOUNT}/Messages/{message}/Media.json`, bare(QUERY.media)],
  ["GET", `${ACCOUNT}/Messages/{message}/Media/{media}.json`, bare(QUERY.none)],
  ["DELETE", `${ACCOUNT}/Messages/{message}/Media/{media}.json`, bare(QUERY.none)],

  ["POST", `${ACCOUNT}/Calls.json`, newCall],
  ["GET", `${ACCOUNT}/Calls.json`, bare(QUERY.calls)],
  ["GET", `${ACCOUNT}/Calls/{call}.json`, bare(QUERY.none)],
  ["POST", `${ACCOUNT}/Calls/{call}.json`, endedCall],
  ["DELETE", `${ACCOUNT}/Calls/{call}.json`, bare(QUERY.none)],
  ["GET", `${ACCOUNT}/Calls/{call}/Recordings.json`, bare(QUERY.media)],
  ["GET", `${ACCOUNT}/Recordings.json`, bare(QUERY.recordings)],
  ["GET", `${ACCOUNT}/Recordings/{recording}.json`, bare(QUERY.none)],
  ["GET", `${ACCOUNT}/Balance.json`, bare(QUERY.none)],

  ["POST", `${SERVICE}/Verifications`, newVerification],
  ["GET", `${SERVICE}/Verifications/{verification}`, bare(QUERY.none)],
  ["POST", `${SERVICE}/Verifications/{verification}`, endedVerification],
  ["POST", `${SERVICE}/VerificationCheck`, check],
  ["GET", "/verify/v2/Services", bare(QUERY.pages)],
  ["GET", SERVICE, bare(QUERY.none)],

  ["GET", "/lookups/v2/PhoneNumbers/{phone}", lookupV2],
  ["GET", "/lookups/v1/PhoneNumbers/{phone}", lookupV1],

  ["GET", "/pricing/{version}/{product}/Countries", bare(QUERY.pages)],
  ["GET", "/pricing/{version}/{product}/Countries/{country}", bare(QUERY.none)],
  ["GET", "/pricing/{version}/{product}/Numbers/{phone}", bare(QUERY.numbers)],

  ["GET", SENDERS, bare(QUERY.pages)],
  ["GET", `${SENDERS}/{sender}`, bare(QUERY.none)],
];

export const CATALOG: readonly Endpoint[] = [
  ...ALLOWED.map(([method, path, rule]) => ({ method, path, rule })),
  ...DENIED,
];
