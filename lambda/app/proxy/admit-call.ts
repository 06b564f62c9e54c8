import { canonicalPath, matchesPattern, parseEndpointPattern } from "../../domain/endpoint.ts";
import { limitProblem } from "../../domain/limit-problem.ts";
import { Problem } from "../../domain/problem.ts";
import { type Policy, rootOf } from "../../domain/vault-key.ts";
import type {
  FreeRule,
  Headers,
  Known,
  PricedRule,
  Quote,
  Vendor,
  VendorRequest,
} from "../../domain/vendor.ts";
import { endpointOf } from "../../vendors/endpoints.ts";
import { pathHint } from "../../vendors/meant.ts";
import { standingProblem } from "./denial-messages.ts";
import { addressOf, type VendorCall } from "./forward.ts";
import { type LookupPorts, lookUp } from "./look-up.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";

/** The largest body, in bytes: base64 in an event of 6 MB. */
const BODY_BYTES_MAX = 4_500_000;
const CALL_LABEL_LENGTH_MAX = 200;
/** Why an endpoint is denied that nobody has judged; where it is known what was meant, that is said behind it. */
const NOT_IN_CATALOG = "it is not in the catalog, so what it can cost is not known";

/** A call that may be made, if its budget allows. */
export interface Admitted extends VendorCall {
  readonly price:
    | { readonly kind: "free"; readonly rule: FreeRule }
    | {
        readonly kind: "paid";
        readonly rule: PricedRule;
        readonly quote: Quote;
        readonly known: Known;
      };
}

/**
 * Steps 1 and 2: is the endpoint allowed, can the request be read in one way only, and what can it cost at most?
 * Throws the Problem that denies it. Nothing has happened yet, whatever comes out.
 */
export async function admit(request: ProxyRequest, policy: Policy, ports: AdmitPorts): Promise<Admitted> {
  const vendor = ports.vendors.find(policy.vendor);
  if (vendor === null || (request.vendorName !== null && request.vendorName !== policy.vendor))
    throw anothersPath("endpoint_not_allowed", policy, request.vendorName ?? "a vendor that is not known");
  checkCallLabel(request.headers);
  checkMethodIsMeant(request.headers);
  refuse(vendor.refuseHeaders(request.headers, policy.limits));

  const canonical = canonicalPath(request.rawPath);
  if (canonical.kind === "ambiguous")
    throw new Problem("ambiguous_path", `this path can be read in more than one way: ${canonical.reason}`);
  const strangers = ports.vendors.strangersTo(vendor, canonical.path);
  if (strangers.length > 0) throw anothersPath("endpoint_not_priced", policy, strangers.join(" or "));
  const path = vendor.catalogPath(canonical.path);
  const sentPath = vendor.catalogPath(canonical.sent);
  const called = `${request.method} ${path}`;
  const endpoint = endpointOf(vendor, request.method, path);
  if (sentPath !== path && endpoint === null)
    throw new Problem(
      "ambiguous_path",
      "this path can be read in more than one way: it has a percent-encoded character where no endpoint has one",
    );
  const rule = endpoint?.rule ?? { kind: "denied", reason: null };
  const isUnknown = rule.kind === "denied" && rule.reason === null;
  const hint = isUnknown ? pathHint(vendor, request.method, path) : "";
  checkAllowed(policy, request.method, path, called, hint);
  if (request.body.length > BODY_BYTES_MAX) {
    throw new Problem(
      "payload_too_large",
      `the body has ${request.body.length} bytes; accepted are at most ${BODY_BYTES_MAX}`,
    );
  }

  const { method, query, headers, body } = request;
  const vendorRequest: VendorRequest = {
    method,
    path,
    ...(sentPath === path ? {} : { sentPath }),
    query,
    headers,
    body,
  };
  if (rule.kind === "denied")
    throw new Problem(
      "endpoint_not_priced",
      `${called} is not callable with a vault key: ${rule.reason ?? NOT_IN_CATALOG}${hint}`,
    );

  const call = { vendor, policy, request: vendorRequest };
  const price =
    rule.kind === "free" ? freeOf(rule, vendorRequest, policy) : await paidOf(rule, call, request, ports);
  return { vendor, request: vendorRequest, price, ...(await credentialOf(call, ports)) };
}

/** A key of one vendor, on a path that only another vendor's SDK writes. */
const anothersPath = (
  code: "endpoint_not_allowed" | "endpoint_not_priced",
  { keyId, vendor }: Policy,
  pathVendor: string,
) =>
  new Problem(
    code,
    `vault key ${keyId} is for ${vendor}; this path is of ${pathVendor}; write …/${vendor} as the base address of an SDK of ${vendor}, or issue a key of ${pathVendor}`,
  );

