import type { Endpoint, Vendor } from "../domain/vendor.ts";

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
