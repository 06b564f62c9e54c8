import { NOTHING } from "../domain/money.ts";
import { isJsonObject } from "../domain/strict-json.ts";
import type { Json, VendorOutcome } from "../domain/vendor.ts";

/** How answers in JSON are read, whichever vendor gives them. */

/** The object that a body holds, or null where it holds none. */
export function jsonObjectOf(body: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** An id or a name of a vendor's: short and printable, whatever an answer may hold. */
export const printable = (value: unknown): string | null =>
  typeof value === "string" && /^[\x21-\x7e]{1,255}$/.test(value) ? value : null;

/** What is known of the money before an answer is read. */
export const NOTHING_READ: VendorOutcome = {
  kind: "unknown",
  price: NOTHING,
  isEstimate: false,
  replayed: false,
  objectId: null,
  customerId: null,
  amountText: null,
  currency: null,
  fxRate: null,
  counts: null,
  uncountsObject: false,
};
