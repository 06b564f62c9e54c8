/**
 * Every reason to refuse, with its one HTTP status. A vendor's adapter adds the vendor's own words; the message says
 * everything, because schedulers keep nothing else of an exception.
 *
 * Each code is explained in docs/errors.md.
 */
export const STATUS_BY_CODE = {
  key_unknown: 401,
  key_expired: 401,
  key_revoked: 401,
  api_key_invalid: 401,
  login_ended: 401,
  code_invalid: 401,
  scope_missing: 403,
  cross_site: 403,
  wider_than_issuer: 403,
  endpoint_not_allowed: 403,
  endpoint_not_priced: 403,
  account_not_allowed: 403,
  currency_not_allowed: 403,
  recipient_not_allowed: 403,
  too_many_recipients: 403,
  ambiguous_path: 400,
  ambiguous_request: 400,
  amount_unknown: 400,
  currency_unknown: 400,
  payload_too_large: 413,
  record_full: 400,
  spend_cap_exceeded: 429,
  rate_limited: 429,
  too_many_logins: 429,
  idempotency_key_in_use: 409,
  credential_missing: 503,
  ledger_unavailable: 503,
  secrets_unavailable: 503,
  vendor_unreachable: 502,
  vendor_connection_broken: 502,
  vendor_answer_withheld: 502,
  vendor_answer_too_large: 501,
  vendor_timeout: 504,
  out_of_time: 504,
  chain_too_long: 400,
  invalid_request: 400,
  unsupported_media_type: 415,
  run_stopped: 403,
  too_many_stops: 409,
  already_issued: 409,
  key_changed_meanwhile: 409,
  key_not_changeable: 409,
  call_in_flight: 409,
  nothing_unresolved: 409,
  not_found: 404,
  internal: 500,
} as const;

export type ProblemCode = keyof typeof STATUS_BY_CODE;

/** Whether money may have moved at the vendor. An agent's next step depends only on that. */
export type Charged = "no" | "unknown" | "yes";

/** Fields beside the message, by their names on the wire. */
export type ProblemDetails = Readonly<Record<string, string | number | boolean | null>>;

interface ProblemOptions {
  readonly charged?: Charged;
  /** The same call was attempted before, and `charged` is only about this attempt. */
  readonly otherAttempts?: boolean;
  readonly details?: ProblemDetails;
  /** Seconds after which the same call may pass; absent where waiting does not help. */
  readonly retryAfterS?: number;
  readonly cause?: unknown;
}

/**
 * A failure with a stable `code` that clients may match on.
 *
 * The message is shown to the caller. What only the operator may see goes in `cause`, which is logged and never
 * serialised: vendor bodies, table names, anything holding a secret.
 */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly charged: Charged;
  readonly otherAttempts: boolean;
  readonly details: ProblemDetails;
  readonly retryAfterS: number | null;

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.charged = options.charged ?? "no";
    this.otherAttempts = options.otherAttempts ?? false;
    this.details = options.details ?? {};
    this.retryAfterS = options.retryAfterS ?? null;
  }

  get status(): number {
    return STATUS_BY_CODE[this.code];
  }
}

/** What `charged` means for a person. It ends the message of every refusal of a call. */
export function chargedText({ charged, otherAttempts }: Pick<Problem, "charged" | "otherAttempts">): string {
  if (charged === "yes") return "the charge was made";
  if (charged === "unknown") return "whether it was charged is not known, and its budget stays held";
  return otherAttempts ? "this attempt charged nothing" : "nothing was charged";
}

/** Statuses at which a repeat with the same idempotency key is safe and may succeed: clients may do it by themselves. */
export const isSafeToRepeat = (status: number): boolean => status === 409 || status === 502 || status === 504;
