import { gzipSync } from "node:zlib";
import {
  type Attempt,
  ambiguous,
  ambiguousPath,
  amountUnknown,
  type Counted,
  keysOfOthers,
  METHODS,
  notPriced,
  OVERRIDES,
  type Refused,
  refused,
  smugglerOf,
  smuggles,
} from "../support/smuggle.ts";

/**
 * Guarantees that Twilio never sends, calls or looks up more than was counted. Requests go byte for byte over a bare
 * connection.
 */

const OWN = `AC${"0123456789abcdef".repeat(2)}`;
const OTHER = `AC${"fedcba9876543210".repeat(2)}`;
const ZEROS = `AC${"0".repeat(32)}`;
const HEX = "0123456789abcdef0123456789abcdef";
const ACCOUNT = `/twilio/2010-04-01/Accounts/${ZEROS}`;
const AT_TWILIO = `/2010-04-01/Accounts/${OWN}`;
const MESSAGES = `${ACCOUNT}/Messages.json`;
const CALLS = `${ACCOUNT}/Calls.json`;
const VERIFICATIONS = `/twilio/verify/v2/Services/VA${HEX}/Verifications`;
const LOOKUP = "/twilio/lookups/v2/PhoneNumbers/+14155550100";
const LOOKUP_V1 = "/twilio/lookups/v1/PhoneNumbers/+14155550100";

const TO = "To=%2B14155550100";
const FROM = "From=%2B15005550006";
const SMS = `${TO}&${FROM}`;
const SAY = "%3CResponse%3E%3CSay%3EHello%3C%2FSay%3E%3C%2FResponse%3E";

/** A segment to the United States costs 10,000 micro-dollars, a started minute 100,000. */
const RATE_CARD = {
  prices: {
    twilio: {
      sms: { "+1": "0.01", "+44": "0.05", "+1876": "0.6", default: "0.6" },
      mms: { "+1": "0.03" },
      whatsapp: { "+1": "0.02", default: "0.3" },
      call_minute: { "+1": "0.1", "+44": "0.2", "client:": "0.001", "sip:": "0.002", default: "5" },
      recording_minute: "0.005",
      machine_detection: "0.02",
      verification: { "+1": "0.07", "email:": "0.06", default: "0.7" },
      lookup_field: { line_type_intelligence: "0.02", caller_name: "0.015", default: "0.3" },
    },
  },
};

const USUAL = { target: MESSAGES, body: `${SMS}&Body=Hello` };
const smuggler = smugglerOf({
  vendor: "twilio",
  credential: `${OWN}:an-auth-token-of-the-tests`,
  usual: USUAL,
  rateCard: RATE_CARD,
});

const message = (name: string, body: string): Attempt => ({ name, body });
const call = (name: string, fields: string): Attempt => ({ name, target: CALLS, body: fields });
const twiml = (name: string, text: string): Refused =>
  notPriced(name, call(name, `${SMS}&TimeLimit=60&Twiml=${encodeURIComponent(text)}`));
const verification = (name: string, body: string): Attempt => ({ name, target: VERIFICATIONS, body });
const get = (name: string, target: string): Attempt => ({
  name,
  target,
  method: "GET",
  type: null,
  body: "",
});

