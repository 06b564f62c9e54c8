import type { DenialFacts } from "../domain/vendor.ts";
import { VENDORS } from "./index.ts";

/**
 * A denial for a caller whose SDK is not known: the denials of all vendors in one body, with the headers of all. Every SDK
 * finds in it what it looks for in its own vendor's (run against the oldest and newest of each, 2026-11). `code` is the
 * one field that two of them have: a number makes Twilio's exception, and ours stays in `keybrake_code`.
 */
export function anyVendorDenial(facts: DenialFacts): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const denials = Object.values(VENDORS).map((vendor) => vendor.denial(facts));
  const bodies = denials.map(({ body }): Readonly<Record<string, unknown>> => JSON.parse(body));
  const merged = Object.assign({}, ...bodies);
  const number = bodies.map(({ code }) => code).find((code) => typeof code === "number");
  return {
    headers: Object.assign({}, ...denials.map(({ headers }) => headers)),
    body: JSON.stringify({ ...merged, ...(number !== undefined && { code: number }) }),
  };
}
