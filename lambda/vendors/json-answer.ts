import { NOTHING } from "../domain/money.ts";
import { isJsonObject } from "../domain/strict-json.ts";
import type { Json, VendorOutcome } from "../domain/vendor.ts";

/** How JSON answers of any vendor are read. */

const UTF8 = new TextDecoder();

/** The JSON object in a body, or null where the body is anything else. */
export function jsonObjectOf(body: Uint8Array): Json | null {
  const known = READ.get(body);
  if (known !== undefined) return known;
  const object = objectIn(body);
  READ.set(body, object);
  return object;
}

/** The rules of a call ask for its answer one after the other. */
const READ = new WeakMap<Uint8Array, Json | null>();

function objectIn(body: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(UTF8.decode(body));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A vendor's id or name: short and printable. Null for any other value in an answer. */
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