const MESSAGE_FIELDS: readonly Refused[] = [
  ambiguous("a second To", message("", `${SMS}&Body=x&To=%2B442071838750`)),
  ambiguous("two equal To", message("", `${SMS}&Body=x&${TO}`)),
  ambiguous("a second To whose name is encoded", message("", `${SMS}&Body=x&%54o=%2B442071838750`)),
  ambiguous("to beside To", message("", `${SMS}&Body=x&to=%2B442071838750`)),
  ambiguous("TO beside To", message("", `${SMS}&Body=x&TO=%2B442071838750`)),
  ambiguous("to in place of To", message("", `to=%2B14155550100&${FROM}&Body=x`)),
  ambiguous("To[]", message("", `To[]=%2B14155550100&${FROM}&Body=x`)),
  ambiguous("To[0] beside To", message("", `${SMS}&Body=x&To[0]=%2B442071838750`)),
  ambiguous("a space before To", message("", `+To=%2B14155550100&${FROM}&Body=x`)),
  ambiguous("a semicolon between fields", message("", `${SMS}&Body=x;To=%2B442071838750`)),
  ambiguous("an empty pair", message("", `${SMS}&&Body=x`)),
  ambiguous("a second Body", message("", `${SMS}&Body=x&Body=${"y".repeat(1000)}`)),
  ambiguous("a name with a digit", message("", `${SMS}&Body=x&MediaUrl0=https%3A%2F%2Fa.example%2F1`)),
  ambiguous("Body in a query", { target: `${MESSAGES}?Body=${"y".repeat(500)}` }),
  ambiguous("a second To in a query", { target: `${MESSAGES}?To=%2B442071838750` }),
  ambiguous("everything in a query", { target: `${MESSAGES}?${SMS}&Body=x`, body: "", type: null }),
  amountUnknown("no To", message("", `${FROM}&Body=x`)),
  amountUnknown("an empty body", { body: "" }),
  ...[
    "14155550100",
    "+14155550100%2C%2B442071838750",
    "%2B14155550100%2C%2B442071838750",
    "%2B14155550100%20%2B442071838750",
    "%2B14155550100%3B%2B442071838750",
    "%2B14155550100%0A",
    "%0A%2B14155550100",
    "%2B1%20415%20555%200100",
    "%2B1-415-555-0100",
    "%2B1(415)5550100",
    "%2B01144207183875",
    "%2B1011442071838750",
    "%2B11442071838",
    "%2B10155550100",
    "%2B1415555010",
    "%2B141555501000",
    "%2B0442071838750",
    "00442071838750",
    "%EF%BC%8B14155550100",
    "%2B%EF%BC%911415550100",
    "%2B%D9%A14155550100",
    "%2B14155550100%00",
    "%2B14155550100x2",
    "%2B14155550100%2C%2C2",
    "tel%3A%2B14155550100",
    "sms%3A%2B14155550100",
    "mms%3A%2B14155550100",
    "Whatsapp%3A%2B14155550100",
    "WHATSAPP%3A%2B14155550100",
    "whatsapp%3A14155550100",
    "whatsapp%3A%20%2B14155550100",
    "whatsapp%3Awhatsapp%3A%2B14155550100",
    "MG0123456789abcdef0123456789abcdef",
    "ISXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    "ann%40example.com",
    "fb-messenger%3A1",
    "",
  ].map((to) => notPriced(`To=${to}`, message("", `To=${to}&Body=x`))),
  notPriced("messenger, which has no price", message("", "To=messenger%3A123&Body=x")),
  notPriced("rcs, which has no price", message("", "To=rcs%3A%2B14155550100&Body=x")),
  notPriced(
    "media to a country without a price for it",
    message("", `To=%2B442071838750&MediaUrl=https%3A%2F%2Fa.example%2F1`),
  ),
  notPriced(
    "a message of MMS to a country without a price for it",
    message("", "To=%2B442071838750&Body=x&SendAsMms=true"),
  ),
  notPriced("From of WhatsApp, To of none", message("", `${TO}&From=whatsapp%3A%2B15005550006&Body=x`)),
  notPriced("To of WhatsApp, From of none", message("", `To=whatsapp%3A%2B14155550100&${FROM}&Body=x`)),
  notPriced(
    "From of a channel in capitals",
    message("", `To=whatsapp%3A%2B14155550100&From=WhatsApp%3A%2B15005550006`),
  ),
  notPriced("a text of 1601 characters", message("", `${SMS}&Body=${"x".repeat(1601)}`)),
  notPriced("links that are shortened", message("", `${SMS}&Body=x&ShortenUrls=true`)),
  notPriced("links that are shortened, by another word", message("", `${SMS}&Body=x&ShortenUrls=1`)),
  notPriced("a second channel to fall back to", message("", `${SMS}&Body=x&FallbackFrom=%2B15005550006`)),
  notPriced("an intent", message("", `${SMS}&Body=x&MessageIntent=marketing`)),
  notPriced("an unknown field", message("", `${SMS}&Body=x&NumSegments=1`)),
  notPriced("a name that every object has", message("", `${SMS}&Body=x&Constructor=1`)),
];

const FREE_WRITES: readonly Refused[] = [
  ...[
    ["a message's update with To", `Status=canceled&${TO}`],
    ["a message's update with a text", "Body=Hello"],
    ["a message's update with another status", "Status=queued"],
    ["a message's update with status and text", "Status=canceled&Body="],
    ["a message's update with media", "MediaUrl=https%3A%2F%2Fa.example%2F1"],
    ["a message's update with nothing", ""],
  ].map(([name = "", body = ""]) => notPriced(name, { target: `${ACCOUNT}/Messages/SM${HEX}.json`, body })),
  ...[
    ["a call's update with Twiml", `Twiml=${SAY}`],
    ["a call's update with Url", "Url=https%3A%2F%2Fa.example%2F"],
    [
      "a call's update with FallbackUrl beside its end",
      "Status=completed&FallbackUrl=https%3A%2F%2Fa.example%2F",
    ],
    ["a call's update with TimeLimit", "TimeLimit=14400"],
    ["a call's update with another status", "Status=in-progress"],
    ["a call's update with an end in capitals", "Status=Completed"],
    ["a call's update with nothing", ""],
  ].map(([name = "", body = ""]) => notPriced(name, { target: `${ACCOUNT}/Calls/CA${HEX}.json`, body })),
  ambiguous("a call's update with twiml", {
    target: `${ACCOUNT}/Calls/CA${HEX}.json`,
    body: "status=completed",
  }),
  ambiguous("a call's update with two ends", {
    target: `${ACCOUNT}/Calls/CA${HEX}.json`,
    body: "Status=completed&Status=completed",
  }),
];

