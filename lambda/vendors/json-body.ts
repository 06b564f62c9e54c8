import type { Problem } from "../domain/problem.ts";
import { readStrictJson } from "../domain/strict-json.ts";
import type { VendorRequest } from "../domain/vendor.ts";
import { ambiguous } from "./form.ts";

/**
 * A JSON body that is sent to a vendor. It is strict JSON. What could look different to Keybrake and to the vendor is
 * refused, such as a compressed body or parameters in the URL.
 */
export type JsonBody = { readonly value: unknown };

/** Reads the body of a request that must have one. */
export function readJson(request: VendorRequest): JsonBody | Problem {
  if (Object.keys(request.query).length > 0)
    return ambiguous("it has a query string as well as a body; send every parameter in the body");
  if ((request.headers["content-encoding"] ?? []).length > 0)
    return ambiguous("the body is compressed; send it uncompressed");
  const types = request.headers["content-type"] ?? [];
  if (types.length !== 1 || !/^application\/json(; ?charset=utf-8)?$/i.test(types[0] ?? ""))
    return ambiguous("the body is not declared as JSON; send Content-Type: application/json");

  const read = readStrictJson(request.body);
  return "refused" in read ? ambiguous(`the body ${read.refused}`) : read;
}
