import type { DenialFacts, VendorManifest } from "../../domain/vendor-manifest.ts";

/** Islands and services that share the country code +1 with the United States and Canada, at their own prices. */
const ELSEWHERE_BEHIND_1 =
  "242 246 264 268 284 340 345 441 473 649 658 664 670 671 684 721 758 767 784 787 809 829 849 868 869 876 939";

const behind1 = <P>(price: P): Record<string, P> =>
  Object.fromEntries(ELSEWHERE_BEHIND_1.split(" ").map((area) => [`+1${area}`, price]));

/** Satellites, personal numbers and premium services: no list price bounds them. */
const UNBOUNDED = Object.fromEntries(
  ["+1900", "+1976", "+870", "+878", "+881", "+882", "+883", "+888", "+979"].map((prefix) => [prefix, null]),
);

const CODE_BY_STATUS: Readonly<Record<number, number>> = { 401: 20003, 403: 20403, 404: 20404, 429: 20429 };

/**
 * The oldest shape of Twilio's errors: the newer one (RFC 9457) loses its message in older SDKs. What is ours stands in it
 * twice, since of all that is not Twilio's own an exception keeps `details` alone.
 */
function denial({ status, code: problem, message, requestId, charged, details }: DenialFacts) {
  const code = CODE_BY_STATUS[status] ?? (status >= 500 ? 20500 : 20001);
  const ours = { ...details, keybrake_code: problem, request_id: requestId, charged };
  const body = {
    ...ours,
    code,
    message,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
    details: ours,
  };
  return {
    headers: { "Twilio-Request-Id": requestId, "Request-Id": requestId },
    body: JSON.stringify(body),
  };
}

/**
 * Sources of the prices, read 2026-11-22: list prices as of November 2026 on Twilio's and third parties' pages, rounded up
 * with carrier fees; twilio.com/en-us/pricing has those of an account.
 *
 * Account SIDs are no secrets. 32 hexadecimal digits alone may be an auth token, and are every trace id and MD5 too: in a
 * text they are taken for one only behind its name or a SID.
 */
export const manifest: VendorManifest = {
  name: "twilio",
  title: "Twilio",
  defaultCredential: "default",
  credentialAccepted: "AC…:auth token, or AC…:SK…:secret with an API key",
  local: {
    credential: [
      {
        name: "TWILIO_ACCOUNT_SID",
        pattern: /^AC[0-9a-f]{32}$/i,
        begins: null,
        accepted: "AC and 32 digits or letters a to f (SK… goes before its secret in TWILIO_AUTH_TOKEN)",
      },
      {
        name: "TWILIO_AUTH_TOKEN",
        pattern: /^(?!SK[0-9a-f]{32}$|[a-z]{2}_|kbvk)(SK[0-9a-f]{32}:)?[^:]{1,200}$/i,
        begins: null,
        accepted: "the auth token, or SK…:secret of an API key",
      },
    ],
    origin: "KEYBRAKE_TWILIO_ORIGIN",
    // The token has no part in common with the SID, since an answer that repeats a credential is withheld.
    placeholder: `AC${"0123456789abcdef".repeat(2)}:0f1e2d3c4b5a69788796a5b4c3d2e1f0`,
  },
  // TWILIO_EDGE and TWILIO_REGION change the host that the SDKs call (twilio-node 6.2.0 and twilio-python 9.11.0).
  client: {
    key: ["TWILIO_AUTH_TOKEN"],
    baseUrl: [],
    fixed: { TWILIO_ACCOUNT_SID: `AC${"0".repeat(32)}` },
    removed: ["TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_EDGE", "TWILIO_REGION"],
    freeRead: `/2010-04-01/Accounts/AC${"0".repeat(32)}/Messages.json`,
  },
  tellsPricesLate: true,
  prices: {
    /** A segment of a text message, carrier fees included. By the prefix of `To`. */
    sms: { "+1": "0.0145", ...behind1("0.6"), default: "0.6" },
    /** A message with media. */
    mms: { "+1": "0.06", ...behind1(null), default: null },
    /** A message that failed, where its price is never told. support.twilio.com, "Failed Message Processing Fees", read 2026-11-27. */
    failed_message: { default: "0.001" },
    /** A message of the channel, whatever it says. */
    whatsapp: { default: "0.3" },
    messenger: { default: null },
    rcs: { default: null },
    /** A started minute of a call, by the prefix of `To`. */
    call_minute: {
      "+1": "0.05",
      ...behind1("2"),
      // Alaska, the Canadian territories, personal numbers: not at the price of the rest.
      "+1907": "2",
      "+1867": "2",
      "+1500": "2",
      "+1700": "2",
      ...UNBOUNDED,
      "client:": "0.01",
      "sip:": "0.01",
      default: "5",
    },
    /** A started minute that is recorded. */
    recording_minute: { default: "0.005" },
    /** Finding out whether a machine answers, each call. */
    machine_detection: { default: "0.02" },
    /** A call whose instructions come from an address, on top of its minutes: they may dial others, so what it costs is not bounded. */
    call_instructions: { default: null },
    /** A verification that is begun, by the prefix of `To`; `email:` and `sna:` stand before that of these channels. */
    verification: { "+1": "0.07", ...behind1("0.7"), "email:": "0.07", default: "0.7" },
    /** A field that a lookup asks for, by its name. */
    lookup_field: { line_type_intelligence: "0.02", caller_name: "0.02", pre_fill: null, default: "0.3" },
  },
  secretShapes: [
    {
      name: "a credential of Twilio",
      token: /^(AC|SK)[0-9a-f]{32}:/i,
      inText: /(?:AC|SK)[0-9a-f]{32}:[^\s"&]+/gi,
    },
    {
      name: "an account or key SID of Twilio",
      token: /^(AC|SK)[0-9a-f]{32}$/i,
      // Half of a pair, and never there by accident.
      inText: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![0-9a-f])/gi,
    },
    {
      name: "an auth token of Twilio",
      token: /^[0-9a-f]{32}$/i,
      inText: /auth[ _-]?token["']?[\s:=]+["']?[0-9a-f]{32}/gi,
    },
  ],
  denial,
};