const CALL_FIELDS: readonly Refused[] = [
  amountUnknown("no To", call("", `${FROM}&TimeLimit=60&Twiml=${SAY}`)),
  amountUnknown("no TimeLimit", call("", `${SMS}&Twiml=${SAY}`)),
  ...[
    "1e3",
    "",
    "0",
    "-60",
    "%2B60",
    "+60",
    "60.0",
    "060",
    "0x3C",
    "60%20",
    "60%00",
    "14401",
    "99999",
    "999999",
    "Infinity",
    "%EF%BC%96%EF%BC%90",
  ].map((limit) => amountUnknown(`TimeLimit=${limit}`, call("", `${SMS}&Twiml=${SAY}&TimeLimit=${limit}`))),
  amountUnknown("no instructions", call("", `${SMS}&TimeLimit=60`)),
  ambiguous("two TimeLimits", call("", `${SMS}&Twiml=${SAY}&TimeLimit=60&TimeLimit=14400`)),
  ambiguous("timeLimit beside TimeLimit", call("", `${SMS}&Twiml=${SAY}&TimeLimit=60&timeLimit=14400`)),
  ambiguous("Timelimit in place of TimeLimit", call("", `${SMS}&Twiml=${SAY}&Timelimit=60`)),
  ambiguous("a second To", call("", `${SMS}&Twiml=${SAY}&TimeLimit=60&To=%2B881612345678`)),
  ambiguous("a second Twiml", call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&Twiml=${SAY}`)),
  ambiguous("TwiML in place of Twiml", call("", `${SMS}&TimeLimit=60&TwiML=${SAY}`)),
  notPriced("instructions from an address", call("", `${SMS}&TimeLimit=60&Url=https%3A%2F%2Fa.example%2F`)),
  notPriced(
    "instructions from an address beside Twiml",
    call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&Url=https%3A%2F%2Fa.example%2F`),
  ),
  notPriced("an empty Url beside Twiml", call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&Url=`)),
  notPriced("instructions from an application", call("", `${SMS}&TimeLimit=60&ApplicationSid=AP${HEX}`)),
  notPriced(
    "instructions to fall back to",
    call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&FallbackUrl=https%3A%2F%2Fa.example%2F`),
  ),
  notPriced("another carrier", call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&Byoc=BY${HEX}`)),
  notPriced("a branded call", call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&CallReason=x`)),
  notPriced("a transcription", call("", `${SMS}&TimeLimit=60&Twiml=${SAY}&Transcribe=true`)),
  ...[
    "%2B14155550100%2C%2B442071838750",
    "14155550100",
    "%2B1011442071838750",
    "sip%3Aann%40acme.sip.twilio.com",
    "sip%3Aann%40acme.SIP.TWILIO.COM",
    "sip%3Aann%40acme.sip.twilio.com%3A5060",
    "sip%3Aann%40twilio.com",
    "sip%3A%2B881612345678%40acme.pstn.twilio.com.",
    "sip%3A%2B881612345678%40acme.pstn.twilio.com.%3A5060",
    "sip%3A%2B881612345678%40acme.pstn.twilio.com%3Btransport%3Dtls",
    "sip%3Aann%40a.example%40acme.sip.twilio.com",
    "sip%3Aann%3Asecret%40acme.sip.twilio.com",
    "sip%3Aann%40a.example%3Fx%3Dy",
    "sip%3Aann%2540acme.sip.twilio.com",
    "sips%3Aann%40a.example",
    "Client%3Aann",
    "client%3Aann%3Fx%3D%2B442071838750",
    "conference%3Aroom",
    "queue%3Asupport",
    "wss%3A%2F%2Fa.example",
    "",
  ].map((to) => notPriced(`To=${to}`, call("", `To=${to}&${FROM}&TimeLimit=60&Twiml=${SAY}`))),
  twiml("Dial", "<Response><Dial>+442071838750</Dial></Response>"),
  twiml("Dial behind Say", "<Response><Say>x</Say><Dial>+442071838750</Dial></Response>"),
  twiml("dial in small letters", "<Response><dial>+442071838750</dial></Response>"),
  twiml("DIAL in capitals", "<Response><DIAL>+442071838750</DIAL></Response>"),
  twiml("Dial inside of Say", "<Response><Say><Dial>+442071838750</Dial></Say></Response>"),
  twiml("Dial in CDATA", "<Response><![CDATA[<Dial>+442071838750</Dial>]]></Response>"),
  twiml(
    "CDATA that ends in Say",
    "<Response><Say><![CDATA[x]]></Say><Say>]]></Say><Dial>1</Dial></Response>",
  ),
  twiml("Dial behind a comment", "<Response><!-- x --><Dial>+442071838750</Dial></Response>"),
  twiml("a comment that hides its end", "<Response><!--><Say>x</Say><Dial>1</Dial><!-- --></Response>"),
  twiml("Dial of an entity", '<!DOCTYPE Response [<!ENTITY d "<Dial>+44</Dial>">]><Response>&d;</Response>'),
  twiml(
    "an entity of a file",
    '<!DOCTYPE r [<!ENTITY d SYSTEM "https://a.example/">]><Response><Say>&d;</Say></Response>',
  ),
  twiml("a document type", "<!DOCTYPE Response><Response><Say>x</Say></Response>"),
  twiml("Dial in a namespace", '<Response xmlns:t="urn:t"><t:Dial>+442071838750</t:Dial></Response>'),
  twiml("a namespace of Response", '<Response xmlns="urn:t"><Say>x</Say></Response>'),
  twiml("a second Response", "<Response><Say>x</Say></Response><Response><Dial>1</Dial></Response>"),
  twiml("Dial behind Response", "<Response><Say>x</Say></Response><Dial>1</Dial>"),
  twiml("Redirect", "<Response><Redirect>https://a.example/</Redirect></Response>"),
  twiml("Gather", '<Response><Gather action="https://a.example/"><Say>x</Say></Gather></Response>'),
  twiml("Record", "<Response><Record/></Response>"),
  twiml("Refer", "<Response><Refer><Sip>sip:a@b.example</Sip></Refer></Response>"),
  twiml("Sms", "<Response><Sms>x</Sms></Response>"),
  twiml("Message", "<Response><Message>x</Message></Response>"),
  twiml("Connect", "<Response><Connect><Stream url='wss://a.example'/></Connect></Response>"),
  twiml("Pay", "<Response><Pay/></Response>"),
  twiml("a voice that costs", '<Response><Say voice="Polly.Joanna-Neural">x</Say></Response>'),
  twiml("a processing instruction", "<Response><?x y?><Say>x</Say></Response>"),
  twiml("another encoding", '<?xml version="1.0" encoding="utf-16"?><Response><Say>x</Say></Response>'),
  twiml(
    "UTF-7 of Dial",
    '<?xml version="1.0" encoding="utf-7"?><Response>+ADw-Dial+AD4-1+ADw-/Dial+AD4-</Response>',
  ),
  twiml("an element that is not closed", "<Response><Say>x<Dial>1</Dial></Response>"),
  twiml(
    "an attribute with a tag in it",
    "<Response><Say voice='man' x=\"><Dial>1</Dial>\">x</Say></Response>",
  ),
  twiml("a NUL before the name", "<Response><\u0000Dial>1</Dial></Response>"),
  twiml("nothing", ""),
  twiml("no XML", "Dial +442071838750"),
];

