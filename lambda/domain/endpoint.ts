/**
 * Which call it is: one way to write a path, and the patterns of allowlists and catalogs.
 *
 * A path that a vendor might read differently is refused, never normalised: the priced path must be the called path.
 */
export type CanonicalPath =
  /** `path` with its escapes decoded, `sent` as it was written. */
  | { readonly kind: "path"; readonly path: string; readonly sent: string }
  | { readonly kind: "ambiguous"; readonly reason: string };

const SEGMENT = /^[A-Za-z0-9_\-.~:@!$&'()*+,=]+$/;

/**
 * What may be percent-encoded: characters that mean nothing in a path and that SDKs encode in an id, such as the `+` of
 * a number and the `@` of an address (docs/decisions/0030-encoded-characters-in-paths.md). Refused is every character
 * that could change the meaning of the path: `/`, `\`, `.`, `%`, `;`, `?`, `#`, control characters, letters and digits,
 * and bytes of UTF-8.
 */
const ESCAPED = /%(2B|40|3A|3D|2C|24|26|21|27|28|29|20)/gi;

/**
 * Reads a raw path (still percent-encoded, without a leading slash) as the vendor will get it.
 *
 * Refused: empty segments (`//`, a trailing slash), `.` and `..`, any other percent-encoded character than those above,
 * `;` and any reserved character. Case is kept: the catalog has no `/V1/charges`.
 */
export function canonicalPath(raw: string): CanonicalPath {
  const segments = raw.split("/");
  for (const segment of segments) {
    if (segment === "")
      return ambiguous(
        "it has an empty segment; write single slashes, none at the end, and no slash at the end of the SDK's base address",
      );
    if (segment === "." || segment === "..") return ambiguous(`it has a "${segment}" segment`);
    const bare = segment.replace(ESCAPED, "");
    if (bare.includes("%"))
      return ambiguous(
        `it has the percent-encoded character ${/%.{0,2}/.exec(bare)?.[0]}; write it as it is, or leave it out`,
      );
    if (bare !== "" && !SEGMENT.test(bare)) return ambiguous("it has a character that no endpoint has");
  }
  return { kind: "path", path: decodeURIComponent(`/${raw}`), sent: `/${raw}` };
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
    'expected "METHOD /path", such as "POST /v1/payment_intents", "GET /v1/customers/*" or "GET /v1/**"';
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

/** Whether the pattern matches a call with a canonical path. `/**` needs at least one more segment. */
export function matchesPattern(pattern: EndpointPattern, method: string, path: string): boolean {
  if (pattern.method !== method) return false;

  const segments = path.slice(1).split("/");
  const open = pattern.segments.at(-1) === "**";
  const fixed = open ? pattern.segments.slice(0, -1) : pattern.segments;
  if (open ? segments.length <= fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((segment, index) => segment === "*" || segment === segments[index]);
}

/** Whether every call that the entry `narrow` matches is matched by `wide` too. False where one of them is no entry. */
export function coversEntry(wide: string, narrow: string): boolean {
  const [outer, inner] = [parseEndpointPattern(wide), parseEndpointPattern(narrow)];
  return !("refused" in outer) && !("refused" in inner) && covers(outer, inner);
}

function covers(wide: EndpointPattern, narrow: EndpointPattern): boolean {
  if (wide.method !== narrow.method) return false;

  const open = wide.segments.at(-1) === "**";
  const fixed = open ? wide.segments.slice(0, -1) : wide.segments;
  const lengths = open
    ? narrow.segments.length > fixed.length
    : narrow.segments.length === fixed.length && narrow.segments.at(-1) !== "**";
  return (
    lengths &&
    fixed.every((segment, index) => {
      const inner = narrow.segments[index];
      return segment === inner || (segment === "*" && inner !== "**");
    })
  );
}
