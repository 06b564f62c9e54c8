import type { Endpoint, Vendor } from "../domain/vendor.ts";
import { stripe } from "./stripe.ts";

/** The only list of vendors. */
export const VENDORS: Readonly<Record<string, Vendor>> = { stripe };

/** A kind, an underscore and the rest: so no word of a path is taken for an id, and none is too long for a table. */
const OBJECT_ID = /^[A-Za-z]+_[A-Za-z0-9_]{1,200}$/;

/** The entry of a vendor's catalog for a canonical path, or null: then it has no price and is refused. */
export function endpointOf(vendor: Vendor, method: string, path: string): Endpoint | null {
  const segments = path.split("/");
  for (const endpoint of vendor.catalog) {
    const pattern = endpoint.path.split("/");
    if (endpoint.method !== method || pattern.length !== segments.length) continue;
    if (
      pattern.every((part, index) =>
        part === "{id}" ? OBJECT_ID.test(segments[index] ?? "") : part === segments[index],
      )
    )
      return endpoint;
  }
  return null;
}