const VERIFY_FIELDS: readonly Refused[] = [
  amountUnknown("no To", verification("", "Channel=sms")),
  notPriced("no channel", verification("", TO)),
  notPriced("a channel in capitals", verification("", `${TO}&Channel=SMS`)),
  notPriced("an unknown channel", verification("", `${TO}&Channel=telegram`)),
  notPriced("auto, which chooses by itself", verification("", `${TO}&Channel=auto`)),
  notPriced("a channel that every object has", verification("", `${TO}&Channel=constructor`)),
  ambiguous("two channels", verification("", `${TO}&Channel=sms&Channel=call`)),
  ambiguous("two To", verification("", `${TO}&Channel=sms&${TO}`)),
  notPriced("a number by e-mail", verification("", `${TO}&Channel=email`)),
  notPriced("an address by sms", verification("", "To=ann%40example.com&Channel=sms")),
  notPriced("two addresses", verification("", "To=ann%40example.com%2Cbob%40example.com&Channel=email")),
  notPriced(
    "an address with a line break",
    verification("", "To=ann%40example.com%0D%0ABcc:x%40y.example&Channel=email"),
  ),
  notPriced(
    "a message of unknown length",
    verification("", `${TO}&Channel=sms&CustomMessage=${"x".repeat(500)}`),
  ),
  notPriced("SendDigits", verification("", `${TO}&Channel=call&SendDigits=wwwwwwww`)),
  notPriced("an access token", {
    target: `/twilio/verify/v2/Services/VA${HEX}/AccessTokens`,
    body: "Identity=x",
  }),
  notPriced("a new service", { target: "/twilio/verify/v2/Services", body: "FriendlyName=x" }),
];

const LOOKUPS: readonly Refused[] = [
  notPriced("a field in another case", get("", `${LOOKUP}?Fields=Caller_Name`)),
  notPriced("a field that is not known", get("", `${LOOKUP}?Fields=live_activity`)),
  notPriced("a field beside one that is not known", get("", `${LOOKUP}?Fields=validation,live_activity`)),
  notPriced("a field that is empty behind a comma", get("", `${LOOKUP}?Fields=caller_name,`)),
  notPriced("an empty field", get("", `${LOOKUP}?Fields=`)),
  notPriced("fields between which stands a bar", get("", `${LOOKUP}?Fields=caller_name%7Csim_swap`)),
  notPriced("a field without a price", get("", `${LOOKUP}?Fields=pre_fill`)),
  ambiguous("fields in small letters", get("", `${LOOKUP}?fields=caller_name`)),
  ambiguous("Fields[]", get("", `${LOOKUP}?Fields%5B%5D=caller_name`)),
  ambiguous("Fields whose name has a space", get("", `${LOOKUP}?Fields%20=caller_name`)),
  ambiguous("a semicolon between parameters", get("", `${LOOKUP}?CountryCode=US;caller_name`)),
  ambiguous("two countries", get("", `${LOOKUP}?CountryCode=US&CountryCode=GB`)),
  ambiguous("Type at version 2", get("", `${LOOKUP}?Type=carrier`)),
  ambiguous("Fields at version 1", get("", `${LOOKUP_V1}?Fields=caller_name`)),
  notPriced("add-ons", get("", `${LOOKUP_V1}?AddOns=whitepages_pro_caller_id`)),
  notPriced("data for add-ons", get("", `${LOOKUP_V1}?AddOnsData=x`)),
  notPriced("a type in another case", get("", `${LOOKUP_V1}?Type=Carrier`)),
  ambiguous("fields in a body", {
    ...get("", LOOKUP),
    body: "Fields=caller_name",
    type: "application/x-www-form-urlencoded",
  }),
  notPriced("many numbers at once", {
    target: "/twilio/lookups/v2/batch/query",
    body: "{}",
    type: "application/json",
  }),
];

