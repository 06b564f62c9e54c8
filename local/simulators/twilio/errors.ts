/**
 * A refusal as Twilio sends it: `{"code", "message", "more_info", "status"}`. Codes are those of
 * twilio.com/docs/api/errors, read 2026-11-22; wordings are Twilio's where a report of one was found, and else alike.
 */
export class TwilioError extends Error {
  override readonly name = "TwilioError";
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A 400 with Twilio's number for what is wrong. */
export const invalid = (code: number, message: string) => new TwilioError(400, code, message);

export const unauthenticated = () => new TwilioError(401, 20003, "Authenticate");

/** What Twilio says to a path it does not serve, and to an object, or an account, that is not the caller's. */
export const notFound = (path: string) =>
  new TwilioError(404, 20404, `The requested resource ${path} was not found`);

/** Likewise, of a path that Twilio may well serve and this does not. */
export const notSimulated = (method: string, path: string) =>
  new TwilioError(
    404,
    20404,
    `The requested resource ${path} was not found. This is Keybrake's simulator of Twilio, which serves less than Twilio ` +
      `does and has no ${method} of it (docs/simulators.md says what it has).`,
  );

/** A message or call that is under way can be read, but not deleted. */
export const notComplete = () =>
  new TwilioError(409, 20009, "Cannot delete this resource before it is complete");

export const rateLimited = () => new TwilioError(429, 20429, "Too Many Requests");

/** Twilio's own failure. Whether anything was sent is not told. */
export const serverError = () => new TwilioError(500, 20500, "Internal Server Error");

export function errorBody({ code, message, status }: TwilioError) {
  return { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status };
}
