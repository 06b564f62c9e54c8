import type { Endpoint, Vendor } from "../domain/vendor.ts";
import { resend } from "./resend/resend.ts";
import { stripe } from "./stripe/stripe.ts";
import { twilio } from "./twilio/twilio.ts";

/** The only list of vendors. */
export const VENDORS: Readonly<Record<string, Vendor>> = { stripe, twilio, resend };

/** The entry of a vendor's catalog for a catalog path, or null: then it has no price and is refused. The first one counts. */
export function endpointOf(
  vendor: Pick<Vendor, "catalog" | "placeholders">,
  method: string,
  path: string,
): Endpoint | null {
  const segments = path.split("/");
  return (
    vendor.catalog.find(
      (endpoint) =>
        (endpoint.method === method || endpoint.method === "ANY") &&
        isBelow(vendor.placeholders, endpoint.path.split("/"), segments),
    ) ?? null
  );
}

const firstSegmentsOf = ({ catalog }: Vendor) => new Set(catalog.map(({ path }) => path.split("/")[1] ?? ""));
const FIRST_SEGMENTS = new Map(Object.values(VENDORS).map((vendor) => [vendor, firstSegmentsOf(vendor)]));

/**
 * The names of the other vendors whose paths begin like this one, where no path of `vendor` does: their SDK wrote it.
 * `path`: with a slash before it, without the prefix that names a vendor.
 */
export function strangersTo(vendor: Vendor, path: string): readonly string[] {
  const begins = (other: Vendor) =>
    FIRST_SEGMENTS.get(other)?.has(other.catalogPath(path).split("/")[1] ?? "") ?? false;
  if (begins(vendor)) return [];
  return Object.values(VENDORS)
    .filter(begins)
    .map(({ name }) => name);
}

function isBelow(
  placeholders: Vendor["placeholders"],
  pattern: readonly string[],
  segments: readonly string[],
): boolean {
  const open = pattern.at(-1) === "**";
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? segments.length <= fixed.length : segments.length !== fixed.length) return false;
  return fixed.every((part, index) => fitsSegment(placeholders, part, segments[index] ?? ""));
}

/** A part is fixed, or a placeholder with or without an ending: `{id}.json`. */
export function fitsSegment(placeholders: Vendor["placeholders"], part: string, segment: string): boolean {
  if (!part.startsWith("{")) return part === segment;
  const [name = "", ending = ""] = part.slice(1).split("}", 2);
  return (
    segment.endsWith(ending) &&
    (placeholders[name]?.test(segment.slice(0, segment.length - ending.length)) ?? false)
  );
}
