import { canonicalPath, matchesPattern, parseEndpointPattern } from "../../domain/endpoint.ts";
import { Problem } from "../../domain/problem.ts";
import type { Policy } from "../../domain/vault-key.ts";
import type { Endpoint, FreeRule, Headers, PricedRule, Vendor, VendorRequest } from "../../domain/vendor.ts";
import { endpointOf } from "../../vendors/catalog-entry.ts";
import { pathHint } from "../../vendors/did-you-mean.ts";
import type { VendorRegistry } from "../../vendors/registry.ts";
import { type Denial, denialOnOwnRecord, problemOf } from "./denials.ts";
import type { Identified } from "./identify.ts";
import { type Allowed, checked } from "./observe.ts";
import type { ProxyPorts } from "./proxy-ports.ts";
import type { ProxyRequest } from "./proxy-request.ts";
import type { Row } from "./row.ts";

/** The largest body, in bytes: base64 in an event of 6 MB. */
const BODY_BYTES_MAX = 4_500_000;
const CALL_LABEL_LENGTH_MAX = 200;
/** Why an endpoint is denied that nobody has judged; where it is known what was meant, that is said behind it. */
const NOT_IN_CATALOG = "it is not in the catalog, so Keybrake cannot bound its cost";

/** A request of an endpoint that the key may call and that has a price or is free, as its vendor will read it. */
export interface Admitted {
  readonly kind: "admitted";
  readonly request: ProxyRequest;
  readonly row: Row;
  readonly vendor: Vendor;
  readonly vendorRequest: VendorRequest;
  readonly rule: FreeRule | PricedRule;
}

/**
 * Is the endpoint allowed, and can the request be read in one way only? Looks at the request alone: nothing has happened yet,
 * whatever comes out.
 */
export function admit(
  { request, row }: Identified,
  { vendors }: Pick<ProxyPorts, "vendors">,
): Admitted | Denial {
  try {
    const vendor = vendorOf(request, row.policy, vendors);
    checkCallLabel(request.headers);
    checkMethodIsMeant(request.headers);
    const known = checked(row, ({ limits }) => vendor.refuseHeaders(request.headers, limits));
    return { kind: "admitted", request, vendor, ...endpointAsked(request, known.row, vendor, vendors) };
  } catch (error) {
    return denialOnOwnRecord(row, problemOf(error, "no"));
  }
}

/** The key's own vendor, where the path is not another one's. */
function vendorOf({ vendorName }: ProxyRequest, policy: Policy, vendors: VendorRegistry): Vendor {
  const vendor = vendors.find(policy.vendor);
  if (vendor === null || (vendorName !== null && vendorName !== policy.vendor))
    throw anothersPath("endpoint_not_allowed", policy, vendorName ?? "a vendor that is not known");
  return vendor;
}

/** The entry of the catalog that is called, if the key allows it, and the request as it is sent there. */
function endpointAsked(
  request: ProxyRequest,
  row: Row,
  vendor: Vendor,
  vendors: VendorRegistry,
): Pick<Admitted, "row" | "vendorRequest" | "rule"> {
  const { method, query, headers, body } = request;
  const { path, sentPath, endpoint } = pathAsked(request, row.policy, vendor, vendors);
  const called = `${method} ${path}`;
  const rule = endpoint?.rule ?? { kind: "denied", reason: null };
  const isUnknown = rule.kind === "denied" && rule.reason === null;
  const hint = isUnknown ? pathHint(vendor, method, path) : "";
  const allowed = checked(row, (each) => notAllowed(each, { method, path, hint }));
  if (body.length > BODY_BYTES_MAX) {
    throw new Problem(
      "payload_too_large",
      `the body has ${body.length} bytes; expected at most ${BODY_BYTES_MAX}`,
    );
  }
  if (rule.kind === "denied")
    throw new Problem(
      "endpoint_not_priced",
      `${called} is not callable with a vault key: ${rule.reason ?? NOT_IN_CATALOG}${hint}`,
    );
  const vendorRequest = { method, path, ...(sentPath === path ? {} : { sentPath }), query, headers, body };
  return { row: allowed.row, vendorRequest, rule };
}

/** The path as the catalog names it and as it is sent, and the entry there, or null. */
function pathAsked(
  { rawPath, method }: ProxyRequest,
  policy: Policy,
  vendor: Vendor,
  vendors: VendorRegistry,
): { readonly path: string; readonly sentPath: string; readonly endpoint: Endpoint | null } {
  const canonical = canonicalPath(rawPath);
  if (canonical.kind === "ambiguous")
    throw new Problem("ambiguous_path", `this path can be read in more than one way: ${canonical.reason}`);
  const others = vendors.othersWithPath(vendor, canonical.path);
  if (others.length > 0) throw anothersPath("endpoint_not_priced", policy, others.join(" or "));
  const path = vendor.catalogPath(canonical.path);
  const sentPath = vendor.catalogPath(canonical.sent);
  const endpoint = endpointOf(vendor, method, path);
  if (sentPath !== path && endpoint === null)
    throw new Problem(
      "ambiguous_path",
      "this path can be read in more than one way: it has a percent-encoded character where no endpoint has one",
    );
  return { path, sentPath, endpoint };
}

/** A key of one vendor, on a path that only another vendor's SDK writes. */
const anothersPath = (
  code: "endpoint_not_allowed" | "endpoint_not_priced",
  { keyId, vendor }: Policy,
  pathVendor: string,
) =>
  new Problem(
    code,
    `vault key ${keyId} is for ${vendor}; this path belongs to ${pathVendor}; use …/${vendor} as the base URL of ${vendor}'s SDK, or issue a key for ${pathVendor}`,
  );

/** Why the endpoints of a key leave this one out, or null. */
function notAllowed(
  { keyId, allowedEndpoints }: Allowed,
  { method, path, hint }: { readonly method: string; readonly path: string; readonly hint: string },
): Problem | null {
  if (allowedEndpoints === null) return null;

  const allowed = allowedEndpoints.some((entry) => {
    const pattern = parseEndpointPattern(entry);
    return !("refused" in pattern) && matchesPattern(pattern, method, path);
  });
  return allowed
    ? null
    : new Problem(
        "endpoint_not_allowed",
        `vault key ${keyId} does not allow ${method} ${path}; it allows ${allowedEndpoints.join(", ")}${hint}`,
      );
}

function checkCallLabel(headers: Headers): void {
  const labels = headers["keybrake-label"] ?? [];
  const [label = ""] = labels;
  if (labels.length > 1 || label.length > CALL_LABEL_LENGTH_MAX || !label.isWellFormed()) {
    throw new Problem(
      "ambiguous_request",
      `Keybrake-Label: expected one header of at most ${CALL_LABEL_LENGTH_MAX} characters`,
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
