import { Problem } from "../../domain/problem.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Headers, Json, Vendor } from "../../domain/vendor.ts";
import { jsonObjectOf } from "../../vendors/json-answer.ts";
import { callVendor, type VendorPorts } from "./call-vendor.ts";
import { type Deadlines, lookupTimeMs } from "./deadlines.ts";
import { tooLarge } from "./no-answer.ts";

interface Lookup {
  readonly vendor: Vendor;
  readonly policy: Policy;
  readonly secret: string;
  /** Catalog path of the GET. */
  readonly path: string;
  /** Of the call that is to be priced. */
  readonly headers: Headers;
}

/**
 * Asks the vendor what a request does not say, by a GET with our own credential on the same account and version. Throws
 * the Problem that denies the call where there is no answer: no price, no call. An answer about another object than the
 * path names is none.
 */
export async function lookUp(
  { vendor, policy, secret, path, headers }: Lookup,
  deadlines: Deadlines,
  ports: VendorPorts,
): Promise<Json> {
  const address = vendor.address({ method: "GET", path }, secret);
  if (address instanceof Problem) throw address;
  const asked = Object.fromEntries(
    Object.entries(headers).filter(([name]) => name !== "content-type" && name !== vendor.idempotencyHeader),
  );
  const request = { method: "GET", path, query: {}, headers: asked, body: new Uint8Array() };
  const { reply, answer, withheld } = await callVendor(
    { vendor, request, address, secret },
    { policy, timeoutMs: lookupTimeMs(deadlines, ports.clock.now()) },
    ports,
  );
  // What may not be shown is not used either: parts of it could stand in our own messages.
  const found = answer?.status === 200 && withheld === null ? jsonObjectOf(answer.body) : null;
  if (found !== null && vendor.isAbout(path, found)) return found;
  if (reply.kind === "answer" && reply.status >= 400 && reply.status < 500 && reply.status !== 429) {
    throw new Problem(
      "amount_unknown",
      `could not price this call: GET ${path} at ${vendor.title} answered ${reply.status}`,
    );
  }
  if (reply.kind === "too_large")
    throw new Problem(
      "vendor_answer_too_large",
      `could not price this call: GET ${path} at ${vendor.title}: ${tooLarge(reply)}`,
    );
  throw new Problem(
    "vendor_unreachable",
    `could not price this call: GET ${path} at ${vendor.title} gave no usable answer; repeat the call`,
    { cause: reply.kind === "unreachable" || reply.kind === "broken" ? reply.cause : undefined },
  );
}
