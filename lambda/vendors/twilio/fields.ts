import { Problem } from "../../domain/problem.ts";
import type { FreeRule, VendorRequest } from "../../domain/vendor.ts";
import { ambiguous, type Form, type FormStyle, parseForm } from "../form.ts";

/** Twilio's parameters: only those that are listed are sent. */

/** Parameters that may be repeated. */
const REPEATED = ["MediaUrl", "PersistentAction", "StatusCallbackEvent", "RecordingStatusCallbackEvent"];

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** twilio-node 6.2.0, lib/rest/api/v2010/account/message.js, read 2026-11-23; what is left out stands in `LEFT_OUT`. */
export const MESSAGE = words(`
  To From MessagingServiceSid Body MediaUrl ContentSid ContentVariables SendAsMms ShortenUrls SmartEncoded
  StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod ForceDelivery ContentRetention
  AddressRetention PersistentAction TrafficType ScheduleType SendAt RiskCheck`);

/** The same of call.js. */
export const CALL = words(`
  To From CallerId Url Twiml ApplicationSid Method FallbackUrl FallbackMethod StatusCallback StatusCallbackEvent
  StatusCallbackMethod SendDigits Timeout TimeLimit Record RecordingChannels RecordingStatusCallback
  RecordingStatusCallbackMethod RecordingStatusCallbackEvent RecordingTrack Trim SipAuthUsername SipAuthPassword
  MachineDetection MachineDetectionTimeout MachineDetectionSpeechThreshold MachineDetectionSpeechEndThreshold
  MachineDetectionSilenceTimeout AsyncAmd AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod CallToken`);

/** The same of lib/rest/verify/v2/service/verification.js. */
export const VERIFICATION = words(`
  To Channel Locale CustomCode RateLimits ChannelConfiguration AppHash TemplateSid DeviceIp EnableSnaClientToken
  RiskCheck Tags`);

/** Known parameters that are refused, and why. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  FallbackFrom: "sends the message a second time, over another channel",
  MessageIntent: "may have its own price",
  Byoc: "makes the call over another carrier, at a price unknown to Twilio",
  CallReason: "makes it a branded call, which has its own price",
  Passports: "makes it a branded call, which has its own price",
  RecordingConfigurationId: "uses a configuration that Keybrake cannot see",
  ClientNotificationUrl: "is not needed for a call",
  CustomMessage: "makes a message of unknown length",
  CustomFriendlyName: "makes a message of unknown length",
  TemplateCustomSubstitutions: "makes a message of unknown length",
  Templates: "makes a message of unknown length",
  Payee: "makes a message of unknown length",
  Amount: "makes a message of unknown length",
  SendDigits: "makes the call longer",
};

const STYLE: FormStyle = { name: /^[A-Z][A-Za-z]*$/, repeated: REPEATED };

/** Reads a form as Twilio writes its fields. */
export const twilioForm = (request: VendorRequest): Form | Problem => parseForm(request, STYLE);

/** Reads a form, and refuses the first field that is not listed. */
export function listedForm(request: VendorRequest, fields: readonly string[]): Form | Problem {
  const form = twilioForm(request);
  if (form instanceof Problem) return form;
  for (const key of form.keys()) {
    const name = key.split("#", 1)[0] ?? key;
    if (fields.includes(name)) continue;
    const meant = fields.find((field) => field.toLowerCase() === name.toLowerCase());
    if (meant !== undefined)
      return ambiguous(`it has the field ${name.slice(0, 40)}; write ${meant} instead`);
    return new Problem(
      "endpoint_not_priced",
      `${name.slice(0, 40)}: ${LEFT_OUT[name] ?? "unknown parameter; Keybrake cannot bound its cost"}; leave it out`,
    );
  }
  return form;
}

const PAGES = ["PageSize", "Page", "PageToken"];
const between = (name: string): readonly string[] => [name, `${name}<`, `${name}>`];

/** Parameters of a query, by what is listed. */
export const QUERY = {
  none: [],
  pages: PAGES,
  messages: ["To", "From", ...between("DateSent"), ...PAGES],
  media: [...between("DateCreated"), ...PAGES],
  calls: ["To", "From", "ParentCallSid", "Status", ...between("StartTime"), ...between("EndTime"), ...PAGES],
  recordings: ["CallSid", ...between("DateCreated"), ...PAGES],
  numbers: ["OriginationNumber"],
} as const satisfies Record<string, readonly string[]>;

/** Refuses a query with other parameters than the listed ones, and a body. */
export function queryProblem(
  { method, query, body }: VendorRequest,
  names: readonly string[],
): Problem | null {
  for (const [name, values] of Object.entries(query)) {
    const shown = JSON.stringify(name.slice(0, 40));
    if (!names.includes(name))
      return new Problem(
        "ambiguous_request",
        `${shown}: unknown query parameter; expected ${names.length === 0 ? "none" : `one of ${names.join(", ")}`}`,
      );
    if (values.length !== 1) return ambiguous(`the query string names ${shown} ${values.length} times`);
  }
  return body.length === 0
    ? null
    : new Problem("ambiguous_request", `a ${method} takes no body; leave it out`);
}

/** A GET or DELETE that costs nothing. */
export const bare = (names: readonly string[]): FreeRule => ({
  kind: "free",
  check: (request) => queryProblem(request, names),
});

/** A POST that is free as long as its form has no other fields and `check` finds no problem. */
export const posted = (
  fields: readonly string[],
  check: (form: Form) => Problem | null = () => null,
): FreeRule => ({
  kind: "free",
  check: (request) => {
    const form = listedForm(request, fields);
    return form instanceof Problem ? form : check(form);
  },
});

/** Refuses a form with anything but one field, with one of the accepted values. */
export const only = (form: Form, field: string, accepted: readonly string[]): Problem | null =>
  form.size === 1 && accepted.includes(form.get(field) ?? "?")
    ? null
    : new Problem(
        "endpoint_not_priced",
        `expected ${accepted.map((value) => `${field}=${value}`).join(" or ")} alone; other changes could incur charges`,
      );
