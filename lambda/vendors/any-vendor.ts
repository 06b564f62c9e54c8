import type { DenialFacts, VendorManifest } from "../domain/vendor-manifest.ts";

/**
 * A denial for a caller whose SDK is not known: the denials of all vendors in one body, with the headers of all. Every SDK
 * finds in it what it looks for in its own vendor's (run against the oldest and newest of each, 2026-11). Where two vendors
 * have a field of one name, the first in the list says what stands in it, but a number in `code` goes before a text: it
 * makes Twilio's exception, and our code stays in `keybrake_code`.
 */
export function anyVendorDenial(
  vendors: readonly Pick<VendorManifest, "denial">[],
  facts: DenialFacts,
): ReturnType<VendorManifest["denial"]> {
  const denials = vendors.map((vendor) => vendor.denial(facts));
  const bodies = denials.map(({ body }): Readonly<Record<string, unknown>> => JSON.parse(body));
  const number = bodies.map(({ code }) => code).find((code) => typeof code === "number");
  return {
    headers: firstOfEach(denials.map(({ headers }) => headers)),
    body: JSON.stringify({ ...firstOfEach(bodies), ...(number !== undefined && { code: number }) }),
  };
}

function firstOfEach<T>(objects: readonly Readonly<Record<string, T>>[]): Readonly<Record<string, T>> {
  const merged: Record<string, T> = {};
  for (const [name, value] of objects.flatMap(Object.entries<T>))
    if (!Object.hasOwn(merged, name)) merged[name] = value;
  return merged;
}
