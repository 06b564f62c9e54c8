import { Problem } from "../domain/denial.ts";
import type { Policy } from "../domain/vault-key.ts";
import type { Address, Vendor, VendorRequest } from "../domain/vendor.ts";
import type { VendorReply } from "../ports.ts";
import type { Admitted } from "./admit-call.ts";
import type { ProxyPorts } from "./attempt-context.ts";

export interface Forwarded {
  readonly reply: VendorReply;
  readonly showsSecret: boolean;
}

/**
 * Step 5: sends a call to its vendor. Same method, path and body bytes; the query written anew; our own credential.
 *
 * A 401 of the vendor means that nothing ran: the credential may have been rotated, so it is read past the cache and,
 * where it is another one, the call is sent once more within the same time. Times in milliseconds.
 */
export async function forward(
  { vendor, request, address, secret }: Pick<Admitted, "vendor" | "request" | "address" | "secret">,
  policy: Policy,
  timeoutMs: number,
  { http, secrets, destinationOf }: Pick<ProxyPorts, "http" | "secrets" | "destinationOf">,
  now: () => number,
): Promise<Forwarded> {
  const untilMs = now() + timeoutMs;
  const send = (value: string, to: Address): Promise<VendorReply> => {
    const { origin, path } = destinationOf(vendor, to);
    return http.send({
      origin,
      method: request.method,
      target: path + queryText(request.query),
      headers: {
        ...passedHeaders(request, vendor.forwardedHeaders),
        "accept-encoding": "identity",
        ...vendor.authorize(value),
      },
      body: request.body,
      timeoutMs: untilMs - now(),
    });
  };

  const reply = await send(secret, address);
  if (reply.kind !== "answer" || reply.status !== 401)
    return { reply, showsSecret: shows(reply, vendor.secretsOf(secret)) };

  const fresh = await secrets.get(policy.vendor, policy.credential, true).catch(() => null);
  const renewed =
    fresh === null || vendor.authorize(fresh) === null ? null : addressOf(vendor, request, fresh);
  if (
    fresh === null ||
    fresh === secret ||
    renewed === null ||
    renewed instanceof Problem ||
    untilMs <= now()
  )
    return { reply, showsSecret: shows(reply, vendor.secretsOf(secret)) };
  const second = await send(fresh, renewed);
  return { reply: second, showsSecret: shows(second, vendor.secretsOf(fresh)) };
}

/** Where a request goes in the name of a credential: with the path as it was written. */
export const addressOf = (vendor: Vendor, { method, path, sentPath = path }: VendorRequest, secret: string) =>
  vendor.address({ method, path: sentPath }, secret);

/** Whether an answer repeats the credential, in any usual spelling: then nobody may see it, though its money counts. */
function shows(reply: VendorReply, secrets: readonly string[]): boolean {
  if (reply.kind !== "answer") return false;
  const base64 = (text: string) => Buffer.from(text).toString("base64").replace(/=+$/, "");
  const spellings = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    base64(secret),
    base64(`${secret}:`),
  ]);
  const body = Buffer.from(reply.body);
  return spellings.some(
    (spelling) => body.includes(spelling) || reply.rawHeaders.some(([, value]) => value.includes(spelling)),
  );
}

function passedHeaders(request: VendorRequest, names: readonly string[]): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of names) {
    const value = request.headers[name]?.[0];
    if (value !== undefined) passed[name] = value;
  }
  return passed;
}

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