const BODIES: readonly Refused[] = [
  ambiguous("JSON", { type: "application/json", body: '{"To":"+14155550100","Body":"x"}' }),
  ambiguous("JSON that is called a form", { body: '{"To":"+14155550100","Body":"x"}' }),
  ambiguous("a form that is called JSON", { type: "application/json" }),
  ambiguous("a multipart body", {
    type: "multipart/form-data; boundary=x",
    body: '--x\r\nContent-Disposition: form-data; name="To"\r\n\r\n+14155550100\r\n--x--\r\n',
  }),
  ambiguous("no type", { type: null }),
  ambiguous("two types", { headers: ["Content-Type: application/json"] }),
  ambiguous("another charset", { type: "application/x-www-form-urlencoded; charset=utf-16" }),
  ambiguous("a compressed body", { headers: ["Content-Encoding: gzip"], body: gzipSync(`${SMS}&Body=x`) }),
  ambiguous("a body that is called compressed", { headers: ["Content-Encoding: identity"] }),
  ambiguous("a byte order mark", { body: `\uFEFF${SMS}&Body=x` }),
  ambiguous("UTF-16", { body: Buffer.from(`\uFEFF${SMS}&Body=x`, "utf16le") }),
  ambiguous("bytes that are no UTF-8", {
    body: Buffer.concat([Buffer.from(`${SMS}&Body=`), Buffer.from([0xff])]),
  }),
  ambiguous("bytes that are no UTF-8, encoded", { body: `${SMS}&Body=%ff` }),
  ambiguous("an overlong NUL, encoded", { body: `${SMS}&Body=%C0%80` }),
  ambiguous("half of a pair, encoded", { body: `${SMS}&Body=%ED%A0%80` }),
  ambiguous("a GET with a body", { method: "GET" }),
  ambiguous("a DELETE with a body", { method: "DELETE", target: `${ACCOUNT}/Messages/SM${HEX}.json` }),
  ambiguous("a DELETE with a query", {
    method: "DELETE",
    target: `${ACCOUNT}/Messages/SM${HEX}.json?To=x`,
    body: "",
    type: null,
  }),
];

