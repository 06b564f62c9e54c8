import type { APIGatewayProxyEvent } from "aws-lambda";
import { Problem } from "../domain/problem.ts";
import { brokenText, readStrictJson } from "../domain/strict-json.ts";
import { parseVaultKey } from "../domain/vault-key.ts";
import type { Headers, KeyInRequest, Vendor, VendorRequest } from "../domain/vendor.ts";

/** Reads what a REST API hands to a function. Bodies come as base64, because all types are binary. */

const READ = new WeakMap<APIGatewayProxyEvent, Headers>();

/** The headers by their names in lower case; read once for each event. */
export function headersOf(event: APIGatewayProxyEvent): Headers {
  const read = READ.get(event);
  if (read !== undefined) return read;
  // A map, since a name may be one that every object has already, such as `constructor`.
  const headers = new Map<string, string[]>();
  for (const [written, values] of Object.entries(event.multiValueHeaders ?? {})) {
    if (values === undefined) continue;
    const name = written.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? values : [...before, ...values]);
  }
  const all = Object.fromEntries(headers);
  READ.set(event, all);
  return all;
}

export const bodyOf = ({ body, isBase64Encoded }: APIGatewayProxyEvent): Uint8Array =>
  body === null || body === undefined
    ? new Uint8Array()
    : Buffer.from(body, isBase64Encoded ? "base64" : "utf8");

export const queryOf = (event: APIGatewayProxyEvent): Readonly<Record<string, readonly string[]>> => {
  const query = new Map<string, readonly string[]>();
  for (const [name, values] of Object.entries(event.multiValueQueryStringParameters ?? {}))
    if (values !== undefined) query.set(name, values);
  return Object.fromEntries(query);
};

/** The only value of a header; null where the header is missing. Throws where there are several. */
export function singleHeader(headers: Headers, name: string): string | null {
  const values = headers[name.toLowerCase()] ?? [];
  if (values.length > 1)
    throw new Problem("invalid_request", `${name}: got ${values.length} headers; expected one`, {
      details: { field: name },
    });
  return values[0] ?? null;
}

/**
 * The secret that a caller sends: as Bearer, as the password of Basic (Twilio), or as its user where the password is
 * empty (Stripe by curl). Null where there is no secret.
 */
export function tokenOf(headers: Headers): string | null {
  const values = headers["authorization"] ?? [];
  const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)\s*$/.exec(values[0] ?? "") ?? [];
  if (values.length !== 1) return null;
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  const decoded = Buffer.from(value, "base64").toString("utf8");
  const at = decoded.indexOf(":");
  const [user, password] = at < 0 ? [decoded, ""] : [decoded.slice(0, at), decoded.slice(at + 1)];
  return (password === "" ? user : password) || null;
}

/**
 * The vault key of a call, and the query without it. First it looks where the clients of these vendors put a
 * credential, then in the usual header. `vendors`: the one that the path names, or all.
 */
export function keyOf(
  sent: { readonly headers: Headers; readonly query: VendorRequest["query"] },
  vendors: readonly Pick<Vendor, "keyIn">[],
): KeyInRequest {
  const places = vendors.flatMap(({ keyIn }) => (keyIn === null ? [] : [keyIn(sent)]));
  const usual = { token: tokenOf(sent.headers), query: sent.query };
  const filled = [...places, usual].filter(({ token }) => token !== null);
  return filled.find(({ token }) => parseVaultKey(token ?? "") !== null) ?? filled.at(-1) ?? usual;
}

/**
 * Where callers reach this deployment, without a slash at the end: with the stage where the address has one, without
 * where a custom domain maps it away. `requestContext.path` is the resource's path after the prefix, if there is one.
 */
export function baseUrlOf(event: APIGatewayProxyEvent): string {
  const { domainName, path } = event.requestContext;
  const scheme = headersOf(event)["x-forwarded-proto"]?.[0] === "http" ? "http" : "https";
  const suffix = event.path;
  const prefix = path.endsWith(suffix) ? path.slice(0, path.length - suffix.length) : "";
  return `${scheme}://${domainName ?? "localhost"}${prefix}`;
}

const FORM_TYPES = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/** Reads a JSON body with any Content-Type but a form's. A form is refused with `example`, an accepted body. */
export function jsonOf(event: APIGatewayProxyEvent, example: string): unknown {
  const type = singleHeader(headersOf(event), "Content-Type") ?? "";
  if (FORM_TYPES.test(type)) {
    throw new Problem(
      "unsupported_media_type",
      `Content-Type: got a form; expected application/json with a body such as ${example} (with curl: --json '{…}')`,
      { details: { field: "Content-Type" } },
    );
  }
  const body = bodyOf(event);
  const read = body.length === 0 ? { value: {} } : readStrictJson(body);
  if ("refused" in read && read.field === null)
    throw new Problem("invalid_request", `body: ${read.refused}; expected an object such as ${example}`, {
      details: { field: "body" },
    });
  if ("refused" in read)
    throw new Problem(
      "invalid_request",
      `${read.field?.slice(0, 200)}: the body ${read.refused}, so its meaning is ambiguous; leave it out, or write it once`,
      { details: { field: read.field } },
    );
  const broken = brokenText(read.value);
  if (broken !== null)
    throw new Problem(
      "invalid_request",
      `${broken || "body"}: contains half of a surrogate pair, such as \\ud800; expected text of whole characters`,
      { details: { field: broken || "body" } },
    );
  return read.value;
}
