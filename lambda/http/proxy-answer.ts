import { isUtf8 } from "node:buffer";
import type { APIGatewayProxyResult } from "aws-lambda";
import type { CallFacts, ProxyResult } from "../app/proxy/proxy-result.ts";
import { usdText } from "../domain/money.ts";
import { chargedText, isSafeToRepeat, type Problem } from "../domain/problem.ts";
import { isoTime } from "../domain/time.ts";
import type { Vendor } from "../domain/vendor.ts";
import type { VendorRegistry } from "../vendors/registry.ts";
import { answerBody, jsonLine, redactedDetails } from "./answers.ts";

/** Headers that a REST API writes itself, and those that belong to one connection. AWS documentation, read 2026-11-22. */
const NOT_PASSED = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "server",
  "transfer-encoding",
  "www-authenticate",
]);

/** Headers that are true only of the body as it came. */
const OF_THE_CODED = new Set([
  "content-encoding",
  "content-md5",
  "digest",
  "content-digest",
  "repr-digest",
  "etag",
]);

/**
 * Headers that only Keybrake may set, and those that would let a browser read an answer: keys do not belong in a
 * browser.
 */
const RESERVED = /^((keybrake|access-control)-|content-security-policy|x-content-type-options$)/i;

/** A vendor's answer has our origin: a browser that shows it all the same runs nothing of it. */
const SHOWN_NOWHERE: Readonly<Record<string, readonly string[]>> = {
  "Content-Security-Policy": ["sandbox; default-src 'none'"],
  "X-Content-Type-Options": ["nosniff"],
};

/**
 * The vendor's answer as it came, or a denial in the vendor's shape; both with Keybrake's own headers. `baseUrl`: where
 * callers reach us, for links that an SDK follows. `spoken`: see denialAnswer.
 */
export function proxyAnswer(
  result: ProxyResult,
  {
    requestId,
    baseUrl,
    spoken,
  }: { readonly requestId: string; readonly baseUrl: string; readonly spoken: string | null },
  vendors: VendorRegistry,
): APIGatewayProxyResult {
  if (result.kind === "denied")
    return denialAnswer(result.problem, { facts: result.facts, requestId, spoken }, vendors);
  const { reply, decoded, facts } = result;
  const vendor = vendors.find(facts.vendorName);
  const rewritten = withLinksHere(decoded, vendor, baseUrl);
  const passed = new Map<string, string[]>();
  for (const [name, value] of reply.rawHeaders) {
    if (NOT_PASSED.has(name.toLowerCase()) || RESERVED.test(name)) continue;
    if (vendor?.withheldHeaders.includes(name.toLowerCase())) continue;
    if (rewritten !== null && OF_THE_CODED.has(name.toLowerCase())) continue;
    passed.set(name, [...(passed.get(name) ?? []), value]);
  }
  for (const [name, value] of Object.entries(factHeaders(facts))) passed.set(name, [value]);
  if (![...passed.keys()].some((name) => name.toLowerCase() === "request-id"))
    passed.set("Request-Id", [requestId]);
  return {
    statusCode: reply.status,
    multiValueHeaders: {
      ...Object.fromEntries(passed),
      ...Object.fromEntries(Object.entries(SHOWN_NOWHERE).map(([name, values]) => [name, [...values]])),
    },
    ...answerBody(rewritten ?? reply.body),
  };
}

/**
 * The decoded body with its links rewritten to lead here; null where there are no links, so that the body stays as it
 * came.
 */
function withLinksHere(decoded: Uint8Array, vendor: Vendor | null, baseUrl: string): Uint8Array | null {
  if (vendor?.rewriteLinks == null || !isUtf8(decoded)) return null;
  const text = Buffer.from(decoded).toString();
  const rewritten = vendor.rewriteLinks(text, `${baseUrl}/${vendor.name}`);
  return rewritten === text ? null : Buffer.from(rewritten);
}

/**
 * A refusal in the shape that makes the caller's SDK raise its natural exception (docs/decisions/0027-shape-of-denials.md).
 *
 * `spoken`: the vendor whose SDK the path was made by, or null where it does not tell. `facts`: null for a key that is not
 * known. Where the path does not tell, or the key is another vendor's, the body suits every SDK.
 */
export function denialAnswer(
  problem: Problem,
  {
    facts,
    requestId,
    spoken,
  }: { readonly facts: CallFacts | null; readonly requestId: string; readonly spoken: string | null },
  vendors: VendorRegistry,
): APIGatewayProxyResult {
  const { status, code, charged, details } = problem;
  const { redact } = vendors.secrets;
  const message = redact(`${problem.message}; ${chargedText(problem)}`);
  const vendor = facts === null || facts.vendorName === spoken ? vendors.find(spoken) : null;
  const { headers, body } = (vendor ?? vendors).denial({
    status,
    code,
    repeats: isSafeToRepeat(status),
    message,
    requestId,
    charged,
    details: redactedDetails(details, redact),
  });
  return {
    statusCode: status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...headers,
      ...(problem.retryAfterS === null ? {} : { "Retry-After": `${problem.retryAfterS}` }),
      "Keybrake-Code": code,
      ...(facts === null ? { "Keybrake-Charged": charged } : factHeaders(facts)),
    },
    body: jsonLine(body),
    isBase64Encoded: false,
  };
}

function factHeaders({ callId, charged, cap, wouldDeny }: CallFacts): Record<string, string> {
  return {
    "Keybrake-Call-Id": callId,
    "Keybrake-Charged": charged,
    ...(wouldDeny === null ? {} : { "Keybrake-Would-Deny": wouldDeny }),
    ...(cap === null
      ? {}
      : { "Keybrake-Cap-Usd": usdText(cap.cap), "Keybrake-Remaining-Usd": usdText(cap.remaining) }),
    ...(cap === null || cap.resetsAtMs === null ? {} : { "Keybrake-Resets-At": isoTime(cap.resetsAtMs) }),
  };
}