const PATHS: readonly Refused[] = [
  ...[
    `${ACCOUNT}/Messages`,
    `${ACCOUNT}/Messages.JSON`,
    `${ACCOUNT}/Messages.csv`,
    `${ACCOUNT}/Messages.xml`,
    `${ACCOUNT}/Messages.json.csv`,
    `${ACCOUNT}/messages.json`,
    `${ACCOUNT}/SMS/Messages.json`,
    `${ACCOUNT}/Messages.json,`,
    `${ACCOUNT}/Calls`,
    `${ACCOUNT}/Calls/CA${HEX}/Recordings.json`,
    `${ACCOUNT}/Calls/CA${HEX}/Streams.json`,
    `${ACCOUNT}/Calls/CA${HEX}/Payments.json`,
    `${ACCOUNT}/Conferences/CF${HEX}/Participants.json`,
    `${ACCOUNT}/Queues/QU${HEX}/Members/Front.json`,
    `${ACCOUNT}/IncomingPhoneNumbers.json`,
    `${ACCOUNT}/IncomingPhoneNumbers/Local.json`,
    `${ACCOUNT}/OutgoingCallerIds.json`,
    `${ACCOUNT}/Applications.json`,
    `${ACCOUNT}/Keys.json`,
    `${ACCOUNT}/SigningKeys.json`,
    `${ACCOUNT}/Tokens.json`,
    `${ACCOUNT}/Addresses.json`,
    `${ACCOUNT}/SIP/Domains.json`,
    `${ACCOUNT}/Usage/Triggers.json`,
    `${ACCOUNT}.json`,
    "/twilio/2010-04-01/Accounts.json",
    "/twilio/2010-04-01/Accounts",
    "/twilio/2010-04-01",
    `/twilio/2008-08-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/api/api/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/API/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/api.twilio.com/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/verify/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/lookups/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/twilio/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/TWILIO/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/v2/Services/VA${HEX}/Verifications`,
    `/twilio/verify/v1/Services/VA${HEX}/Verifications`,
    `/twilio/verify/v2/services/VA${HEX}/Verifications`,
    `/twilio/verify/v2/Services/VA${HEX}/Verifications.json`,
    `/twilio/verify.twilio.com/v2/Services/VA${HEX}/Verifications`,
    "/twilio/studio/v2/Flows/FW1/Executions",
    "/twilio/conversations/v1/Conversations",
    "/twilio/messaging/v1/Services",
    "/twilio/messaging/v1/a2p/BrandRegistrations",
    "/twilio/notify/v1/Services/IS1/Notifications",
    "/twilio/proxy/v1/Services/KS1/Sessions",
    "/twilio/numbers/v2/RegulatoryCompliance/Bundles",
    "/twilio/wireless/v1/Commands",
    "/twilio/supersim/v1/SmsCommands",
    "/twilio/accounts/v1/AuthTokens/Promote",
    "/twilio/iam/v1/Keys",
    "/twilio/oauth/v2/token",
    "/twilio/preview/wireless/Commands",
    "/twilio/fax/v1/Faxes",
    "/twilio/video/v1/Rooms",
    "/twilio/unknown/v1/Things",
    "/emails",
    "/v1/payment_intents",
  ].map((target) => notPriced(target, { target })),
  ...[
    `/twilio/verify/../api/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/lookups/v2/../../api/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `/twilio/./2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `${ACCOUNT}/Messages/../Calls.json`,
    `${ACCOUNT}/Messages/SM${HEX}.json/..`,
    `${ACCOUNT}/Messages/SM${HEX}%2F..%2F..%2FCalls.json`,
    `${ACCOUNT}/../${OTHER}/Messages.json`,
    `${ACCOUNT}%2F..%2F${OTHER}/Messages.json`,
    `${ACCOUNT}//Messages.json`,
    `/twilio//2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `//twilio/2010-04-01/Accounts/${ZEROS}/Messages.json`,
    `${ACCOUNT}/Messages%2Ejson`,
    `${ACCOUNT}/Messages.json%3FTo=x`,
    `${ACCOUNT}/Messages.json%00`,
    `${ACCOUNT}/Messages.json;x=1`,
    `${ACCOUNT}/Messages.json//`,
    `${ACCOUNT}/Messages\\..\\Calls.json`,
    `${ACCOUNT}/%4Dessages.json`,
    "/twilio/lookups/v2/PhoneNumbers/%2B14155550100%2Fx",
    "/twilio/lookups/v2/PhoneNumbers/%2B%31%34155550100",
    "/twilio/lookups/v2/PhoneNumbers/%252B14155550100",
    "/twilio/lookups%20/v2/PhoneNumbers/+14155550100",
    "/twilio/lookups/v2/PhoneNumbers/+14155550100%3FFields=caller_name",
  ].map((target) => ambiguousPath(target)),
  ...[
    "/twilio/lookups/v2/%2B14155550100",
    "/twilio/lookups/v2/PhoneNumbers%2B/+14155550100",
    "/twilio/lookups/v2/PhoneNumbers/%2B14155550100%20",
    `${ACCOUNT}/Messages.json%20`,
    `${ACCOUNT}/%20Messages.json`,
  ].map((target) => notPriced(target, { target })),
  ...[
    OTHER,
    OWN.toUpperCase(),
    OWN.toLowerCase(),
    ZEROS.toLowerCase(),
    `AC${"0".repeat(31)}`,
    `AC${"0".repeat(33)}`,
    `${OWN},${OTHER}`,
    `SK${HEX}`,
  ].map((account) =>
    refused(`the account ${account}`, 403, "account_not_allowed", {
      target: `/twilio/2010-04-01/Accounts/${account}/Messages.json`,
    }),
  ),
];

const LIMITED = { allowed_recipients: ["+1415", "client:ann", "ann@example.com", "whatsapp:+14085550100"] };
const limited = (name: string, attempt: Attempt): Refused =>
  refused(name, 403, "recipient_not_allowed", { ...attempt, key: LIMITED });
const LIMITS: readonly Refused[] = [
  limited("a number outside of the beginning", message("", "To=%2B14085550100&Body=x")),
  limited("a number that has the beginning inside", message("", "To=%2B1408%34150100&Body=x")),
  limited("a number of another country", message("", "To=%2B4414155550100&Body=x")),
  limited(
    "WhatsApp to a number outside of the beginning",
    message("", "To=whatsapp%3A%2B14085550101&Body=x"),
  ),
  limited(
    "a call of a number outside of the beginning",
    call("", `To=%2B14085550100&${FROM}&TimeLimit=60&Twiml=${SAY}`),
  ),
  limited("another client", call("", `To=client%3Aanna&${FROM}&TimeLimit=60&Twiml=${SAY}`)),
  limited("a client in another case", call("", `To=client%3AAnn&${FROM}&TimeLimit=60&Twiml=${SAY}`)),
  limited(
    "an address of SIP that begins like the number",
    call("", `To=sip%3A%2B14155550100%40a.example&${FROM}&TimeLimit=60&Twiml=${SAY}`),
  ),
  limited(
    "a verification by e-mail of somebody else",
    verification("", "To=ann%2Bx%40example.com&Channel=email"),
  ),
  limited(
    "a verification of a number outside of the beginning",
    verification("", "To=%2B14085550100&Channel=sms"),
  ),
  refused(
    "an endpoint that the key does not allow, by the other spelling of its host",
    403,
    "endpoint_not_allowed",
    {
      target: `/twilio/api/2010-04-01/Accounts/${ZEROS}/Calls.json`,
      key: { allowed_endpoints: ["POST /2010-04-01/Accounts/*/Messages.json"] },
    },
  ),
];

