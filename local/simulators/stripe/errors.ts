/**
 * Errors in Stripe's own shape. Wordings and codes are those users report from the real API (GitHub issues, read
 * 2026-11-22) where such a report was found; the rest is worded alike.
 */

export interface StripeErrorFields {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly charge?: string;
  readonly payment_intent?: unknown;
  readonly payment_method?: unknown;
}

/** A refusal as Stripe sends it: a status and the fields of its `error` object. */
export class StripeError extends Error {
  override readonly name = "StripeError";
  readonly status: number;
  readonly fields: StripeErrorFields;

  constructor(status: number, fields: StripeErrorFields) {
    super(fields.message);
    this.status = status;
    this.fields = fields;
  }
}

/** A 400 that blames the request: a parameter where `param` is given, else its form or its timing. */
export function invalidRequest(message: string, details: Partial<StripeErrorFields> = {}): StripeError {
  return new StripeError(400, { type: "invalid_request_error", message, ...details });
}

/**
 * An id that names nothing. Stripe answers 404 when the id stands in the path, 400 when it is a parameter.
 * `noun` is what the message calls the object, "payment_intent" or "customer".
 */
export function noSuch(noun: string, id: string, where: { param: string; status: 400 | 404 }): StripeError {
  return new StripeError(where.status, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such ${noun}: '${id}'`,
    param: where.param,
  });
}

/** Tells who lacks what is refused: a program that is right may meet it here, and never at Stripe. */
export const LACKED =
  "This is Keybrake's simulator of Stripe, which serves less than Stripe does (docs/simulators.md says what it has).";

/** What Stripe says to a method and path it does not serve. */
export function unrecognizedUrl(method: string, path: string): StripeError {
  return new StripeError(404, {
    type: "invalid_request_error",
    message:
      `Unrecognized request URL (${method}: ${path}). If you are trying to list objects, remove the trailing slash. ` +
      `If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your code. ${LACKED}`,
  });
}

/** Stripe's own failure. Whether money moved is not told, as with the real one. */
export function serverError(): StripeError {
  return new StripeError(500, {
    type: "api_error",
    message: "An unknown error occurred. Sorry! There was a problem on Stripe's servers.",
  });
}

export function rateLimited(): StripeError {
  return new StripeError(429, {
    type: "invalid_request_error",
    code: "rate_limit",
    message:
      "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
  });
}

/** The `{"error": …}` body, with the links that Stripe adds. */
export function errorBody({ fields }: StripeError, requestId: string): unknown {
  const docUrl =
    fields.code === undefined
      ? {}
      : { doc_url: `https://stripe.com/docs/error-codes/${fields.code.replaceAll("_", "-")}` };
  return {
    error: { ...fields, ...docUrl, request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}` },
  };
}
