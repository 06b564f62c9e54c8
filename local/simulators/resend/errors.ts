/**
 * Errors in Resend's own shape, `{"statusCode", "name", "message"}`. Names and statuses are those of
 * resend.com/docs/api-reference/errors, read 2026-11-22; wordings are Resend's where a recorded answer was found, and
 * else alike.
 */
export class ResendError extends Error {
  override readonly name = "ResendError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const missingApiKey = () => new ResendError(401, "missing_api_key", "Missing API Key");

export const invalidApiKey = () => new ResendError(403, "invalid_api_key", "API key is invalid");

export const missingField = (field: string) =>
  new ResendError(422, "missing_required_field", `Missing \`${field}\` field.`);

export const invalid = (message: string) => new ResendError(422, "validation_error", message);

export const notFound = (message: string) => new ResendError(404, "not_found", message);

/** Tells who lacks what is refused: a program that is right may meet it here, and never at Resend. */
const LACKED =
  "This is Keybrake's simulator of Resend, which serves less than Resend does (docs/simulators.md says what it has).";

export const noEndpoint = () => notFound(`The requested endpoint does not exist. ${LACKED}`);

export const methodNotAllowed = () =>
  new ResendError(405, "method_not_allowed", `Method is not allowed for the requested path. ${LACKED}`);

export const rateLimited = () =>
  new ResendError(
    429,
    "rate_limit_exceeded",
    "Too many requests. You can only make 2 requests per second. See rate limit response headers for more information.",
  );

/** Resend's own failure. Whether anything was sent is not told. */
export const serverError = () =>
  new ResendError(
    500,
    "application_error",
    "Internal server error. We are unable to process your request right now, please try again later.",
  );