const CENT = 10_000;
const MINUTE = 100_000;
const text = (name: string, body: string, segments: number): Counted => ({
  name: `${name}: ${segments}`,
  body: `${SMS}&Body=${encodeURIComponent(body)}`,
  microUsd: segments * CENT,
  reaches: `${AT_TWILIO}/Messages.json`,
});
const sms = (name: string, body: string, microUsd: number): Counted => ({
  name,
  body,
  microUsd,
  reaches: `${AT_TWILIO}/Messages.json`,
});
const counted = (name: string, fields: string, microUsd: number): Counted => ({
  ...call(name, `${SMS}&${fields}`),
  microUsd,
  reaches: `${AT_TWILIO}/Calls.json`,
});
const lookup = (name: string, path: string, query: string, microUsd: number, reaches = query): Counted => ({
  ...get(name, path + query),
  microUsd,
  reaches: path.replace("/twilio/lookups", "/lookups/").replace("//", "/") + reaches,
});
const MEDIA = "MediaUrl=https%3A%2F%2Fa.example%2F1.png";

/** Segments by twilio.com/docs/glossary/what-is-a-segment: 160 and 153 units of GSM-7, 70 and 67 of UCS-2. */
const SEGMENTS: readonly Counted[] = [
  text("160 letters", "x".repeat(160), 1),
  text("161 letters", "x".repeat(161), 2),
  text("306 letters", "x".repeat(306), 2),
  text("307 letters", "x".repeat(307), 3),
  text("80 signs that count double", "€".repeat(80), 1),
  text("81 signs that count double", "€".repeat(81), 2),
  text("159 letters and a sign that counts double", `${"x".repeat(159)}[`, 2),
  text("a sign that counts double on the edge of a segment", `${"x".repeat(152)}{${"x".repeat(152)}`, 3),
  text("80 brackets and braces", "[]{}^~|\\".repeat(10), 1),
  text("35 emoji", "👍".repeat(35), 1),
  text("36 emoji", "👍".repeat(36), 3 - 1),
  text("67 emoji, of which no pair is cut in two", "👍".repeat(67), 3),
  text("one emoji behind 69 letters", `${"x".repeat(69)}👍`, 2),
  text("one letter of UCS-2 among 160", `${"x".repeat(159)}ç`, 3),
  text("a curly quote among 70", `${"x".repeat(69)}’`, 1),
  text("a curly quote among 71", `${"x".repeat(70)}’`, 2),
  text("a family of 11 units, seven times", "👨‍👩‍👧‍👦".repeat(7), 2),
  text("nothing", "", 1),
];

const MESSAGES_COUNTED: readonly Counted[] = [
  sms("a country at its own price", "To=%2B442071838750&Body=x", 5 * CENT),
  sms("an island behind +1 at its own price", "To=%2B18765550100&Body=x", 60 * CENT),
  sms("WhatsApp at its own price", "To=whatsapp%3A%2B14155550100&Body=x", 2 * CENT),
  sms("media", `${SMS}&Body=x&${MEDIA}`, 3 * CENT),
  sms("ten media, which may be sent as links", `${SMS}&Body=x${`&${MEDIA}`.repeat(10)}`, 11 * CENT),
  sms("media without a text", `${SMS}&${MEDIA}`, 3 * CENT),
  sms("a long text sent as MMS", `${SMS}&SendAsMms=true&Body=${"x".repeat(1600)}`, 11 * CENT),
  sms("a text sent as MMS, by another word", `${SMS}&SendAsMms=1&Body=x`, 3 * CENT),
  sms("a template, whatever it says", `${SMS}&ContentSid=HX${HEX}`, 25 * CENT),
  sms("a template beside a short text", `${SMS}&Body=x&ContentSid=HX${HEX}`, 25 * CENT),
  sms("an empty ContentSid", `${SMS}&Body=x&ContentSid=`, 25 * CENT),
  sms(
    "a message for later",
    `${TO}&MessagingServiceSid=MG${HEX}&Body=x&ScheduleType=fixed&SendAt=2030-01-01T00%3A00%3A00Z`,
    CENT,
  ),
  sms("a price that the caller would pay", `${SMS}&Body=x&MaxPrice=0.0001`, CENT),
  sms("a number whose name and digits are encoded", `%54o=%2B%31415%35550100&${FROM}&Body=x`, CENT),
];

const CALLS_COUNTED: readonly Counted[] = [
  counted("a minute", `TimeLimit=60&Twiml=${SAY}`, MINUTE),
  counted("a second more", `TimeLimit=61&Twiml=${SAY}`, 2 * MINUTE),
  counted("four hours", `TimeLimit=14400&Twiml=${SAY}`, 240 * MINUTE),
  counted("recorded", `TimeLimit=60&Twiml=${SAY}&Record=true`, MINUTE + 5_000),
  counted("recorded, by another word", `TimeLimit=60&Twiml=${SAY}&Record=1`, MINUTE + 5_000),
  counted("not recorded", `TimeLimit=60&Twiml=${SAY}&Record=False`, MINUTE),
  counted("with machine detection", `TimeLimit=60&Twiml=${SAY}&MachineDetection=Enable`, MINUTE + 2 * CENT),
  counted(
    "recorded with machine detection, two minutes",
    `TimeLimit=120&Twiml=${SAY}&MachineDetection=DetectMessageEnd&Record=record-from-answer`,
    2 * MINUTE + CENT + 2 * CENT,
  ),
  counted(
    "Dial as the text of Say",
    `TimeLimit=60&Twiml=${encodeURIComponent("<Response><Say>&lt;Dial&gt;1&lt;/Dial&gt;</Say></Response>")}`,
    MINUTE,
  ),
  counted("digits that are sent", `TimeLimit=60&Twiml=${SAY}&SendDigits=wwww1234`, MINUTE),
];