type AdmitPorts = LookupPorts & Pick<ProxyPorts, "vendors" | "vault" | "rateCard">;

interface Call {
  readonly vendor: Vendor;
  readonly policy: Policy;
  readonly request: VendorRequest;
}

const freeOf = (rule: FreeRule, request: VendorRequest, { limits }: Policy): Admitted["price"] => {
  refuse(rule.check(request, limits));
  return { kind: "free", rule };
};

async function paidOf(
  rule: PricedRule,
  call: Call,
  { startedAtMs, deadlineMs }: ProxyRequest,
  ports: AdmitPorts,
): Promise<Admitted["price"]> {
  const { vendor, policy, request } = call;
  const { limits } = policy;
  const objectId = rule.objectOf?.(request) ?? null;
  const object =
    objectId === null ? null : await ports.vault.objects.read({ rootId: rootOf(policy), objectId });
  const needsRecipient = limits.recipients !== null || limits.maxRecipients !== null;
  const asked = rule.lookup?.(request, needsRecipient) ?? null;
  if (asked !== null) await checkStanding(policy, ports);
  const found =
    asked === null
      ? null
      : await lookUp(
          { vendor, policy, path: asked, headers: request.headers, ...(await credentialOf(call, ports)) },
          { startedAtMs, deadlineMs },
          ports,
        );
  const known: Known = { object, found, rateCard: ports.rateCard, limits };
  const quote = rule.quote(request, known);
  if (quote instanceof Problem) throw quote;
  refuse(limitProblem(quote, limits, vendor, policy.keyId));
  return { kind: "paid", rule, quote, known };
}

/** A key that has ended asks nothing any more. Whether it still stands when the call is made is checked there. */
async function checkStanding({ chain }: Policy, { vault, clock }: AdmitPorts): Promise<void> {
  const keyIds = chain.map(({ keyId }) => keyId);
  refuse(standingProblem(keyIds, await vault.balances.read(keyIds), clock.now()));
}

/** Where the call goes, and the credential that it goes with. */
async function credentialOf(
  { vendor, policy, request }: Call,
  { credentials }: Pick<AdmitPorts, "credentials">,
): Promise<Pick<Admitted, "address" | "secret">> {
  const { vendor: name, credential } = policy;
  const secret = await credentials.read({ vendor: name, credential, fresh: false });
  if (secret === null || vendor.authorize(secret) === null) {
    const wrong =
      secret === null
        ? `no credential "${credential}" is set for ${name}`
        : `the credential "${credential}" of ${name} cannot be one; accepted is ${vendor.credentialAccepted}`;
    throw new Problem(
      "credential_missing",
      `${wrong}; an operator can ${credentials.howToSet({ vendor: name, credential })}`,
    );
  }
  const address = addressOf(vendor, request, secret);
  if (address instanceof Problem) throw address;
  return { address, secret };
}

function checkAllowed(policy: Policy, method: string, path: string, called: string, hint: string): void {
  const { allowedEndpoints } = policy;
  if (allowedEndpoints === null) return;

  const allowed = allowedEndpoints.some((entry) => {
    const pattern = parseEndpointPattern(entry);
    return !("refused" in pattern) && matchesPattern(pattern, method, path);
  });
  if (!allowed) {
    throw new Problem(
      "endpoint_not_allowed",
      `vault key ${policy.keyId} does not allow ${called}; it allows ${allowedEndpoints.join(", ")}${hint}`,
    );
  }
}

function checkCallLabel(headers: Headers): void {
  const labels = headers["keybrake-label"] ?? [];
  const [label = ""] = labels;
  if (labels.length > 1 || label.length > CALL_LABEL_LENGTH_MAX || !label.isWellFormed()) {
    throw new Problem(
      "ambiguous_request",
      `Keybrake-Label: accepted is one header of at most ${CALL_LABEL_LENGTH_MAX} characters`,
    );
  }
}

/** Some servers take another method from these than the one that was priced. */
const METHOD_OVERRIDES = ["x-http-method-override", "x-http-method", "x-method-override"];

function checkMethodIsMeant(headers: Headers): void {
  const name = METHOD_OVERRIDES.find((each) => each in headers);
  if (name !== undefined) {
    throw new Problem(
      "ambiguous_request",
      `the header ${name} asks for another method; send that method itself`,
    );
  }
}

function refuse(problem: Problem | null): void {
  if (problem !== null) throw problem;
}
