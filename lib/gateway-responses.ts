import { vendorRegistry } from "../lambda/vendors/index.ts";

/**
 * What the gateway itself answers, per type: a body that makes every vendor's SDK raise its natural exception, since
 * stripe-node takes an answer without `error` for a success whatever its status is (run against stripe-node 12 to 23, 2026-11).
 *
 * Read by the local gateway and by the deployed front door. The types and their statuses are those of
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html and of
 * API_GatewayResponse, read 2026-11-22.
 */

/** Every type, in the order of the alphabet. */
export const GATEWAY_RESPONSE_TYPES = [
  "ACCESS_DENIED",
  "API_CONFIGURATION_ERROR",
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
  "BAD_REQUEST_BODY",
  "BAD_REQUEST_PARAMETERS",
  "DEFAULT_4XX",
  "DEFAULT_5XX",
  "EXPIRED_TOKEN",
  "INTEGRATION_FAILURE",
  "INTEGRATION_TIMEOUT",
  "INVALID_API_KEY",
  "INVALID_SIGNATURE",
  "MISSING_AUTHENTICATION_TOKEN",
  "QUOTA_EXCEEDED",
  "REQUEST_TOO_LARGE",
  "RESOURCE_NOT_FOUND",
  "THROTTLED",
  "UNAUTHORIZED",
  "UNSUPPORTED_MEDIA_TYPE",
  "WAF_FILTERED",
] as const;

export type GatewayResponseType = (typeof GATEWAY_RESPONSE_TYPES)[number];

export interface GatewayResponse {
  /** Status of the answer and of its body. */
  readonly status: number;
  /**
   * Whether to set the status on the type. The two defaults answer several failures with a status each, and setting
   * one on them would change it for all; their body then has the status of the commonest failure.
   */
  readonly setsStatus: boolean;
  /**
   * Literals, or `$context.<name>`. API Gateway wants a literal in single quotes and a context variable without the
   * dollar sign (`'no-store'`, `context.requestId`).
   */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with `$context.requestId` where the request's id belongs. */
  readonly template: string;
}

type Charged = "no" | "unknown";

interface Failure {
  readonly status: number;
  /** `no` where none of our code ran. */
  readonly charged: Charged;
  readonly message: string;
  readonly setsStatus?: false;
}

const NOTHING_RAN = "nothing was sent to the vendor and nothing was charged";
const UNKNOWN =
  "the vendor may have been called; repeat the request with the same idempotency key, or look it up in the audit log, before you treat it as failed";

const CONSEQUENCE: Readonly<Record<Charged, string>> = { no: NOTHING_RAN, unknown: UNKNOWN };

const FAILURES: Readonly<Record<GatewayResponseType, Failure>> = {
  ACCESS_DENIED: refused(403, "access was denied before the request reached Keybrake"),
  API_CONFIGURATION_ERROR: unknown(500, "the gateway is misconfigured"),
  AUTHORIZER_CONFIGURATION_ERROR: refused(500, "the gateway cannot reach its authorizer"),
  AUTHORIZER_FAILURE: refused(500, "the gateway's authorizer failed"),
  BAD_REQUEST_BODY: refused(400, "the gateway does not accept this body"),
  BAD_REQUEST_PARAMETERS: refused(400, "the gateway does not accept these parameters"),
  DEFAULT_4XX: { ...refused(400, "the gateway does not accept this request"), setsStatus: false },
  DEFAULT_5XX: { ...unknown(502, "Keybrake failed on this request"), setsStatus: false },
  EXPIRED_TOKEN: refused(403, "the AWS token of this request has expired"),
  INTEGRATION_FAILURE: unknown(504, "the gateway could not get an answer from Keybrake"),
  INTEGRATION_TIMEOUT: unknown(504, "Keybrake did not answer in time"),
  INVALID_API_KEY: refused(403, "the gateway does not know this x-api-key"),
  INVALID_SIGNATURE: refused(403, "the AWS signature of this request is wrong; send only the vault key"),
  MISSING_AUTHENTICATION_TOKEN: refused(403, "there is nothing at this address; add a path"),
  QUOTA_EXCEEDED: refused(429, "the quota of this x-api-key is used up"),
  REQUEST_TOO_LARGE: refused(413, "the request is too large for the gateway"),
  RESOURCE_NOT_FOUND: refused(404, "unknown path"),
  THROTTLED: refused(429, "too many requests at the moment; try again in a second"),
  UNAUTHORIZED: refused(401, "the gateway's authorizer does not accept this request"),
  UNSUPPORTED_MEDIA_TYPE: refused(415, "the gateway does not accept this content type"),
  WAF_FILTERED: refused(403, "the request was blocked by the firewall in front of Keybrake"),
};

/** Vendors that the configuration defines have no SDK whose exception it would have to make. */
const VENDORS = vendorRegistry();

/** What the gateway answers for a failure of this type; `what`: said of it in place of its usual words. */
export function gatewayResponseOf(type: GatewayResponseType, what?: string): GatewayResponse {
  const failure = FAILURES[type];
  const { status, charged } = failure;
  const message = what === undefined ? failure.message : `${what}; ${CONSEQUENCE[charged]}`;
  const code = `gateway_${type.toLowerCase()}`;
  const isThrottled = type === "THROTTLED";
  const denial = VENDORS.denial({
    status,
    code,
    // A 5xx is safe to repeat with the same idempotency key, and Stripe's SDKs do; a 429 of the gateway is over in a moment.
    repeats: status >= 500 || isThrottled,
    message,
    requestId: "$context.requestId",
    charged,
    details: {},
  });
  return {
    status,
    setsStatus: failure.setsStatus ?? true,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...denial.headers,
      "Keybrake-Code": code,
      "Keybrake-Charged": charged,
    },
    template: `${denial.body}\n`,
  };
}

function refused(status: number, what: string): Failure {
  return { status, charged: "no", message: `${what}; ${CONSEQUENCE.no}` };
}

function unknown(status: number, what: string): Failure {
  return { status, charged: "unknown", message: `${what}; ${CONSEQUENCE.unknown}` };
}