const VERIFICATIONS_COUNTED: readonly Counted[] = [
  ...(
    [
      ["by sms", `${TO}&Channel=sms`, 7 * CENT],
      ["by WhatsApp", `${TO}&Channel=whatsapp`, 7 * CENT],
      ["by a call, whose minute comes on top", `${TO}&Channel=call`, 7 * CENT + MINUTE],
      ["by e-mail", "To=ann%40example.com&Channel=email", 6 * CENT],
      ["by sms elsewhere", "To=%2B442071838750&Channel=sms", 70 * CENT],
    ] as const
  ).map(([name, body, microUsd]) => ({
    ...verification(name, body),
    microUsd,
    reaches: `/verify/v2/Services/VA${HEX}/Verifications`,
  })),
];

const LOOKUPS_COUNTED: readonly Counted[] = [
  lookup("nothing", LOOKUP, "", 0),
  lookup("validation", LOOKUP, "?Fields=validation", 0),
  lookup("one field", LOOKUP, "?Fields=caller_name", 15_000),
  lookup(
    "two fields behind a comma",
    LOOKUP,
    "?Fields=caller_name,line_type_intelligence",
    35_000,
    "?Fields=caller_name%2Cline_type_intelligence",
  ),
  lookup(
    "two fields behind an encoded comma",
    LOOKUP,
    "?Fields=caller_name%2Cline_type_intelligence",
    35_000,
  ),
  lookup("two parameters", LOOKUP, "?Fields=caller_name&Fields=line_type_intelligence", 35_000),
  lookup("one field twice", LOOKUP, "?Fields=caller_name&Fields=caller_name", 30_000),
  lookup("validation before a field", LOOKUP, "?Fields=validation&Fields=sim_swap", 300_000),
  lookup("a name that is encoded", LOOKUP, "?%46ields=caller_name", 15_000, "?Fields=caller_name"),
  lookup("spaces around a field", LOOKUP, "?Fields=%20caller_name+", 15_000, "?Fields=%20caller_name%20"),
  lookup(
    "two fields between which stands a semicolon",
    LOOKUP,
    "?Fields=caller_name;Fields=sim_swap",
    315_000,
    "?Fields=caller_name&Fields=sim_swap",
  ),
  lookup("two types of version 1", LOOKUP_V1, "?Type=carrier&Type=caller-name", 35_000),
];

const ROUTES: readonly Counted[] = [
  `/twilio/2010-04-01/Accounts/${ZEROS}/Messages.json`,
  `/twilio/api/2010-04-01/Accounts/${ZEROS}/Messages.json`,
  `/2010-04-01/Accounts/${ZEROS}/Messages.json`,
  `/api/2010-04-01/Accounts/${ZEROS}/Messages.json`,
  `/twilio/2010-04-01/Accounts/${OWN}/Messages.json`,
  `/twilio/2010-04-01/Accounts/${ZEROS}/Messages.json/`,
].map((target) => ({ name: target, target, microUsd: CENT, reaches: `${AT_TWILIO}/Messages.json` }));

const PASSED_BY: readonly Counted[] = [
  "Stripe-Account: acct_1",
  "Idempotency-Key: a",
  "I-Twilio-Idempotency-Token: a",
  "X-Forwarded-Host: evil.example",
  "X-Original-URL: /2010-04-01/Accounts.json",
  "X-Rewrite-URL: /2010-04-01/Accounts.json",
  "X-Twilio-Account: AC1",
].map((line) => ({
  name: `the header ${line}`,
  headers: [line],
  microUsd: CENT,
  reaches: `${AT_TWILIO}/Messages.json`,
}));

smuggles(smuggler, {
  refused: {
    "a message": MESSAGE_FIELDS,
    "a change of a message or a call": FREE_WRITES,
    "a call": CALL_FIELDS,
    "a verification": VERIFY_FIELDS,
    "a lookup": LOOKUPS,
    "a body": BODIES,
    "a header": OVERRIDES,
    "a method": METHODS,
    "a path": PATHS,
    "a limit inside a call": LIMITS,
    "a key": keysOfOthers({ vendor: "twilio", target: USUAL.target }, ["stripe", "resend"]),
  },
  counted: {
    segments: SEGMENTS,
    "a message": MESSAGES_COUNTED,
    "a call": CALLS_COUNTED,
    "a verification": VERIFICATIONS_COUNTED,
    "a lookup": LOOKUPS_COUNTED,
    "a route": ROUTES,
    "a header that stays here": PASSED_BY,
  },
});
