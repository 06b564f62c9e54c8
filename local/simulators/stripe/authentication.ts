import { StripeError } from "./errors.ts";

/**
 * Checks the key of a request, sent as Bearer or as the user of Basic. Without an expected `secretKey` any key will
 * do. Gives the 401 as Stripe words it, or null. Of a wrong key it shows the first and last characters only, as
 * Stripe does.
 */
export function refuseKey(
  authorization: string | undefined,
  secretKey: string | undefined,
): StripeError | null {
  const key = keyIn(authorization);
  if (key === "") return new StripeError(401, { type: "invalid_request_error", message: NO_KEY });
  if (secretKey === undefined || key === secretKey) return null;
  return new StripeError(401, {
    type: "invalid_request_error",
    message: `Invalid API Key provided: ${masked(key)}`,
  });
}

const NO_KEY =
  "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth " +
  "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we " +
  "can help at https://support.stripe.com/.";

function keyIn(authorization = ""): string {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme === undefined || value === undefined) return "";
  if (scheme.toLowerCase() === "bearer") return value;
  return Buffer.from(value, "base64").toString().split(":")[0] ?? "";
}

function masked(key: string): string {
  if (key.length < 16) return "*".repeat(key.length);
  return key.slice(0, 8) + "*".repeat(key.length - 12) + key.slice(-4);
}
