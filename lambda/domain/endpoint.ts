/**
 * Which call it is: one way to write a path, and the patterns of allowlists and catalogs.
 *
 * A path that a vendor might read in another way than we do is refused, never normalised: what is priced must be what
 * is called.
 */
export type CanonicalPath =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "ambiguous"; readonly reason: string };

const SEGMENT = /^[A-Za-z0-9_\-.~:@!$&'()*+,=]+$/;

/**
 * Reads a raw path (still percent-encoded, without a leading slash) as the vendor will get it.
 *
 * Refused: empty segments (`//`, a trailing slash), `.` and `..`, anything percent-encoded, `;` and any character
 * outside of the unreserved ones. Case is kept: `/V1/charges` is simply no endpoint of the catalog.
 */
export function canonicalPath(raw: string): CanonicalPath {
  const segments = raw.split("/");
  for (const segment of segments) {
    if (segment === "")
      return ambiguous(
        "it has an empty segment; write single slashes, none at the end, and no slash at the end of the SDK's base address",
      );
    if (segment === "." || segment === "..") return ambiguous(`it has a "${segment}" segment`);
    if (segment.includes("%")) return ambiguous("it has a percent-encoded character");
    if (!SEGMENT.test(segment)) return ambiguous("it has a character that no endpoint has");
  }
  return { kind: "path", path: `/${segments.join("/")}` };
}

const ambiguous = (reason: string): CanonicalPath => ({ kind: "ambiguous", reason });

const METHODS = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

/** An entry of an allowlist: `METHOD /path`, with `*` for one segment and a trailing `/**` for the rest. */
export interface EndpointPattern {
  readonly method: string;
  readonly segments: readonly string[];
}

/** Reads an entry of an allowlist, or says what is wrong with it. */
export function parseEndpointPattern(entry: string): EndpointPattern | { readonly refused: string } {
  const [method = "", path = "", ...rest] = entry.split(" ");
  const accepted =
    'accepted is "METHOD /path", such as "POST /v1/payment_intents", "GET /v1/customers/*" or "GET /v1/**"';
  if (rest.length > 0 || !METHODS.has(method) || !path.startsWith("/")) return { refused: accepted };

  const segments = path.slice(1).split("/");
  const wrong = segments.some(
    (segment, index) =>
      !(
        segment === "*" ||
        (segment === "**" && index === segments.length - 1) ||
        (SEGMENT.test(segment) && !segment.includes("*"))
      ) ||
      segment === "." ||
      segment === "..",
  );
  return wrong ? { refused: accepted } : { method, segments };
}

/** Whether a call with a canonical path is one that the pattern names. `/**` needs at least one more segment. */
export function matchesPattern(pattern: EndpointPattern, method: string, path: string): boolean {
  if (pattern.method !== method) return false;

  const segments = path.slice(1).split("/");
  const open = pattern.segments.at(-1) === "**";
  const fixed = open ? pattern.segments.slice(0, -1) : pattern.segments;
  if (open ? segments.length <= fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((segment, index) => segment === "*" || segment === segments[index]);
}
