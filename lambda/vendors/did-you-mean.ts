import { type EndpointPattern, parseEndpointPattern } from "../domain/endpoint.ts";
import type { Vendor } from "../domain/vendor.ts";
import { endpointOf, fitsSegment } from "./catalog-entry.ts";

/**
 * Guesses what was meant by an allowlist entry that can never match, or by a path that no endpoint has: the base URL of
 * another vendor, an extra or missing prefix, a wrong letter.
 */

/**
 * Says what is wrong with an allowlist entry, with the entry that was probably meant. Null where some call can match
 * it. `all`: the vendors whose endpoint it may be instead.
 */
export function entryProblem(vendor: Vendor, entry: string, all: readonly Vendor[]): string | null {
  const pattern = parseEndpointPattern(entry);
  if (!("refused" in pattern) && canMatch(vendor, pattern)) return null;
  const meant = meantBy(vendor, entry);
  const accepted = meant === null ? acceptedBy(vendor) : `expected ${JSON.stringify(meant)}`;
  if ("refused" in pattern) return meant === null ? pattern.refused : accepted;

  const { method, segments } = pattern;
  const rule = endpointOf(vendor, method, `/${segments.join("/")}`)?.rule;
  if (rule?.kind === "denied" && rule.reason !== null)
    return `it is not callable with a vault key: ${rule.reason}; ${acceptedBy(vendor)}`;
  const other = all.find((each) => each !== vendor && canMatch(each, pattern));
  if (other !== undefined)
    return `it is an endpoint of ${other.name}, and this key is for ${vendor.name}; ${accepted}`;
  return `it matches no endpoint that a ${vendor.name} key can call; ${accepted}`;
}

/** Whether an entry allows some priced or free call. */
function canMatch(
  { catalog, placeholders, catalogPath }: Vendor,
  { method, segments }: EndpointPattern,
): boolean {
  const path = `/${segments.join("/")}`;
  if (catalogPath(path) !== path) return false;
  if (!segments.some((segment) => segment === "*" || segment === "**")) {
    const rule = endpointOf({ catalog, placeholders }, method, path)?.rule;
    return rule !== undefined && rule.kind !== "denied";
  }
  const open = segments.at(-1) === "**";
  const fixed = open ? segments.slice(0, -1) : segments;
  return catalog.some((endpoint) => {
    const parts = endpoint.path.split("/").slice(1);
    return (
      endpoint.rule.kind !== "denied" &&
      endpoint.method === method &&
      (open ? parts.length > fixed.length : parts.length === fixed.length) &&
      fixed.every((segment, at) => segment === "*" || fitsSegment(placeholders, parts[at] ?? "", segment))
    );
  });
}

/** Completes the refusal of a path that is in no catalog: what to write instead, or an empty text. */
export function pathHint(vendor: Vendor, method: string, path: string): string {
  const meant = meantBy(vendor, `${method} ${path}`);
  if (meant === null) return "";
  const [meantMethod = "", meantPath = ""] = meant.split(" ");
  return `; the base URL ends in /${vendor.name}, so you probably mean ${meantMethod} /${vendor.name}${meantPath}`;
}

const acceptedBy = (vendor: Vendor): string =>
  `expected an entry such as "${exampleEntry(vendor)}"; leave allowed_endpoints out to allow every priced or free endpoint`;

/** The entry of an allowlist for the first endpoint that has a price. */
export function exampleEntry({ catalog }: Vendor): string {
  const { method, path } = catalog.find(({ rule }) => rule.kind === "priced") ?? {
    method: "ANY",
    path: "/**",
  };
  return `${method} ${path.replace(/\{[^}]*\}[^/]*/g, "*")}`;
}

