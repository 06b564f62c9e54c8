import { isJsonObject } from "../domain/strict-json.ts";
import type { Json, VendorAnswer } from "../domain/vendor.ts";

/** What the books of several vendors need. */

/** The JSON objects in a list; empty where it is none. */
export const objectsIn = (list: unknown): readonly Json[] =>
  Array.isArray(list) ? list.filter(isJsonObject) : [];

/** An answer of the vendor with this object. */
export const answerWith = (
  status: number,
  object: unknown,
  headers: VendorAnswer["headers"] = {},
): VendorAnswer => ({ status, headers, body: new TextEncoder().encode(JSON.stringify(object)) });

/** Whether a time as a vendor writes it is within these bounds, in milliseconds. */
export function isWithin(time: unknown, fromMs: number, toMs: number): boolean {
  const ms =
    typeof time === "number" ? time * 1000 : typeof time === "string" ? Date.parse(time) : Number.NaN;
  return ms >= fromMs && ms <= toMs;
}

export const SECOND_MS = 1_000;
export const DAY_MS = 86_400_000;
