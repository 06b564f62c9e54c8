import type { CountedObject } from "../domain/counted-object.ts";
import { Problem } from "../domain/denial.ts";
import { canonicalPath, matchesPattern, parseEndpointPattern } from "../domain/endpoint.ts";
import { type Policy, rootOf } from "../domain/vault-key.ts";
import type { FreeRule, Headers, PricedRule, Quote, Vendor, VendorRequest } from "../domain/vendor.ts";
import type { Vault, VendorSecrets } from "../ports.ts";
import { endpointOf, VENDORS } from "../vendors/index.ts";

/** A request as it reached us: the raw path without the vendor's prefix, still percent-encoded. Times in milliseconds. */
export interface ProxyRequest {
  readonly requestId: string;
  readonly token: string | null;
  /** The vendor named by the path; null for a path at the root, which goes to the key's own vendor. */
  readonly vendorName: string | null;
  readonly method: string;
  readonly rawPath: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly sourceIp: string | null;
  readonly startedAtMs: number;
  /** When the process may be ended. */
  readonly deadlineMs: number;
}

/** The largest body, in bytes: base64 in an event of 6 MB. */
const BODY_BYTES_MAX = 4_500_000;
const CALL_LABEL_LENGTH_MAX = 200;

/** A call that may be made, if its budget allows. */
export interface Admitted {
  readonly vendor: Vendor;
  readonly request: VendorRequest;
  /** The value of the credential: it may stand in no log, row or answer. */
  readonly secret: string;
  readonly price:
    | { readonly kind: "free"; readonly rule: FreeRule }
    | {
        readonly kind: "paid";
        readonly rule: PricedRule;
        readonly quote: Quote;
        readonly object: CountedObject | null;
      };
}

/**
 * Steps 1 and 2: is the endpoint allowed, can the request be read in one way only, and what can it cost at most?
 * Throws the Problem that denies it. Nothing has happened yet, whatever comes out.
 */
export async function admit(
  request: ProxyRequest,
  policy: Policy,
  ports: { readonly vault: Vault; readonly secrets: VendorSecrets },
): Promise<Admitted> {
  const vendor = VENDORS[policy.vendor];
  if (vendor === undefined || (request.vendorName !== null && request.vendorName !== policy.vendor)) {
    throw new Problem(
      "endpoint_not_allowed",
      `vault key ${policy.keyId} is for ${policy.vendor}; this path is another vendor's; nothing was charged`,
    );
  }
  checkCallLabel(request.headers);
  refuse(vendor.refuseHeaders(request.headers));

  const path = canonicalPath(request.rawPath);
  if (path.kind === "ambiguous")
    throw new Problem(
      "ambiguous_path",
      `this path can be read in more than one way: ${path.reason}; nothing was charged`,
    );
  const called = `${request.method} ${path.path}`;
  checkAllowed(policy, request.method, path.path, called);
  if (request.body.length > BODY_BYTES_MAX) {
    throw new Problem(
      "payload_too_large",
      `the body has ${request.body.length} bytes; accepted are at most ${BODY_BYTES_MAX}; nothing was charged`,
    );
  }

  const { method, query, headers, body } = request;
  const vendorRequest: VendorRequest = { method, path: path.path, query, headers, body };
  const rule = endpointOf(vendor, method, path.path)?.rule ?? {
    kind: "denied",
    reason: "it is not in the catalog, so what it can cost is not known",
  };
  if (rule.kind === "denied")
    throw new Problem(
      "endpoint_not_priced",
      `${called} is not callable with a vault key: ${rule.reason}; nothing was charged`,
    );

  const price =
    rule.kind === "free"
      ? freeOf(rule, vendorRequest)
      : await paidOf(rule, vendorRequest, policy, ports.vault);
  const secret = await ports.secrets.get(policy.vendor, policy.credential, false);
  if (secret === null) {
    throw new Problem(
      "credential_missing",
      `no credential "${policy.credential}" is set for ${policy.vendor}; nothing was charged; an operator can ${ports.secrets.howToSet(policy.vendor, policy.credential)}`,
    );
  }
  return { vendor, request: vendorRequest, secret, price };
}

const freeOf = (rule: FreeRule, request: VendorRequest): Admitted["price"] => {
  refuse(rule.check(request));
  return { kind: "free", rule };
};

async function paidOf(
  rule: PricedRule,
  request: VendorRequest,
  policy: Policy,
  vault: Vault,
): Promise<Admitted["price"]> {
  const objectId = rule.objectOf(request);
  const object = objectId === null ? null : await vault.readObject(rootOf(policy), objectId);
  const quote = rule.quote(request, object);
  if (quote instanceof Problem) throw quote;
  return { kind: "paid", rule, quote, object };
}

function checkAllowed(policy: Policy, method: string, path: string, called: string): void {
  const { allowedEndpoints } = policy;
  if (allowedEndpoints === null) return;

  const allowed = allowedEndpoints.some((entry) => {
    const pattern = parseEndpointPattern(entry);
    return !("refused" in pattern) && matchesPattern(pattern, method, path);
  });
  if (!allowed) {
    throw new Problem(
      "endpoint_not_allowed",
      `vault key ${policy.keyId} does not allow ${called}; it allows ${allowedEndpoints.join(", ")}; nothing was charged`,
    );
  }
}

function checkCallLabel(headers: Headers): void {
  const labels = headers["keybrake-label"] ?? [];
  if (labels.length > 1 || (labels[0] ?? "").length > CALL_LABEL_LENGTH_MAX) {
    throw new Problem(
      "ambiguous_request",
      `Keybrake-Label: accepted is one header of at most ${CALL_LABEL_LENGTH_MAX} characters; nothing was charged`,
    );
  }
}

function refuse(problem: Problem | null): void {
  if (problem !== null) throw problem;
}
