import { Problem } from "../../domain/problem.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Address, Headers, Vendor, VendorAnswer, VendorRequest } from "../../domain/vendor.ts";
import type { VendorReply } from "../../ports/vendor-http.ts";
import { decodedBody } from "./decode-answer.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import { SecretFinder } from "./repeats-secret.ts";

/** What it takes to ask a vendor. */
export type VendorPorts = Pick<ProxyPorts, "http" | "credentials" | "clock" | "destinationOf">;

/** A request to a vendor with our own credential. */
export interface VendorCall {
  readonly vendor: Vendor;
  readonly request: VendorRequest;
  readonly address: Address;
  /** The value of the credential: it may stand in no log, row or answer. */
  readonly secret: string;
}

/** What came of a request to a vendor. */
export interface Exchange {
  readonly reply: VendorReply;
  /** What it says once it is decoded; null where there is no answer. Of one that cannot be decoded the body is empty. */
  readonly answer: VendorAnswer | null;
  /** Why nobody may see the answer, though its money counts; null for one that may be shown. */
  readonly withheld: "repeats_secret" | "unreadable" | null;
}

/**
 * Sends a request to its vendor. Same method, path and body bytes; the query written anew; our own credential.
 *
 * A 401 of the vendor means that nothing ran: the credential may have been rotated, so it is read past the cache and,
 * where it is another one, the call is sent once more within the same time. Times in milliseconds.
 */
export async function callVendor(
  { vendor, request, address, secret }: VendorCall,
  { policy, timeoutMs }: { readonly policy: Policy; readonly timeoutMs: number },
  { http, credentials, clock, destinationOf }: VendorPorts,
): Promise<Exchange> {
  const untilMs = clock.now() + timeoutMs;
  const send = (value: string, to: Address): Promise<VendorReply> => {
    const { origin, path } = destinationOf(vendor, to);
    return http.send({
      origin,
      method: request.method,
      target: path + queryText({ ...request.query, ...authorizedQuery(vendor, value) }),
      headers: {
        ...passedHeaders(request, vendor.forwardedHeaders),
        "accept-encoding": "identity",
        ...vendor.authorize(value),
      },
      body: request.body,
      timeoutMs: untilMs - clock.now(),
    });
  };

  const reply = await send(secret, address);
  if (reply.kind !== "answer" || reply.status !== 401) return inspected(reply, vendor.secretsOf(secret));

  const fresh = await credentials
    .read({ vendor: policy.vendor, credential: policy.credential, fresh: true })
    .catch(() => null);
  const renewed =
    fresh === null || vendor.authorize(fresh) === null ? null : addressOf(vendor, request, fresh);
  if (
    fresh === null ||
    fresh === secret ||
    renewed === null ||
    renewed instanceof Problem ||
    untilMs <= clock.now()
  )
    return inspected(reply, vendor.secretsOf(secret));
  // The second answer could still name the credential that was refused.
  return inspected(await send(fresh, renewed), [...vendor.secretsOf(fresh), ...vendor.secretsOf(secret)]);
}

/** Where a request goes in the name of a credential: with the path as it was written. */
export const addressOf = (vendor: Vendor, { method, path, sentPath = path }: VendorRequest, secret: string) =>
  vendor.address({ method, path: sentPath }, secret);

let lastFinder: { readonly of: readonly string[]; readonly finder: SecretFinder } | null = null;

/** Most calls of a process are made with one credential, so the finder of the last one is kept. */
function finderOf(secrets: readonly string[]): SecretFinder {
  const isSame =
    lastFinder?.of.length === secrets.length && secrets.every((secret, at) => secret === lastFinder?.of[at]);
  if (lastFinder !== null && isSame) return lastFinder.finder;
  lastFinder = { of: secrets, finder: new SecretFinder(secrets) };
  return lastFinder.finder;
}

/** Inspected before anybody reads it: decoded, and searched for the credential as it came and decoded. */
function inspected(reply: VendorReply, secrets: readonly string[]): Exchange {
  const finder = finderOf(secrets);
  if (reply.kind === "too_large") {
    // Its status is known, so what was executed costs what was quoted.
    const withheld = finder.inHeaders(headerPairs(reply.headers)) ? "repeats_secret" : null;
    return { reply, answer: { ...reply, body: new Uint8Array() }, withheld };
  }
  if (reply.kind !== "answer") return { reply, answer: null, withheld: null };
  const { status, headers, rawHeaders, body } = reply;
  const decoded = decodedBody(headers, body);
  const answer = { status, headers, body: decoded ?? new Uint8Array() };
  const repeats =
    finder.inHeaders(rawHeaders) ||
    finder.inBytes(body) ||
    (decoded !== null && decoded !== body && finder.inBytes(decoded));
  return { reply, answer, withheld: repeats ? "repeats_secret" : decoded === null ? "unreadable" : null };
}

const headerPairs = (headers: Headers) =>
  Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] as const));

function passedHeaders(request: VendorRequest, names: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of names) {
    const value = request.headers[name]?.[0];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

const authorizedQuery = ({ authorizeQuery }: Vendor, secret: string): VendorRequest["query"] =>
  Object.fromEntries(Object.entries(authorizeQuery?.(secret) ?? {}).map(([name, value]) => [name, [value]]));

/** The query as RFC 3986 writes it: every character but the unreserved ones is percent-encoded. */
function queryText(query: VendorRequest["query"]): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    values.map((value) => `${encoded(name)}=${encoded(value)}`),
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

const encoded = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