/** The entry that was probably meant, or null. */
function meantBy(vendor: Vendor, entry: string): string | null {
  const [first = "", second] = entry.trim().split(/\s+/, 2);
  const methods = second === undefined ? ["POST", "GET"] : [first.toUpperCase()];
  const paths = writtenOtherwise(vendor, second ?? first);
  for (const method of methods) {
    for (const path of paths) {
      const meant = `${method} ${path}`;
      const pattern = parseEndpointPattern(meant);
      if (!("refused" in pattern) && canMatch(vendor, pattern)) return meant;
    }
  }
  return nearest(vendor, methods[0] ?? "", paths[0] ?? "");
}

/** A stage, the name of a vendor, a repeated version. */
const TOO_MUCH_MAX = 3;

/** The paths that could have been meant: without origin and query, and with fewer or more segments before them. */
function writtenOtherwise({ origins, prefixes }: Vendor, text: string): readonly string[] {
  const host = /^https?:\/\/([^/:]*)/i.exec(text)?.[1]?.toLowerCase();
  const [name = "main"] = Object.entries(origins).find(([, origin]) => origin === `https://${host}`) ?? [];
  const path = `/${text.replace(/^https?:\/\/[^/]*/i, name === "main" ? "" : `/${name}`)}`
    .replace(/[?#].*$/, "")
    .replace(/\/{2,}/g, "/")
    .replace(/(?<=.)\/$/, "");
  const last = path.split("/").length - 1;
  const plain = path
    .split("/")
    .map((segment, at) => {
      if (segment === "**") return at === last ? "**" : "*";
      if (/^(\{.*\}|:[a-z_]+|<.*>|.*\*.*|.*…)$/i.test(segment)) return "*";
      return segment;
    })
    .join("/");
  const segments = plain.split("/").slice(1);
  // At least one word stays: the suggested entry must not be wider than the one that was written.
  const shorter = Array.from(
    { length: Math.min(TOO_MUCH_MAX, segments.length - 1) },
    (_, at) => `/${segments.slice(at + 1).join("/")}`,
  ).filter((each) => !each.startsWith("/*"));
  const all = [plain, ...shorter, ...prefixes.map((prefix) => prefix + plain)];
  return [...new Set([...all, ...all.map((each) => each.toLowerCase())])];
}

/** How many letters may be wrong, in one word and in all of them together. */
const WRONG_MAX = 3;

/** The entry of the catalog with the fewest wrong letters; ids and wildcards stay as they were written. */
function nearest({ catalog, placeholders }: Vendor, method: string, path: string): string | null {
  const segments = path.split("/").slice(1);
  const open = segments.at(-1) === "**";
  const fixed = open ? segments.slice(0, -1) : segments;
  let best: { readonly wrong: number; readonly entry: string } | null = null;
  for (const endpoint of catalog) {
    const parts = endpoint.path.split("/").slice(1);
    if (
      endpoint.rule.kind === "denied" ||
      (open ? parts.length <= fixed.length : parts.length !== fixed.length)
    )
      continue;
    // The right path with another method is nearer than any other path.
    let wrong = endpoint.method === method ? 0 : 0.5;
    const written = fixed.map((segment, at) => {
      const part = parts[at] ?? "";
      if (segment === "*" || fitsSegment(placeholders, part, segment)) return segment;
      if (part.startsWith("{")) wrong += WRONG_MAX + 1;
      else wrong += differences(segment.toLowerCase(), part.toLowerCase()) + 0.1;
      return part;
    });
    if (wrong <= WRONG_MAX && (best === null || wrong < best.wrong))
      best = { wrong, entry: `${endpoint.method} /${[...written, ...(open ? ["**"] : [])].join("/")}` };
  }
  return best?.entry ?? null;
}

/** How many letters have to be put in, taken out or replaced to make one word of another; long words differ anyhow. */
function differences(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > WRONG_MAX || one.length > 60) return WRONG_MAX + 1;
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (let to = 1; to <= other.length; to++) {
      const replaced = (row[to - 1] ?? 0) + (letter === other[to - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[to] ?? 0) + 1, (next[to - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
